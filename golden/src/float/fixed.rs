//! Conversions between floating and fixed point, exact until the one rounding.

use super::layout::{Layout, Magnitude, round_to_multiple};
use super::{Flags, Outcome};
use axp_spec::{FixedFormat, Rounding};

/// See [`super::rounded::to_fixed`].
#[inline]
pub(super) fn to_fixed(layout: Layout, fixed: FixedFormat, rounding: Rounding, a: u64) -> Outcome {
    let a = layout.unpack(a);
    let (significand, exponent) = match a.value {
        Magnitude::Nan { .. } => return Outcome { bits: 0, flags: Flags::INVALID_ALONE },
        Magnitude::Infinity => return limit(fixed, a.negative),
        Magnitude::Finite { significand: 0, .. } => return Outcome { bits: 0, flags: Flags::default() },
        Magnitude::Finite { significand, exponent } => (significand, exponent),
    };
    // Units of the last bit that the leading bit of `a` counts, as a power of
    // two: from `width` on it is out of range, and might not fit the integer.
    let leading = exponent + significand.ilog2() as i32 - fixed.last_bit;
    if leading >= fixed.width as i32 {
        return limit(fixed, a.negative);
    }
    let (units, inexact) = round_to_multiple(u128::from(significand), fixed.last_bit - exponent, rounding);
    // Two's complement reaches one further down than up.
    if units > fixed.greatest() + u64::from(a.negative) {
        return limit(fixed, a.negative);
    }
    let bits = if a.negative { units.wrapping_neg() } else { units } & fixed.mask();
    Outcome { bits, flags: Flags { inexact, ..Flags::default() } }
}

/// See [`super::rounded::from_fixed`].
#[inline]
pub(super) fn from_fixed(layout: Layout, fixed: FixedFormat, rounding: Rounding, a: u64) -> Outcome {
    let a = a & fixed.mask();
    let negative = a > fixed.greatest();
    let units = if negative { a.wrapping_neg() & fixed.mask() } else { a };
    if units == 0 {
        return layout.zero(false);
    }
    layout.round(rounding, negative, u128::from(units), fixed.last_bit)
}

/// The limit on one side, and what reaching beyond it raises.
fn limit(fixed: FixedFormat, negative: bool) -> Outcome {
    let bits = if negative { fixed.greatest() + 1 } else { fixed.greatest() };
    Outcome { bits, flags: Flags::OUT_OF_RANGE }
}
