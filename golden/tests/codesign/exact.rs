//! Exact arithmetic on binary32 and binary64 values as scaled big integers.

use num_bigint::BigInt;

/// All values are whole multiples of 2^-SCALE: more than the 2 · 1074 of a
/// product of the smallest binary64 values.
const SCALE: i64 = 2200;

fn scaled(significand: BigInt, exponent: i64) -> BigInt {
    significand << usize::try_from(exponent + SCALE).unwrap()
}

/// (signed significand, exponent) of a finite binary64 value.
fn parts(value: f64) -> (BigInt, i64) {
    let bits = value.to_bits();
    let field = (bits >> 52 & 0x7FF) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (magnitude, exponent) = if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    (if value.is_sign_negative() { -BigInt::from(magnitude) } else { magnitude.into() }, exponent)
}

/// Whether `found` is the binary32 nearest to `weight`·`activation`, ties to
/// even, by exact distances to `found` and to its neighbours.
pub fn is_nearest(weight: f32, activation: f64, found: f32) -> bool {
    let ((ws, we), (as_, ae)) = (parts(f64::from(weight)), parts(activation));
    let exact = scaled(ws * as_, we + ae);
    let distance = |candidate: f64| {
        let (significand, exponent) = parts(candidate);
        let d = &exact - scaled(significand, exponent);
        if d < BigInt::ZERO { -d } else { d }
    };
    let own = distance(f64::from(found));
    [found.next_up(), found.next_down()].into_iter().all(|other| {
        // The neighbour of the largest finite value stands for 2^128.
        let other = if other.is_finite() { f64::from(other) } else { 2.0_f64.powi(128).copysign(f64::from(other)) };
        let theirs = distance(other);
        own < theirs || (own == theirs && found.to_bits() & 1 == 0)
    })
}
