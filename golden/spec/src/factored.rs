//! The `factored` memory: which row a pair selects, and what a row's key says.
//!
//! A column holds the products of one weight significand with the significands
//! of activations, told apart by their top m fraction bits. Signs and exponents
//! are no business of the memory: the PE XORs and adds them beside it, so that a
//! row serves every exponent, and weights that differ in sign or by a power of
//! two alone can share a column. Folding a sign-symmetric codebook of K values
//! into K/2 columns is therefore the loader's choice of columns, not the
//! hardware's.
//!
//! ```text
//! row address = { column, top m fraction bits of the activation }
//! row key     = { column, fraction of the weight, fraction of the activation }
//! stored word = { product of the significands >= 2, its normalised fraction }
//! ```

use crate::am::{AmError, AmImage};
use crate::bits::index_bits;
use crate::format::FloatFormat;
use crate::pe::PeConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shape of a `factored` memory.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct FactoredConfig {
    /// How many weight significands it has products of, at least 1.
    pub columns: u32,
    /// m: how many fraction bits of the activation select a row, from the top;
    /// 0 to all of them.
    pub mantissa_bits: u32,
}

impl FactoredConfig {
    /// How many rows it has: `columns` times 2^m.
    pub const fn rows(self) -> usize {
        // A shape that has not been validated may ask for anything.
        match 1usize.checked_shl(self.mantissa_bits) {
            Some(prefixes) => prefixes.saturating_mul(self.columns as usize),
            None => usize::MAX,
        }
    }

    /// Width in bits of a column id, at least 1.
    pub const fn column_bits(self) -> u32 {
        index_bits(self.columns)
    }

    /// The row that a column and an activation select.
    pub const fn address(self, format: FloatFormat, column: u32, activation: u32) -> u32 {
        let top = fraction(format, activation) >> (format.fraction_bits() - self.mantissa_bits);
        column << self.mantissa_bits | top as u32
    }

    /// The key of the row for a weight in this column and an activation, of which
    /// the bits that the row does not compare are dropped.
    pub const fn key(self, format: FloatFormat, column: u32, weight: u32, activation: u32) -> u64 {
        let bits = format.fraction_bits();
        let key = (column as u64) << (2 * bits) | fraction(format, weight) << bits | fraction(format, activation);
        key & self.care(format)
    }

    /// What each row compares: the column, the weight's fraction, and the top m
    /// bits of the activation's fraction.
    pub const fn care(self, format: FloatFormat) -> u64 {
        u64::MAX >> (64 - self.key_bits(format)) & u64::MAX << (format.fraction_bits() - self.mantissa_bits)
    }

    /// A key taken apart: column, fraction of the weight, fraction of the
    /// activation.
    pub const fn parts(self, format: FloatFormat, key: u64) -> (u32, u32, u32) {
        let bits = format.fraction_bits();
        let (weight, activation) = (fraction(format, (key >> bits) as u32), fraction(format, key as u32));
        ((key >> (2 * bits)) as u32, weight as u32, activation as u32)
    }

    /// Width in bits of a key.
    pub const fn key_bits(self, format: FloatFormat) -> u32 {
        self.column_bits() + 2 * format.fraction_bits()
    }
}

const fn fraction(format: FloatFormat, encoding: u32) -> u64 {
    encoding as u64 & ((1 << format.fraction_bits()) - 1)
}

/// Checks the rows of a factored memory: see [`AmImage::validate`]. Every word
/// of the stored width is the significand of a number in [1, 4), so there is
/// nothing about it to refuse here.
pub(crate) fn check(image: &AmImage, config: &PeConfig, shape: FactoredConfig) -> Result<(), AmError> {
    let format = config.format;
    let care = shape.care(format);
    let mut rows = BTreeMap::new();
    let mut weights = BTreeMap::new();
    for (index, row) in image.rows.iter().enumerate() {
        let product = u64::from(row.product.0);
        for (what, bits, width) in
            [("key", row.key, shape.key_bits(format)), ("product", product, config.product_bits())]
        {
            if bits > u64::MAX >> (64 - width) {
                return Err(AmError::TooWide { row: index, what, bits, width, format });
            }
        }
        if row.care != care {
            return Err(AmError::Care { row: index, care: row.care, expected: care });
        }
        if row.key & !care != 0 {
            return Err(AmError::KeyOutsideCare { row: index, key: row.key, care });
        }
        let (column, weight, activation) = shape.parts(format, row.key);
        if column >= shape.columns {
            return Err(AmError::Column { row: index, column, columns: shape.columns });
        }
        if let Some(other) = rows.insert(shape.address(format, column, activation), index) {
            return Err(AmError::SameRow { row: index, other });
        }
        if *weights.entry(column).or_insert(weight) != weight {
            return Err(AmError::ColumnWeight { row: index, column });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::am::AmRow;
    use crate::bits::Bits32;
    use crate::pe::{Accumulator, PeConfigError};

    const F: FloatFormat = FloatFormat::Binary32;
    const SHAPE: FactoredConfig = FactoredConfig { columns: 5, mantissa_bits: 2 };
    const THREE: u32 = 0x4040_0000;

    fn row(column: u32, weight: u32, activation: u32, word: u32) -> AmRow {
        AmRow { key: SHAPE.key(F, column, weight, activation), care: SHAPE.care(F), product: Bits32(word) }
    }

    fn validated(rows: &[AmRow]) -> Result<(), AmError> {
        AmImage { rows: rows.to_vec() }.validate(&PeConfig::factored("a", 5, 2))
    }

    #[test]
    fn rows_are_addressed_by_column_and_prefix() {
        assert_eq!((SHAPE.rows(), SHAPE.column_bits()), (20, 3));
        assert_eq!(FactoredConfig { columns: 1, mantissa_bits: 0 }.column_bits(), 1);
        // 3 = 1.10 in binary; sign and exponent do not matter.
        for activation in [THREE, THREE | 1 << 31, 0x3FC0_0000, THREE | 1] {
            assert_eq!(SHAPE.address(F, 4, activation), 4 << 2 | 0b10);
            assert_eq!(SHAPE.key(F, 4, THREE, activation), 4 << 46 | 0x40_0000 << 23 | 0x40_0000);
        }
        assert_eq!(SHAPE.parts(F, SHAPE.key(F, 4, 7, THREE)), (4, 7, 0x40_0000));
        let whole = FactoredConfig { columns: 2, mantissa_bits: 23 };
        assert_eq!(whole.care(F), (1 << 47) - 1);
        assert_eq!(whole.address(F, 1, u32::MAX), (1 << 24) - 1);
    }

    #[test]
    fn rows_that_no_pair_could_mean_are_refused() {
        let good = [row(0, THREE, THREE, 0xFF_FFFF), row(0, THREE, 0, 0), row(4, 0, THREE, 0)];
        assert_eq!(validated(&good), Ok(()));
        let wide = Err(AmError::TooWide { row: 0, what: "product", bits: 1 << 24, width: 24, format: F });
        assert_eq!(validated(&[row(0, 0, 0, 1 << 24)]), wide);
        assert_eq!(validated(&[row(5, 0, 0, 0)]), Err(AmError::Column { row: 0, column: 5, columns: 5 }));
        let past = AmRow { key: 1 << 49, ..good[0] };
        assert!(matches!(validated(&[past]), Err(AmError::TooWide { what: "key", width: 49, .. })));
        let loose = AmRow { care: SHAPE.care(F) >> 1, ..good[0] };
        assert!(matches!(validated(&[loose]), Err(AmError::Care { row: 0, .. })));
        let stray = AmRow { key: good[0].key | 1, ..good[0] };
        assert!(matches!(validated(&[stray]), Err(AmError::KeyOutsideCare { row: 0, .. })));
        // 1.5 and 1.75 select different rows, 1.5 and 1.6 the same one.
        let near = 1.6f32.to_bits();
        assert_eq!(validated(&[good[0], row(0, THREE, near, 1)]), Err(AmError::SameRow { row: 1, other: 0 }));
        assert_eq!(validated(&[good[0], row(0, 0, 0, 1)]), Err(AmError::ColumnWeight { row: 1, column: 0 }));
    }

    #[test]
    fn factored_memories_have_a_row_a_column_and_prefix() {
        let good = PeConfig::factored("a", 16, 3);
        assert_eq!((good.validate(), good.rows(), good.product_bits()), (Ok(()), 128, 24));
        let changed = |rows, columns, mantissa_bits| {
            let mut config = PeConfig::factored("a", columns, mantissa_bits);
            config.am.as_mut().unwrap().rows = rows;
            config.validate()
        };
        assert_eq!(changed(127, 16, 3), Err(PeConfigError::ShapeRows { rows: 127, expected: 128 }));
        assert_eq!(changed(1, 1, 24), Err(PeConfigError::MantissaBits { mantissa_bits: 24, format: good.format }));
        assert_eq!(changed(0, 0, 3), Err(PeConfigError::Rows(0)));
        assert_eq!(PeConfig::factored("a", 1, 64).validate(), Err(PeConfigError::Rows(usize::MAX)));
        assert_eq!(PeConfig::factored("a", 3, 9).validate(), Err(PeConfigError::Rows(1536)));
        let fixed =
            |product_width| PeConfig { accumulator: Accumulator::Fixed { width: 28, product_width }, ..good.clone() };
        assert_eq!((fixed(24).validate(), fixed(12).product_bits()), (Ok(()), 12));
        assert_eq!(fixed(25).validate(), Err(PeConfigError::ProductWidth { product_width: 25, most: 24 }));
        let float = |product_bits| {
            let mut config = good.clone();
            config.am.as_mut().unwrap().product_bits = Some(product_bits);
            config
        };
        assert_eq!((float(9).validate(), float(9).product_bits()), (Ok(()), 9));
        assert_eq!(float(25).validate(), Err(PeConfigError::ProductWidth { product_width: 25, most: 24 }));
        let twice = PeConfig { accumulator: fixed(12).accumulator, ..float(9) };
        assert_eq!(twice.validate(), Err(PeConfigError::ProductBits));
        let json = serde_json::to_string(&float(9)).unwrap();
        assert!(json.contains("\"product_bits\":9") && serde_json::from_str::<PeConfig>(&json).unwrap() == float(9));
        assert!(!serde_json::to_string(&good).unwrap().contains("product_bits"));
        let short = Accumulator::Fixed { width: 20, product_width: 20 };
        let refused = PeConfig { accumulator: short, ..good.clone() }.validate();
        assert_eq!(refused, Err(PeConfigError::ProductWidth { product_width: 20, most: 19 }));
        assert!(!fixed(12).stores_units());
    }

    #[test]
    fn organisations_are_read_back_and_pairs_are_a_word() {
        for config in [PeConfig::pair("a", 4), PeConfig::factored("a", 4, 2)] {
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<PeConfig>(&json).unwrap(), config);
        }
        let organisation = |config: PeConfig| serde_json::to_string(&config.am.unwrap().organisation).unwrap();
        assert_eq!(organisation(PeConfig::pair("a", 4)), "\"pair\"");
        let factored = organisation(PeConfig::factored("a", 4, 2));
        assert_eq!(factored, "{\"factored\":{\"columns\":4,\"mantissa_bits\":2}}");
    }

    #[test]
    fn every_address_is_written_and_only_rows_of_the_image_are_valid() {
        let config = PeConfig::factored("a", 5, 2);
        let image = AmImage { rows: vec![row(4, 0, THREE, 9), row(1, THREE, 0, 7)] };
        let writes = image.writes(&config);
        assert_eq!(writes.len(), 20);
        for (address, write) in (0..).zip(&writes) {
            assert_eq!(write.address, address);
            let expected = match address {
                4 => (true, 7),
                18 => (true, 9),
                _ => (false, 0),
            };
            assert_eq!((write.valid, write.product), expected);
        }
        assert_eq!(image.column_of(&config, 0xC040_0000), Some(1), "-3 has the significand of 3");
        assert_eq!(image.column_of(&config, 1.25f32.to_bits()), None);
    }
}
