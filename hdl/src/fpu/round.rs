//! Rounding, packing and flags: the last part of every operation.

use crate::circuit::{Circuit, Value, concat, literal};
use axp_spec::{FloatFormat, Rounding};

/// A positive number that is to be rounded.
pub(super) struct Unrounded {
    /// Leading bit and fraction; the leading bit is clear in subnormals.
    pub significand: Value,
    /// First bit below.
    pub guard: Value,
    /// Bit below the guard bit, where a subnormal result can be inexact.
    pub next: Option<Value>,
    /// Some bit below the guard bit is set; `next` counts.
    pub rest: Value,
    /// Exponent field if the leading bit is set, at least a bit wider than the
    /// format's. Read only if it is, or if `carried`.
    pub exponent: Value,
    /// The significand is twice as much: add 1 to the exponent. Rounding does
    /// not carry then.
    pub carried: Option<Value>,
}

/// What overrides the rounded number.
pub(super) struct Exceptions {
    pub sign: Value,
    /// The result is a NaN.
    pub nan: Option<Value>,
    /// The result is infinite because an operand is.
    pub infinite: Option<Value>,
    /// The invalid flag.
    pub invalid: Option<Value>,
}

/// Encoding and flags.
pub(super) struct Rounded {
    pub result: Value,
    /// Invalid, infinite, overflow, underflow, inexact from the top; `None`
    /// unless asked for.
    pub flags: Option<Value>,
}

/// Rounds and packs into `format`.
///
/// An exponent field that would pass the largest finite number's becomes what
/// the format's overflow rule says. A subnormal that rounds up to the least
/// normal number gets there by its own carry.
pub(super) fn round(
    c: &mut Circuit,
    format: FloatFormat,
    rounding: Rounding,
    number: Unrounded,
    exceptions: Exceptions,
    with_flags: bool,
) -> Rounded {
    let (e, f) = (format.exponent_bits(), format.fraction_bits());
    let nearest = rounding == Rounding::NearestEven;
    let wide = number.exponent.width();
    let (significand, leading) = match rounding {
        Rounding::NearestEven => {
            let tie = c.net("above_half", &number.rest | number.significand.bit(0), "a tie goes up, or there is none");
            let up = c.net("round_up", &number.guard & tie, "the significand is incremented");
            let sum = number.significand.extend(f + 2) + up.extend(f + 2);
            let rounded = c.net("rounded", sum, "rounded significand, a carry above it");
            (rounded.slice(0, f + 1), Some(rounded.top()))
        }
        Rounding::TowardZero => (number.significand.clone(), None),
    };
    // Rounding carries only out of a significand of ones, which leaves zeros.
    let raised = match (leading, number.carried) {
        (Some(a), Some(b)) => Some(c.net("raised", a | b, "the exponent is one more")),
        (a, b) => a.or(b),
    };
    let hidden = significand.top();
    let plain = &number.exponent;
    let next_exponent = raised.as_ref().map(|raised| {
        let more = c.net("exponent_next", plain + literal(1, wide), "the exponent if it is one more");
        (raised.clone(), more)
    });
    // Without infinities, a significand below 1.11…1 still fits the top exponent.
    let limit = |c: &mut Circuit, name: &str, exponent: &Value, gate: &Value| {
        let full = (1 << e) - 1;
        let high = exponent.slice(e, wide - e).any();
        let over = if format.has_infinity() {
            c.net(&format!("{name}_past"), high | exponent.slice(0, e).all(), "past the largest exponent")
        } else {
            let at = c.net(&format!("{name}_at"), exponent.equals(&literal(full, wide)), "at the largest exponent");
            let past = c.net(&format!("{name}_past"), high, "past the largest exponent");
            let top = significand.slice(0, f).all();
            past | (at & top)
        };
        c.net(name, over & gate, "too large for the format")
    };
    let overflow = match &next_exponent {
        None => limit(c, "overflow", plain, &hidden),
        Some((raised, more)) => {
            let low = limit(c, "overflow_low", plain, &hidden);
            let high = limit(c, "overflow_high", more, raised);
            c.net("overflow", low | high, "too large for the format")
        }
    };
    let gated =
        c.choose("exponent_low", &[(&hidden, &plain.slice(0, e))], &literal(0, e), "exponent field, 0 if subnormal");
    let exponent = match &next_exponent {
        None => gated,
        Some((raised, more)) => c.choose("exponent", &[(raised, &more.slice(0, e))], &gated, "exponent field"),
    };
    let magnitude = concat(&[&exponent, &significand.slice(0, f)]);

    let constant = |value: u64| literal(u128::from(value), e + f);
    let overflowed = match (nearest, format.has_infinity()) {
        (true, true) => constant(format.exponent_mask()),
        (true, false) => constant(format.canonical_nan()),
        (false, _) => constant(format.largest_finite()),
    };
    let nan = constant(format.canonical_nan());
    let infinity = constant(format.exponent_mask());
    let mut arms: Vec<(&Value, &Value)> = Vec::new();
    if let Some(test) = &exceptions.nan {
        arms.push((test, &nan));
    }
    if let Some(test) = &exceptions.infinite {
        arms.push((test, &infinity));
    }
    arms.push((&overflow, &overflowed));
    let packed = c.choose("magnitude", &arms, &magnitude, "encoding without its sign");
    // The canonical NaN is positive.
    let overflow_is_nan = nearest && !format.has_infinity();
    let positive = match (&exceptions.nan, overflow_is_nan) {
        (Some(nan), true) => Some(nan | &overflow),
        (Some(nan), false) => Some(nan.clone()),
        (None, true) => Some(overflow.clone()),
        (None, false) => None,
    };
    let sign = match positive {
        Some(positive) => &exceptions.sign & !positive,
        None => exceptions.sign.clone(),
    };
    let sign = c.net("sign", sign, "sign of the result");
    let result = concat(&[&sign, &packed]);
    if !with_flags {
        return Rounded { result, flags: None };
    }

    let special = match (&exceptions.nan, &exceptions.infinite) {
        (Some(a), Some(b)) => Some(c.net("special", a | b, "the result is a NaN or infinite by its operands")),
        (a, b) => a.clone().or_else(|| b.clone()),
    };
    let ordinary = special.map(|special| c.net("ordinary", !special, "the operands are finite"));
    let only = |value: Value| match &ordinary {
        Some(ordinary) => value & ordinary,
        None => value,
    };
    let lossy = c.net("lossy", &number.guard | &number.rest, "bits are lost below the significand");
    let overflow_flag = c.net("overflow_flag", only(overflow.clone()), "overflow exception");
    let inexact = c.net("inexact_flag", only(&lossy | &overflow), "inexact exception");
    let underflow = match &number.next {
        None => literal(0, 1),
        Some(next) => {
            // Tiny after rounding: a subnormal that rounds up to the least
            // normal number in its own position is tiny all the same, unless
            // it also rounds up with one more bit of precision.
            let below = !number.significand.top();
            let tiny = if nearest { below & !(&hidden & next) } else { below };
            c.net("underflow_flag", only(tiny & &lossy), "underflow exception, tininess after rounding")
        }
    };
    let invalid = exceptions.invalid.unwrap_or_else(|| literal(0, 1));
    let flags = concat(&[&invalid, &literal(0, 1), &overflow_flag, &underflow, &inexact]);
    Rounded { result, flags: Some(flags) }
}
