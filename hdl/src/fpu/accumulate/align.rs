//! The operands of an addition: which is the greater, how far the other is shifted.

use super::round::exceeds;
use super::{Shape, masked, module};
use crate::circuit::{Circuit, concat};
use crate::fpu::fields::unpack;
use crate::fpu::shift::right_window;

/// A module that puts the operand of lesser exponent under the other one.
///
/// | port | width | |
/// |---|---|---|
/// | `significand_i`, `scale_i`, `sign_i`, `nan_i`, `infinite_i` | S + 1, E, 1, 1, 1 | the sum before |
/// | `fresh_i`, `void_i` | 1 | the sum before, the product counts as +0, as nothing |
/// | `product_i` | width | the product |
/// | `swap_i`, `places_i` | 1, P | the product has the greater exponent; the shift, one more if so |
/// | `close_i` | 1 | clear: they are two places apart or more |
/// | `major_o`, `aligned_o`, `subtract_o` | S + 1, S + 4, 1 | what is added or subtracted |
/// | `scale_o`, `sign_o`, `nan_o`, `infinite_o` | E, 1, 1, 1 | of the sum, unless it turns out otherwise |
/// | `near_o` | 1 | more than one leading bit may be lost |
///
/// Exponents were compared before the clock edge, so that selects and operands change
/// together. Significands are not compared: a difference of equal exponents may be
/// negative; combinational.
///
/// ```text
/// sum before ─┬─ swap ── major
/// product ────┴─ swap ── shift right ── aligned
/// ```
pub(super) fn alignment(shape: &Shape) -> Circuit {
    let (s, e) = (shape.significand, shape.exponent);
    let mut c = module(shape, "align", "orders the operands of an addition and aligns them, combinational");
    let before = c.input("significand_i", s + 1, "significand of the sum before, rounded");
    let scale = c.input("scale_i", e, "its biased exponent");
    let sign = c.input("sign_i", 1, "its sign");
    let nan = c.input("nan_i", 1, "it is a NaN");
    let infinite = shape.infinite.then(|| c.input("infinite_i", 1, "it is infinite"));
    let fresh = c.input("fresh_i", 1, "it counts as +0; then swap_i is set");
    let void = c.input("void_i", 1, "there is no product; then swap_i is clear");
    let product = c.input("product_i", shape.format.width(), "the product");
    let swap = c.input("swap_i", 1, "the product has the greater exponent");
    let places = c.input("places_i", shape.places(), "shift of the other, one place more if swap_i");
    let close = c.input("close_i", 1, "operands may be at most two places apart");

    let p = unpack(&mut c, shape.format, "product", &product, false);
    let counts = c.net("counts", !fresh, "the sum before counts");
    let there = c.net("there", !void, "there is a product");
    let before_sign = c.net("before_sign", &sign & &counts, "sign of the sum before");
    let subtract = c.net("subtract", (&before_sign ^ &p.sign) & &there, "the signs differ");
    let product_significand = p.significand.extend(s + 1);
    let major = c.choose("major", &[(&swap, &product_significand)], &before, "significand of the greater exponent");
    // One place of the shift is wiring: the distance was complemented, not negated.
    let lower = c.net("before_lower", &swap & &counts, "the sum before is shifted");
    let upper = c.net("product_lower", !&swap & &there, "the product is shifted");
    let minor = masked(&before.extend(s + 2), &lower) | masked(&product_significand.above(1), &upper);
    let minor = c.net("minor", minor, "significand of the lesser exponent");
    let aligned = right_window(&mut c, "align", &minor.above(1), &places);

    // Operands two places apart, or a greater one from 1.5 on, lose one bit at most. A product
    // on a sum of zero may count as near: its distance says nothing, and both paths are right.
    // Bits of the distance that change together are at times all clear, and the path for
    // cancellations would follow: `close_i` is a register of its own, clear without a glitch.
    let few = c.net("few", !places.slice(1, shape.places() - 1).any(), "at most two places apart");
    let same = c.net("same", &few & !places.bit(0) & !&swap, "the exponents are the same");
    let one = c.net("one_apart", &few & (places.bit(0) ^ &swap), "the exponents differ by 1, or the sum is 0");
    let large = c.net("is_large", major.bit(s - 1) & major.bit(s - 2), "the greater one is at least 1.5");
    let near = c.net("near", &close & (&subtract & (same | (one & !large))), "more than one leading bit may be lost");

    // Special operands.
    let past = exceeds(&mut c, shape, &before, &scale);
    let product_nan = p.nan & &there;
    let total_sign = c.choose("total_sign", &[(&swap, &p.sign)], &before_sign, "sign of the greater exponent");
    let (nan, total_sign) = match (infinite, p.infinite) {
        (Some(infinite), Some(product_infinite)) => {
            let before = c.net("before_infinite", (infinite | past) & &counts, "the sum before is infinite");
            let product = c.net("product_is_infinite", product_infinite & &there, "so is the product");
            let undefined = c.net("undefined", &before & &product & &subtract, "infinities of opposite sign");
            c.output("infinite_o", &before | &product, "an operand is infinite");
            let arms = [(&product, &p.sign), (&before, &before_sign)];
            let sign = c.choose("sign", &arms, &total_sign, "sign of what is infinite, or of the greater exponent");
            ((nan & counts) | product_nan | undefined, sign)
        }
        _ => (((nan | past) & counts) | product_nan, total_sign),
    };
    let greater = c.choose("greater_scale", &[(&swap, &p.scale)], &scale, "the greater exponent");
    c.output("major_o", major, "significand that is not shifted");
    c.output("aligned_o", concat(&[&aligned.bits, &aligned.lost]), "significand that is, a sticky bit below it");
    c.output("subtract_o", subtract, "the second one is subtracted");
    c.output("near_o", near, "more than one leading bit may be lost");
    c.output("scale_o", greater, "biased exponent");
    c.output("sign_o", total_sign, "sign");
    c.output("nan_o", nan, "the sum is a NaN");
    c
}
