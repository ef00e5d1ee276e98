//! Conversion from floating to fixed point.

use super::fields::unpack;
use super::shift::right_window;
use crate::circuit::{Circuit, Value, concat, literal};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, Rounding};

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
    let mut c = Circuit::new(&config.module(), &super::doc(config));
    let a_i = c.input("a_i", format.width(), &format!("operand, {format}"));
    let end = i64::from(fixed.last_bit) + i64::from(fixed.width) - 1 + i64::from(format.bias());
    let (result, flags) = convert(&mut c, format, config.rounding, fixed.width, &a_i, &End::Constant(end));
    c.output("result_o", result, "result, two's complement");
    if config.flags {
        let lossy = c.net("lossy", flags.lossy, "bits are lost below the last one");
        let inexact = c.net("inexact", (lossy | &flags.overflow) & !&flags.invalid, "inexact exception");
        let flags = concat(&[&flags.invalid, &literal(0, 1), &flags.overflow, &literal(0, 1), &inexact]);
        c.output("flags_o", flags, super::FLAGS_DOC);
    }
    c
}

/// The same with the range as an input, rounding to nearest even: `range_i` is
/// the exponent field of the greatest power of two in it, so that the last bit
/// is 2^(`range_i` + 2 - bias - `width`). Outputs `result_o`, `overflow_o`,
/// `invalid_o`; combinational.
pub(crate) fn ranged_to_fixed(format: FloatFormat, width: u32) -> Circuit {
    let name = format!("axp_fp_to_fixed_{format}_rne_w{width}_ranged");
    let mut c = Circuit::new(&name, "conversion to fixed point of a range that is an input, combinational");
    let a_i = c.input("a_i", format.width(), &format!("operand, {format}"));
    let range = c.input("range_i", format.exponent_bits(), "exponent field of the greatest power of two in the range");
    let end = End::Range(range);
    let (result, flags) = convert(&mut c, format, Rounding::NearestEven, width, &a_i, &end);
    c.output("result_o", result, "result, two's complement");
    c.output("overflow_o", flags.overflow, "the operand is out of range");
    c.output("invalid_o", flags.invalid, "the operand is a NaN");
    c
}

/// The exponent field that the range's end would have: that of 2^(`width` - 1)
/// units. A range that is an input ends one above it.
enum End {
    Constant(i64),
    Range(Value),
}

struct Exceptions {
    invalid: Value,
    overflow: Value,
    /// Bits are lost below the last one.
    lossy: Value,
}

fn convert(
    c: &mut Circuit,
    format: FloatFormat,
    rounding: Rounding,
    w: u32,
    a_i: &Value,
    end: &End,
) -> (Value, Exceptions) {
    let (e, f) = (format.exponent_bits(), format.fraction_bits());
    let a = unpack(c, format, "a", a_i, false);

    // A range that ends below the least normal number: there the leading zeros
    // of a subnormal decide whether it fits, so that the magnitude gets the
    // bits that its significand can reach above the range, and no more.
    let extra = match end {
        End::Constant(end) => (1 - end).clamp(0, i64::from(f) + 1) as u32,
        End::Range(_) => 0,
    };
    let reach = w + extra;
    // The magnitude has a guard bit below; the significand may be longer.
    let length = (reach + 1).max(f + 1);
    let placed = a.significand.above(length - f - 1);
    let far = i64::from(length) + 1;
    let places_bits = (64 - far.leading_zeros()).max(1);
    // Two's complement wide enough for the scale, the constant and their difference.
    // Exponents count from the lowest one: the scale that needs no shift.
    let (wide, full) = match end {
        End::Constant(end) => {
            let full = end + i64::from(extra);
            let wide = (65 - full.unsigned_abs().leading_zeros()).max(e + 1).max(places_bits + 1) + 1;
            (wide, literal(full.rem_euclid(1 << wide) as u128, wide))
        }
        End::Range(range) => {
            let wide = (e + 1).max(places_bits + 1) + 1;
            (wide, c.net("full", range.extend(wide) + literal(1, wide), "scale that needs no shift"))
        }
    };
    let places = c.net("places", full - a.scale.extend(wide), "right shift of the significand, two's complement");
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
    let shifted = right_window(c, "shift", &placed, &limited);
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
    let up = match rounding {
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
    (result, Exceptions { invalid: a.nan, overflow, lossy: guard | rest })
}
