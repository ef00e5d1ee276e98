//! The `grid` memory: which rows a pair selects, and what a row's key says.
//!
//! A ternary pattern is compared with the magnitude of the activation, and has a
//! product for each column of weights. The lowest valid pattern that matches and
//! the column of the weight select the product; its sign is the XOR of the
//! operands'. A product is unknown until it is written: the loader writes all of a
//! pattern's before the pattern becomes valid.
//!
//! ```text
//! row address = { pattern, column }
//! row key     = { column, magnitude of the activation }
//! stored word = magnitude of the product
//! ```

use crate::am::{AmError, AmImage};
use crate::bits::index_bits;
use crate::format::FloatFormat;
use crate::pe::{Accumulator, PeConfig};
use serde::{Deserialize, Serialize};

/// The shape of a `grid` memory.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct GridConfig {
    /// How many ternary patterns there are, at least 1.
    pub patterns: u32,
    /// How many weight magnitudes there are products of, at least 1.
    pub columns: u32,
}

impl GridConfig {
    /// How many products it has: `patterns` times `columns`.
    pub const fn rows(self) -> usize {
        (self.patterns as usize).saturating_mul(self.columns as usize)
    }

    /// Width in bits of a column id, at least 1.
    pub const fn column_bits(self) -> u32 {
        index_bits(self.columns)
    }

    /// The address of the product of a pattern and a column.
    pub const fn address(self, pattern: u32, column: u32) -> u32 {
        pattern << self.column_bits() | column
    }

    /// Pattern and column of an address; `None` where nothing is stored.
    pub const fn place(self, address: u32) -> Option<(u32, u32)> {
        let (pattern, column) = (address >> self.column_bits(), address & ((1 << self.column_bits()) - 1));
        if pattern < self.patterns && column < self.columns { Some((pattern, column)) } else { None }
    }

    /// The key of a row: a column, and a pattern for magnitudes of activations.
    pub const fn key(self, format: FloatFormat, column: u32, magnitude: u32) -> u64 {
        (column as u64) << (format.width() - 1) | magnitude as u64
    }

    /// A key, or a care mask, taken apart: column, pattern of the magnitude.
    pub const fn parts(self, format: FloatFormat, key: u64) -> (u32, u32) {
        let bits = format.width() - 1;
        ((key >> bits) as u32, (key & ((1 << bits) - 1)) as u32)
    }

    /// Width in bits of a key.
    pub const fn key_bits(self, format: FloatFormat) -> u32 {
        self.column_bits() + format.width() - 1
    }
}

/// Checks the rows of a grid, see [`AmImage::validate`]: pattern by pattern, and
/// within a pattern column by column, none left out.
pub(crate) fn check(image: &AmImage, config: &PeConfig, shape: GridConfig) -> Result<(), AmError> {
    let format = config.format;
    let columns = shape.columns as usize;
    let all_columns = shape.parts(format, u64::MAX >> (64 - shape.key_bits(format))).0;
    for (index, row) in image.rows.iter().enumerate() {
        let product = u64::from(row.product.0);
        let (key_bits, product_bits) = (shape.key_bits(format), config.product_bits());
        for (what, bits, width) in
            [("key", row.key, key_bits), ("care mask", row.care, key_bits), ("product", product, product_bits)]
        {
            if bits > u64::MAX >> (64 - width) {
                return Err(AmError::TooWide { row: index, what, bits, width, format });
            }
        }
        if row.key & !row.care != 0 {
            return Err(AmError::KeyOutsideCare { row: index, key: row.key, care: row.care });
        }
        let (column, key) = shape.parts(format, row.key);
        let (compared, care) = shape.parts(format, row.care);
        let first = &image.rows[index - index % columns];
        let pattern = (shape.parts(format, first.key).1, shape.parts(format, first.care).1);
        let expected = index % columns;
        if column as usize != expected || compared != all_columns || (key, care) != pattern {
            return Err(AmError::GridOrder { row: index, column: expected });
        }
        // A compared bit that is 0 keeps infinities and NaNs out.
        let special = u64::from(care & !key) & format.special_mask();
        if special == 0 {
            return Err(AmError::MatchesSpecial { row: index, operand: "activation" });
        }
        if config.accumulator == Accumulator::Float && format.is_special(product) {
            return Err(AmError::ProductNotFinite { row: index, product: row.product.0 });
        }
    }
    if !image.rows.len().is_multiple_of(columns) {
        return Err(AmError::GridOrder { row: image.rows.len(), column: image.rows.len() % columns });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::am::AmRow;
    use crate::bits::Bits32;

    const F: FloatFormat = FloatFormat::Binary32;
    const SHAPE: GridConfig = GridConfig { patterns: 3, columns: 3 };

    fn row(column: u32, key: u32, care: u32) -> AmRow {
        let care = SHAPE.key(F, 3, care);
        AmRow { key: SHAPE.key(F, column, key), care, product: Bits32(0x3F80_0000 + column) }
    }

    fn validated(rows: &[AmRow]) -> Result<(), AmError> {
        AmImage { rows: rows.to_vec() }.validate(&PeConfig::grid("a", 3, 3))
    }

    #[test]
    fn addresses_are_patterns_and_columns() {
        assert_eq!((SHAPE.rows(), SHAPE.column_bits(), SHAPE.address(2, 1)), (9, 2, 9));
        assert_eq!((SHAPE.place(9), SHAPE.place(3), SHAPE.place(12)), (Some((2, 1)), None, None));
        assert_eq!(SHAPE.parts(F, SHAPE.key(F, 2, 0x3F80_0000)), (2, 0x3F80_0000));
        assert_eq!((PeConfig::grid("a", 3, 3).row_address_bits(), SHAPE.key_bits(F)), (4, 33));
    }

    #[test]
    fn a_pattern_has_all_columns_in_order() {
        let one = 0x3F80_0000;
        let care = 0x7F80_0000;
        let whole = [0, 1, 2].map(|column| row(column, one, care));
        assert_eq!(validated(&whole), Ok(()));
        assert_eq!(validated(&whole[..2]), Err(AmError::GridOrder { row: 2, column: 2 }));
        assert_eq!(validated(&[whole[0], whole[2], whole[1]]), Err(AmError::GridOrder { row: 1, column: 1 }));
        let other = row(1, 0x4000_0000, care);
        assert_eq!(validated(&[whole[0], other, whole[2]]), Err(AmError::GridOrder { row: 1, column: 1 }));
        let special = [0, 1, 2].map(|column| row(column, 0, 0x7F_FFFF));
        assert_eq!(validated(&special), Err(AmError::MatchesSpecial { row: 0, operand: "activation" }));
    }

    #[test]
    fn a_pattern_becomes_valid_with_its_last_product() {
        let rows = [0, 1, 2].map(|column| row(column, 0x3F80_0000, 0x7F80_0000));
        let writes = AmImage { rows: rows.to_vec() }.writes(&PeConfig::grid("a", 3, 3));
        assert_eq!(writes.len(), 9);
        let shown: Vec<_> = writes.iter().map(|write| (write.address, write.key, write.valid)).collect();
        assert_eq!(
            shown[..4],
            [(0, 0x3F80_0000, false), (1, 0x3F80_0000, false), (2, 0x3F80_0000, true), (4, 0, false)]
        );
        assert!(writes[3..].iter().all(|write| !write.valid));
    }
}
