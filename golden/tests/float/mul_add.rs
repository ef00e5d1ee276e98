//! Products and sums in the normal tests: 8-bit formats whole, slices of the rest.

use crate::oracle::table::Table;
use crate::oracle::{check, check_against_apfloat, mul_and_add};
use axp_golden::float::{self, families};
use axp_spec::{FloatFormat, FpuOperation};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Every pair, both operations, both roundings: value and flags from the
/// table, and once more from APFloat.
#[test]
fn all_pairs_of_8_bit_formats() {
    for format in [FloatFormat::E4m3, FloatFormat::E5m2] {
        let table = Table::of(format);
        for config in mul_and_add(format) {
            for (a, b) in (0..0x1_0000u64).map(|pair| (pair >> 8, pair & 0xFF)) {
                let ours = float::evaluate(&config, a, b);
                assert_eq!(ours, table.evaluate(&config, a, b), "{config}: {a:x}, {b:x}");
                check_against_apfloat(&config, a, b, ours);
            }
        }
    }
}

#[test]
fn every_pair_of_the_small_family() {
    for format in FloatFormat::ALL {
        let family = families::level1(format);
        for config in mul_and_add(format) {
            families::pairs(&family).for_each(|(a, b)| check(&config, a, b));
        }
    }
}

/// A slice of the opt-in run: every 61st pair, which is prime to the number of
/// operands, so that every operand takes part on both sides.
#[test]
fn a_slice_of_the_pairs_of_the_large_family() {
    for format in [FloatFormat::Binary32, FloatFormat::Bfloat16, FloatFormat::Binary16] {
        let family = families::level2(format);
        assert_ne!(family.len() % 61, 0);
        for config in mul_and_add(format) {
            families::pairs(&family).step_by(61).for_each(|(a, b)| check(&config, a, b));
        }
    }
}

#[test]
fn random_bit_patterns() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    for format in [FloatFormat::Binary32, FloatFormat::Bfloat16, FloatFormat::Binary16] {
        let mask = u64::MAX >> (64 - format.width());
        for config in mul_and_add(format) {
            for _ in 0..200_000 {
                check(&config, random.next_u64() & mask, random.next_u64() & mask);
            }
        }
    }
}

/// 16-bit values and flags from the table: a slice of all products, and of all
/// sums of binary16.
#[test]
fn a_slice_of_all_16_bit_pairs() {
    for format in [FloatFormat::Binary16, FloatFormat::Bfloat16] {
        let table = Table::of(format);
        let has_sums = format == FloatFormat::Binary16;
        for config in mul_and_add(format).filter(|config| has_sums || config.operation == FpuOperation::Mul) {
            for pair in (0..1u64 << 32).step_by(10_007) {
                let (a, b) = (pair >> 16, pair & 0xFFFF);
                assert_eq!(float::evaluate(&config, a, b), table.evaluate(&config, a, b), "{config}: {a:x}, {b:x}");
            }
        }
    }
}

/// The corners of OCP FP8 by hand: what overflows, what does not, which NaN.
#[test]
fn overflow_of_the_8_bit_formats() {
    let results = |format, operation, a, b| {
        let configs = mul_and_add(format).filter(|config| config.operation == operation);
        configs.map(|config| float::evaluate(&config, a, b)).map(|o| (o.bits, o.flags.bits())).collect::<Vec<_>>()
    };
    // E4M3: 448 + 16 is a tie and 448 is even; 448 + 18 rounds to the NaN, or
    // toward zero to 448 without overflow, because 480 is not reached.
    assert_eq!(results(FloatFormat::E4m3, FpuOperation::Add, 0x7E, 0x58), [(0x7E, 1), (0x7E, 1)]);
    assert_eq!(results(FloatFormat::E4m3, FpuOperation::Add, 0x7E, 0x59), [(0x7F, 5), (0x7E, 1)]);
    // -448 - 32 = -480 overflows in both; the NaN has no sign.
    assert_eq!(results(FloatFormat::E4m3, FpuOperation::Add, 0xFE, 0xE0), [(0x7F, 5), (0xFE, 5)]);
    // NaNs are quiet, of either sign, also against zero.
    assert_eq!(results(FloatFormat::E4m3, FpuOperation::Mul, 0xFF, 0x00), [(0x7F, 0), (0x7F, 0)]);
    // E5M2: the largest number squared; infinity - infinity; infinity * 0.
    assert_eq!(results(FloatFormat::E5m2, FpuOperation::Mul, 0x7B, 0xFB), [(0xFC, 5), (0xFB, 5)]);
    assert_eq!(results(FloatFormat::E5m2, FpuOperation::Add, 0x7C, 0xFC), [(0x7E, 16), (0x7E, 16)]);
    assert_eq!(results(FloatFormat::E5m2, FpuOperation::Mul, 0x7C, 0x80), [(0x7E, 16), (0x7E, 16)]);
    // Its signalling NaN is 7D.
    assert_eq!(results(FloatFormat::E5m2, FpuOperation::Add, 0x7D, 0x3C), [(0x7E, 16), (0x7E, 16)]);
    assert_eq!(results(FloatFormat::E5m2, FpuOperation::Add, 0xFF, 0x3C), [(0x7E, 0), (0x7E, 0)]);
}
