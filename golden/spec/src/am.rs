//! The contents of an associative memory: ternary rows and their products.

use crate::bits::{Bits32, hex64};
use crate::pe::PeConfig;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One ternary row: it matches every key that agrees with `key` wherever
/// `care` has a bit set.
///
/// A key is {weight, activation}: the weight's encoding in the upper 32 bits,
/// the activation's in the lower 32.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct AmRow {
    /// The pattern; 0 wherever `care` is 0.
    #[serde(with = "hex64")]
    pub key: u64,
    /// 1 where a key bit is compared, 0 where it is ignored.
    #[serde(with = "hex64")]
    pub care: u64,
    /// The stored product, a binary32 encoding.
    pub product: Bits32,
}

impl AmRow {
    /// A row that compares all the bits of one operand pair.
    pub const fn exact(weight: u32, activation: u32, product: u32) -> Self {
        Self { key: key_of(weight, activation), care: u64::MAX, product: Bits32(product) }
    }

    /// Whether the row compares every key bit.
    pub const fn is_exact(&self) -> bool {
        self.care == u64::MAX
    }
}

/// The key of an operand pair: {weight, activation}.
pub const fn key_of(weight: u32, activation: u32) -> u64 {
    (weight as u64) << 32 | activation as u64
}

/// The rows of one memory, in order of priority: the lowest matching row wins.
///
/// All rows listed are valid. A memory may have more rows than its image; the
/// remaining ones are invalid and never match.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(transparent)]
pub struct AmImage {
    /// The rows, lowest (strongest) first.
    pub rows: Vec<AmRow>,
}

/// Why the loader refuses an image.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum AmError {
    /// More rows than the memory has.
    #[error("{rows} rows do not fit a memory of {capacity}")]
    TooManyRows {
        /// Rows in the image.
        rows: usize,
        /// Rows in the memory.
        capacity: usize,
    },
    /// The pattern has a bit where the mask does not care.
    #[error("row {row}: key {key:016x} has bits outside its care mask {care:016x}; clear them")]
    KeyOutsideCare {
        /// Index of the row.
        row: usize,
        /// Its pattern.
        key: u64,
        /// Its mask.
        care: u64,
    },
    /// The row would match an infinity or a NaN.
    #[error("row {row} would match a {operand} that is infinite or NaN; compare one exponent bit that is 0")]
    MatchesSpecial {
        /// Index of the row.
        row: usize,
        /// `weight` or `activation`.
        operand: &'static str,
    },
    /// The stored product is an infinity or a NaN.
    #[error("row {row} stores {product:08x}, which is infinite or NaN; only finite products can be stored")]
    ProductNotFinite {
        /// Index of the row.
        row: usize,
        /// The stored encoding.
        product: u32,
    },
}

impl AmImage {
    /// Checks that the rows may be loaded into the memory of `config`.
    ///
    /// # Errors
    /// The first row that breaks a rule; see [`AmError`].
    pub fn validate(&self, config: &PeConfig) -> Result<(), AmError> {
        if self.rows.len() > config.am.rows {
            return Err(AmError::TooManyRows { rows: self.rows.len(), capacity: config.am.rows });
        }
        self.rows.iter().enumerate().try_for_each(|(index, row)| check_row(index, row, config))
    }
}

fn check_row(index: usize, row: &AmRow, config: &PeConfig) -> Result<(), AmError> {
    let exponent = config.format.exponent_mask();
    if row.key & !row.care != 0 {
        return Err(AmError::KeyOutsideCare { row: index, key: row.key, care: row.care });
    }
    // A compared exponent bit that is 0 keeps infinities and NaNs out.
    for (operand, shift) in [("weight", config.format.width()), ("activation", 0)] {
        if (row.care & !row.key) >> shift & exponent == 0 {
            return Err(AmError::MatchesSpecial { row: index, operand });
        }
    }
    if config.format.is_special(u64::from(row.product.0)) {
        return Err(AmError::ProductNotFinite { row: index, product: row.product.0 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u32 = 0x3F80_0000;
    const INF: u32 = 0x7F80_0000;

    fn check(row: AmRow) -> Result<(), AmError> {
        AmImage { rows: vec![row] }.validate(&PeConfig::pair("a", 1))
    }

    #[test]
    fn rows_that_would_break_the_number_rules_are_refused() {
        assert_eq!(check(AmRow::exact(ONE, ONE, ONE)), Ok(()));
        assert_eq!(check(AmRow::exact(INF, ONE, ONE)), Err(AmError::MatchesSpecial { row: 0, operand: "weight" }));
        assert_eq!(check(AmRow::exact(ONE, INF, ONE)), Err(AmError::MatchesSpecial { row: 0, operand: "activation" }));
        assert_eq!(
            check(AmRow::exact(ONE, ONE, 0x7FC0_0000)),
            Err(AmError::ProductNotFinite { row: 0, product: 0x7FC0_0000 })
        );
        let stray = AmRow { key: 1, care: u64::MAX - 1, product: Bits32(0) };
        assert_eq!(check(stray), Err(AmError::KeyOutsideCare { row: 0, key: 1, care: u64::MAX - 1 }));
        // Ignoring the activation's exponent would let infinity in.
        let wide = AmRow { key: key_of(ONE, 0), care: key_of(u32::MAX, 0x007F_FFFF), product: Bits32(ONE) };
        assert_eq!(check(wide), Err(AmError::MatchesSpecial { row: 0, operand: "activation" }));
    }

    #[test]
    fn one_compared_zero_exponent_bit_is_enough() {
        let row = AmRow { key: 0, care: key_of(0x4000_0000, u32::MAX), product: Bits32(0) };
        assert_eq!(check(row), Ok(()));
    }

    #[test]
    fn images_larger_than_the_memory_are_refused() {
        let image = AmImage { rows: vec![AmRow::exact(ONE, ONE, ONE); 2] };
        assert_eq!(image.validate(&PeConfig::pair("a", 1)), Err(AmError::TooManyRows { rows: 2, capacity: 1 }));
    }
}
