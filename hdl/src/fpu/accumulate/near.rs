//! The addition, and the near path behind it.

use super::{Shape, masked, module};
use crate::circuit::{Circuit, concat, literal, vector};
use crate::fpu::leading_zeros::leading_zeros;
use crate::fpu::ripple_add;
use crate::fpu::shift::left_shift;

/// A module that adds a significand and an aligned one, or subtracts it.
///
/// | port | width | |
/// |---|---|---|
/// | `major_i` | S + 1 | significand, its last bit above three that are 0 |
/// | `aligned_i` | S + 4 | what is added to it |
/// | `subtract_i` | 1 | what is subtracted |
/// | `sum_o` | S + 5 | two's complement |
///
/// A full-adder cell a bit: carries that ripple glitch less than those of a tree of
/// prefixes, and the greater significand is there before the lesser one; combinational.
pub(super) fn addition(shape: &Shape) -> Circuit {
    let (s, w) = (shape.significand, shape.sum());
    let mut c = module(shape, "sum", "adds or subtracts an aligned significand, combinational");
    let major = c.input("major_i", s + 1, "significand that is not shifted");
    let aligned = c.input("aligned_i", w, "significand that is");
    let subtract = c.input("subtract_i", 1, "the signs differ");
    let flip = vector(&vec![subtract.clone(); w as usize]);
    let addend = c.net("addend", &aligned ^ flip, "what is added, or its complement");
    let low = addend.slice(0, 3).extend(4) + subtract.extend(4);
    let low = c.net("low", low, "guard, round and sticky bit, a carry above them");
    let total = ripple_add(&mut c, "sum", (&major, &addend.slice(3, s + 1)), &low.bit(3));
    let sign = c.net("sign", &total.carries[0] ^ &subtract, "the sum is negative");
    c.output("sum_o", concat(&[&sign, &total.sum, &low.slice(0, 3)]), "sum, two's complement");
    c
}

/// A module that shifts a sum which may have lost leading bits up to its top bit, or as
/// far as the exponent allows; it rests unless `near_i`.
///
/// | port | width | |
/// |---|---|---|
/// | `sum_i` | S + 3 | the sum without its two last bits, which are 0; two's complement |
/// | `scale_i` | E | biased exponent of its second bit below the sign |
/// | `near_i` | 1 | more than one leading bit may be lost |
/// | `sum_o` | S + 2 | the sum without its sign, shifted left by `count_o` |
/// | `count_o`, `zero_o` | N, 1 | places; the sum is zero; both 0 unless `near_i` |
///
/// The zeros of a negative sum are those of its complement: where the negation would
/// carry to one bit more, rounding finds that carry. A marker where the least exponent
/// is stops the count there; combinational.
///
/// ```text
///       ┌─ & far ─────────────────────────────────────────┐
/// sum ──┴─ & near ─┬───────────────────────── shift left ──┴─ sum
///                  └─ leading zeros, to a marker ──┴─ count
/// ```
pub(super) fn near_path(shape: &Shape) -> Circuit {
    let (width, e) = (shape.significand + 2, shape.exponent);
    let mut c = module(shape, "near", "shifts what is left of a cancellation, combinational");
    let sum = c.input("sum_i", width + 1, "sum, two's complement");
    let scale = c.input("scale_i", e, "biased exponent");
    let near = c.input("near_i", 1, "leading bits may be lost");
    let gated = c.net("gated", masked(&sum, &near), "the sum, if it is one of this path");
    let (sign, value) = (gated.top(), gated.slice(0, width));
    let flip = vector(&vec![sign; width as usize]);
    let marker = literal(1 << (width - 1), width).shifted_right(&scale);
    let marker = c.net("marker", marker, "where the least exponent is");
    let counted = c.net("counted", (&value ^ flip) | masked(&marker, &near), "magnitude or one less, and the marker");
    let count = c.instance("leading", leading_zeros(width), &[("value_i", &counted)]).port("count_o");
    let shifted = left_shift(&mut c, &value, &count);
    let far = c.net("far", !&near, "at most one leading bit is lost");
    c.output("sum_o", masked(&sum.slice(0, width), &far) | shifted, "the sum, its first bit on top if near_i");
    let count = c.net("count", masked(&count, &near), "leading zeros, at most down to the least exponent");
    c.output("count_o", count, "places that it was shifted");
    c.output("zero_o", &near & !value.any(), "the sum is zero");
    c
}
