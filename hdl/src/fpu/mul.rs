//! Multiplier.

use super::fields::{either, unpack};
use super::leading_zeros::leading_zeros;
use super::round::{Exceptions, Unrounded, round};
use super::shift::left_window;
use super::significand::{carry_save, product};
use super::stages::Cuts;
use crate::circuit::{Circuit, concat, literal};
use axp_spec::{FpuConfig, MultiplierStyle};

/// The multiplier of a configuration: `a_i * b_i`.
///
/// Neither operand is normalised before the multiplication. The product's place
/// is known from the exponents and the leading zeros of the operand that may be
/// subnormal, so one left shift behind the multiplier, whose amount is ready
/// before the product is, does both: it brings the leading 1 to the top, or
/// stops earlier where the result is subnormal.
///
/// ```text
/// a, b ─┬─ significands ── × ──────────────┐
///       ├─ leading zeros ─┐                shift ── round ── pack
///       └─ exponents ─────┴─ min ──────────┘
/// ```
pub(super) fn describe(config: &FpuConfig) -> Circuit {
    let format = config.format;
    let (e, s) = (format.exponent_bits(), format.fraction_bits() + 1);
    let mut c = Circuit::new(&config.module(), &super::doc(config));
    let mut cuts = Cuts::new(&mut c, config.stages);
    let a_i = c.input("a_i", format.width(), &format!("first operand, {format}"));
    let b_i = c.input("b_i", format.width(), &format!("second operand, {format}"));
    let a = unpack(&mut c, format, "a", &a_i, config.flags);
    let b = unpack(&mut c, format, "b", &b_i, config.flags);

    // Special operands.
    let any_nan = c.net("any_nan", &a.nan | &b.nan, "an operand is a NaN");
    let (nan, invalid) = match (&a.infinite, &b.infinite) {
        (Some(a_infinite), Some(b_infinite)) => {
            let a_zero = c.net("a_zero", !(&a.normal | a.fraction.any()), "a is zero");
            let b_zero = c.net("b_zero", !(&b.normal | b.fraction.any()), "b is zero");
            let undefined = (a_infinite & &b_zero) | (&a_zero & b_infinite);
            let undefined = c.net("undefined", undefined, "infinity times zero");
            let invalid = either(&a.signaling, &b.signaling)
                .map(|signaling| c.net("invalid", signaling | &undefined, "invalid exception"));
            (c.net("nan", &any_nan | &undefined, "the result is a NaN"), invalid)
        }
        _ => (any_nan, None),
    };
    let infinite = either(&a.infinite, &b.infinite).map(|value| c.net("infinite", value, "an operand is infinite"));
    let sign = c.net("product_sign", &a.sign ^ &b.sign, "sign of the product");

    // How far the product is shifted left of `origin` places right of its own.
    // With two subnormal operands the count is of no account: the product is
    // below every shift.
    let origin = (s + 2).next_power_of_two();
    let both = c.net("both_normal", &a.normal & &b.normal, "no subnormal operand");
    let a_loose =
        c.choose("a_loose", &[(&a.normal, &literal(0, s - 1))], &a.fraction, "fraction of a if it is subnormal");
    let b_loose =
        c.choose("b_loose", &[(&b.normal, &literal(0, s - 1))], &b.fraction, "fraction of b if it is subnormal");
    let loose = c.net("loose", &a_loose | &b_loose, "fraction of the subnormal operand");
    let counter = leading_zeros(s);
    let zeros = c.instance("leading", counter, &[("value_i", &concat(&[&both, &loose]))]).port("count_o");
    let zeros = zeros.extend(origin.ilog2());
    let wanted = c.net("wanted", concat(&[&literal(1, 1), &zeros]), "shift that brings the leading 1 to the top");
    // Two's complement: the room can be negative, though never by half the range.
    let wide = e + 2;
    let offset = (i64::from(origin) - 1 - i64::from(format.bias())).rem_euclid(1 << wide);
    let scales = c.net("scales", a.scale.extend(wide) + b.scale.extend(wide), "sum of the biased exponents");
    let room = c.net("room", &scales + literal(offset as u128, wide), "shift that reaches the least exponent");
    let spare = c.net("spare", &room - wanted.extend(wide), "exponent field less 1 after the wanted shift");
    let subnormal = c.net("below_normal", spare.top(), "the wanted shift goes past the least exponent");
    let places_bits = wanted.width();
    let limited = c.choose(
        "limited",
        &[(&room.top(), &literal(0, places_bits))],
        &room.slice(0, places_bits),
        "shift that does not",
    );
    let places = c.choose("places", &[(&subnormal, &limited)], &wanted, "shift of the product");
    let spare_low = spare.slice(0, e + 1);
    let exponent =
        c.choose("exponent_base", &[(&subnormal, &literal(0, e + 1))], &spare_low, "exponent field less 1, or 0");
    let exponent = c.net("exponent_field", exponent + literal(1, e + 1), "exponent field if the leading bit is set");

    // Multiply. What later parts read goes through the pipeline cuts.
    let mut sign = sign;
    let mut nan = nan;
    let mut infinite = infinite;
    let mut invalid = invalid;
    let mut exponent = exponent;
    let mut places = places;
    let mut product = match config.multiplier {
        MultiplierStyle::Operator => {
            c.net("product", a.significand.times(&b.significand), "product of the significands")
        }
        style => {
            let tree = carry_save(style, s);
            let tree = c.instance("tree", tree, &[("a_i", &a.significand), ("b_i", &b.significand)]);
            let (mut sum, mut carry) = (tree.port("sum_o"), tree.port("carry_o"));
            let mut live = vec![&mut sum, &mut carry, &mut sign, &mut nan, &mut exponent, &mut places];
            live.extend(infinite.iter_mut());
            live.extend(invalid.iter_mut());
            cuts.cut(&mut c, config.stages == 2, &mut live);
            product(&mut c, &sum, &carry)
        }
    };
    {
        // Before `*` there is no place for a cut inside the multiplier.
        let operator = config.multiplier == MultiplierStyle::Operator;
        let mut live = vec![&mut product, &mut sign, &mut nan, &mut exponent, &mut places];
        live.extend(infinite.iter_mut());
        live.extend(invalid.iter_mut());
        cuts.cut(&mut c, config.stages == 1 || operator && config.stages == 2, &mut live);
    }

    // Shift: a carry, the significand, a guard bit and one more.
    let zeros_above = concat(&[&literal(0, origin), &product]);
    let window = left_window(&mut c, "shift", &zeros_above, &places, s + 3);
    let (mut w, mut lost) = (window.bits, window.lost);
    {
        let mut live = vec![&mut w, &mut lost, &mut sign, &mut nan, &mut exponent];
        live.extend(infinite.iter_mut());
        live.extend(invalid.iter_mut());
        cuts.cut(&mut c, config.stages == 2, &mut live);
    }
    let carry = c.net("carry", w.top(), "the product is 2 or more");
    let significand =
        c.choose("significand", &[(&carry, &w.slice(3, s))], &w.slice(2, s), "significand before rounding");
    let guard = c.choose("guard", &[(&carry, &w.bit(2))], &w.bit(1), "first bit below it");
    let low = c.net("low", w.bit(0) | &lost, "some bit below the lower guard bit is set");
    let rest = c.net("rest", (&carry & w.bit(1)) | &low, "some bit below the guard bit is set");
    let number = Unrounded { significand, guard, next: Some(w.bit(0)), rest, exponent, carried: Some(carry) };
    let exceptions = Exceptions { sign, nan: Some(nan), infinite, invalid };
    let rounded = round(&mut c, format, config.rounding, number, exceptions, config.flags);
    super::outputs(&mut c, rounded);
    cuts.finish();
    c
}
