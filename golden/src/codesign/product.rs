//! The stored product: w·ā rounded once to binary32.

/// The binary32 nearest to `weight`·`activation` (ties to even), rounded once
/// from the exact product of a binary32 and a binary64 value.
///
/// None where the rounded product is not finite, or an operand is not: such a
/// product cannot be stored.
///
/// The binary64 product is first forced to odd where it is inexact: 53 bits
/// are more than 24 + 2, so the second rounding sees the same half as the
/// exact product (Boldo and Melquiond, "When double rounding is odd", 2005).
/// No binary64 underflow can get in the way, because a product that small
/// rounds to a binary32 zero from either side.
pub fn round_product(weight: f32, activation: f64) -> Option<f32> {
    let weight = f64::from(weight);
    let product = weight * activation;
    let odd = if product == 0.0 || !product.is_finite() {
        product
    } else {
        to_odd(product, weight.mul_add(activation, -product))
    };
    let rounded = odd as f32;
    rounded.is_finite().then_some(rounded)
}

/// `value` + `rest` rounded to odd, where `rest` is less than one unit in the
/// last place of `value`: unchanged if exact, else the one of the two
/// neighbouring encodings that is odd.
fn to_odd(value: f64, rest: f64) -> f64 {
    let bits = value.to_bits();
    if rest == 0.0 || bits & 1 == 1 {
        value
    } else if (rest > 0.0) == (value > 0.0) {
        f64::from_bits(bits + 1)
    } else {
        f64::from_bits(bits - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    /// Units in which every binary32 and binary64 product below is whole:
    /// 2^-1300 covers 2^-149 · 2^-1074.
    const SCALE: i64 = 1300;

    /// value · 2^SCALE of a significand and its exponent.
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

    fn whole(value: f64) -> BigInt {
        let (significand, exponent) = parts(value);
        scaled(significand, exponent)
    }

    /// Whether `found` is the binary32 nearest to w·a, ties to even, by
    /// comparing exact integers with the neighbours of `found`.
    fn is_nearest(w: f32, a: f64, found: f32) -> bool {
        let ((ws, we), (as_, ae)) = (parts(f64::from(w)), parts(a));
        let exact = scaled(ws * as_, we + ae);
        let distance = |candidate: f64| {
            let d = &exact - whole(candidate);
            if d < BigInt::ZERO { -d } else { d }
        };
        let own = distance(f64::from(found));
        [found.next_up(), found.next_down()].into_iter().all(|other| {
            // The neighbour of the largest finite value stands for 2^128.
            let other64 =
                if other.is_finite() { f64::from(other) } else { 2.0_f64.powi(128).copysign(f64::from(other)) };
            let theirs = distance(other64);
            own < theirs || (own == theirs && found.to_bits() & 1 == 0)
        })
    }

    /// Binary64 values over the range of binary32, with long and short significands.
    fn activation() -> impl Strategy<Value = f64> {
        prop_oneof![
            (any::<u64>(), 850_u64..1152)
                .prop_map(|(bits, exponent)| f64::from_bits(bits & !(0x7FF << 52) | exponent << 52)),
            any::<u32>().prop_map(|bits| f64::from(f32::from_bits(bits))).prop_filter("finite", |a| a.is_finite()),
            // Products next to the middle between two binary32 values.
            (any::<u32>(), -2_i64..3).prop_map(|(bits, offset)| {
                let near = f64::from(f32::from_bits(bits & 0x3FFF_FFFF | 0x2000_0000));
                f64::from_bits((near.to_bits() | 1 << 28).wrapping_add_signed(offset))
            }),
        ]
    }

    fn weight() -> impl Strategy<Value = f32> {
        prop_oneof![any::<u32>().prop_map(f32::from_bits), Just(1.0), Just(-1.0), Just(0.5), Just(1.5)]
            .prop_filter("finite", |w| w.is_finite())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn is_the_nearest_binary32(w in weight(), a in activation()) {
            match round_product(w, a) {
                Some(found) => prop_assert!(is_nearest(w, a, found), "{w:e} {a:e} {found:e}"),
                // Half a unit past the largest finite value.
                None => prop_assert!((f64::from(w) * a).abs() >= 2.0_f64.powi(128) - 2.0_f64.powi(103)),
            }
        }

        #[test]
        fn equals_the_host_product_of_binary32_operands(w: u32, a: u32) {
            let (w, a) = (f32::from_bits(w), f32::from_bits(a));
            prop_assume!(w.is_finite() && a.is_finite());
            let expected = w * a;
            prop_assert_eq!(
                round_product(w, f64::from(a)).map(f32::to_bits),
                expected.is_finite().then_some(expected.to_bits())
            );
        }
    }

    #[test]
    fn halves_are_not_rounded_twice() {
        // 1 + 2^-24 + 2^-60 lies just above the middle, and binary64 rounds
        // products like it onto the middle.
        let w = 1.0 + f32::EPSILON;
        let a = (1.0 + 2.0_f64.powi(-24) + 2.0_f64.powi(-50)) / (1.0 + f64::from(f32::EPSILON));
        let found = round_product(w, a).unwrap();
        assert!(is_nearest(w, a, found));
        assert_eq!(round_product(f32::MAX, 1.0 + 2.0_f64.powi(-26)), Some(f32::MAX));
        assert_eq!(round_product(f32::MAX, 1.0 + 2.0_f64.powi(-24)), None);
        assert_eq!(round_product(f32::from_bits(1), 0.5).map(f32::to_bits), Some(0));
        assert_eq!(round_product(f32::from_bits(1), 0.5 + 2.0_f64.powi(-52)).map(f32::to_bits), Some(1));
        assert_eq!(round_product(-1.0, 0.0).map(f32::to_bits), Some((-0.0_f32).to_bits()));
        assert_eq!(round_product(f32::INFINITY, 1.0), None);
        assert_eq!(round_product(1.0, f64::NAN), None);
    }
}
