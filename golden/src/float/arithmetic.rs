//! Multiplication and addition on unpacked operands, exact until the rounding.

use super::Outcome;
use super::layout::{Layout, Magnitude};
use Magnitude::{Finite, Infinity, Nan};
use axp_spec::Rounding;

#[inline]
pub(super) fn mul(layout: Layout, rounding: Rounding, a: u64, b: u64) -> Outcome {
    let (a, b) = (layout.unpack(a), layout.unpack(b));
    let negative = a.negative != b.negative;
    match (a.value, b.value) {
        (Nan { .. }, _) | (_, Nan { .. }) => propagate(layout, a.value, b.value),
        (Infinity, Finite { significand: 0, .. }) | (Finite { significand: 0, .. }, Infinity) => layout.nan(true),
        (Infinity, _) | (_, Infinity) => layout.infinity(negative),
        (Finite { significand: 0, .. }, _) | (_, Finite { significand: 0, .. }) => layout.zero(negative),
        (Finite { significand: sa, exponent: ea }, Finite { significand: sb, exponent: eb }) => {
            layout.round(rounding, negative, u128::from(sa) * u128::from(sb), ea + eb)
        }
    }
}

#[inline]
pub(super) fn add(layout: Layout, rounding: Rounding, a: u64, b: u64) -> Outcome {
    let (a, b) = (layout.unpack(a), layout.unpack(b));
    match (a.value, b.value) {
        (Nan { .. }, _) | (_, Nan { .. }) => propagate(layout, a.value, b.value),
        (Infinity, Infinity) if a.negative != b.negative => layout.nan(true),
        (Infinity, _) => layout.infinity(a.negative),
        (_, Infinity) => layout.infinity(b.negative),
        (Finite { significand: sa, exponent: ea }, Finite { significand: sb, exponent: eb }) => {
            // The operand with the coarser quantum goes first.
            let (coarse, fine) = if ea >= eb {
                ((a.negative, sa, ea), (b.negative, sb, eb))
            } else {
                ((b.negative, sb, eb), (a.negative, sa, ea))
            };
            add_finite(layout, rounding, coarse, fine)
        }
    }
}

/// Adds (sign, significand, exponent) triples; `coarse` has the larger exponent.
#[inline]
fn add_finite(layout: Layout, rounding: Rounding, coarse: (bool, u64, i32), fine: (bool, u64, i32)) -> Outcome {
    let (coarse_negative, coarse_significand, coarse_exponent) = coarse;
    let (fine_negative, fine_significand, fine_exponent) = fine;
    // Beyond this distance `coarse` is a normal number and `fine` less than a
    // quarter of its quantum. No rounding boundary other than `coarse` itself is
    // closer, even if the subtraction cancels one bit, so all that `fine` decides
    // is on which side of `coarse` the sum lies; the smallest addend does that too.
    let reach = layout.fraction_bits as i32 + 2;
    let distance = coarse_exponent - fine_exponent;
    let (aligned, addend, exponent) = if distance <= reach {
        (u128::from(coarse_significand) << distance, fine_significand, fine_exponent)
    } else {
        (u128::from(coarse_significand) << reach, u64::from(fine_significand != 0), coarse_exponent - reach)
    };
    let addend = u128::from(addend);
    let (negative, magnitude) = if coarse_negative == fine_negative {
        (coarse_negative, aligned + addend)
    } else if aligned >= addend {
        (coarse_negative, aligned - addend)
    } else {
        (fine_negative, addend - aligned)
    };
    if magnitude == 0 {
        // Like-signed zeros keep their sign; every other exact zero is +0.
        return layout.zero(coarse_negative && fine_negative);
    }
    layout.round(rounding, negative, magnitude, exponent)
}

fn propagate(layout: Layout, a: Magnitude, b: Magnitude) -> Outcome {
    let signaling = |x| matches!(x, Nan { signaling: true });
    layout.nan(signaling(a) || signaling(b))
}
