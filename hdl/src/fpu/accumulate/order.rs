//! The exponent of a sum, and how far the next product is from it.

use super::{Shape, masked, module};
use crate::circuit::{Circuit, concat, literal, vector};

/// A module that says where a sum's significand begins, its exponent, and which operand
/// of the next addition is shifted how far.
///
/// | port | width | |
/// |---|---|---|
/// | `top_i` | 3 | the top bits of the sum: sign, 2, 1 |
/// | `scale_i`, `sign_i` | E, 1 | those of the greater operand |
/// | `subtract_i`, `near_i`, `count_i`, `zero_i` | 1, 1, N, 1 | see `alignment`, `near_path` |
/// | `next_i` | E | exponent field of the product that enters |
/// | `enters_i`, `restart_i` | 1 | there is one; the sum counts as 0 for it |
/// | `carried_o`, `halved_o` | 1 | where the significand begins, see `rounding` |
/// | `scale_o`, `sign_o` | E, 1 | of the sum |
/// | `special_i`, `special_o` | 1 | it is infinite, or, in a format without infinities, a NaN |
/// | `swap_o`, `places_o`, `close_o` | 1, P, 1 | see `alignment` |
///
/// The difference of exponents is taken before the clock edge, where it changes little
/// but registers; its sign complements it, which is one place less than to negate it.
/// Under a product the sum of zero is shifted by no place. Whether the operands are close is
/// taken from the exponent before it is normalised, which is there earlier; combinational.
///
/// ```text
/// scale + 1 ─┬────────────── - shift ── scale
///            └─ - next ───── - shift ─┬─ swap
///                                     └─ ^ swap ── at most all ones ── places
/// ```
pub(super) fn ordering(shape: &Shape) -> Circuit {
    let (e, n) = (shape.exponent, shape.count());
    let mut c = module(shape, "order", "exponent of a sum, and its distance to the next product, combinational");
    let top = c.input("top_i", 3, "sign, 2 and 1 of the sum");
    let scale = c.input("scale_i", e, "biased exponent of the greater operand");
    let subtract = c.input("subtract_i", 1, "the lesser one was subtracted");
    let near = c.input("near_i", 1, "more than one leading bit may be lost");
    let count = c.input("count_i", n, "places to the left if so, else 0");
    let zero = c.input("zero_i", 1, "none is left");
    let sign = c.input("sign_i", 1, "sign of the greater operand");
    let special = c.input("special_i", 1, "an operand is infinite, or not of a format with infinities and a NaN");
    let next = c.input("next_i", e, "exponent field of the next product");
    let enters = c.input("enters_i", 1, "it enters");
    let restart = c.input("restart_i", 1, "the sum counts as 0 for it");

    let far = c.net("far", !&near, "at most one leading bit is lost");
    let carry = c.net("carry", &far & top.bit(1), "the far sum is 2 or more");
    let one = c.net("one", top.bit(1) | top.bit(0), "the sum is 1 or more");
    let halved = c.net("halved", &far & &subtract & !one, "the far sum is less than 1");
    let same = c.net("same", &far & !(&carry | &halved), "the far sum is from 1 on, or subnormal");
    let far_places = concat(&[&halved, &same]).extend(n);
    let places = c.net("normalises", &count | far_places, "places to the left from the top bit");
    let raised = c.net("raised", scale.extend(e + 1) + literal(1, e + 1), "exponent of the top bit");
    let limit = if shape.infinite { literal((1 << e) - 1, e + 1) } else { literal(1 << e, e + 1) };
    c.output("special_o", &special | (&carry & raised.equals(&limit)), "an operand is, or the exponent is too large");
    let ordinary = (&sign ^ top.bit(2)) & !&zero;
    let ordinary = c.net("ordinary_sign", ordinary, "sign of a number: a zero that is left is positive");
    c.output("sign_o", (&special & &sign) | (!&special & ordinary), "sign of the sum");
    let exponent = c.net("exponent", &raised - places.extend(e + 1), "exponent");
    let kept = c.net("some", !&zero, "the sum is not zero");
    // The exponent of zero is that of subnormals.
    let lowest = c.net("lowest", exponent.bit(0) | &zero, "last bit of the exponent, 1 if the sum is zero");
    let upper = c.net("upper", masked(&exponent.slice(1, e - 1), &kept), "the others, 0 if so");
    c.output("scale_o", concat(&[&upper, &lowest]), "biased exponent, 1 if zero or subnormal");

    let last = c.net("next_lsb", next.bit(0) | !next.any(), "last bit of the product's biased exponent");
    let next = concat(&[&next.slice(1, e - 1), &last]);
    let above = c.net("above", raised.extend(e + 2) - next.extend(e + 2), "exponent of the top bit less the product's");
    let distance = c.net("distance", &above - places.extend(e + 2), "exponent of the sum less that of the product");
    let forced = c.net("forced", &zero | &restart, "the sum is, or counts as, 0");
    let swap = c.net("swap", &enters & (&forced | distance.top()), "the product goes on top");
    let flip = vector(&vec![distance.top(); e as usize + 1]);
    let shift = c.net("shift", distance.slice(0, e + 1) ^ flip, "distance, one less if negative");
    let p = shape.places();
    let far = c.net("sticks", shift.slice(p, e + 1 - p).any(), "the lesser operand only sticks");
    let moved = c.net("moved", !forced, "the lesser operand is shifted");
    let shift = (shift.slice(0, p) | vector(&vec![far; p as usize])) & vector(&vec![moved; p as usize]);
    c.output("carried_o", &near | &carry, "the significand begins at the top bit");
    c.output("halved_o", halved, "the significand begins at the third bit");
    c.output("swap_o", swap, "the product has the greater exponent");
    c.output("places_o", shift, "shift of the lesser operand, one less if swapped");
    // A far sum is normalised by at most two places, so that the distance need not be awaited: one of
    // -1 to 1, which is all that can be near, comes of -1 to 3. A near sum, and one that counts as 0, may be anywhere.
    let within = c.net("within", !above.slice(2, e).any() | above.slice(1, e + 1).all(), "from -2 to 3 above it");
    c.output("close_o", &within | &near | &restart, "the operands may be at most two places apart");
    c
}
