//! To and from fixed point, against exact integers and the oracles.

use crate::oracle::table::Table;
use crate::oracle::{apfloat, check, softfloat};
use axp_golden::float::{self, Flags, Outcome, families};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, Rounding};
use num_bigint::{BigInt, Sign};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const NARROW: [FloatFormat; 4] = [FloatFormat::Bfloat16, FloatFormat::Binary16, FloatFormat::E4m3, FloatFormat::E5m2];

/// Words that the small formats overflow, underflow, fill and miss.
fn fixed_formats() -> impl Iterator<Item = FixedFormat> {
    let shapes = [(2, 0), (8, -4), (8, 3), (12, -9), (16, -8), (16, -24), (24, -12), (32, 0), (40, -30), (64, -20)];
    let extremes = [(2, FixedFormat::MAX_LAST_BIT), (64, FixedFormat::MIN_LAST_BIT), (64, 64), (63, -133)];
    shapes.into_iter().chain(extremes).map(|(width, last_bit)| FixedFormat { width, last_bit })
}

fn config(operation: FpuOperation, format: FloatFormat, rounding: Rounding) -> FpuConfig {
    FpuConfig::new(operation, format, rounding)
}

/// The two's complement number in the low `width` bits.
fn signed(bits: u64, width: u32) -> i64 {
    assert_eq!(bits >> (width - 1) >> 1, 0, "bits above the width are 0");
    (bits << (64 - width)) as i64 >> (64 - width)
}

/// A finite binary64 number as significand and power of two, from its fields.
fn parts(value: f64) -> (BigInt, i64) {
    let field = (value.abs().to_bits() >> 52) as i64;
    let fraction = value.to_bits() & ((1 << 52) - 1);
    let significand = if field == 0 { fraction } else { fraction | 1 << 52 };
    let sign = if value < 0.0 { Sign::Minus } else { Sign::Plus };
    (BigInt::from_biguint(sign, significand.into()), field.max(1) - 1075)
}

/// The answer in whole numbers: `value` is `numerator / denominator` units.
fn expected_fixed(value: f64, fixed: FixedFormat, rounding: Rounding) -> Outcome {
    let greatest = BigInt::from(fixed.greatest());
    let limit = |negative: bool| {
        let bits = if negative { fixed.greatest() + 1 } else { fixed.greatest() };
        Outcome { bits, flags: Flags { overflow: true, inexact: true, ..Flags::default() } }
    };
    if value.is_nan() {
        return Outcome { bits: 0, flags: Flags { invalid: true, ..Flags::default() } };
    }
    if value.is_infinite() {
        return limit(value < 0.0);
    }
    let (significand, exponent) = parts(value);
    let shift = exponent - i64::from(fixed.last_bit);
    let numerator = significand << shift.max(0);
    let denominator = BigInt::from(1) << (-shift).max(0);
    // Division of big integers cuts off toward zero.
    let cut = &numerator / &denominator;
    let rest = &numerator - &cut * &denominator;
    let twice = BigInt::from(rest.magnitude() * 2u32);
    let away =
        rounding == Rounding::NearestEven && (twice > denominator || twice == denominator && cut.magnitude().bit(0));
    let step = BigInt::from(if value < 0.0 { -1 } else { 1 });
    let rounded = if away { cut + step } else { cut };
    if rounded > greatest || rounded < -&greatest - 1 {
        return limit(value < 0.0);
    }
    let bits = i64::try_from(rounded).expect("it is between the limits") as u64 & fixed.mask();
    Outcome { bits, flags: Flags { inexact: rest != BigInt::ZERO, ..Flags::default() } }
}

#[test]
fn every_narrow_encoding_to_fixed_point() {
    for format in NARROW {
        let table = Table::of(format);
        for fixed in fixed_formats() {
            for rounding in Rounding::ALL {
                let config = config(FpuOperation::ToFixed(fixed), format, rounding);
                for a in 0..1 << format.width() {
                    let expected = expected_fixed(table.value(a), fixed, rounding);
                    assert_eq!(float::evaluate(&config, a, 0), expected, "{config}: {a:x}");
                }
            }
        }
    }
}

/// The same in the words of the issue: along ascending numbers the results
/// never fall, and each is within half a unit (nearest) or less than one unit
/// toward zero of its number, unless it is a limit.
#[test]
fn narrow_formats_to_fixed_point_are_monotonic_and_close() {
    for format in NARROW {
        let table = Table::of(format);
        let magnitudes = 0..=format.largest_finite();
        let negative = magnitudes.clone().rev().map(|x| x | format.sign_mask());
        let ascending: Vec<u64> = negative.chain(magnitudes).collect();
        // Results of 53 bits are exact in binary64, and so are differences from
        // numbers of 11 bits if they are as small as they must be.
        for fixed in fixed_formats().filter(|fixed| fixed.width <= 53) {
            for rounding in Rounding::ALL {
                let config = config(FpuOperation::ToFixed(fixed), format, rounding);
                let mut last = i64::MIN;
                for a in &ascending {
                    let outcome = float::evaluate(&config, *a, 0);
                    let result = signed(outcome.bits, fixed.width);
                    assert!(result >= last, "{config}: {a:x} falls from {last} to {result}");
                    last = result;
                    let exact = table.value(*a) * 2f64.powi(-fixed.last_bit);
                    let off = result as f64 - exact;
                    let close = match rounding {
                        Rounding::NearestEven => off.abs() <= 0.5,
                        Rounding::TowardZero => off.abs() < 1.0 && (result as f64).abs() <= exact.abs(),
                    };
                    let limits = [fixed.greatest() as i64, -(fixed.greatest() as i64) - 1];
                    let limited =
                        outcome.flags.overflow && limits.contains(&result) && exact.abs() > (result as f64).abs();
                    assert!(close || limited, "{config}: {a:x} is {exact:e} units, not {result}");
                    assert_eq!(outcome.flags.inexact, off != 0.0, "{config}: {a:x}");
                }
            }
        }
    }
}

#[test]
fn binary32_to_fixed_point() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut operands = families::level2(FloatFormat::Binary32);
    operands.extend((0..5_000).map(|_| random.next_u64() >> 32));
    for fixed in fixed_formats() {
        // Numbers that fill the word: exponents from half its last bit up.
        let lowest = fixed.last_bit + 126;
        let near = (0..2_000).map(|_| {
            let (bits, above) = (random.next_u64(), random.next_u64() % (u64::from(fixed.width) + 3));
            let field = (i64::from(lowest) + above as i64).clamp(0, 254) as u64;
            bits & 0x807F_FFFF | field << 23
        });
        let near: Vec<u64> = near.collect();
        for rounding in Rounding::ALL {
            let config = config(FpuOperation::ToFixed(fixed), FloatFormat::Binary32, rounding);
            for a in operands.iter().chain(&near) {
                let expected = expected_fixed(f64::from(f32::from_bits(*a as u32)), fixed, rounding);
                assert_eq!(float::evaluate(&config, *a, 0), expected, "{config}: {a:x}");
            }
        }
    }
}

/// Where SoftFloat has the conversion: to 32 and 64 bits, in range.
#[test]
fn conversions_to_integers_agree_with_softfloat() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let binary32 = families::level2(FloatFormat::Binary32).into_iter();
    let binary32: Vec<u64> = binary32.chain((0..200_000).map(|_| random.next_u64() >> 32)).collect();
    let binary16: Vec<u64> = (0..1 << 16).collect();
    for (format, operands) in [(FloatFormat::Binary32, binary32), (FloatFormat::Binary16, binary16)] {
        for width in [32, 64] {
            for rounding in Rounding::ALL {
                let config = config(FpuOperation::ToFixed(FixedFormat { width, last_bit: 0 }), format, rounding);
                let mut in_range = 0;
                for a in &operands {
                    let (ours, theirs) =
                        (float::evaluate(&config, *a, 0), softfloat::to_integer(format, width, rounding, *a));
                    // Out of range and NaN are "invalid" there, and both are
                    // told apart here.
                    assert_eq!(theirs.flags.invalid, ours.flags.invalid || ours.flags.overflow, "{config}: {a:x}");
                    if !theirs.flags.invalid {
                        assert_eq!(ours, theirs, "{config}: {a:x}");
                        in_range += 1;
                    }
                }
                assert!(in_range > operands.len() / 3, "{in_range} of {}", operands.len());
            }
        }
    }
}

/// Every word of up to 16 bits: value and all flags from the table, which the
/// number enters exactly, and once more from APFloat.
#[test]
fn every_narrow_word_from_fixed_point() {
    for format in NARROW {
        let table = Table::of(format);
        for fixed in fixed_formats().filter(|fixed| fixed.width <= 16) {
            for rounding in Rounding::ALL {
                let config = config(FpuOperation::FromFixed(fixed), format, rounding);
                let (most_negative, greatest) = (-(1i64 << (fixed.width - 1)), fixed.greatest() as i64);
                let mut last = f64::NEG_INFINITY;
                for number in most_negative..=greatest {
                    let a = number as u64 & fixed.mask();
                    let outcome = float::evaluate(&config, a, 0);
                    let exact = number as f64 * 2f64.powi(fixed.last_bit);
                    assert_eq!(outcome, table.round(rounding, exact), "{config}: {a:x}");
                    check(&config, a, 0);
                    let result = table.value(outcome.bits);
                    // E4M3 overflows to its NaN, at both ends of the range.
                    if !result.is_nan() {
                        assert!(result >= last, "{config}: {a:x} falls");
                        last = result;
                    }
                }
            }
        }
    }
}

/// Wide words: families and random ones against APFloat, and SoftFloat where
/// the number is exact in binary64. Last bits around the limits of each format,
/// so that words overflow and underflow.
#[test]
fn wide_words_from_fixed_point() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(4);
    let (mut overflows, mut underflows) = (0, 0);
    for format in FloatFormat::ALL {
        let lowest = 1 - format.bias() - format.fraction_bits() as i32;
        for (width, last_bit) in [
            (32, 0),
            (64, 0),
            (64, -40),
            (53, lowest - 4),
            (64, lowest - 60),
            (40, lowest - 30),
            (53, format.bias() - 50),
            (64, format.bias() - 60),
        ] {
            let fixed = FixedFormat { width, last_bit };
            let mut words = families::fixed(fixed);
            // Random words of every length.
            words.extend((0..20_000).map(|i| random.next_u64() >> (i % 64) & fixed.mask()));
            for rounding in Rounding::ALL {
                let config = config(FpuOperation::FromFixed(fixed), format, rounding);
                for a in &words {
                    check(&config, *a, 0);
                    let flags = float::evaluate(&config, *a, 0).flags;
                    overflows += u32::from(flags.overflow);
                    underflows += u32::from(flags.underflow);
                }
            }
        }
    }
    assert!(overflows > 10_000 && underflows > 10_000, "{overflows} {underflows}");
}

/// What fits comes back: a number of at most as many bits as the significand.
#[test]
fn exact_conversions_return() {
    for format in FloatFormat::ALL {
        for last_bit in [-3, 0, 2] {
            let fixed = FixedFormat { width: format.fraction_bits() + 2, last_bit };
            for rounding in Rounding::ALL {
                let [from, to] = [FpuOperation::FromFixed(fixed), FpuOperation::ToFixed(fixed)]
                    .map(|operation| config(operation, format, rounding));
                for a in families::fixed(fixed) {
                    let there = float::evaluate(&from, a, 0);
                    let back = float::evaluate(&to, there.bits, 0);
                    assert_eq!((back.bits, there.flags.bits(), back.flags.bits()), (a, 0, 0), "{from}: {a:x}");
                }
            }
        }
    }
}

/// Zero has no sign in fixed point, and bits above an operand are ignored.
#[test]
fn zeros_and_stray_bits() {
    let fixed = FixedFormat { width: 8, last_bit: 0 };
    for format in FloatFormat::ALL {
        let [to, from] = [FpuOperation::ToFixed(fixed), FpuOperation::FromFixed(fixed)]
            .map(|operation| config(operation, format, Rounding::NearestEven));
        let nothing = Outcome { bits: 0, flags: Flags::default() };
        assert_eq!(float::evaluate(&to, format.sign_mask(), 0), nothing);
        assert_eq!(float::evaluate(&from, 0, 0), nothing);
        assert_eq!(float::evaluate(&from, 0xAB00, 0), nothing);
        let one = (format.bias() as u64) << format.fraction_bits();
        assert_eq!(float::evaluate(&from, 0xFF, 0).bits, one | format.sign_mask());
        assert_eq!(float::evaluate(&to, one | 1 << 40, 0).bits, 1);
        let minus_half = (one - (1 << format.fraction_bits())) | format.sign_mask();
        let rounded_away = Outcome { bits: 0, flags: Flags { inexact: true, ..Flags::default() } };
        assert_eq!(float::evaluate(&to, minus_half, 0), rounded_away, "{format}: not a negative zero");
    }
    let config = config(FpuOperation::FromFixed(fixed), FloatFormat::Binary32, Rounding::NearestEven);
    assert_eq!(apfloat::evaluate(&config, 0x80, 0).bits, u64::from((-128f32).to_bits()));
}
