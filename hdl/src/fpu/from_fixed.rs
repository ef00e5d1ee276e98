//! Conversion from fixed to floating point.

use super::leading_zeros::leading_zeros;
use super::round::{Exceptions, Unrounded, round};
use super::shift::left_window;
use crate::circuit::{Circuit, concat, literal};
use axp_spec::{FixedFormat, FpuConfig};

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
    let sign = a_i.top();
    let flipped = c.choose("flipped", &[(&sign, &!&a_i)], &a_i, "operand or its complement");
    let magnitude = c.net("absolute", flipped + sign.extend(w), "magnitude of the operand");

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
        let zeros = c.instance("leading", leading_zeros(w), &[("value_i", &counted)]).port("count_o");
        let window = left_window(&mut c, "shift", &magnitude, &zeros, s + 2);
        let bits = window.bits;
        let lost = window.lost;
        let exponent = literal(top as u128, wide) - zeros.extend(wide);
        ((bits, lost), c.net("exponent_field", exponent, "exponent field if the leading bit is set"))
    };
    let (bits, lost) = window;
    let rest = c.net("rest", bits.bit(0) | &lost, "some bit below the guard bit is set");
    let number = Unrounded {
        significand: bits.slice(2, s),
        guard: bits.bit(1),
        next: Some(bits.bit(0)),
        rest,
        exponent,
        carried: None,
    };
    let exceptions = Exceptions { sign, nan: None, infinite: None, invalid: None };
    let rounded = round(&mut c, format, config.rounding, number, exceptions, config.flags);
    super::outputs(&mut c, rounded);
    c
}

/// The top `kept` bits of a value, and whether a bit below them is set.
fn keep(c: &mut Circuit, value: &crate::circuit::Value, kept: u32) -> (crate::circuit::Value, crate::circuit::Value) {
    match value.width() {
        width if width > kept => {
            let lost = c.net("lost", value.slice(0, width - kept).any(), "a set bit is below the window");
            (value.slice(width - kept, kept), lost)
        }
        width => (value.above(kept - width), literal(0, 1)),
    }
}
