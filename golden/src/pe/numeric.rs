//! The PE as a function from operand pairs to a sum.

use crate::am::Am;
use crate::float;
use axp_spec::{FloatFormat, PeConfig};

/// A sum, and what became of its operand pairs: each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SumOutcome {
    /// The result, an encoding in the PE's format.
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

/// The running sum of a PE, or its two interleaved ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulator {
    /// One sum, a product at a time.
    Single(u32),
    /// A pipelined adder: pairs at even positions go to one sum, pairs at odd
    /// positions to the other.
    Interleaved {
        /// The sums of even and of odd positions.
        sums: [u32; 2],
        /// Where the next pair goes.
        next: usize,
    },
}

impl Accumulator {
    /// As it is after reset.
    pub fn new(config: &PeConfig) -> Self {
        if config.is_interleaved() { Self::Interleaved { sums: [0; 2], next: 0 } } else { Self::Single(0) }
    }

    /// `first`: everything counts as +0, and the next position is 0.
    pub fn clear(&mut self) {
        match self {
            Self::Single(sum) => *sum = 0,
            Self::Interleaved { sums, next } => (*sums, *next) = ([0; 2], 0),
        }
    }

    /// Takes the product of the next pair, or `None` for a pair that is
    /// skipped: it has a position too.
    #[inline(always)]
    pub fn take(&mut self, format: FloatFormat, product: Option<u32>) {
        let sum = match self {
            Self::Single(sum) => sum,
            Self::Interleaved { sums, next } => {
                let sum = &mut sums[*next];
                *next = 1 - *next;
                sum
            }
        };
        if let Some(product) = product {
            *sum = add(format, *sum, product);
        }
    }

    /// What a PE offers after a `last`.
    pub fn total(&self, format: FloatFormat) -> u32 {
        match *self {
            Self::Single(sum) => sum,
            Self::Interleaved { sums: [even, odd], .. } => add(format, even, odd),
        }
    }
}

fn add(format: FloatFormat, a: u32, b: u32) -> u32 {
    float::add(format, u64::from(a), u64::from(b)).bits as u32
}

fn is_zero(format: FloatFormat, encoding: u32) -> bool {
    let sign = 1 << (format.width() - 1);
    u64::from(encoding) & (sign - 1) == 0
}

/// Sums the products of `operands`, pairs of (weight, activation) encodings,
/// in their order, as a PE of `config` with the memory `am` does from `first`
/// to `last`. The sum of no pairs is +0. The bias is not part of it; see
/// [`add_bias`].
///
/// In a PE whose adder has a pipeline stage a new addition starts every cycle
/// and takes two, so there are two sums, both from +0: pairs at even positions
/// go to one, pairs at odd positions to the other, and the result is even + odd,
/// rounded to nearest even like every addition. The position of a pair is its
/// index from `first` on, 0 for `first` itself. A skipped pair has a position
/// too: it leaves its sum untouched, and the next pair goes to the other one.
pub fn sum(config: &PeConfig, am: &Am, zero_skip: bool, operands: impl IntoIterator<Item = (u32, u32)>) -> SumOutcome {
    let format = config.format;
    let mut outcome = SumOutcome::default();
    let mut accumulator = Accumulator::new(config);
    for operand in operands {
        accumulator.take(format, outcome.count(format, am, zero_skip, operand));
    }
    outcome.data = accumulator.total(format);
    outcome
}

/// Adds a layer's bias to a finished sum: one binary32 addition, rounded to
/// nearest even, done by whoever collects the PE's results.
pub fn add_bias(sum: u32, bias: u32) -> u32 {
    float::add(FloatFormat::Binary32, u64::from(sum), u64::from(bias)).bits as u32
}
