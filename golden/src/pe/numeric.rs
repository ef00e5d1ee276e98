//! The PE as a function from operand pairs to a sum.

use super::accumulator::Accumulator;
use super::narrow::widened;
use crate::am::{Am, Operands};
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
    /// A fixed-point accumulator has saturated, see [`PeOutputs`](axp_spec::PeOutputs).
    pub overflow: bool,
    /// A fixed-point accumulator was given a NaN.
    pub invalid: bool,
}

/// The settings of a PE while it sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Activations of ±0 are skipped.
    pub zero_skip: bool,
    /// What the range port of a fixed-point accumulator carries; a frozen memory
    /// brings its own.
    pub range: u32,
}

impl From<bool> for Settings {
    /// The zero-skip bit alone, for a PE with a floating-point accumulator.
    fn from(zero_skip: bool) -> Self {
        Self { zero_skip, range: 0 }
    }
}

impl SumOutcome {
    /// Counts a pair and returns what becomes of it.
    #[inline(always)]
    fn count(&mut self, format: FloatFormat, am: &Am, zero_skip: bool, operands: Operands) -> Operand {
        let operand = Operand::decide(format, am, zero_skip, operands);
        let count = match operand {
            Operand::Skip => &mut self.skipped,
            Operand::Hit { .. } => &mut self.hits,
            Operand::Miss { .. } => &mut self.misses,
        };
        *count += 1;
        operand
    }
}

/// What a PE does with one operand pair, decided on its input bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A zero activation that is skipped.
    Skip,
    /// A hit, and the product that the memory gives, see [`Am::product`].
    Hit { product: u32 },
    /// A miss: the pair goes to the multiplier.
    Miss { weight: u32, activation: u32 },
}

impl Operand {
    /// Zero skip comes before the search: a skipped pair is not a hit.
    #[inline]
    pub fn decide(format: FloatFormat, am: &Am, zero_skip: bool, operands: Operands) -> Self {
        let operands = am.operands(operands);
        let Operands { weight, activation, .. } = operands;
        if zero_skip && is_zero(format, activation) {
            return Self::Skip;
        }
        match am.product(operands) {
            Some(product) => Self::Hit { product },
            None => Self::Miss { weight, activation },
        }
    }
}

fn is_zero(format: FloatFormat, encoding: u32) -> bool {
    let sign = 1 << (format.width() - 1);
    u64::from(encoding) & (sign - 1) == 0
}

/// Sums the products of `operands`, pairs of (weight, activation) encodings,
/// in their order, as a PE of `config` with the memory `am` does from `first`
/// to `last`. The sum of no pairs is +0. The bias is not part of it; see
/// [`Epilogue`].
///
/// In a PE whose adder has a pipeline stage a new addition starts every cycle
/// and takes two, so there are two sums, both from +0: pairs at even positions
/// go to one, pairs at odd positions to the other, and the result is even + odd,
/// rounded to nearest even like every addition. The position of a pair is its
/// index from `first` on, 0 for `first` itself. A skipped pair has a position
/// too: it leaves its sum untouched, and the next pair goes to the other one.
///
/// In a PE with a fixed-point accumulator a miss is rounded twice, to the format
/// and then to the accumulator's last bit, a hit adds the stored integer (in a
/// `factored` memory the product is rounded like that of a miss), every addition
/// saturates, and the sum is converted back at the end.
///
/// All weights are in column 0 of a memory that has columns; see [`sum_operands`].
pub fn sum(
    config: &PeConfig,
    am: &Am,
    settings: impl Into<Settings>,
    operands: impl IntoIterator<Item = (u32, u32)>,
) -> SumOutcome {
    sum_operands(config, am, settings, operands.into_iter().map(Operands::from))
}

/// The same as [`sum`] with the column of each weight beside it.
pub fn sum_operands(
    config: &PeConfig,
    am: &Am,
    settings: impl Into<Settings>,
    operands: impl IntoIterator<Item = Operands>,
) -> SumOutcome {
    let settings = settings.into();
    let mut outcome = SumOutcome::default();
    let mut accumulator = Accumulator::new(config);
    accumulator.set_range(config, am.range().unwrap_or(settings.range));
    for operand in operands.into_iter().map(|operands| widened(config, operands)) {
        accumulator.take(config.format, outcome.count(config.format, am, settings.zero_skip, operand));
    }
    let total = accumulator.total(config.format);
    SumOutcome { data: total.data, overflow: total.overflow, invalid: total.invalid, ..outcome }
}

/// What whoever collects the PE's results does with a finished sum to get an element of the
/// layer's output, 2^exponent · sum + bias: at most one binary32 multiplication and one binary32
/// addition, each rounded to nearest even. The product is exact unless it underflows or overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epilogue {
    /// The exponent of the output channel's power of two, within
    /// [`CHANNEL_EXPONENTS`](axp_spec::design::CHANNEL_EXPONENTS); 0 for none.
    pub exponent: i32,
    /// Encoding of the output channel's bias; without one nothing is added.
    pub bias: Option<u32>,
}

impl Epilogue {
    /// The element of a sum, both as encodings.
    pub fn apply(self, sum: u32) -> u32 {
        let format = FloatFormat::Binary32;
        let scaled = match self.exponent {
            0 => u64::from(sum),
            exponent => {
                let one = i64::from(format.bias()) + i64::from(exponent);
                let power = (one.clamp(0, 0xFF) as u64) << format.fraction_bits();
                float::mul(format, u64::from(sum), power).bits
            }
        };
        match self.bias {
            None => scaled as u32,
            Some(bias) => float::add(format, scaled, u64::from(bias)).bits as u32,
        }
    }
}
