//! Conversion from fixed to floating point.

use super::leading_zeros::leading_zeros;
use super::round::{Exceptions, Unrounded, round};
use super::shift::left_window;
use crate::circuit::{Circuit, Value, concat, literal};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, Rounding};

/// The conversion of a configuration: `a_i`, two's complement in units of
/// 2^`last_bit`, in floating point.
///
/// The magnitude is shifted left by its leading zeros, or by less where the
/// result is subnormal: a marker bit, constant, stops the count there.
pub(super) fn describe(config: &FpuConfig, fixed: FixedFormat) -> Circuit {
    let format = config.format;
    let (s, w) = (format.fraction_bits() + 1, fixed.width);
    let mut c = Circuit::new(&config.module(), &super::doc(config));
    let a_i = c.input("a_i", w, &format!("operand, two's complement, in units of 2^{}", fixed.last_bit));
    let (sign, magnitude) = take_apart(&mut c, &a_i);

    // Exponent field of a magnitude with its top bit set.
    let top = i64::from(fixed.last_bit) + i64::from(w) - 1 + i64::from(format.bias());
    let width = top.unsigned_abs().max(1) + 2;
    let wide = (64 - width.leading_zeros()).max(format.exponent_bits() + 1).max(8);
    let (window, exponent) = if top < 1 {
        // Always subnormal, or just not: a constant shift to the right.
        let down = u32::try_from(1 - top).unwrap_or(u32::MAX).min(w + s + 2);
        let placed = concat(&[&literal(0, down.min(120 - w)), &magnitude]);
        (keep(&mut c, &placed, s + 2), literal(1, wide))
    } else {
        let room = top - 1;
        let counted = if room < i64::from(w) {
            c.net("counted", &magnitude | literal(1 << (i64::from(w) - 1 - room), w), "magnitude with the marker")
        } else {
            magnitude.clone()
        };
        normalise(&mut c, &magnitude, &counted, &literal(top as u128, wide), s + 2)
    };
    let number = unrounded(&mut c, window, exponent, s);
    let exceptions = Exceptions { sign, nan: None, infinite: None, invalid: None };
    let rounded = round(&mut c, format, config.rounding, number, exceptions, config.flags);
    super::outputs(&mut c, rounded);
    c
}

/// The same with the range as an input, rounding to nearest even: the last bit
/// is 2^(`range_i` + 2 - bias - `width`), as in
/// [`ranged_to_fixed`](super::to_fixed::ranged_to_fixed). Output `result_o`;
/// combinational.
pub(crate) fn ranged_from_fixed(format: FloatFormat, width: u32) -> Circuit {
    let name = format!("axp_fp_from_fixed_{format}_rne_w{width}_ranged");
    let mut c = Circuit::new(&name, "conversion from fixed point of a range that is an input, combinational");
    let a_i = c.input("a_i", width, "operand, two's complement");
    let range = c.input("range_i", format.exponent_bits(), "exponent field of the greatest power of two in the range");
    let (sign, magnitude) = take_apart(&mut c, &a_i);
    let marker = literal(1 << (width - 1), width).shifted_right(&range);
    let marker = c.net("marker", marker, "where the least exponent is");
    let counted = c.net("counted", &magnitude | &marker, "magnitude with the marker");
    let wide = (format.exponent_bits() + 2).max(8);
    let top = c.net("highest", range.extend(wide) + literal(1, wide), "exponent field of the top bit");
    let s = format.fraction_bits() + 1;
    let (window, exponent) = normalise(&mut c, &magnitude, &counted, &top, s + 2);
    let number = unrounded(&mut c, window, exponent, s);
    let exceptions = Exceptions { sign, nan: None, infinite: None, invalid: None };
    let rounded = round(&mut c, format, Rounding::NearestEven, number, exceptions, false);
    super::outputs(&mut c, rounded);
    c
}

/// Sign and magnitude of the operand.
fn take_apart(c: &mut Circuit, operand: &Value) -> (Value, Value) {
    let sign = operand.top();
    let flipped = c.choose("flipped", &[(&sign, &!operand)], operand, "operand or its complement");
    let magnitude = c.net("absolute", flipped + sign.extend(operand.width()), "magnitude of the operand");
    (sign, magnitude)
}

/// Shifts the magnitude left by the leading zeros of `counted`: the window and
/// what fell out of it, and the exponent field if the leading bit is set, which
/// is `top` for a magnitude that needs no shift.
fn normalise(c: &mut Circuit, magnitude: &Value, counted: &Value, top: &Value, kept: u32) -> ((Value, Value), Value) {
    let zeros = c.instance("leading", leading_zeros(counted.width()), &[("value_i", counted)]).port("count_o");
    let window = left_window(c, "shift", magnitude, &zeros, kept);
    let exponent = top - zeros.extend(top.width());
    ((window.bits, window.lost), c.net("exponent_field", exponent, "exponent field if the leading bit is set"))
}

/// What is rounded, from a window with two bits below the significand.
fn unrounded(c: &mut Circuit, (bits, lost): (Value, Value), exponent: Value, s: u32) -> Unrounded {
    let rest = c.net("rest", bits.bit(0) | &lost, "some bit below the guard bit is set");
    Unrounded {
        significand: bits.slice(2, s),
        guard: bits.bit(1),
        next: Some(bits.bit(0)),
        rest,
        exponent,
        carried: None,
    }
}

/// The top `kept` bits of a value, and whether a bit below them is set.
fn keep(c: &mut Circuit, value: &Value, kept: u32) -> (Value, Value) {
    match value.width() {
        width if width > kept => {
            let lost = c.net("lost", value.slice(0, width - kept).any(), "a set bit is below the window");
            (value.slice(width - kept, kept), lost)
        }
        width => (value.above(kept - width), literal(0, 1)),
    }
}
