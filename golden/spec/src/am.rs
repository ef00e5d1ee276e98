//! The contents of an associative memory: ternary rows and their products.

use crate::bits::{Bits32, hex64};
use crate::cycle::RowWrite;
use crate::factored;
use crate::grid;
use crate::memory::Organisation;
use crate::format::FloatFormat;
use crate::pe::{Accumulator, PeConfig};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// One row: it matches every key that agrees with `key` wherever `care` has a
/// bit set.
///
/// In a `pair` memory a key is {weight, activation}, see
/// [`FloatFormat::key_of`]. In a `grid` it is {column, magnitude of the
/// activation}, see [`GridConfig`](crate::GridConfig). In a `factored` one it is {column, fraction of the
/// weight, fraction of the activation}, all rows compare the same bits, and a
/// column is that of one weight fraction, see
/// [`FactoredConfig`](crate::FactoredConfig).
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct AmRow {
    /// The pattern; 0 wherever `care` is 0.
    #[serde(with = "hex64")]
    pub key: u64,
    /// 1 where a key bit is compared, 0 where it is ignored.
    #[serde(with = "hex64")]
    pub care: u64,
    /// The stored product: an encoding in the PE's format, or units of the last
    /// bit of its fixed-point accumulator, two's complement. In a `grid` the
    /// magnitude of either. In a `factored`
    /// memory the product of the significands, in [1, 4): at the top of
    /// [`PeConfig::product_bits`] a bit that says whether it is 2 or more, below
    /// it the fraction of its normalised significand.
    pub product: Bits32,
}

impl AmRow {
    /// A row that compares all the bits of one operand pair.
    pub const fn exact(format: FloatFormat, weight: u32, activation: u32, product: u32) -> Self {
        Self { key: format.key_of(weight, activation), care: format.key_mask(), product: Bits32(product) }
    }

    /// Whether the row compares every key bit of a format.
    pub const fn is_exact(&self, format: FloatFormat) -> bool {
        self.care & format.key_mask() == format.key_mask()
    }
}

/// The rows of one memory. In a `pair` memory they are in order of priority:
/// the lowest matching row wins. In a `grid` that holds for its patterns, each of
/// which has a row for every column, in order. In a `factored` one their keys say
/// where they stand, and their order means nothing.
///
/// All rows listed are valid. A memory may have more rows than its image; the
/// remaining ones are invalid and never match.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// Bits above the width of the format.
    #[error("row {row}: {what} {bits:x} has more than {width} bits (a PE in {format})")]
    TooWide {
        /// Index of the row.
        row: usize,
        /// `key`, `care mask` or `product`.
        what: &'static str,
        /// The bits.
        bits: u64,
        /// The most there can be.
        width: u32,
        /// The PE's format.
        format: FloatFormat,
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
    /// A row of a factored memory does not compare what all of its rows do.
    #[error("row {row} compares {care:016x}; every row of this factored memory compares {expected:016x}")]
    Care {
        /// Index of the row.
        row: usize,
        /// Its mask.
        care: u64,
        /// That of the memory.
        expected: u64,
    },
    /// A row of a factored memory is in a column that is not there.
    #[error("row {row} is in column {column} of a memory of {columns}")]
    Column {
        /// Index of the row.
        row: usize,
        /// Its column.
        column: u32,
        /// How many there are.
        columns: u32,
    },
    /// Two rows of a factored memory are selected by the same pairs.
    #[error("rows {other} and {row} have the same column and activation; leave one out")]
    SameRow {
        /// Index of the row.
        row: usize,
        /// Index of the one before it.
        other: usize,
    },
    /// The rows of a grid are not in order.
    #[error("row {row} of this grid must be that of column {column}, with the pattern of the columns before it")]
    GridOrder {
        /// Index of the row.
        row: usize,
        /// The column that belongs there.
        column: usize,
    },
    /// A column of a factored memory has products of two weights.
    #[error("row {row} has another weight fraction than the rows before it in column {column}")]
    ColumnWeight {
        /// Index of the row.
        row: usize,
        /// Its column.
        column: u32,
    },
}

impl AmImage {
    /// Checks that the rows may be loaded into the memory of `config`.
    ///
    /// # Errors
    /// The first row that breaks a rule; see [`AmError`].
    pub fn validate(&self, config: &PeConfig) -> Result<(), AmError> {
        if self.rows.len() > config.rows() {
            return Err(AmError::TooManyRows { rows: self.rows.len(), capacity: config.rows() });
        }
        match config.organisation() {
            Some(Organisation::Factored(shape)) => factored::check(self, config, shape),
            Some(Organisation::Grid(shape)) => grid::check(self, config, shape),
            Some(Organisation::Pair) | None => self.rows.iter().enumerate().try_for_each(|(index, row)| check_row(index, row, config)),
        }
    }

    /// The writes that put this image, which is valid for `config`, into its
    /// memory: one for every address in ascending order, those without a row of
    /// the image as invalid. A pattern of a grid becomes valid with the last of its
    /// products.
    pub fn writes(&self, config: &PeConfig) -> Vec<RowWrite> {
        // A memory has at most `MAX_ROWS` rows.
        let addresses = 0..config.rows() as u32;
        let write = |address, row: Option<&AmRow>, key, care, valid| match row {
            Some(row) => RowWrite { address, key, care, product: row.product.0, valid },
            None => RowWrite { address, ..RowWrite::default() },
        };
        if let Some(shape) = config.grid_memory() {
            let write = |index: u32| {
                let (pattern, column) = (index / shape.columns, index % shape.columns);
                let row = self.rows.get(index as usize);
                let part = |bits: fn(&AmRow) -> u64| row.map_or(0, |row| shape.parts(config.format, bits(row)).1.into());
                let valid = column + 1 == shape.columns;
                write(shape.address(pattern, column), row, part(|row| row.key), part(|row| row.care), valid)
            };
            return addresses.map(write).collect();
        }
        let place = |(index, row): (u32, &AmRow)| match config.factored_memory() {
            Some(shape) => {
                let (column, _, activation) = shape.parts(config.format, row.key);
                shape.address(config.format, column, activation)
            }
            None => index,
        };
        let rows: BTreeMap<u32, &AmRow> = (0..).zip(&self.rows).map(|row| (place(row), row.1)).collect();
        let write = |address: u32| {
            let row = rows.get(&address).copied();
            write(address, row, row.map_or(0, |row| row.key), row.map_or(0, |row| row.care), true)
        };
        addresses.map(write).collect()
    }

    /// The column of a factored memory that holds the products of `weight`, by
    /// its fraction; `None` if there is none, or in any other memory.
    pub fn column_of(&self, config: &PeConfig, weight: u32) -> Option<u32> {
        let shape = config.factored_memory()?;
        let wanted = shape.parts(config.format, shape.key(config.format, 0, weight, 0)).1;
        let columns = self.rows.iter().map(|row| shape.parts(config.format, row.key));
        columns.filter(|(_, fraction, _)| *fraction == wanted).map(|(column, ..)| column).min()
    }
}

fn check_row(index: usize, row: &AmRow, config: &PeConfig) -> Result<(), AmError> {
    let (format, special) = (config.format, config.format.special_mask());
    let product = u64::from(row.product.0);
    for (what, bits, width) in [
        ("key", row.key, 2 * format.width()),
        ("care mask", row.care, 2 * format.width()),
        ("product", product, config.product_bits()),
    ] {
        if bits > u64::MAX >> (64 - width) {
            return Err(AmError::TooWide { row: index, what, bits, width, format });
        }
    }
    if row.key & !row.care != 0 {
        return Err(AmError::KeyOutsideCare { row: index, key: row.key, care: row.care });
    }
    // A compared bit that is 0 keeps infinities and NaNs out.
    for (operand, shift) in [("weight", format.width()), ("activation", 0)] {
        if (row.care & !row.key) >> shift & special == 0 {
            return Err(AmError::MatchesSpecial { row: index, operand });
        }
    }
    if config.accumulator == Accumulator::Float && format.is_special(product) {
        return Err(AmError::ProductNotFinite { row: index, product: row.product.0 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: FloatFormat = FloatFormat::Binary32;
    const ONE: u32 = 0x3F80_0000;
    const INF: u32 = 0x7F80_0000;

    fn check(row: AmRow) -> Result<(), AmError> {
        AmImage { rows: vec![row] }.validate(&PeConfig::pair("a", 1))
    }

    #[test]
    fn rows_that_would_break_the_number_rules_are_refused() {
        assert_eq!(check(AmRow::exact(F, ONE, ONE, ONE)), Ok(()));
        assert_eq!(check(AmRow::exact(F, INF, ONE, ONE)), Err(AmError::MatchesSpecial { row: 0, operand: "weight" }));
        assert_eq!(
            check(AmRow::exact(F, ONE, INF, ONE)),
            Err(AmError::MatchesSpecial { row: 0, operand: "activation" })
        );
        assert_eq!(
            check(AmRow::exact(F, ONE, ONE, 0x7FC0_0000)),
            Err(AmError::ProductNotFinite { row: 0, product: 0x7FC0_0000 })
        );
        let stray = AmRow { key: 1, care: u64::MAX - 1, product: Bits32(0) };
        assert_eq!(check(stray), Err(AmError::KeyOutsideCare { row: 0, key: 1, care: u64::MAX - 1 }));
        // Ignoring the activation's exponent would let infinity in.
        let wide = AmRow { key: F.key_of(ONE, 0), care: F.key_of(u32::MAX, 0x007F_FFFF), product: Bits32(ONE) };
        assert_eq!(check(wide), Err(AmError::MatchesSpecial { row: 0, operand: "activation" }));
    }

    #[test]
    fn one_compared_zero_exponent_bit_is_enough() {
        let row = AmRow { key: 0, care: F.key_of(0x4000_0000, u32::MAX), product: Bits32(0) };
        assert_eq!(check(row), Ok(()));
    }

    #[test]
    fn a_narrow_format_has_narrow_rows() {
        let config = PeConfig { format: FloatFormat::E4m3, ..PeConfig::pair("a", 1) };
        let check = |row| AmImage { rows: vec![row] }.validate(&config);
        let one = AmRow::exact(FloatFormat::E4m3, 0x38, 0x38, 0x38);
        assert_eq!(check(one), Ok(()));
        assert!(one.is_exact(FloatFormat::E4m3) && !one.is_exact(F));
        // The greatest exponent is no infinity in E4M3.
        assert_eq!(check(AmRow::exact(FloatFormat::E4m3, 0x7E, 0x38, 0x7E)), Ok(()));
        assert!(matches!(check(AmRow { care: u64::MAX, ..one }), Err(AmError::TooWide { what: "care mask", .. })));
        assert!(matches!(
            check(AmRow { product: Bits32(0x100), ..one }),
            Err(AmError::TooWide { what: "product", .. })
        ));
        let nan = AmRow::exact(FloatFormat::E4m3, 0x38, 0x7F, 0);
        assert_eq!(check(nan), Err(AmError::MatchesSpecial { row: 0, operand: "activation" }));
    }

    #[test]
    fn images_larger_than_the_memory_are_refused() {
        let image = AmImage { rows: vec![AmRow::exact(F, ONE, ONE, ONE); 2] };
        assert_eq!(image.validate(&PeConfig::pair("a", 1)), Err(AmError::TooManyRows { rows: 2, capacity: 1 }));
    }
}
