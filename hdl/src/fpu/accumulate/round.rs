//! What an addition begins with: the sum before, normalised and rounded; and its encoding.

use super::{Shape, masked, module};
use crate::circuit::{Circuit, Value, concat, literal, vector};

/// A module that normalises and rounds a sum to the nearest even significand.
///
/// | port | width | |
/// |---|---|---|
/// | `sum_i` | S + 4 | magnitude; bit S + 3 counts 2, bit 3 is the last of a significand from 1 on |
/// | `carried_i` | 1 | the significand begins at bit S + 3 |
/// | `halved_i` | 1 | it begins at bit S + 1; else at bit S + 2 |
/// | `negative_i` | 1 | the sum is negative, in two's complement; with `carried_i`, and exact |
/// | `significand_o` | S + 1 | its top bit is set if rounding, or the negation, carries |
///
/// One incrementer rounds and negates: a sum that is negative was exact. Its inputs are
/// registers, so that each bit changes about once; combinational.
///
/// ```text
/// sum ─┬─ carried ── one place right (complemented if negative) ─┐
///      ├─ else ─────────────────────────────────────────────────┼─ + 1? ── significand
///      └─ halved ── one place left ─────────────────────────────┘
/// ```
pub(super) fn rounding(shape: &Shape) -> Circuit {
    let s = shape.significand;
    let mut c = module(shape, "round", "normalises and rounds a sum, combinational");
    let sum = c.input("sum_i", shape.sum(), "magnitude of the sum, two bits above the fraction, three below");
    let carried = c.input("carried_i", 1, "its significand begins at the top bit");
    let halved = c.input("halved_i", 1, "its significand begins at the third bit");
    let negative = c.input("negative_i", 1, "negate it");
    let plain = c.net("plain", !(&carried | &halved), "its significand begins at the second bit");
    let flip = vector(&vec![negative.clone(); s as usize]);
    let upper = c.net("upper", sum.slice(4, s) ^ flip, "the significand at the top bit, complemented if negative");
    let significand = masked(&upper, &carried) | masked(&sum.slice(3, s), &plain) | masked(&sum.slice(2, s), &halved);
    let significand = c.net("significand", significand, "significand before rounding");
    let guard = (&carried & sum.bit(3)) | (&plain & sum.bit(2)) | (&halved & sum.bit(1));
    let guard = c.net("guard", guard, "first bit below it");
    let [three, two] = [3, 2].map(|bits| sum.slice(0, bits).any());
    let rest = (&carried & three) | (&plain & two) | (&halved & sum.bit(0));
    let rest = c.net("rest", rest, "some bit below the guard bit is set");
    let up = c.net("round_up", &negative | (&guard & (&rest | significand.bit(0))), "the significand is incremented");
    c.output("significand_o", significand.extend(s + 1) + up.extend(s + 1), "significand, a carry above it");
    c
}

/// A module that encodes a rounded sum, 0 unless `wanted_i`; combinational.
///
/// | port | width | |
/// |---|---|---|
/// | `significand_i` | S + 1 | see [`rounding`] |
/// | `scale_i` | E | biased exponent, that of subnormals being 1 |
/// | `sign_i`, `nan_i`, `infinite_i` | 1 | the last one in formats with infinities |
/// | `result_o` | width | the encoding |
pub(super) fn packing(shape: &Shape) -> Circuit {
    let (s, e, f) = (shape.significand, shape.exponent, shape.significand - 1);
    let mut c = module(shape, "pack", "encodes a rounded sum, combinational");
    let significand = c.input("significand_i", s + 1, "significand, a carry above it");
    let scale = c.input("scale_i", e, "biased exponent");
    let sign = c.input("sign_i", 1, "sign");
    let nan = c.input("nan_i", 1, "it is a NaN");
    let infinite = shape.infinite.then(|| c.input("infinite_i", 1, "it is infinite"));
    let wanted = c.input("wanted_i", 1, "the result is used; else it is 0, and all of this rests");

    let significand = c.net("used", masked(&significand, &wanted), "significand, if the result is used");
    let scale = c.net("used_scale", masked(&scale, &wanted), "exponent, if the result is used");
    let (past, nan) = (exceeds(&mut c, shape, &significand, &scale), nan & &wanted);
    let next = c.net("next", &scale + literal(1, e), "exponent if rounding carried");
    let exponent = c.choose(
        "exponent",
        &[(&significand.top(), &next), (&significand.bit(f), &scale)],
        &literal(0, e),
        "exponent field, 0 if subnormal",
    );
    let magnitude = concat(&[&exponent, &significand.slice(0, f)]);
    let constant = |value: u64| literal(u128::from(value), e + f);
    let canonical = constant(shape.format.canonical_nan());
    let (nan, magnitude) = match infinite {
        Some(infinite) => {
            let nan = c.net("nan", nan, "the result is a NaN");
            let infinite = c.net("infinite", (infinite & &wanted) | past, "the result is infinite");
            let arms = [(&nan, &canonical), (&infinite, &constant(shape.format.exponent_mask()))];
            let magnitude = c.choose("magnitude", &arms, &magnitude, "encoding without its sign");
            (nan, magnitude)
        }
        None => {
            let nan = c.net("nan", nan | past, "the result is a NaN, or too large");
            let magnitude = c.choose("magnitude", &[(&nan, &canonical)], &magnitude, "encoding without its sign");
            (nan, magnitude)
        }
    };
    let sign = c.net("sign", sign & &wanted & !nan, "sign of the result");
    c.output("result_o", concat(&[&sign, &magnitude]), "the encoding");
    c
}

/// Whether a rounded significand is too large for the format.
///
/// What is past the largest exponent before it is rounded is known as such already, so
/// that only the largest exponent is looked at.
pub(super) fn exceeds(c: &mut Circuit, shape: &Shape, significand: &Value, scale: &Value) -> Value {
    let (e, f) = (shape.exponent, shape.significand - 1);
    let full = (1 << e) - 1;
    let carry = significand.top();
    let (largest, over) = if shape.infinite {
        (full - 1, carry)
    } else {
        // The fraction of ones at the top exponent is the NaN's.
        (full, c.net("beyond", carry | significand.slice(0, f).all(), "at the largest exponent, it is too large"))
    };
    let largest = c.net("at_largest", scale.equals(&literal(largest, e)), "the exponent is the largest one");
    c.net("exceeds", largest & over, "too large for the format")
}
