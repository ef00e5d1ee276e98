//! The PE as a function from operand pairs to a sum.

use crate::am::Am;
use crate::float;
use axp_spec::{FloatFormat, PeConfig};

/// A sum, and what became of its operand pairs: each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SumOutcome {
    /// The accumulator after the last pair, a binary32 encoding.
    pub data: u32,
    /// Pairs whose product came from the memory.
    pub hits: u64,
    /// Pairs that were multiplied.
    pub misses: u64,
    /// Zero activations that were skipped; they count neither as hit nor as
    /// miss.
    pub skipped: u64,
}

/// What a PE does with one operand pair, decided on its input bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A zero activation that is skipped.
    Skip,
    /// A hit, and the product that the memory stores.
    Hit { product: u32 },
    /// A miss: the pair goes to the multiplier.
    Miss { weight: u32, activation: u32 },
}

impl Operand {
    /// Zero skip comes before the search: a skipped pair is not a hit.
    #[inline]
    pub fn decide(format: FloatFormat, am: &Am, zero_skip: bool, weight: u32, activation: u32) -> Self {
        if zero_skip && is_zero(format, activation) {
            return Self::Skip;
        }
        match am.search(weight, activation) {
            Some(hit) => Self::Hit { product: hit.product },
            None => Self::Miss { weight, activation },
        }
    }

    /// The product to add, or `None` for a pair that is skipped.
    #[inline]
    pub fn product(self, format: FloatFormat) -> Option<u32> {
        match self {
            Self::Skip => None,
            Self::Hit { product } => Some(product),
            Self::Miss { weight, activation } => {
                Some(float::mul(format, u64::from(weight), u64::from(activation)).bits as u32)
            }
        }
    }
}

/// The accumulator after a product, or after a skipped pair.
#[inline]
pub(super) fn accumulate(format: FloatFormat, base: u32, product: Option<u32>) -> u32 {
    match product {
        None => base,
        Some(product) => float::add(format, u64::from(base), u64::from(product)).bits as u32,
    }
}

fn is_zero(format: FloatFormat, encoding: u32) -> bool {
    let sign = 1 << (format.width() - 1);
    u64::from(encoding) & (sign - 1) == 0
}

/// Sums the products of `operands`, pairs of (weight, activation) encodings,
/// in their order, as a PE of `config` with the memory `am` does from `first`
/// to `last`. The sum of no pairs is +0. The bias is not part of it; see
/// [`add_bias`].
pub fn sum(config: &PeConfig, am: &Am, zero_skip: bool, operands: impl IntoIterator<Item = (u32, u32)>) -> SumOutcome {
    let format = config.format;
    let mut outcome = SumOutcome::default();
    for (weight, activation) in operands {
        let operand = Operand::decide(format, am, zero_skip, weight, activation);
        let count = match operand {
            Operand::Skip => &mut outcome.skipped,
            Operand::Hit { .. } => &mut outcome.hits,
            Operand::Miss { .. } => &mut outcome.misses,
        };
        *count += 1;
        outcome.data = accumulate(format, outcome.data, operand.product(format));
    }
    outcome
}

/// Adds a layer's bias to a finished sum: one binary32 addition, rounded to
/// nearest even, done by whoever collects the PE's results.
pub fn add_bias(sum: u32, bias: u32) -> u32 {
    float::add(FloatFormat::Binary32, u64::from(sum), u64::from(bias)).bits as u32
}
