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
///                 stage A                             │ stage B
/// stored   ─► place, sign ──┐                         │
/// product ──► to fixed ─────┴──────────────────► + ───┼─► accumulator ─► at last: total
///                   fresh ? 0 : past ? limit : ▲      │        │           │
///                               └──────────────┼──────┼────────┘           │
///                                                     │ stage C            │
///                                                     │  limit, or 0 ◄─────┘─► to float
/// ```
///
/// A sum is fresh from its `first` until it has a product; what the accumulator
/// holds then is of the sum before, so that a skipped pair clocks nothing. A sum that left
/// its range is kept as it wrapped, with a bit that says so, and becomes the limit when it
/// is read: its top bit is then the complement of the sign. The flags overflow (bit 0) and
/// invalid have a register of their own that seldom changes, and stand above the result.
pub(super) fn describe(
    c: &mut Circuit,
    (format, width): (FloatFormat, u32),
    token: &Token,
    products: &Products,
    range: &Value,
    (run, seldom): (&Value, &mut Seldom),
) -> Finished {
    let term = addend(c, (format, width), token, products, range);
    let flags = c.forward("flags", 2, "invalid, overflow of the sum so far");
    let ended = integer_sum(c, width + 1, token, (run, seldom), Some(&flags), |c, before, restart| {
        let inputs =
            [("before_i", before), ("restart_i", restart), ("addend_i", &term.addend), ("carry_i", &term.carry)];
        c.instance("adder", saturating_sum(width), &inputs).port("after_o")
    });
    // Flags of the sum so far: what a product brought, and that the sum had left its range.
    let past = ended.accumulator.top();
    let raised = concat(&[&term.invalid, &term.overflow]);
    let kept = &flags | concat(&[&literal(0, 1), &past]);
    let kept = c.choose("flags_kept", &[(&ended.restart, &literal(0, 2))], &kept, "those of the sum before the pair");
    let next = c.choose("flags_next", &[(&ended.adds, &(kept | &raised))], &flags, "those with it");
    let stored = seldom.register(c, "sticky_flags", &next);
    c.define(&flags, stored);
    seldom.follows(&past);
    term.causes.iter().for_each(|flag| seldom.follows(flag));

    // Stage C, of a sum that has ended.
    let (sum, past) = (ended.total.slice(0, width), ended.total.bit(width));
    let limit = limit(c, &sum);
    let read = c.choose("read", &[(&past, &limit)], &sum, "the sum within its range");
    let flags = ended.total.slice(width + 1, 2) | concat(&[&literal(0, 1), &past]);
    let flags = c.net("read_flags", flags, "invalid, overflow of the sum");
    let nothing = literal(0, width + 2);
    let whole = concat(&[&flags, &read]);
    let whole = c.choose("whole", &[(&ended.empty, &nothing)], &whole, "flags and sum, 0 without a product");
    let inputs = [("a_i", &whole.slice(0, width)), ("range_i", range)];
    let result = c.instance("from_fixed", ranged_from_fixed(format, width), &inputs).port("result_o");
    Finished { result: concat(&[&whole.slice(width, 2), &result]), valid: ended.valid }
}

/// The limit that a sum passed, which it left with its top bit the wrong way.
fn limit(c: &mut Circuit, wrapped: &Value) -> Value {
    let top = wrapped.top();
    let sign = c.net("passed_sign", !&top, "sign of the limit that it passed");
    concat(&[&sign, &vector(&vec![top; wrapped.width() as usize - 1])])
}

/// A sum in its register, and what was stored when it ended.
pub(super) struct Ended {
    /// What there is so far.
    pub accumulator: Value,
    /// The sum counts as 0 before the pair that is added.
    pub restart: Value,
    /// There is such a pair.
    pub adds: Value,
    /// There is a finished sum, and the pipe moves.
    pub valid: Value,
    /// It; above it what was to be stored with it.
    pub total: Value,
    /// It had no product, and counts as 0.
    pub empty: Value,
}

/// An accumulator of `width` bits that holds what `after` makes of it, of whether it
/// counts as 0 before, and of the product of the pair `token`; and the finished sum, with
/// `beside` it, in a register of its own, so that what follows rests until a sum ends.
pub(super) fn integer_sum(
    c: &mut Circuit,
    width: u32,
    token: &Token,
    (run, seldom): (&Value, &mut Seldom),
    beside: Option<&Value>,
    after: impl FnOnce(&mut Circuit, &Value, &Value) -> Value,
) -> Ended {
    // Stage A.
    let fresh = c.forward("fresh", 1, "no pair of the sum so far had a product");
    let restart = c.net("restart", &token.first | &fresh, "the sum counts as 0");
    let accumulator = c.forward("accumulator_word", width, "what there is so far");
    let word = after(c, &accumulator, &restart);
    let counts = c.net("adds", token.counts(), "the pair has a product");
    let adds = c.net("accumulate", run & &counts, "the accumulator changes");
    let stored = c.reset_register("accumulator", &word, &adds);
    c.define(&accumulator, stored);
    let stays_fresh = c.net("fresh_next", &restart & !&counts, "the sum still has no product");
    let stored = seldom.register(c, "fresh_flag", &stays_fresh);
    c.define(&fresh, stored);
    seldom.follows(&fresh);

    // Stage B.
    let ended = seldom.register(c, "ended", &token.last);
    seldom.follows(&ended);
    let complete = c.net("complete", run & &ended, "the accumulator holds a finished sum");
    let mut parts = vec![&fresh];
    parts.extend(beside);
    parts.push(&accumulator);
    let total = seldom.with(c, |c| c.register("total", &concat(&parts), &complete));
    let valid = seldom.register(c, "converting", &ended);
    seldom.follows(&valid);
    let valid = c.net("finished", run & valid, "the result is complete");
    let (empty, total) = (total.top(), total.slice(0, total.width() - 1));
    Ended { accumulator, restart, adds: counts, valid, total, empty }
}

/// The next value of a sum of `width` bits that saturates; combinational.
///
/// | port | width | |
/// |---|---|---|
/// | `before_i`, `after_o` | W + 1 | {it is out of range, sum as it wrapped} |
/// | `restart_i` | 1 | it counts as 0 before |
/// | `addend_i`, `carry_i` | W, 1 | what is added is their sum |
fn saturating_sum(width: u32) -> Circuit {
    let mut c = Circuit::new(&format!("axp_saturating_sum_w{width}"), "saturating sum, combinational");
    let before = c.input("before_i", width + 1, "out of range, sum so far");
    let restart = c.input("restart_i", 1, "the sum counts as 0");
    let addend = c.input("addend_i", width, "what is added, but for the carry");
    let carry = c.input("carry_i", 1, "added too");
    let (past, sum) = (before.top(), before.slice(0, width));
    // One gate a bit: what replaces the sum hardly ever switches.
    let kept = c.net("kept", !(&restart | &past), "the sum is within its range");
    let kept = vector(&vec![kept; width as usize]);
    let (limit, nothing) = (limit(&mut c, &sum), literal(0, width));
    let limited = c.net("limited", past & !&restart, "it is the limit");
    let limit = c.choose("limit", &[(&limited, &limit)], &nothing, "the limit if it is that");
    let base = c.net("base", (sum & kept) | limit, "what the product is added to");
    let total = ripple_add(&mut c, "sum", (&base, &addend), &carry);
    let past = c.net("past", &total.carries[0] ^ &total.carries[1], "the sum is out of range");
    c.output("after_o", concat(&[&past, &total.sum]), "out of range, sum");
    c
}

/// What is added, and its flags.
struct Term {
    addend: Value,
    carry: Value,
    overflow: Value,
    invalid: Value,
    /// Which flags may be raised where no miss says so.
    causes: Vec<Value>,
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
        // Behind a sum without a product the register may hold anything.
        let counts = &token.multiplied;
        let overflow = c.net("product_overflow", out & counts, "the product is out of range");
        let invalid = c.net("product_nan", nan & counts, "the product is a NaN");
        let causes = vec![overflow.clone(), invalid.clone()];
        return Term { addend: value, carry: literal(0, 1), overflow, invalid, causes };
    };
    // By the miss, so that nothing switches for a pair that has no product.
    let miss = &token.multiplied;
    let invalid = c.net("product_nan", nan & miss, "a product of the multiplier is a NaN");
    let missed = c.net("missed_out", out & miss, "a product of the multiplier is out of range");
    let (stored, carry) = match stored {
        Stored::Shifted(alignment, shifted) => {
            let Addend { addend, carry, overflow } = alignment.place(c, shifted, (miss, &value));
            // A stored product stays when others are added.
            let hit = token.recalled.clone().unwrap_or_else(|| literal(0, 1));
            let past = c.net("stored_out", overflow & hit, "a product of the memory is out of range");
            let overflow = c.net("product_overflow", &past | missed, "the product is out of range");
            return Term { addend, carry, overflow, invalid, causes: vec![past] };
        }
        Stored::Magnitude(stored) => {
            let (sign, magnitude) = (stored.top(), stored.slice(0, stored.width() - 1));
            let flip = vector(&vec![sign.clone(); width as usize]);
            let addend = c.net("stored_addend", magnitude.extend(width) ^ flip, "magnitude or its complement");
            (addend, sign)
        }
        Stored::Units(units) => (signed(units, width), literal(0, 1)),
    };
    Term {
        addend: c.choose("addend", &[(miss, &value)], &stored, "product in units of the last bit"),
        carry: c.net("addend_carry", carry & !miss, "and what rounds or negates it"),
        overflow: missed,
        invalid,
        causes: Vec::new(),
    }
}

/// A two's complement value in more bits.
fn signed(value: &Value, width: u32) -> Value {
    let top = value.top();
    let mut parts = vec![&top; (width - value.width()) as usize];
    parts.push(value);
    concat(&parts)
}
