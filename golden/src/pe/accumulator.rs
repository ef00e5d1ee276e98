//! What products are summed in.

use super::numeric::Operand;
use crate::float::{self, rounded};
use axp_spec::{FixedFormat, FloatFormat, NarrowOperands, PeConfig, Rounding};

/// The accumulator of a PE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulator {
    /// One floating-point sum, a product at a time.
    Single(u32),
    /// Two, behind a pipelined adder: pairs at even positions go to one, pairs
    /// at odd positions to the other.
    Interleaved {
        /// The sums of even and of odd positions.
        sums: [u32; 2],
        /// Where the next pair goes.
        next: usize,
    },
    /// A sum of integers that wraps.
    Integer(i32),
    /// An integer that saturates.
    Fixed {
        /// Its format: a unit is 2^`last_bit`.
        format: FixedFormat,
        /// Width of the products of hits, where they are in units; elsewhere the
        /// products of hits are converted like those of misses.
        product_width: Option<u32>,
        /// The sum in units.
        units: i128,
        /// Something was out of range since `first`.
        overflow: bool,
        /// A product was a NaN since `first`.
        invalid: bool,
    },
}

/// What is offered after a `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Total {
    /// The result, an encoding in the PE's format.
    pub data: u32,
    pub overflow: bool,
    pub invalid: bool,
}

impl Accumulator {
    /// As it is after reset.
    pub fn new(config: &PeConfig) -> Self {
        if config.operands == Some(NarrowOperands::Int8) {
            return Self::Integer(0);
        }
        match (config.accumulator_format(0), config.is_interleaved()) {
            (Some(format), _) => {
                // A grid stores magnitudes, and gives them a sign.
                let sign = u32::from(config.grid_memory().is_some());
                let product_width = config.stores_units().then(|| config.product_bits() + sign);
                Self::Fixed { format, product_width, units: 0, overflow: false, invalid: false }
            }
            (None, true) => Self::Interleaved { sums: [0; 2], next: 0 },
            (None, false) => Self::Single(0),
        }
    }

    /// What the range port carries; without a meaning for floating point.
    pub fn set_range(&mut self, config: &PeConfig, range: u32) {
        if let (Self::Fixed { format, .. }, Some(ranged)) = (self, config.accumulator_format(range)) {
            *format = ranged;
        }
    }

    /// `first`: everything counts as +0, and the next position is 0.
    pub fn clear(&mut self) {
        match self {
            Self::Single(sum) => *sum = 0,
            Self::Integer(sum) => *sum = 0,
            Self::Interleaved { sums, next } => (*sums, *next) = ([0; 2], 0),
            Self::Fixed { units, overflow, invalid, .. } => (*units, *overflow, *invalid) = (0, false, false),
        }
    }

    /// Takes the next pair; one that is skipped has a position too.
    #[inline(always)]
    pub fn take(&mut self, format: FloatFormat, operand: Operand) {
        match self {
            Self::Single(sum) => *sum = added(format, *sum, operand),
            Self::Integer(sum) => {
                // There is no memory, and so no hit.
                if let Operand::Miss { weight, activation } = operand {
                    *sum = sum.wrapping_add((weight as i32).wrapping_mul(activation as i32));
                }
            }
            Self::Interleaved { sums, next } => {
                sums[*next] = added(format, sums[*next], operand);
                *next = 1 - *next;
            }
            Self::Fixed { format: fixed, product_width, units, overflow, invalid } => {
                let mut converted = |product: u32| {
                    let converted = rounded::to_fixed(format, *fixed, Rounding::NearestEven, u64::from(product));
                    *overflow |= converted.flags.overflow;
                    *invalid |= converted.flags.invalid;
                    signed(converted.bits, fixed.width)
                };
                let addend = match (operand, *product_width) {
                    (Operand::Skip, _) => return,
                    (Operand::Hit { product }, Some(width)) => signed(u64::from(product), width),
                    (Operand::Hit { product }, None) => converted(product),
                    (Operand::Miss { weight, activation }, _) => converted(multiplied(format, weight, activation)),
                };
                let greatest = i128::from(fixed.greatest());
                let total = *units + addend;
                *units = total.clamp(-greatest - 1, greatest);
                *overflow |= *units != total;
            }
        }
    }

    /// What a PE offers after a `last`.
    pub fn total(&self, format: FloatFormat) -> Total {
        let data = match *self {
            Self::Single(sum) => sum,
            Self::Integer(sum) => sum as u32,
            Self::Interleaved { sums: [even, odd], .. } => add(format, even, odd),
            Self::Fixed { format: fixed, units, overflow, invalid, .. } => {
                let encoding = units as u64 & fixed.mask();
                let converted = rounded::from_fixed(format, fixed, Rounding::NearestEven, encoding);
                return Total { data: converted.bits as u32, overflow, invalid };
            }
        };
        Total { data, overflow: false, invalid: false }
    }
}

/// The product of a miss.
fn multiplied(format: FloatFormat, weight: u32, activation: u32) -> u32 {
    float::mul(format, u64::from(weight), u64::from(activation)).bits as u32
}

/// A floating-point sum after one more pair.
#[inline(always)]
fn added(format: FloatFormat, sum: u32, operand: Operand) -> u32 {
    match operand {
        Operand::Skip => sum,
        Operand::Hit { product } => add(format, sum, product),
        Operand::Miss { weight, activation } => add(format, sum, multiplied(format, weight, activation)),
    }
}

fn add(format: FloatFormat, a: u32, b: u32) -> u32 {
    float::add(format, u64::from(a), u64::from(b)).bits as u32
}

/// A two's complement number of `width` bits.
fn signed(bits: u64, width: u32) -> i128 {
    let unused = 64 - width;
    i128::from(((bits << unused) as i64) >> unused)
}
