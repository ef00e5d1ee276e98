//! The configuration of a processing element: what is built into its netlist.

#[cfg(test)]
mod tests;
mod validate;

use crate::bits::index_bits;
use crate::factored::FactoredConfig;
use crate::format::FloatFormat;
use crate::fpu::{FixedFormat, MultiplierStyle};
use crate::grid::GridConfig;
use crate::memory::{AmConfig, Content, LayerMemory, Organisation, Storage, WeightOperand};
use crate::narrow::NarrowOperands;
use serde::{Deserialize, Serialize};

pub use validate::PeConfigError;

/// Most pipeline cuts in a PE's multiplier.
pub const MAX_MULTIPLIER_STAGES: u32 = 2;

/// Most pipeline cuts in a PE's adder.
pub const MAX_ADDER_STAGES: u32 = 1;

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
        /// `grid` memory stores their magnitude, without a sign: 2 to 31 and less
        /// than `width`. A `factored` one stores products of significands, rounded
        /// when they are loaded and converted like those of the multiplier: 2 to 1
        /// more than the format's fraction, and less than `width`.
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

/// A processing element. One configuration is one netlist.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct PeConfig {
    /// Name of the configuration: the top module and the folder it is written
    /// to. Lower-case letters, digits and `_`, a letter first, at most 48.
    pub name: String,
    /// Format of weights, activations, products and results.
    pub format: FloatFormat,
    /// Weights and activations are given in this instead, in a PE without a memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operands: Option<NarrowOperands>,
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

impl PeConfig {
    /// A paper-like PE: `pair` rows, programmable, binary32 throughout.
    pub fn pair(name: &str, rows: usize) -> Self {
        Self { am: Some(AmConfig::new(Organisation::Pair, rows)), ..Self::plain(name) }
    }

    /// A PE with a `factored` memory, programmable, binary32 throughout: as many
    /// weight significands as `columns`, and the top `mantissa_bits` of the
    /// activation.
    pub fn factored(name: &str, columns: u32, mantissa_bits: u32) -> Self {
        let shape = FactoredConfig { columns, mantissa_bits };
        Self { am: Some(AmConfig::new(Organisation::Factored(shape), shape.rows())), ..Self::plain(name) }
    }

    /// A PE with a `grid` memory, programmable, binary32 throughout: ternary
    /// `patterns` of the activation, each with a product for every one of `columns`
    /// weight magnitudes.
    pub fn grid(name: &str, patterns: u32, columns: u32) -> Self {
        let shape = GridConfig { patterns, columns };
        Self { am: Some(AmConfig::new(Organisation::Grid(shape), shape.rows())), ..Self::plain(name) }
    }

    /// A binary32 multiply-accumulate without a memory: what others are
    /// compared with.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            format: FloatFormat::Binary32,
            operands: None,
            am: None,
            accumulator: Accumulator::Float,
            multiplier: MultiplierStyle::Dadda,
            multiplier_stages: 0,
            adder_stages: 0,
            reset: ResetStyle::Async,
        }
    }

    /// Clock cycles from the one that accepts `last` to the first in which the
    /// result is offered, when nothing downstream holds it back. The same for
    /// a hit, a miss and a skipped zero.
    ///
    /// Operands, product and sum take one each. A cut in the multiplier takes
    /// one more. A cut in the adder takes three more: the second half of the
    /// last addition, and both halves of even + odd. A floating-point sum in an
    /// adder without a cut takes one more, for its sum to be rounded, an integer
    /// accumulator two, for its sum to stand still and to be converted.
    pub const fn latency(&self) -> u32 {
        let integer = matches!(self.accumulator, Accumulator::Fixed { .. })
            || matches!(self.operands, Some(NarrowOperands::Int8));
        let completes = if integer { 2 } else { !self.is_interleaved() as u32 };
        3 + self.multiplier_stages + 3 * self.adder_stages + completes
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
        match &self.am {
            Some(am) => am.rows,
            None => 0,
        }
    }

    /// What the rows of the memory are keyed by; `None` without one.
    pub const fn organisation(&self) -> Option<Organisation> {
        match &self.am {
            Some(am) => Some(am.organisation),
            None => None,
        }
    }

    /// The shape of the memory, if it is a `factored` one.
    pub const fn factored_memory(&self) -> Option<FactoredConfig> {
        match self.organisation() {
            Some(Organisation::Factored(shape)) => Some(shape),
            _ => None,
        }
    }

    /// The shape of the memory, if it is a `grid`.
    pub const fn grid_memory(&self) -> Option<GridConfig> {
        match self.organisation() {
            Some(Organisation::Grid(shape)) => Some(shape),
            _ => None,
        }
    }

    /// How many columns of weights the memory has; `None` for one that has none.
    pub const fn columns(&self) -> Option<u32> {
        match self.organisation() {
            Some(Organisation::Factored(shape)) => Some(shape.columns),
            Some(Organisation::Grid(shape)) => Some(shape.columns),
            Some(Organisation::Pair) | None => None,
        }
    }

    /// Width in bits of a column id, at least 1; `None` without columns.
    pub const fn column_bits(&self) -> Option<u32> {
        match self.columns() {
            Some(columns) => Some(index_bits(columns)),
            None => None,
        }
    }

    /// Whether a weight is given by its sign and column, and its magnitude comes
    /// from a codebook.
    pub const fn has_codebook(&self) -> bool {
        matches!(&self.am, Some(AmConfig { weight: WeightOperand::Index, .. }))
    }

    /// What the rows of the memory are kept in; flip-flops without one.
    pub const fn storage(&self) -> Storage {
        match &self.am {
            Some(am) => am.storage,
            None => Storage::Flops,
        }
    }

    /// The contents of a frozen memory, layer by layer; none of a programmable one.
    pub fn frozen_layers(&self) -> &[LayerMemory] {
        match &self.am {
            Some(AmConfig { content: Content::Frozen { layers }, .. }) => layers,
            _ => &[],
        }
    }

    /// Whether the memory holds the rows of all layers instead of a row port.
    pub const fn is_frozen(&self) -> bool {
        matches!(&self.am, Some(AmConfig { content: Content::Frozen { .. }, .. }))
    }

    /// Width in bits of a layer id, at least 1; `None` unless the memory is frozen.
    pub fn layer_bits(&self) -> Option<u32> {
        // At most `MAX_LAYERS`.
        self.is_frozen().then(|| index_bits(self.frozen_layers().len() as u32))
    }

    /// Whether the memory stores units of a fixed-point accumulator's last bit,
    /// not floating-point numbers or their significands.
    pub const fn stores_units(&self) -> bool {
        matches!(self.accumulator, Accumulator::Fixed { .. }) && self.factored_memory().is_none()
    }

    /// Width in bits of a stored product, see [`AmRow::product`](crate::AmRow).
    pub const fn product_bits(&self) -> u32 {
        match (self.accumulator, self.organisation()) {
            (Accumulator::Fixed { product_width, .. }, _) => product_width,
            (Accumulator::Float, Some(Organisation::Factored(_))) => match &self.am {
                Some(AmConfig { product_bits: Some(bits), .. }) => *bits,
                _ => 1 + self.format.fraction_bits(),
            },
            (Accumulator::Float, Some(Organisation::Grid(_))) => self.format.width() - 1,
            (Accumulator::Float, _) => self.format.width(),
        }
    }

    /// Whether there are two interleaved sums.
    pub const fn is_interleaved(&self) -> bool {
        self.adder_stages > 0
    }

    /// Width in bits of the row address, at least 1. That of a `grid` is {pattern,
    /// column}.
    pub const fn row_address_bits(&self) -> u32 {
        match self.grid_memory() {
            Some(shape) => index_bits(shape.patterns) + index_bits(shape.columns),
            None => index_bits(self.rows() as u32),
        }
    }
}
