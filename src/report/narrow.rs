//! What a network loses on plain multiply-accumulates with narrower operands.

use super::Accuracy;
use axp_spec::NarrowOperands;
use serde::{Deserialize, Serialize};

/// Accuracy of the net on plain multiply-accumulates of narrower operands, see
/// [`axp_golden::infer::narrow`].
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct NarrowAccuracy {
    /// The operands.
    pub operands: NarrowOperands,
    /// Accuracy, or agreement with the float net, as in [`Accuracy`], 0 to 1.
    pub accuracy: f64,
    /// Percentage points lost.
    pub loss_pp: f64,
    /// Paired standard error of the loss, in percentage points.
    pub loss_standard_error_pp: f64,
}

impl NarrowAccuracy {
    /// Of a comparison with the float net.
    pub fn new(operands: NarrowOperands, measured: &Accuracy) -> Self {
        let Accuracy { axp: accuracy, loss_pp, loss_standard_error_pp, .. } = *measured;
        Self { operands, accuracy, loss_pp, loss_standard_error_pp }
    }

    /// What the operands are called.
    pub const fn name(&self) -> &'static str {
        match self.operands {
            NarrowOperands::Bfloat16 => "bfloat16",
            NarrowOperands::Int8 => "int8",
        }
    }

    /// All of them in a line.
    pub fn text(all: &[Self]) -> String {
        let one = |narrow: &Self| {
            let Self { loss_pp, loss_standard_error_pp: error, .. } = narrow;
            format!("{} {loss_pp:+.2} pp ± {error:.2}", narrow.name())
        };
        format!("plain MACs lose: {}", all.iter().map(one).collect::<Vec<_>>().join(", "))
    }
}
