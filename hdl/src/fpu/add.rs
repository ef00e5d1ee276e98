//! Adder.

use super::fields::{either, unpack};
use super::leading_zeros::leading_zeros;
use super::round::{Exceptions, Unrounded, round};
use super::shift::{left_shift, right_window};
use super::stages::Cuts;
use crate::circuit::{Circuit, Value, concat, literal};
use axp_spec::FpuConfig;

/// The adder of a configuration: `a_i + b_i`.
///
/// One path. The operand of lesser magnitude is shifted right under the greater
/// one, added or subtracted, and the sum is shifted left by its leading zeros,
/// or by less if the exponent would fall below the normal range: a marker bit
/// that the exponent places under the sum stops the count there. Three bits
/// below the significand (guard, round, sticky) suffice, because a sum that
/// loses more than one leading bit had its operands at most one place apart and
/// so lost nothing to the shifter. A subnormal sum is exact.
///
/// ```text
/// a, b ─┬─ greater, lesser ── shift right ── ± ─┬─────────────── shift left ── round ── pack
///       └─ exponent difference ──┘              └─ leading zeros ──┘
/// ```
pub(super) fn describe(config: &FpuConfig) -> Circuit {
    let format = config.format;
    let (e, f) = (format.exponent_bits(), format.fraction_bits());
    let (s, magnitude_bits) = (f + 1, e + f);
    let mut c = Circuit::new(&config.module(), &super::doc(config));
    let mut cuts = Cuts::new(&mut c, config.stages);
    let a_i = c.input("a_i", format.width(), &format!("first operand, {format}"));
    let b_i = c.input("b_i", format.width(), &format!("second operand, {format}"));
    let a = unpack(&mut c, format, "a", &a_i, config.flags);
    let b = unpack(&mut c, format, "b", &b_i, config.flags);

    // Order by magnitude. The distance does not wait for it: both differences
    // of the exponents are at hand.
    let less = a_i.slice(0, magnitude_bits).less_than(&b_i.slice(0, magnitude_bits));
    let swap = c.net("swap", less, "b has the greater magnitude");
    let major =
        c.choose("major_significand", &[(&swap, &b.significand)], &a.significand, "significand of the greater operand");
    let minor =
        c.choose("minor_significand", &[(&swap, &a.significand)], &b.significand, "significand of the lesser operand");
    let major_scale = c.choose("major_scale", &[(&swap, &b.scale)], &a.scale, "biased exponent of the greater operand");
    let major_sign = c.choose("major_sign", &[(&swap, &b.sign)], &a.sign, "sign of the greater operand");
    let subtract = c.net("subtract", &a.sign ^ &b.sign, "the signs differ");
    let down = c.net("a_over_b", a.scale.extend(e + 1) - b.scale.extend(e + 1), "exponent of a less that of b");
    let up = c.net("b_over_a", b.scale.extend(e + 1) - a.scale.extend(e + 1), "exponent of b less that of a");
    let distance = c.choose("distance", &[(&down.top(), &up.slice(0, e))], &down.slice(0, e), "exponent difference");

    // Special operands.
    let any_nan = c.net("any_nan", &a.nan | &b.nan, "an operand is a NaN");
    let (mut nan, mut infinite, invalid) = match (&a.infinite, &b.infinite) {
        (Some(a_infinite), Some(b_infinite)) => {
            let undefined = c.net("undefined", a_infinite & b_infinite & &subtract, "infinities of opposite sign");
            let invalid = either(&a.signaling, &b.signaling)
                .map(|signaling| c.net("invalid", signaling | &undefined, "invalid exception"));
            let infinite = c.net("infinite", a_infinite | b_infinite, "an operand is infinite");
            (c.net("nan", any_nan | undefined, "the result is a NaN"), Some(infinite), invalid)
        }
        _ => (any_nan, None, None),
    };

    // Align.
    let sum_bits = s + 4;
    let shift_bits = (s + 3).next_power_of_two().ilog2();
    let most = literal((1 << shift_bits) - 1, shift_bits);
    let places = if shift_bits < e {
        let far = c.net("far", distance.slice(shift_bits, e - shift_bits).any(), "the lesser operand only sticks");
        c.choose("places", &[(&far, &most)], &distance.slice(0, shift_bits), "shift of the lesser operand")
    } else {
        distance.extend(shift_bits)
    };
    let aligned = right_window(&mut c, "align", &minor.above(2), &places);
    let aligned = concat(&[&literal(0, 1), &aligned.bits, &aligned.lost]);

    // Add, or add the complement and a carry.
    let complement = c.choose("addend", &[(&subtract, &!&aligned)], &aligned, "lesser significand or its complement");
    let total = concat(&[&literal(0, 1), &major, &literal(0, 3), &literal(1, 1)]) + concat(&[&complement, &subtract]);
    let total = c.net("total", total, "sum, the place of the carry in below it");
    let mut sum = c.net("sum", total.slice(1, sum_bits), "magnitude of the sum, with room for a carry at the top");

    let mut major_scale = major_scale;
    let mut subtract_kept = subtract;
    let mut major_sign = major_sign;
    let mut invalid = invalid;
    {
        let mut live: Vec<&mut Value> = vec![&mut sum, &mut major_scale, &mut subtract_kept, &mut major_sign, &mut nan];
        live.extend(infinite.iter_mut());
        live.extend(invalid.iter_mut());
        cuts.cut(&mut c, config.stages == 1, &mut live);
    }

    // Normalise, but not below the exponent of subnormals.
    let marker = literal(1 << (sum_bits - 1), sum_bits).shifted_right(&major_scale);
    let marker = c.net("marker", marker, "where the least exponent is");
    let counted = c.net("counted", &sum | &marker, "sum with the marker");
    let counter = leading_zeros(sum_bits);
    let left = c.instance("leading", counter, &[("value_i", &counted)]).port("count_o");
    let normalised = left_shift(&mut c, &sum, &left);
    let base = major_scale.extend(e + 1) - left.extend(e + 1);
    let base = c.net("exponent_base", base, "exponent field less the leading bit");
    let exponent = c.net("exponent_field", base + literal(1, e + 1), "exponent field if the leading bit is set");
    let nothing = c.net("sum_zero", sum.none(), "the sum is zero");
    let sign = c.net("sum_sign", &major_sign & !(&nothing & &subtract_kept), "sign of the sum");
    let number = Unrounded {
        significand: normalised.slice(4, s),
        guard: normalised.bit(3),
        next: None,
        rest: c.net("rest", normalised.slice(0, 3).any(), "some bit below the guard bit is set"),
        exponent,
        carried: None,
    };
    let exceptions = Exceptions { sign, nan: Some(nan), infinite, invalid };
    let rounded = round(&mut c, format, config.rounding, number, exceptions, config.flags);
    super::outputs(&mut c, rounded);
    cuts.finish();
    c
}
