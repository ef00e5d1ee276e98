//! The fixed-point sum: an integer that saturates.

use super::control::Token;
use super::sum::Finished;
use crate::circuit::{Circuit, Value, concat, literal};
use crate::fpu::{ranged_from_fixed, ranged_to_fixed};
use axp_spec::FloatFormat;

/// Where the products come from in the stage that adds them.
pub(super) struct Products {
    /// That of a miss, floating point.
    pub multiplied: Value,
    /// That of a hit, in units of the accumulator's last bit.
    pub stored: Option<Value>,
}

/// Adds the product of the pair `token` to a sum of `width` bits, whose last bit
/// counts 2^(`range` + 2 - bias - `width`).
///
/// ```text
///                 stage A                      │ stage B
/// stored   ─► sign ──────┐                     │
/// product ──► to fixed ──┴─► + ─► saturate ─┬──┼─► accumulator, flags
///                 first ? 0 : ▲             │  │
///                             └─────────────┼──┼─◄ accumulator
///                                 at last   └──┼─► total ─► to float ─► result
/// ```
///
/// The flags overflow (bit 0) and invalid are kept beside the sum, and stand
/// above the result.
pub(super) fn describe(
    c: &mut Circuit,
    (format, width): (FloatFormat, u32),
    token: &Token,
    products: &Products,
    range: &Value,
    run: &Value,
) -> Finished {
    // Stage A.
    let accumulator = c.forward("accumulator_word", width + 2, "flags and sum so far");
    let nothing = literal(0, width + 2);
    let base = c.choose("base", &[(&token.first, &nothing)], &accumulator, "what the product is added to");
    let inputs = [("a_i", &products.multiplied), ("range_i", range)];
    let converted = c.instance("to_fixed", ranged_to_fixed(format, width), &inputs);
    let (mut addend, mut out) = (converted.port("result_o"), converted.port("overflow_o"));
    let mut invalid = converted.port("invalid_o");
    if let (Some(hit), Some(stored)) = (&token.hit, &products.stored) {
        let stored = signed(stored, width);
        addend = c.choose("addend", &[(hit, &stored)], &addend, "product in units of the last bit");
        out = c.net("converted_out", out & !hit, "a product of the multiplier is out of range");
        invalid = c.net("converted_nan", invalid & !hit, "a product of the multiplier is a NaN");
    }
    let (wide_base, wide_addend) = (signed(&base.slice(0, width), width + 1), signed(&addend, width + 1));
    let total = c.net("total_wide", wide_base + wide_addend, "sum with room for a carry");
    let past = c.net("past", total.top() ^ total.bit(width - 1), "the sum is out of range");
    let least = literal(1 << (width - 1), width);
    let limit = c.choose("limit", &[(&total.top(), &least)], &literal((1 << (width - 1)) - 1, width), "the limit");
    let sum = c.choose("saturated", &[(&past, &limit)], &total.slice(0, width), "sum within the range");
    let overflow = c.net("overflow_next", base.bit(width) | past | out, "something was out of range");
    let invalid = c.net("invalid_next", base.bit(width + 1) | invalid, "something was a NaN");
    let word = concat(&[&invalid, &overflow, &sum]);
    let word = c.choose("word", &[(&token.skip, &base)], &word, "flags and sum with this pair");
    let changes = c.net("accumulate", run & &token.valid & (!&token.skip | &token.first), "the accumulator changes");
    let stored = c.reset_register("accumulator", &word, &changes);
    c.define(&accumulator, stored);

    // Stage B: a register of its own, so that the conversion rests until a sum ends.
    let ends = c.net("ends", run & &token.valid & &token.last, "the sum is complete");
    let total = c.register("total", &word, &ends);
    let ended = c.net("ended", &token.valid & &token.last, "this stage holds the end of a sum");
    let valid = c.reset_register("converting", &ended, run);
    let inputs = [("a_i", &total.slice(0, width)), ("range_i", range)];
    let result = c.instance("from_fixed", ranged_from_fixed(format, width), &inputs).port("result_o");
    let finished = c.net("finished", run & valid, "the result is complete");
    Finished { valid: finished, result: concat(&[&total.slice(width, 2), &result]) }
}

/// A two's complement value in more bits.
fn signed(value: &Value, width: u32) -> Value {
    let top = value.top();
    let mut parts = vec![&top; (width - value.width()) as usize];
    parts.push(value);
    concat(&parts)
}
