//! binary32 multiply and add: values and flags against the host.

use crate::host;
use crate::operands::{any_encoding, encode, product_pair, sum_pair};
use axp_golden::float::{self, Outcome};
use axp_spec::FloatFormat::Binary32;
use proptest::prelude::*;

fn mul(a: u32, b: u32) -> Outcome {
    float::mul(Binary32, a.into(), b.into())
}

fn add(a: u32, b: u32) -> Outcome {
    float::add(Binary32, a.into(), b.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150_000))]

    #[test]
    fn products_agree_with_the_host((a, b) in product_pair()) {
        prop_assert_eq!(mul(a, b), host::mul(a, b), "{:08x} * {:08x}", a, b);
    }

    #[test]
    fn sums_agree_with_the_host((a, b) in sum_pair()) {
        prop_assert_eq!(add(a, b), host::add(a, b), "{:08x} + {:08x}", a, b);
    }

    #[test]
    fn both_commute_and_have_their_identity(a in any_encoding(), b in any_encoding()) {
        prop_assert_eq!(mul(a, b), mul(b, a));
        prop_assert_eq!(add(a, b), add(b, a));
        let itself = u64::from(host::canonical(f32::from_bits(a)));
        prop_assert_eq!(mul(a, 1.0f32.to_bits()).bits, itself);
        prop_assert_eq!(add(a, (-0.0f32).to_bits()).bits, itself);
    }
}

/// Encodings at the corners of both fields, every exponent included.
fn corner_families() -> Vec<u32> {
    let mut family = Vec::new();
    for exponent in 0..=255 {
        let fractions: &[u32] = match exponent {
            // Dense where the format changes its behaviour, sparse elsewhere.
            0 | 1 | 126 | 127 | 254 | 255 => &[
                0, 1, 2, 3, 0x400, 0x800, 0x1000, 0x3F_FFFF, 0x40_0000, 0x40_0001, 0x55_5555, 0x7F_FFFD, 0x7F_FFFE,
                0x7F_FFFF,
            ],
            _ => &[0, 1, 0x40_0000, 0x7F_FFFF],
        };
        for fraction in fractions {
            family.extend([false, true].map(|negative| encode(negative, exponent, *fraction)));
        }
    }
    family
}

#[test]
fn every_pair_of_the_corner_families() {
    let family = corner_families();
    let (mut overflows, mut underflows, mut invalids) = (0, 0, 0);
    for a in &family {
        for b in &family {
            let (product, sum) = (mul(*a, *b), add(*a, *b));
            assert_eq!(product, host::mul(*a, *b), "{a:08x} * {b:08x}");
            assert_eq!(sum, host::add(*a, *b), "{a:08x} + {b:08x}");
            for flags in [product.flags, sum.flags] {
                overflows += u32::from(flags.overflow);
                underflows += u32::from(flags.underflow);
                invalids += u32::from(flags.invalid);
            }
        }
    }
    // The family is only worth its time if it visits every exception.
    assert!(overflows > 10_000 && underflows > 10_000 && invalids > 1_000, "{overflows} {underflows} {invalids}");
}

/// Two exact products just below the smallest normal number, both rounded to
/// it: tininess before rounding would call both tiny.
#[test]
fn tininess_is_detected_after_rounding() {
    let smallest_normal = f32::MIN_POSITIVE.to_bits();
    // (1 - 2^-24) * 2^-126 is exact in 24 bits, so full precision keeps it
    // tiny; only the subnormal quantum makes it 2^-126.
    let below_one = 0x3F7F_FFFF;
    let rounded_up = mul(smallest_normal, below_one);
    assert_eq!(rounded_up.bits as u32, smallest_normal);
    assert!(rounded_up.flags.inexact && rounded_up.flags.underflow);

    // (1 + 2^-23)(1 - 2^-23) * 2^-126 = (1 - 2^-46) * 2^-126 rounds to 2^-126
    // at full precision too: not tiny.
    let product = mul(smallest_normal + 1, 0x3F7F_FFFE);
    assert_eq!(product.bits as u32, smallest_normal);
    assert!(product.flags.inexact && !product.flags.underflow);
}

#[test]
fn signs_of_exact_zeros() {
    let (positive, negative) = (0, 0x8000_0000);
    assert_eq!(add(positive, negative).bits, 0);
    assert_eq!(add(negative, negative).bits, 0x8000_0000);
    assert_eq!(add(0xBF80_0000, 0x3F80_0000).bits, 0, "1 - 1 is +0");
    assert_eq!(mul(negative, 0x3F80_0000).bits, 0x8000_0000);
    assert_eq!(mul(negative, 0xBF80_0000).bits, 0);
}

#[test]
fn the_only_nan_is_the_canonical_one() {
    let canonical = u64::from(host::CANONICAL_NAN);
    assert_eq!(canonical, Binary32.canonical_nan());
    for nan in [0x7F80_0001, 0xFF80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0xFFC0_0000, 0x7FFF_FFFF] {
        for other in [0, 0x3F80_0000, 0xFF80_0000, 0x7FC1_2345] {
            for outcome in [mul(nan, other), mul(other, nan), add(nan, other), add(other, nan)] {
                assert_eq!(outcome.bits, canonical);
                assert_eq!(outcome.flags.invalid, nan & 0x0040_0000 == 0, "only signalling NaNs are invalid");
            }
        }
    }
}
