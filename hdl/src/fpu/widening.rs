//! Multiplier whose product has a wider fraction than its operands.

use super::fields::{either, unpack};
use super::leading_zeros::leading_zeros;
use super::round::{Exceptions, Unrounded, round};
use super::shift::left_window;
use super::significand::{carry_save, product};
use crate::circuit::{Circuit, Value, concat, literal};
use axp_spec::{FloatFormat, MultiplierStyle, Rounding};

/// The formats: bfloat16 operands, a binary32 product. Their exponents are alike, and
/// twice the operand's significand fits the product's.
const FROM: FloatFormat = FloatFormat::Bfloat16;
const TO: FloatFormat = FloatFormat::Binary32;

/// `a_i * b_i`, bfloat16, as `result_o`, binary32, rounded to nearest even; combinational.
///
/// The product of two significands of 8 bits is exact in 24, so that a normal product
/// of normal operands is neither shifted by more than its carry nor rounded. All else,
/// zeros apart, goes through a shifter and a rounding of its own, whose inputs are held
/// at 0 otherwise, so that it costs area and leakage alone.
///
/// ```text
/// a, b ─┬─ significands ── × ─┬─ carry? ─────────────────────┬─ result
///       └─ exponents ─┬───────┴─ & ─ shift ── round ─ deep? ─┘
///                     └─ deep: an operand or perhaps the product is subnormal
/// ```
pub(crate) fn widening_multiplier(style: MultiplierStyle) -> Circuit {
    let style_name = match style {
        MultiplierStyle::Dadda => "dadda",
        MultiplierStyle::Booth => "booth",
        MultiplierStyle::Operator => "operator",
    };
    let name = format!("axp_fp_mul_{FROM}_{TO}_rne_{style_name}");
    let mut c = Circuit::new(&name, "bf16 multiplier with a fp32 product, combinational");
    let (e, s) = (FROM.exponent_bits(), FROM.fraction_bits() + 1);
    let wide = e + 2;
    let a_i = c.input("a_i", FROM.width(), "first operand, bf16");
    let b_i = c.input("b_i", FROM.width(), "second operand, bf16");
    let a = unpack(&mut c, FROM, "a", &a_i, false);
    let b = unpack(&mut c, FROM, "b", &b_i, false);
    let a_zero = c.net("a_zero", !(&a.normal | a.fraction.any()), "a is zero");
    let b_zero = c.net("b_zero", !(&b.normal | b.fraction.any()), "b is zero");
    let zero = c.net("product_zero", &a_zero | &b_zero, "an operand is zero");
    let infinite = either(&a.infinite, &b.infinite).unwrap_or_else(|| literal(0, 1));
    let infinite = c.net("infinite", infinite, "an operand is infinite");
    let nan = c.net("nan", &a.nan | &b.nan | (&infinite & &zero), "a NaN, or infinity times zero");
    let sign = c.net("product_sign", (&a.sign ^ &b.sign) & !&nan, "sign of the product");

    // Two's complement: the exponent can be below the format's, and twice the greatest.
    let scales = c.net("scales", a.scale.extend(wide) + b.scale.extend(wide), "sum of the biased exponents");
    let down = literal((1 << wide) - TO.bias() as u128, wide);
    let base = c.net("base", &scales + down, "exponent field of a product in [1, 2)");
    let next = c.net("base_next", &base + literal(1, wide), "the same in [2, 4)");
    let both = c.net("both_normal", &a.normal & &b.normal, "no subnormal operand");
    let low = c.net("base_low", base.top() | base.none(), "below the format's normal range, or with a carry in it");
    let deep = c.net("deep", !&zero & (!&both | &low), "a subnormal operand, or perhaps a subnormal product");

    let product = match style {
        MultiplierStyle::Operator => c.net("product", a.significand.times(&b.significand), "product of significands"),
        style => {
            let inputs = [("a_i", &a.significand), ("b_i", &b.significand)];
            let tree = c.instance("tree", carry_save(style, s), &inputs);
            product(&mut c, &tree.port("sum_o"), &tree.port("carry_o"))
        }
    };
    let carry = c.net("product_carry", product.top(), "the product is 2 or more");
    let f = TO.fraction_bits();
    let (of_two, of_one) = (product.slice(0, 2 * s - 1), product.slice(0, 2 * s - 2));
    let (of_two, of_one) = (of_two.above(f - 2 * s + 1), of_one.above(f - 2 * s + 2));
    let fraction = c.choose("product_fraction", &[(&carry, &of_two)], &of_one, "fraction of a normal product");
    let field = c.choose("product_exponent", &[(&carry, &next)], &base, "exponent field of a normal product");
    let past = field.slice(e, 1) | field.slice(0, e).all();
    let past = c.net("product_past", past & !field.top(), "past the largest exponent");

    let underflown = deep_product(&mut c, Deep { on: &deep, a: &a, b: &b, both: &both }, &scales, &product);
    let constant = |value: u64| literal(u128::from(value), TO.width() - 1);
    let (quiet, infinity) = (constant(TO.canonical_nan()), constant(TO.exponent_mask()));
    let infinite = c.net("result_infinite", infinite | (past & !&zero & !&deep), "the result is infinite");
    let arms = [(&nan, &quiet), (&infinite, &infinity), (&zero, &constant(0)), (&deep, &underflown)];
    let normal = concat(&[&field.slice(0, e), &fraction]);
    let magnitude = c.choose("result_magnitude", &arms, &normal, "encoding without its sign");
    c.output("result_o", concat(&[&sign, &magnitude]), "product, fp32");
    c
}

/// What a product that is not simply normal depends on.
struct Deep<'a> {
    on: &'a Value,
    a: &'a super::fields::Operand,
    b: &'a super::fields::Operand,
    both: &'a Value,
}

/// The magnitude of such a product: shifted and rounded as in [`mul`](super::mul).
fn deep_product(c: &mut Circuit, deep: Deep<'_>, scales: &Value, product: &Value) -> Value {
    let Deep { on, a, b, both } = deep;
    let (e, s, wide) = (TO.exponent_bits(), FROM.fraction_bits() + 1, scales.width());
    let kept = TO.fraction_bits() + 1;
    let held = |c: &mut Circuit, name: &str, value: &Value| {
        c.choose(name, &[(on, value)], &literal(0, value.width()), "0 unless it is needed")
    };
    let scales = held(c, "deep_scales", scales);
    let product = held(c, "deep_product", product);
    let origin = (kept + 2).next_power_of_two();
    let none = literal(0, s - 1);
    let a_loose = c.choose("a_loose", &[(&a.normal, &none)], &a.fraction, "fraction of a if it is subnormal");
    let b_loose = c.choose("b_loose", &[(&b.normal, &none)], &b.fraction, "fraction of b if it is subnormal");
    let top = c.net("counts_none", both | !on, "there is nothing to count");
    let loose = c.net("loose", a_loose | b_loose, "fraction of the subnormal operand");
    let counted = concat(&[&top, &loose]);
    let zeros = c.instance("leading", leading_zeros(s), &[("value_i", &counted)]).port("count_o");
    let zeros = zeros.extend(origin.ilog2());
    let wanted = c.net("wanted", concat(&[&literal(1, 1), &zeros]), "shift that brings the leading 1 to the top");
    let offset = (i64::from(origin) - 1 - i64::from(TO.bias())).rem_euclid(1 << wide);
    let room = c.net("room", scales + literal(offset as u128, wide), "shift that reaches the least exponent");
    let spare = c.net("spare", &room - wanted.extend(wide), "exponent field less 1 after the wanted shift");
    let subnormal = c.net("below_normal", spare.top(), "the wanted shift goes past the least exponent");
    let bits = wanted.width();
    let limited = [(&room.top(), &literal(0, bits))];
    let limited = c.choose("limited", &limited, &room.slice(0, bits), "shift that does not");
    let places = c.choose("places", &[(&subnormal, &limited)], &wanted, "shift of the product");
    let nothing = literal(0, e + 1);
    let spare = spare.slice(0, e + 1);
    let exponent = c.choose("exponent_base", &[(&subnormal, &nothing)], &spare, "exponent field less 1, or 0");
    let exponent = c.net("exponent_field", exponent + literal(1, e + 1), "exponent field if the leading bit is set");
    let shifted = left_window(c, "shift", &concat(&[&literal(0, origin), &product]), &places, kept + 3);
    let w = shifted.bits;
    let carry = c.net("carry", w.top(), "the product is 2 or more");
    let significand =
        c.choose("significand", &[(&carry, &w.slice(3, kept))], &w.slice(2, kept), "significand before rounding");
    let guard = c.choose("guard", &[(&carry, &w.bit(2))], &w.bit(1), "first bit below it");
    let below = c.net("below", w.bit(0) | &shifted.lost, "some bit below the lower guard bit is set");
    let rest = c.net("rest", (&carry & w.bit(1)) | below, "some bit below the guard bit is set");
    let number = Unrounded { significand, guard, next: None, rest, exponent, carried: Some(carry) };
    let exceptions = Exceptions { sign: literal(0, 1), nan: None, infinite: None, invalid: None };
    let rounded = round(c, TO, Rounding::NearestEven, number, exceptions, false);
    rounded.result.slice(0, TO.width() - 1)
}
