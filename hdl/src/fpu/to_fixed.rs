//! Conversion from floating to fixed point.

use super::fields::unpack;
use super::shift::right_window;
use crate::circuit::{Circuit, concat, literal};
use axp_spec::{FixedFormat, FpuConfig, Rounding};

/// The conversion of a configuration: `a_i` in units of 2^`last_bit`, in two's
/// complement.
///
/// The significand stands at the top of the result's magnitude and is shifted
/// right to its place; what would have to go left does not fit. Rounding and
/// negation are one addition: `-(m + r) = ~m + (1 - r)`.
///
/// Out of range, and for infinities, the result is the limit of that sign, with
/// overflow and inexact; for a NaN it is 0, with invalid.
pub(super) fn describe(config: &FpuConfig, fixed: FixedFormat) -> Circuit {
    let format = config.format;
    let (e, f, w) = (format.exponent_bits(), format.fraction_bits(), fixed.width);
    let mut c = Circuit::new(&config.module(), &super::doc(config));
    let a_i = c.input("a_i", format.width(), &format!("operand, {format}"));
    let a = unpack(&mut c, format, "a", &a_i, false);

    // A range that ends below the least normal number: there the leading zeros
    // of a subnormal decide whether it fits, so that the magnitude gets the
    // bits that its significand can reach above the range, and no more.
    let end = i64::from(fixed.last_bit) + i64::from(w) - 1 + i64::from(format.bias());
    let extra = (1 - end).clamp(0, i64::from(f) + 1) as u32;
    let reach = w + extra;
    // The magnitude has a guard bit below; the significand may be longer.
    let length = (reach + 1).max(f + 1);
    let placed = a.significand.above(length - f - 1);
    // Exponents count from the lowest one: the scale that needs no shift.
    let full = end + i64::from(extra);
    let far = i64::from(length) + 1;
    let places_bits = (64 - far.leading_zeros()).max(1);
    // Two's complement wide enough for the scale, the constant and their difference.
    let wide = (65 - full.unsigned_abs().leading_zeros()).max(e + 1).max(places_bits + 1) + 1;
    let constant = literal(full.rem_euclid(1 << wide) as u128, wide);
    let places = c.net("places", constant - a.scale.extend(wide), "right shift of the significand, two's complement");
    let some = c.net("nonzero", a.significand.any(), "the operand is not zero");
    let beyond = c.net("beyond", places.top() & &some, "the leading bit is above the magnitude");
    let most = literal((1 << places_bits) - 1, places_bits);
    let limited = if wide - 1 > places_bits {
        let tiny = places.slice(places_bits, wide - 1 - places_bits).any();
        c.choose(
            "places_limited",
            &[(&tiny, &most)],
            &places.slice(0, places_bits),
            "the same, at most beyond the last bit",
        )
    } else {
        places.slice(0, places_bits)
    };
    let shifted = right_window(&mut c, "shift", &placed, &limited);
    let magnitude = c.net("shifted", shifted.bits.clone(), "the significand in its place");
    let (whole, below) = (magnitude.slice(length - reach, reach), magnitude.slice(0, length - reach));
    let magnitude = whole.slice(0, w);
    let beyond = match extra {
        0 => beyond,
        _ => c.net("above", whole.slice(w, extra).any() | &beyond, "a bit is above the magnitude"),
    };
    let guard = below.top();
    let rest = if length - reach > 1 { below.slice(0, length - reach - 1).any() | &shifted.lost } else { shifted.lost };
    let rest = c.net("rest", rest, "some bit below the guard bit is set");

    // Round and negate.
    let up = match config.rounding {
        Rounding::NearestEven => c.net("round_up", &guard & (&rest | magnitude.bit(0)), "the magnitude is incremented"),
        Rounding::TowardZero => literal(0, 1),
    };
    let sign = &a.sign;
    let flipped = c.choose("flipped", &[(sign, &!&magnitude)], &magnitude, "magnitude or its complement");
    let carry = c.net("carry_in", sign ^ &up, "carry that rounds and completes the negation");
    let value = c.net("value", flipped + carry.extend(w), "rounded and with its sign");
    let (top, low) = (magnitude.top(), magnitude.slice(0, w - 1));
    let too_high = c.net("too_high", &top | (low.all() & &up), "above the greatest number");
    let too_low = c.net("too_low", &top & (low.any() | &up), "below the least number");
    let past = c.choose("past", &[(sign, &too_low)], &too_high, "out of range by its magnitude");
    // All exponent bits set is far past every limit, or not: infinities must be.
    let infinite = a.infinite.clone().unwrap_or_else(|| literal(0, 1));
    let overflow = c.net("overflow", (past | beyond | &infinite) & !&a.nan, "the result is a limit");
    let limit = c.choose(
        "limit",
        &[(sign, &literal(1 << (w - 1), w))],
        &literal((1 << (w - 1)) - 1, w),
        "the limit of the operand's sign",
    );
    let result = c.choose("result", &[(&a.nan, &literal(0, w)), (&overflow, &limit)], &value, "saturated");
    c.output("result_o", result, "result, two's complement");
    if config.flags {
        let lossy = c.net("lossy", guard | rest, "bits are lost below the last one");
        let inexact = c.net("inexact", (lossy | &overflow) & !&a.nan, "inexact exception");
        let flags = concat(&[&a.nan, &literal(0, 1), &overflow, &literal(0, 1), &inexact]);
        c.output("flags_o", flags, super::FLAGS_DOC);
    }
    c
}
