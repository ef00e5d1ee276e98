//! The fixed-point sum: an integer that saturates.

use super::align::{Addend, Alignment};
use super::control::Token;
use super::seldom::Seldom;
use super::sum::Finished;
use crate::circuit::{Circuit, Value, concat, literal, vector};
use crate::fpu::{ranged_from_fixed, ranged_to_fixed, ripple_add};
use axp_spec::FloatFormat;

/// Where the products come from in the stage that adds them.
pub(super) struct Products {
    /// That of a miss, floating point.
    pub multiplied: Value,
    /// That of a hit.
    pub stored: Option<Stored>,
}

/// The product of a hit.
pub(super) enum Stored {
    /// Units of the accumulator's last bit, two's complement.
    Units(Value),
    /// Their sign and their magnitude.
    Magnitude(Value),
    /// A significand and where it belongs, see [`Alignment::shift`].
    Shifted(Alignment, Value),
}

/// Adds the product of the pair `token` to a sum of `width` bits, whose last bit
/// counts 2^(`range` + 2 - bias - `width`).
///
/// ```text
///                 stage A                          │ stage B
/// stored   ─► place, sign ──┐                      │
/// product ──► to fixed ─────┴─► + ─► saturate ─────┼─► accumulator ─► at last: total ─► to float
///                   fresh ? 0 : ▲                  │        │
///                               └──────────────────┼────────┘
/// ```
///
/// A sum is fresh from its `first` until it has a product; what the accumulator
/// holds then is of the sum before, so that a skipped pair clocks nothing. The flags
/// overflow (bit 0) and invalid are kept beside the sum, and stand above the result.
pub(super) fn describe(
    c: &mut Circuit,
    (format, width): (FloatFormat, u32),
    token: &Token,
    products: &Products,
    range: &Value,
    run: &Value,
    seldom: &mut Seldom,
) -> Finished {
    let term = addend(c, (format, width), token, products, range);
    let total = integer_sum(c, width + 2, token, (run, seldom), |c, before, restart| {
        let inputs = [
            ("before_i", before),
            ("restart_i", restart),
            ("addend_i", &term.addend),
            ("carry_i", &term.carry),
            ("overflow_i", &term.overflow),
            ("invalid_i", &term.invalid),
        ];
        c.instance("adder", saturating_sum(width), &inputs).port("after_o")
    });
    let inputs = [("a_i", &total.result.slice(0, width)), ("range_i", range)];
    let result = c.instance("from_fixed", ranged_from_fixed(format, width), &inputs).port("result_o");
    Finished { result: concat(&[&total.result.slice(width, 2), &result]), ..total }
}

/// An accumulator of `width` bits that holds what `after` makes of it, of whether it
/// counts as 0 before, and of the product of the pair `token`; and the finished sum in a
/// register of its own, so that what follows rests until a sum ends.
pub(super) fn integer_sum(
    c: &mut Circuit,
    width: u32,
    token: &Token,
    (run, seldom): (&Value, &mut Seldom),
    after: impl FnOnce(&mut Circuit, &Value, &Value) -> Value,
) -> Finished {
    // Stage A.
    let fresh = c.forward("fresh", 1, "no pair of the sum so far had a product");
    let restart = c.net("restart", &token.first | &fresh, "the sum counts as 0");
    let accumulator = c.forward("accumulator_word", width, "what there is so far");
    let word = after(c, &accumulator, &restart);
    let counts = c.net("adds", token.counts(), "the pair has a product");
    let adds = c.net("accumulate", run & &counts, "the accumulator changes");
    let stored = c.reset_register("accumulator", &word, &adds);
    c.define(&accumulator, stored);
    let stays_fresh = c.net("fresh_next", &restart & !counts, "the sum still has no product");
    let stored = seldom.register(c, "fresh_flag", &stays_fresh);
    c.define(&fresh, stored);
    seldom.follows(&fresh);

    // Stage B.
    let ended = seldom.register(c, "ended", &token.last);
    seldom.follows(&ended);
    let complete = c.net("complete", run & &ended, "the accumulator holds a finished sum");
    let nothing = literal(0, width);
    let whole = c.choose("whole", &[(&fresh, &nothing)], &accumulator, "the finished sum, 0 without a product");
    let total = seldom.with(c, |c| c.register("total", &whole, &complete));
    let valid = seldom.register(c, "converting", &ended);
    seldom.follows(&valid);
    let finished = c.net("finished", run & valid, "the result is complete");
    Finished { valid: finished, result: total }
}

/// The next value of a saturating sum of `width` bits and its flags; combinational.
///
/// | port | width | |
/// |---|---|---|
/// | `before_i`, `after_o` | W + 2 | {invalid, overflow, sum} |
/// | `restart_i` | 1 | all of it counts as 0 before |
/// | `addend_i`, `carry_i` | W, 1 | what is added is their sum |
/// | `overflow_i`, `invalid_i` | 1 | flags of the product |
fn saturating_sum(width: u32) -> Circuit {
    let mut c =
        Circuit::new(&format!("axp_saturating_sum_w{width}"), "saturating sum with sticky flags, combinational");
    let before = c.input("before_i", width + 2, "invalid, overflow, sum so far");
    let restart = c.input("restart_i", 1, "the sum counts as 0");
    let addend = c.input("addend_i", width, "what is added, but for the carry");
    let carry = c.input("carry_i", 1, "added too");
    let [out, nan] = ["overflow_i", "invalid_i"].map(|name| c.input(name, 1, "flag of the product"));
    let base = c.choose("base", &[(&restart, &literal(0, width + 2))], &before, "what the product is added to");
    let base_sum = base.slice(0, width);
    let total = ripple_add(&mut c, "sum", (&base_sum, &addend), &carry);
    let past = c.net("past", &total.carries[0] ^ &total.carries[1], "the sum is out of range");
    let (least, greatest) = (literal(1 << (width - 1), width), literal((1 << (width - 1)) - 1, width));
    let limit = c.choose("limit", &[(&base_sum.top(), &least)], &greatest, "the limit");
    let sum = c.choose("saturated", &[(&past, &limit)], &total.sum, "sum within the range");
    let overflow = c.net("overflow", base.bit(width) | past | out, "something was out of range");
    let invalid = c.net("invalid", base.bit(width + 1) | nan, "something was a NaN");
    c.output("after_o", concat(&[&invalid, &overflow, &sum]), "invalid, overflow, sum");
    c
}

/// What is added, and its flags.
struct Term {
    addend: Value,
    carry: Value,
    overflow: Value,
    invalid: Value,
}

/// The product of a hit or of a miss as an addend.
fn addend(
    c: &mut Circuit,
    (format, width): (FloatFormat, u32),
    token: &Token,
    products: &Products,
    range: &Value,
) -> Term {
    let inputs = [("a_i", &products.multiplied), ("range_i", range)];
    let converted = c.instance("to_fixed", ranged_to_fixed(format, width), &inputs);
    let [value, out, nan] = ["result_o", "overflow_o", "invalid_o"].map(|port| converted.port(port));
    let Some(stored) = &products.stored else {
        return Term { addend: value, carry: literal(0, 1), overflow: out, invalid: nan };
    };
    let Addend { addend, carry, overflow } = match stored {
        Stored::Units(units) => Addend { addend: signed(units, width), carry: literal(0, 1), overflow: literal(0, 1) },
        Stored::Magnitude(stored) => {
            let (sign, magnitude) = (stored.top(), stored.slice(0, stored.width() - 1));
            let flip = vector(&vec![sign.clone(); width as usize]);
            let addend = c.net("stored_addend", magnitude.extend(width) ^ flip, "magnitude or its complement");
            Addend { addend, carry: sign, overflow: literal(0, 1) }
        }
        Stored::Shifted(alignment, shifted) => alignment.place(c, shifted),
    };
    // By the miss, so that nothing switches for a pair that has no product.
    let miss = &token.multiplied;
    let overflow = c.choose("product_overflow", &[(miss, &out)], &overflow, "the product is out of range");
    Term {
        addend: c.choose("addend", &[(miss, &value)], &addend, "product in units of the last bit"),
        carry: c.net("addend_carry", carry & !miss, "and what rounds or negates it"),
        overflow,
        invalid: c.net("product_nan", nan & miss, "a product of the multiplier is a NaN"),
    }
}

/// A two's complement value in more bits.
fn signed(value: &Value, width: u32) -> Value {
    let top = value.top();
    let mut parts = vec![&top; (width - value.width()) as usize];
    parts.push(value);
    concat(&parts)
}
