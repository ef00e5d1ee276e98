//! The signals of one clock cycle at the boundary of a PE.
//!
//! ```text
//! clk_i       _/‾\_/‾\_/‾\_/‾\_/‾\_/‾\_
//! in_valid_i  _/‾‾‾‾‾‾‾\______________      two MACs accepted (in_ready_o high)
//! in_first_i  _/‾‾‾\__________________
//! in_last_i   _____/‾‾‾\______________
//! out_valid_o _________________/‾‾‾\__      `latency()` cycles after `last`, here 3
//! out_data_o  =================X r ===      holds its value while valid is low
//! ```
//!
//! Every output is a function of registers only: what [`PeOutputs`] says of a
//! cycle does not depend on the [`PeInputs`] of that cycle.

/// What drives a PE in one clock cycle (clock and reset apart).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeInputs {
    /// Activations of ±0 leave the accumulator untouched. Quasi-static: it
    /// takes effect for operands accepted in this cycle.
    pub zero_skip: bool,
    /// Exponent field of the fixed-point accumulator's range, see
    /// [`PeConfig::accumulator_format`](crate::PeConfig::accumulator_format).
    /// Static: it must not change while a pair is in the pipe or a sum is open.
    pub range: u32,
    /// A row written at the end of this cycle; operands accepted in later
    /// cycles see it, those of this cycle do not.
    pub row: Option<RowWrite>,
    /// The same for the magnitude of a column, where weights are given by index. Written
    /// only while no pair is in the pipe, since a miss reads it one stage later.
    pub codebook: Option<CodebookWrite>,
    /// The same for the layer register of a frozen memory, with the index of the
    /// layer, whose port is as wide as [`PeConfig::layer_bits`](crate::PeConfig::layer_bits):
    /// operands accepted in later cycles find that layer's rows. Written only while
    /// no pair is in the pipe and no sum is open. A layer that there is not has
    /// no rows, range 0 and magnitudes of 0.
    pub layer: Option<u32>,
    /// An operand pair is offered. It is accepted if `ready` is high too.
    pub valid: bool,
    /// The pair starts a sum: the accumulator counts as +0 before it.
    pub first: bool,
    /// The pair ends a sum: its result is offered `latency()` cycles later.
    pub last: bool,
    /// Weight, an encoding in the PE's format. Where weights are given by index,
    /// its sign alone has a meaning.
    pub weight: u32,
    /// Activation, an encoding in the PE's format.
    pub activation: u32,
    /// Column of the weight in a `grid` or `factored` memory; bits above
    /// [`PeConfig::column_bits`](crate::PeConfig::column_bits) are dropped. Without
    /// a meaning for other memories.
    pub column: u32,
    /// The receiver takes a result offered in this cycle.
    pub out_ready: bool,
}

/// One write through the row port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowWrite {
    /// Index of the row; in a `grid` {pattern, column}. An address at which there
    /// is no row writes nothing.
    pub address: u32,
    /// The pattern, {weight, activation}; in a `grid` a magnitude of the activation,
    /// which every write to a row of the pattern changes. A `factored` memory is
    /// addressed, and has no port for it.
    pub key: u64,
    /// 1 where a key bit is compared; the same.
    pub care: u64,
    /// The stored product, see [`AmRow::product`](crate::AmRow).
    pub product: u32,
    /// Whether the row can match from now on.
    pub valid: bool,
}

/// One write to the codebook of a PE that is given weights by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodebookWrite {
    /// The column. One past the last writes nothing.
    pub column: u32,
    /// The magnitude of its weights, finite, an encoding whose sign is dropped.
    pub magnitude: u32,
}

/// What a PE drives in one clock cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeOutputs {
    /// An operand pair offered in this cycle is accepted.
    pub ready: bool,
    /// A result is offered.
    pub valid: bool,
    /// The result; 0 after reset, held while `valid` is low.
    pub data: u32,
    /// With the result: an addition in its sum, or the conversion of one of its
    /// products, went out of the range of the fixed-point accumulator.
    pub overflow: bool,
    /// With the result: a product in its sum was a NaN.
    pub invalid: bool,
}
