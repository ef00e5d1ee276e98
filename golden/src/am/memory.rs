//! The memory itself: rows with valid bits, the loader, the row port, the search.

use super::Pattern;
use crate::float;
use axp_spec::{Accumulator, AmError, AmImage, AmRow, FloatFormat, PeConfig, RowWrite};
use thiserror::Error;

/// An associative memory of a fixed number of rows, each valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Am {
    config: PeConfig,
    /// The valid rows in ascending order of their index.
    rows: Vec<Row>,
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

/// Why an image cannot be loaded.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// A row breaks a rule of the image itself.
    #[error(transparent)]
    Image(#[from] AmError),
    /// A row that compares every key bit must be as exact as the multiplier.
    #[error(
        "row {row} compares every bit of {weight:08x} * {activation:08x} but stores {stored:08x}; \
         the rounded product is {expected:08x}: store that, or clear a bit of the care mask"
    )]
    ExactProduct {
        /// Index of the row.
        row: usize,
        /// Encoding of its weight.
        weight: u32,
        /// Encoding of its activation.
        activation: u32,
        /// The product that it stores.
        stored: u32,
        /// The product rounded to nearest even.
        expected: u32,
    },
}

impl Am {
    /// A memory as `config` describes it, all rows invalid.
    pub fn new(config: &PeConfig) -> Self {
        Self { config: config.clone(), rows: Vec::new() }
    }

    /// How many rows the memory has, valid or not.
    pub fn capacity(&self) -> usize {
        self.config.rows()
    }

    /// How many rows are valid.
    pub fn valid_rows(&self) -> usize {
        self.rows.len()
    }

    /// Replaces the whole content: the image's rows become valid, all others
    /// invalid.
    ///
    /// # Errors
    /// [`LoadError`] for the first row that breaks a rule; the memory is then
    /// unchanged.
    pub fn load(&mut self, image: &AmImage) -> Result<(), LoadError> {
        image.validate(&self.config)?;
        for (index, row) in image.rows.iter().enumerate() {
            if self.config.accumulator == Accumulator::Float {
                check_exact_product(self.config.format, index, row)?;
            }
        }
        let rows = image.rows.iter().zip(0..);
        self.rows = rows.map(|(row, index)| Row::new(index, row.key, row.care, row.product.0)).collect();
        Ok(())
    }

    /// A write through the row port, as the hardware does it: nothing is
    /// checked, and an address past the last row writes nothing.
    pub fn write(&mut self, write: &RowWrite) {
        if write.address as usize >= self.capacity() {
            return;
        }
        let position = self.rows.binary_search_by_key(&write.address, |row| row.index);
        // The port is as wide as the format.
        let keys = self.config.format.key_mask();
        let product = write.product & (u64::MAX >> (64 - self.config.product_bits())) as u32;
        let row = Row::new(write.address, write.key & keys, write.care & keys, product);
        match (position, write.valid) {
            (Ok(at), true) => self.rows[at] = row,
            (Ok(at), false) => drop(self.rows.remove(at)),
            (Err(at), true) => self.rows.insert(at, row),
            (Err(_), false) => {}
        }
    }

    /// The lowest valid row that matches the pair, or `None` on a miss.
    #[inline]
    pub fn search(&self, weight: u32, activation: u32) -> Option<Hit> {
        let format = self.config.format;
        if format.is_special(u64::from(weight)) || format.is_special(u64::from(activation)) {
            return None;
        }
        let key = format.key_of(weight, activation);
        let row = self.rows.iter().find(|row| (row.key ^ key) & row.care == 0)?;
        Some(Hit { row: row.index as usize, product: row.product })
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
