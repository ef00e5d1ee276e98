//! The `grid` memory: ternary patterns of the activation, a product a column.

use super::{Operands, Pattern};
use axp_spec::{AmRow, FloatFormat, GridConfig, PeConfig, RowWrite};

/// Patterns of the activation's magnitude, each with its products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    format: FloatFormat,
    shape: GridConfig,
    /// Width of a stored word.
    word_bits: u32,
    /// Whether the products are units of a fixed-point sum.
    units: bool,
    patterns: Vec<Entry>,
}

/// One pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    key: u64,
    care: u64,
    valid: bool,
    /// The products, by column.
    words: Vec<u32>,
}

impl Grid {
    /// A memory of this shape, all patterns invalid.
    pub fn new(config: &PeConfig, shape: GridConfig) -> Self {
        let empty = Entry { words: vec![0; shape.columns as usize], ..Entry::default() };
        Self {
            format: config.format,
            shape,
            word_bits: config.product_bits(),
            units: config.stores_units(),
            patterns: vec![empty; shape.patterns as usize],
        }
    }

    /// How many rows are valid: the columns of the valid patterns.
    pub fn valid_rows(&self) -> usize {
        self.patterns.iter().filter(|entry| entry.valid).count() * self.shape.columns as usize
    }

    /// Replaces the content by rows that have been checked.
    pub fn load(&mut self, rows: &[AmRow]) {
        self.patterns.iter_mut().for_each(|entry| entry.valid = false);
        for (entry, rows) in self.patterns.iter_mut().zip(rows.chunks(self.shape.columns as usize)) {
            let part = |bits| u64::from(self.shape.parts(self.format, bits).1);
            let words = rows.iter().map(|row| row.product.0).collect();
            // A chunk is not empty.
            *entry = Entry { key: part(rows[0].key), care: part(rows[0].care), valid: true, words };
        }
    }

    /// A write to any address.
    pub fn write(&mut self, write: &RowWrite) {
        let Some((pattern, column)) = self.shape.place(write.address) else { return };
        let magnitudes = self.format.sign_mask() - 1;
        let pattern = &mut self.patterns[pattern as usize];
        // The port is as wide as a magnitude.
        let ternary = Pattern::new(write.key & magnitudes, write.care & magnitudes);
        (pattern.key, pattern.care, pattern.valid) = (ternary.key(), ternary.care(), write.valid);
        pattern.words[column as usize] = write.product & (u64::MAX >> (64 - self.word_bits)) as u32;
    }

    /// What the row must store, if its hits must equal the misses: it compares the
    /// whole activation, which is returned with the stored word.
    pub fn exact_activation(&self, row: &AmRow) -> Option<u32> {
        let (key, care) = (self.shape.parts(self.format, row.key).1, self.shape.parts(self.format, row.care).1);
        (!self.units && u64::from(care) == self.format.sign_mask() - 1).then_some(key)
    }

    /// The product of a hit: an encoding in the PE's format, or units in two's
    /// complement with one bit more than a stored word. `None` on a miss.
    pub fn product(&self, operands: Operands) -> Option<u32> {
        let Operands { column, weight, activation } = operands;
        let (format, sign) = (self.format, self.format.sign_mask());
        if format.is_special(u64::from(weight)) || format.is_special(u64::from(activation)) {
            return None;
        }
        let magnitude = u64::from(activation) & (sign - 1);
        let entry = self.patterns.iter().find(|entry| entry.valid && (entry.key ^ magnitude) & entry.care == 0)?;
        // The port is as wide as a column id.
        let column = column & ((1 << self.shape.column_bits()) - 1);
        let word = *entry.words.get(column as usize)?;
        let negative = u64::from(weight ^ activation) & sign != 0;
        Some(match (self.units, negative) {
            (true, true) => word.wrapping_neg() & (u64::MAX >> (63 - self.word_bits)) as u32,
            (true, false) | (false, false) => word,
            (false, true) => word | sign as u32,
        })
    }
}
