//! What a memory is searched with.

use axp_spec::PeInputs;

/// An operand pair, and the column of its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operands {
    /// Column of the weight in a `factored` memory; of no account in others.
    pub column: u32,
    /// Weight, an encoding in the PE's format.
    pub weight: u32,
    /// Activation, an encoding in the PE's format.
    pub activation: u32,
}

impl From<(u32, u32)> for Operands {
    /// A pair (weight, activation), for a PE without a `factored` memory.
    fn from((weight, activation): (u32, u32)) -> Self {
        Self { column: 0, weight, activation }
    }
}

impl From<&PeInputs> for Operands {
    fn from(inputs: &PeInputs) -> Self {
        Self { column: inputs.column, weight: inputs.weight, activation: inputs.activation }
    }
}
