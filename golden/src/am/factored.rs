//! The `factored` memory: products of significands, signs and exponents beside it.

use super::Operands;
use super::significand::rounded_product;
use super::words::Words;
use axp_spec::{AmRow, FactoredConfig, FloatFormat, PeConfig, RowWrite};

/// Rows addressed by {column, top mantissa bits of the activation}.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Factored {
    format: FloatFormat,
    shape: FactoredConfig,
    /// Width of a stored word.
    word_bits: u32,
    /// The words of the rows that are valid, by address.
    words: Words,
}

/// What the exponent field and the fraction of an operand make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Zero,
    Normal {
        /// Its exponent field.
        exponent: i32,
    },
    /// Subnormal, infinite or a NaN.
    Other,
}

impl Factored {
    /// A memory of this shape, all rows invalid.
    pub fn new(config: &PeConfig, shape: FactoredConfig) -> Self {
        Self { format: config.format, shape, word_bits: config.product_bits(), words: Words::new(shape.rows()) }
    }

    /// How many rows are valid.
    pub fn valid_rows(&self) -> usize {
        self.words.valid()
    }

    /// Replaces the content by rows that have been checked.
    pub fn load(&mut self, rows: &[AmRow]) {
        self.words.clear();
        for row in rows {
            let (column, _, activation) = self.shape.parts(self.format, row.key);
            self.words.set(self.shape.address(self.format, column, activation), Some(row.product.0));
        }
    }

    /// A write to an address that the memory has.
    pub fn write(&mut self, write: &RowWrite) {
        let word = write.valid.then_some(write.product & ((1 << self.word_bits) - 1));
        self.words.set(write.address, word);
    }

    /// What the row must store, if it is one whose hits must equal the misses:
    /// it compares the whole fraction, and the stored fraction is as long as the
    /// format's.
    pub fn exact_word(&self, row: &AmRow) -> Option<u32> {
        let fraction_bits = self.format.fraction_bits();
        let (_, weight, activation) = self.shape.parts(self.format, row.key);
        let whole = self.shape.mantissa_bits == fraction_bits && self.word_bits == fraction_bits + 1;
        whole.then(|| rounded_product(self.format, self.word_bits, weight, activation))
    }

    /// The product of a hit, an encoding in the PE's format; `None` on a miss.
    pub fn product(&self, operands: Operands) -> Option<u32> {
        let Operands { column, weight, activation } = operands;
        let sign = u64::from(weight ^ activation) & self.format.sign_mask();
        let exponents = match (self.class(weight), self.class(activation)) {
            (Class::Other, _) | (_, Class::Other) => return None,
            // No row is needed: the product is a zero, whatever the other one is.
            (Class::Zero, _) | (_, Class::Zero) => return Some(sign as u32),
            (Class::Normal { exponent: weight }, Class::Normal { exponent: activation }) => weight + activation,
        };
        // The port is as wide as a column id.
        let column = column & ((1 << self.shape.column_bits()) - 1);
        let word = self.words.get(self.shape.address(self.format, column, activation))?;
        let stored_bits = self.word_bits - 1;
        let (carry, stored) = (word >> stored_bits, word & ((1 << stored_bits) - 1));
        let exponent = exponents - self.format.bias() + carry as i32;
        if exponent < 1 {
            return None;
        }
        let fraction_bits = self.format.fraction_bits();
        let fraction = u64::from(stored) << (fraction_bits - stored_bits);
        let magnitude = (exponent as u64) << fraction_bits | fraction;
        (magnitude <= self.format.largest_finite()).then_some((sign | magnitude) as u32)
    }

    fn class(&self, encoding: u32) -> Class {
        let magnitude = u64::from(encoding) & (self.format.sign_mask() - 1);
        match (magnitude >> self.format.fraction_bits()) as i32 {
            _ if magnitude == 0 => Class::Zero,
            0 => Class::Other,
            _ if self.format.is_special(magnitude) => Class::Other,
            exponent => Class::Normal { exponent },
        }
    }
}
