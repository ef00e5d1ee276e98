//! The memory itself: rows with valid bits, the loader, the row port, the search.

use super::factored::Factored;
use super::{LoadError, Operands, Pattern};
use crate::float;
use axp_spec::{AmImage, AmRow, FloatFormat, PeConfig, RowWrite};

/// An associative memory of a fixed number of rows, each valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Am {
    config: PeConfig,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// The valid ternary rows in ascending order of their index.
    Pair(Vec<Row>),
    /// Products of significands.
    Factored(Factored),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    key: u64,
    care: u64,
    product: u32,
    index: u32,
}

impl Row {
    fn new(index: u32, key: u64, care: u64, product: u32) -> Self {
        let pattern = Pattern::new(key, care);
        Self { key: pattern.key(), care: pattern.care(), product, index }
    }
}

/// What a successful search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hit {
    /// Index of the lowest matching row.
    pub row: usize,
    /// The product that it stores, see [`AmRow::product`].
    pub product: u32,
}

impl Am {
    /// A memory as `config` describes it, all rows invalid.
    pub fn new(config: &PeConfig) -> Self {
        let content = match config.factored_memory() {
            Some(shape) => Content::Factored(Factored::new(config, shape)),
            None => Content::Pair(Vec::new()),
        };
        Self { config: config.clone(), content }
    }

    /// How many rows the memory has, valid or not.
    pub fn capacity(&self) -> usize {
        self.config.rows()
    }

    /// How many rows are valid.
    pub fn valid_rows(&self) -> usize {
        match &self.content {
            Content::Pair(rows) => rows.len(),
            Content::Factored(memory) => memory.valid_rows(),
        }
    }

    /// Replaces the whole content: the image's rows become valid, all others
    /// invalid.
    ///
    /// # Errors
    /// [`LoadError`] for the first row that breaks a rule; the memory is then
    /// unchanged.
    pub fn load(&mut self, image: &AmImage) -> Result<(), LoadError> {
        image.validate(&self.config)?;
        match &mut self.content {
            Content::Pair(rows) => {
                for (index, row) in image.rows.iter().enumerate().filter(|_| !self.config.stores_units()) {
                    check_exact_product(self.config.format, index, row)?;
                }
                let new = image.rows.iter().zip(0..);
                *rows = new.map(|(row, index)| Row::new(index, row.key, row.care, row.product.0)).collect();
            }
            Content::Factored(memory) => {
                for (index, row) in image.rows.iter().enumerate() {
                    check_exact_word(&self.config, memory, index, row)?;
                }
                memory.load(&image.rows);
            }
        }
        Ok(())
    }

    /// A write through the row port, as the hardware does it: nothing is
    /// checked, and an address past the last row writes nothing.
    pub fn write(&mut self, write: &RowWrite) {
        if write.address as usize >= self.capacity() {
            return;
        }
        match &mut self.content {
            Content::Pair(rows) => write_pair(rows, &self.config, write),
            Content::Factored(memory) => memory.write(write),
        }
    }

    /// The product that the memory gives the pair, or `None` on a miss: an
    /// encoding in the PE's format, or for [`PeConfig::stores_units`] an integer
    /// of [`PeConfig::product_bits`].
    #[inline]
    pub fn product(&self, operands: Operands) -> Option<u32> {
        match &self.content {
            Content::Pair(_) => self.search(operands.weight, operands.activation).map(|hit| hit.product),
            Content::Factored(memory) => memory.product(operands),
        }
    }

    /// The lowest valid ternary row that matches the pair, or `None` on a miss.
    /// A memory of another organisation has no such rows.
    #[inline]
    pub fn search(&self, weight: u32, activation: u32) -> Option<Hit> {
        let Content::Pair(rows) = &self.content else { return None };
        let format = self.config.format;
        if format.is_special(u64::from(weight)) || format.is_special(u64::from(activation)) {
            return None;
        }
        let key = format.key_of(weight, activation);
        let row = rows.iter().find(|row| (row.key ^ key) & row.care == 0)?;
        Some(Hit { row: row.index as usize, product: row.product })
    }
}

fn write_pair(rows: &mut Vec<Row>, config: &PeConfig, write: &RowWrite) {
    let position = rows.binary_search_by_key(&write.address, |row| row.index);
    // The port is as wide as the format.
    let keys = config.format.key_mask();
    let product = write.product & (u64::MAX >> (64 - config.product_bits())) as u32;
    let row = Row::new(write.address, write.key & keys, write.care & keys, product);
    match (position, write.valid) {
        (Ok(at), true) => rows[at] = row,
        (Ok(at), false) => drop(rows.remove(at)),
        (Err(at), true) => rows.insert(at, row),
        (Err(_), false) => {}
    }
}

/// Number rule 2: a hit on a row without a don't-care bit equals the miss.
fn check_exact_product(format: FloatFormat, index: usize, row: &AmRow) -> Result<(), LoadError> {
    let (weight, activation) = format.operands_of(row.key);
    let expected = float::mul(format, u64::from(weight), u64::from(activation)).bits as u32;
    if row.is_exact(format) && row.product.0 != expected {
        return Err(LoadError::ExactProduct { row: index, weight, activation, stored: row.product.0, expected });
    }
    Ok(())
}

/// The same for the significands of a factored memory.
fn check_exact_word(config: &PeConfig, memory: &Factored, index: usize, row: &AmRow) -> Result<(), LoadError> {
    let stored = row.product.0;
    match (memory.exact_word(row), config.factored_memory()) {
        (Some(expected), Some(shape)) if expected != stored => {
            let (_, weight, activation) = shape.parts(config.format, row.key);
            Err(LoadError::ExactSignificand { row: index, weight, activation, stored, expected })
        }
        _ => Ok(()),
    }
}
