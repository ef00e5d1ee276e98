//! binary32 results and exceptions from the host's arithmetic.
//!
//! Values come from the host's own `*` and `+` on `f32`. Exceptions are derived
//! from the exact result, held as an unevaluated sum of two `f64`.

use axp_golden::float::{Flags, Outcome};

pub const CANONICAL_NAN: u32 = 0x7FC0_0000;

/// The encoding of a host result; any NaN becomes the canonical one.
pub fn canonical(value: f32) -> u32 {
    if value.is_nan() { CANONICAL_NAN } else { value.to_bits() }
}

pub fn mul(a: u32, b: u32) -> Outcome {
    let [x, y] = [a, b].map(f32::from_bits);
    // 24 by 24 bits, exponents far inside the range of binary64: exact.
    outcome(a, b, x * y, f64::from(x) * f64::from(y), 0.0)
}

pub fn add(a: u32, b: u32) -> Outcome {
    let [x, y] = [a, b].map(f32::from_bits);
    let (p, q) = (f64::from(x), f64::from(y));
    // Knuth's TwoSum: high + low is the exact sum.
    let high = p + q;
    let virtual_q = high - p;
    let low = (p - (high - virtual_q)) + (q - virtual_q);
    outcome(a, b, x + y, high, low)
}

fn outcome(a: u32, b: u32, rounded: f32, high: f64, low: f64) -> Outcome {
    let operands = [a, b].map(f32::from_bits);
    let bits = u64::from(canonical(rounded));
    let flags = if operands.iter().all(|x| x.is_finite()) {
        let inexact = low != 0.0 || f64::from(rounded) != high;
        Flags { invalid: false, overflow: rounded.is_infinite(), underflow: inexact && is_tiny(high, low), inexact }
    } else {
        let some_nan = operands.iter().any(|x| x.is_nan());
        let some_signaling = [a, b].iter().any(|x| f32::from_bits(*x).is_nan() && x & 0x0040_0000 == 0);
        Flags { invalid: some_signaling || !some_nan && rounded.is_nan(), ..Flags::default() }
    };
    Outcome { bits, flags }
}

/// Whether a finite result, rounded to 24 bits with an unbounded exponent, lies
/// below the smallest normal number: 2^200 times as large, it has all of its
/// precision.
fn is_tiny(high: f64, low: f64) -> bool {
    let scale = 2f64.powi(200);
    if high.abs() >= 2f64.powi(-120) {
        return false;
    }
    assert_eq!(low, 0.0, "sums this small are exact in binary64");
    let full_precision = (high * scale) as f32;
    f64::from(full_precision.abs()) < f64::from(f32::MIN_POSITIVE) * scale
}
