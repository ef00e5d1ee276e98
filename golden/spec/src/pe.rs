//! The configuration of a processing element: what is built into its netlist.

use crate::factored::FactoredConfig;
use crate::format::FloatFormat;
use crate::fpu::{FixedFormat, MultiplierStyle};
use crate::names::is_safe_name;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most rows that a generated memory can have.
pub const MAX_ROWS: usize = 1024;

/// Most pipeline cuts in a PE's multiplier.
pub const MAX_MULTIPLIER_STAGES: u32 = 2;

/// Most pipeline cuts in a PE's adder.
pub const MAX_ADDER_STAGES: u32 = 1;

/// What a row of the associative memory is keyed by.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Organisation {
    /// Ternary rows keyed by {weight, activation}, as in the AxP paper.
    Pair,
    /// Products of significands, indexed by a weight's column and the top
    /// mantissa bits of the activation; a row serves every sign and exponent.
    Factored(FactoredConfig),
}

/// Where the rows come from.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Rows are written at run time through the row port.
    Programmable,
}

/// What the products are summed in.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Accumulator {
    /// A floating-point adder of the PE's own format.
    Float,
    /// A saturating integer, converted back once a sum.
    Fixed {
        /// Width in bits, two's complement: [`FixedFormat::MIN_ACCUMULATOR`]
        /// to [`FixedFormat::MAX_WIDTH`].
        width: u32,
        /// Width of the products that the memory stores. A `pair` memory stores
        /// units of the accumulator's last bit: 2 to 32 and at most `width`. A
        /// `factored` one stores products of significands, rounded when they are
        /// loaded and converted like those of the multiplier: 2 to 1 more than
        /// the format's fraction.
        product_width: u32,
    },
}

/// How the registers of the generated Verilog are reset.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum ResetStyle {
    /// `always @(posedge clk_i or negedge rst_ni)`.
    #[default]
    Async,
    /// `always @(posedge clk_i)`, the reset sampled by the clock.
    Sync,
}

/// The associative memory of a PE.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct AmConfig {
    /// What a row is keyed by.
    pub organisation: Organisation,
    /// Where the rows come from.
    pub content: Content,
    /// How many rows there are, 1 to [`MAX_ROWS`]; in a `factored` memory
    /// [`FactoredConfig::rows`].
    pub rows: usize,
}

/// A processing element. One configuration is one netlist.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct PeConfig {
    /// Name of the configuration: the top module and the folder it is written
    /// to. Lower-case letters, digits and `_`, a letter first, at most 40.
    pub name: String,
    /// Format of weights, activations, products and results.
    pub format: FloatFormat,
    /// The associative memory; without one, every product is multiplied.
    #[serde(default)]
    pub am: Option<AmConfig>,
    /// What the products are summed in.
    pub accumulator: Accumulator,
    /// What the multiplier is made of.
    #[serde(default)]
    pub multiplier: MultiplierStyle,
    /// Pipeline cuts in the multiplier, 0 to [`MAX_MULTIPLIER_STAGES`].
    #[serde(default)]
    pub multiplier_stages: u32,
    /// Pipeline cuts in the adder, 0 to [`MAX_ADDER_STAGES`]. With one there
    /// are two interleaved sums, added to each other at `last`.
    #[serde(default)]
    pub adder_stages: u32,
    /// How registers are reset.
    #[serde(default)]
    pub reset: ResetStyle,
}

/// Why a configuration cannot be built.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum PeConfigError {
    /// The name would not be a safe module and folder name.
    #[error(
        "{0:?} cannot name a configuration: use 1 to 40 lower-case letters, digits and '_', \
         a letter first, no '__', no '_' at the end, and no Verilog keyword"
    )]
    Name(String),
    /// The number of rows is outside the supported range.
    #[error("an associative memory of {0} rows cannot be built: use 1 to {MAX_ROWS}")]
    Rows(usize),
    /// More mantissa bits of the activation than it has.
    #[error("{mantissa_bits} mantissa bits cannot select a row: {format} has {}", format.fraction_bits())]
    MantissaBits {
        /// What was asked for.
        mantissa_bits: u32,
        /// The PE's format.
        format: FloatFormat,
    },
    /// The number of rows is not that of the columns and prefixes.
    #[error("a factored memory of this shape has {expected} rows, not {rows}")]
    FactoredRows {
        /// What was asked for.
        rows: usize,
        /// Columns times prefixes.
        expected: usize,
    },
    /// The accumulator is too narrow or too wide.
    #[error(
        "an accumulator of {width} bits cannot be built: use {} to {}",
        FixedFormat::MIN_ACCUMULATOR,
        FixedFormat::MAX_WIDTH
    )]
    AccumulatorWidth {
        /// What was asked for.
        width: u32,
    },
    /// The stored products are too narrow or too wide.
    #[error("stored products of {product_width} bits cannot be built: use 2 to {most}")]
    ProductWidth {
        /// What was asked for.
        product_width: u32,
        /// The most that fits the accumulator and the row port, or the most that
        /// a significand has.
        most: u32,
    },
    /// More pipeline cuts than a unit has places for.
    #[error("{cuts} pipeline cuts in the {unit} cannot be built: use 0 to {most}")]
    Stages {
        /// `multiplier`, `adder` or `fixed-point accumulator`.
        unit: &'static str,
        /// What was asked for.
        cuts: u32,
        /// The most there can be.
        most: u32,
    },
}

impl PeConfig {
    /// A paper-like PE: `pair` rows, programmable, binary32 throughout.
    pub fn pair(name: &str, rows: usize) -> Self {
        Self {
            am: Some(AmConfig { organisation: Organisation::Pair, content: Content::Programmable, rows }),
            ..Self::plain(name)
        }
    }

    /// A PE with a `factored` memory, programmable, binary32 throughout: as many
    /// weight significands as `columns`, and the top `mantissa_bits` of the
    /// activation.
    pub fn factored(name: &str, columns: u32, mantissa_bits: u32) -> Self {
        let shape = FactoredConfig { columns, mantissa_bits };
        let organisation = Organisation::Factored(shape);
        Self {
            am: Some(AmConfig { organisation, content: Content::Programmable, rows: shape.rows() }),
            ..Self::plain(name)
        }
    }

    /// A binary32 multiply-accumulate without a memory: what others are
    /// compared with.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            format: FloatFormat::Binary32,
            am: None,
            accumulator: Accumulator::Float,
            multiplier: MultiplierStyle::Dadda,
            multiplier_stages: 0,
            adder_stages: 0,
            reset: ResetStyle::Async,
        }
    }

    /// Checks what the types cannot: the name and the sizes.
    pub fn validate(&self) -> Result<(), PeConfigError> {
        if !is_safe_name(&self.name) {
            return Err(PeConfigError::Name(self.name.clone()));
        }
        if let Some(am) = &self.am
            && !(1..=MAX_ROWS).contains(&am.rows)
        {
            return Err(PeConfigError::Rows(am.rows));
        }
        let factored = self.factored_memory();
        if let Some(shape) = factored {
            let (mantissa_bits, format) = (shape.mantissa_bits, self.format);
            if mantissa_bits > format.fraction_bits() {
                return Err(PeConfigError::MantissaBits { mantissa_bits, format });
            }
            if shape.rows() != self.rows() {
                return Err(PeConfigError::FactoredRows { rows: self.rows(), expected: shape.rows() });
            }
        }
        let adder = match self.accumulator {
            Accumulator::Float => ("adder", self.adder_stages, MAX_ADDER_STAGES),
            Accumulator::Fixed { width, product_width } => {
                if !(FixedFormat::MIN_ACCUMULATOR..=FixedFormat::MAX_WIDTH).contains(&width) {
                    return Err(PeConfigError::AccumulatorWidth { width });
                }
                let most = factored.map_or(width.min(32), |_| self.format.fraction_bits() + 1);
                if !(2..=most).contains(&product_width) {
                    return Err(PeConfigError::ProductWidth { product_width, most });
                }
                ("fixed-point accumulator", self.adder_stages, 0)
            }
        };
        let cuts = [("multiplier", self.multiplier_stages, MAX_MULTIPLIER_STAGES), adder];
        for (unit, cuts, most) in cuts {
            if cuts > most {
                return Err(PeConfigError::Stages { unit, cuts, most });
            }
        }
        Ok(())
    }

    /// Clock cycles from the one that accepts `last` to the first in which the
    /// result is offered, when nothing downstream holds it back. The same for
    /// a hit, a miss and a skipped zero.
    ///
    /// Operands, product and sum take one each. A cut in the multiplier takes
    /// one more. A cut in the adder takes three more: the second half of the
    /// last addition, and both halves of even + odd. A fixed-point accumulator
    /// takes one more, for the conversion of its sum.
    pub const fn latency(&self) -> u32 {
        let converted = matches!(self.accumulator, Accumulator::Fixed { .. }) as u32;
        3 + self.multiplier_stages + 3 * self.adder_stages + converted
    }

    /// The fixed-point format of the accumulator, if it has one, while the
    /// range port carries `range`: sums reach from -2^(range + 1 - bias) to
    /// just below 2^(range + 1 - bias). Bits of `range` above the format's
    /// exponent field are dropped.
    pub const fn accumulator_format(&self, range: u32) -> Option<FixedFormat> {
        match self.accumulator {
            Accumulator::Float => None,
            Accumulator::Fixed { width, .. } => {
                let range = range & ((1 << self.format.exponent_bits()) - 1);
                Some(FixedFormat { width, last_bit: range as i32 + 2 - self.format.bias() - width as i32 })
            }
        }
    }

    /// How many rows the memory has; 0 without one.
    pub const fn rows(&self) -> usize {
        match self.am {
            Some(am) => am.rows,
            None => 0,
        }
    }

    /// The shape of the memory, if it is a `factored` one.
    pub const fn factored_memory(&self) -> Option<FactoredConfig> {
        match self.am {
            Some(AmConfig { organisation: Organisation::Factored(shape), .. }) => Some(shape),
            _ => None,
        }
    }

    /// Whether the memory stores units of a fixed-point accumulator's last bit,
    /// not floating-point numbers or their significands.
    pub const fn stores_units(&self) -> bool {
        matches!(self.accumulator, Accumulator::Fixed { .. }) && self.factored_memory().is_none()
    }

    /// Width in bits of a stored product, see [`AmRow::product`](crate::AmRow).
    pub const fn product_bits(&self) -> u32 {
        match (self.accumulator, self.factored_memory()) {
            (Accumulator::Fixed { product_width, .. }, _) => product_width,
            (Accumulator::Float, Some(_)) => 1 + self.format.fraction_bits(),
            (Accumulator::Float, None) => self.format.width(),
        }
    }

    /// Whether there are two interleaved sums.
    pub const fn is_interleaved(&self) -> bool {
        self.adder_stages > 0
    }

    /// Width in bits of the row address, at least 1.
    pub const fn row_address_bits(&self) -> u32 {
        let bits = usize::BITS - self.rows().saturating_sub(1).leading_zeros();
        if bits == 0 { 1 } else { bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_become_code_or_a_path_are_refused() {
        for bad in ["", "A", "9a", "a b", "a/b", "..", "a$b", "module", "a\n", "a'", "a__b", "a_", &"a".repeat(41)] {
            let config = PeConfig::pair(bad, 4);
            assert_eq!(config.validate(), Err(PeConfigError::Name(bad.to_owned())), "{bad:?}");
        }
        assert_eq!(PeConfig::pair("axp_pe_pair_r32", 32).validate(), Ok(()));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(PeConfig::pair("a", 0).validate(), Err(PeConfigError::Rows(0)));
        assert_eq!(PeConfig::pair("a", 1025).validate(), Err(PeConfigError::Rows(1025)));
        let widths: Vec<u32> =
            [1, 2, 3, 4, 5, 128, 129].iter().map(|r| PeConfig::pair("a", *r).row_address_bits()).collect();
        assert_eq!(widths, [1, 1, 2, 2, 3, 7, 8]);
    }

    #[test]
    fn accumulators_are_bounded_and_their_range_fits_the_port() {
        let fixed = |width, product_width| PeConfig {
            accumulator: Accumulator::Fixed { width, product_width },
            ..PeConfig::plain("a")
        };
        assert_eq!(fixed(24, 18).validate(), Ok(()));
        assert_eq!(fixed(7, 2).validate(), Err(PeConfigError::AccumulatorWidth { width: 7 }));
        assert_eq!(fixed(65, 2).validate(), Err(PeConfigError::AccumulatorWidth { width: 65 }));
        assert_eq!(fixed(24, 25).validate(), Err(PeConfigError::ProductWidth { product_width: 25, most: 24 }));
        assert_eq!(fixed(40, 33).validate(), Err(PeConfigError::ProductWidth { product_width: 33, most: 32 }));
        let cut = PeConfig { adder_stages: 1, ..fixed(24, 18) };
        assert!(matches!(cut.validate(), Err(PeConfigError::Stages { most: 0, .. })));
        // Sums below 2^(127 + 1 - 127) = 2 in 24 bits: the last bit is 2^-22.
        assert_eq!(fixed(24, 18).accumulator_format(127), Some(FixedFormat { width: 24, last_bit: -22 }));
        assert_eq!(fixed(24, 18).latency(), 4);
        for format in FloatFormat::ALL {
            for width in [FixedFormat::MIN_ACCUMULATOR, FixedFormat::MAX_WIDTH] {
                let config = PeConfig { format, ..fixed(width, 2) };
                for range in [0, u32::MAX] {
                    let last_bit = config.accumulator_format(range).unwrap().last_bit;
                    assert!((FixedFormat::MIN_LAST_BIT..=FixedFormat::MAX_LAST_BIT).contains(&last_bit), "{last_bit}");
                }
            }
        }
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        let mut json = serde_json::to_value(PeConfig::pair("a", 4)).unwrap();
        json["zeroskip"] = true.into();
        assert!(serde_json::from_value::<PeConfig>(json).is_err());
    }
}
