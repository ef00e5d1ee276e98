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

impl SumOutcome {
    /// Counts a pair and returns its product, or `None` if it is skipped.
    #[inline(always)]
    fn count(
        &mut self,
        format: FloatFormat,
        am: &Am,
        zero_skip: bool,
        (weight, activation): (u32, u32),
    ) -> Option<u32> {
        let operand = Operand::decide(format, am, zero_skip, weight, activation);
        let count = match operand {
            Operand::Skip => &mut self.skipped,
            Operand::Hit { .. } => &mut self.hits,
            Operand::Miss { .. } => &mut self.misses,
        };
        *count += 1;
        operand.product(format)
    }
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
    #[inline(always)]
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
#[inline(always)]
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
    let mut outcome = SumOutcome::default();
    for operand in operands {
        let product = outcome.count(config.format, am, zero_skip, operand);
        outcome.data = accumulate(config.format, outcome.data, product);
    }
    outcome
}

/// As [`sum`], for a PE whose adder has a pipeline stage. A new addition starts
/// every cycle and takes two, so there are two sums, both from +0: pairs at
/// even positions go to one, pairs at odd positions to the other, and the
/// result is even + odd, rounded to nearest even like every addition.
///
/// The position of a pair is its index from `first` on, 0 for `first` itself.
/// A skipped pair has a position too: it leaves its sum untouched, and the next
/// pair goes to the other one.
pub fn interleaved_sum(
    config: &PeConfig,
    am: &Am,
    zero_skip: bool,
    operands: impl IntoIterator<Item = (u32, u32)>,
) -> SumOutcome {
    let mut outcome = SumOutcome::default();
    let (mut even, mut odd) = (0, 0);
    for (position, operand) in operands.into_iter().enumerate() {
        let product = outcome.count(config.format, am, zero_skip, operand);
        let sum = if position % 2 == 0 { &mut even } else { &mut odd };
        *sum = accumulate(config.format, *sum, product);
    }
    outcome.data = accumulate(config.format, even, Some(odd));
    outcome
}

/// Adds a layer's bias to a finished sum: one binary32 addition, rounded to
/// nearest even, done by whoever collects the PE's results.
pub fn add_bias(sum: u32, bias: u32) -> u32 {
    float::add(FloatFormat::Binary32, u64::from(sum), u64::from(bias)).bits as u32
}
