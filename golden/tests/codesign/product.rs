//! Stored products are rounded once.

use crate::exact::is_nearest;
use axp_golden::codesign::product::round_product;
use proptest::prelude::*;

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
