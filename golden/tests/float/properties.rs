//! Laws that hold for every operand, in all formats and both roundings.

use axp_golden::float::{self, Outcome, families, rounded};
use axp_spec::{FixedFormat, FloatFormat, Rounding};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::LazyLock;

static FAMILIES: LazyLock<[Vec<u64>; 5]> = LazyLock::new(|| FloatFormat::ALL.map(families::level2));

fn format() -> impl Strategy<Value = FloatFormat> {
    select(&FloatFormat::ALL[..])
}

/// An encoding: random bits, a member of the large family, or one next to it.
fn operand(format: FloatFormat) -> impl Strategy<Value = u64> {
    let at = FloatFormat::ALL.iter().position(|f| *f == format).expect("every format is one of ALL");
    let mask = 2 * format.sign_mask() - 1;
    let member = any::<Index>().prop_map(move |index| *index.get(&FAMILIES[at]));
    prop_oneof![
        any::<u64>().prop_map(move |x| x & mask),
        member.clone(),
        (member, -2i64..=2).prop_map(move |(x, d)| x.wrapping_add_signed(d) & mask),
    ]
}

fn pair() -> impl Strategy<Value = (FloatFormat, u64, u64)> {
    format().prop_flat_map(|format| (Just(format), operand(format), operand(format)))
}

fn one(format: FloatFormat) -> u64 {
    (format.bias() as u64) << format.fraction_bits()
}

fn is_nan(format: FloatFormat, encoding: u64) -> bool {
    let magnitude = encoding & (format.sign_mask() - 1);
    format.is_special(encoding) && (magnitude != format.exponent_mask() || !format.has_infinity())
}

/// Encodings of numbers as integers in the order of the numbers.
fn order(format: FloatFormat, encoding: u64) -> i64 {
    let magnitude = (encoding & (format.sign_mask() - 1)) as i64;
    if encoding & format.sign_mask() == 0 { magnitude } else { -magnitude }
}

fn negated(format: FloatFormat, outcome: Outcome) -> Outcome {
    Outcome { bits: outcome.bits ^ format.sign_mask(), ..outcome }
}

type Operation = fn(FloatFormat, Rounding, u64, u64) -> Outcome;

const OPERATIONS: [Operation; 2] = [rounded::mul, rounded::add];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30_000))]

    #[test]
    fn operands_commute((format, a, b) in pair()) {
        for rounding in Rounding::ALL {
            for operation in OPERATIONS {
                prop_assert_eq!(operation(format, rounding, a, b), operation(format, rounding, b, a));
            }
        }
    }

    /// Both roundings treat the signs alike: -a * b = -(a * b), and
    /// -a + -b = -(a + b) but for an exact zero of opposite operands.
    #[test]
    fn signs_are_symmetric((format, a, b) in pair()) {
        let minus = |x| x ^ format.sign_mask();
        for rounding in Rounding::ALL {
            let product = rounded::mul(format, rounding, a, b);
            let sum = rounded::add(format, rounding, a, b);
            let of_minus = (rounded::mul(format, rounding, minus(a), b), rounded::add(format, rounding, minus(a), minus(b)));
            let product_is_nan = is_nan(format, product.bits);
            prop_assert_eq!(of_minus.0, if product_is_nan { product } else { negated(format, product) });
            let unsigned = is_nan(format, sum.bits) || a == minus(b);
            prop_assert_eq!(of_minus.1, if unsigned { sum } else { negated(format, sum) });
        }
    }

    /// What needs no rounding raises nothing and is the same in both modes.
    #[test]
    fn exact_cases_are_exact((format, a, _) in pair(), rounding in select(&Rounding::ALL[..])) {
        let a = if is_nan(format, a) { one(format) } else { a };
        let exactly = |bits| Outcome { bits, flags: float::Flags::default() };
        prop_assert_eq!(rounded::mul(format, rounding, a, one(format)), exactly(a));
        prop_assert_eq!(rounded::add(format, rounding, a, format.sign_mask()), exactly(a), "-0 changes nothing");
        if !format.is_special(a) {
            let difference = rounded::add(format, rounding, a, a ^ format.sign_mask());
            prop_assert_eq!(difference, exactly(0), "a - a is +0");
        }
    }

    /// |toward zero| <= |nearest| <= the number after it, and an exact result
    /// is the same in both.
    #[test]
    fn nearest_is_toward_zero_or_next_to_it((format, a, b) in pair()) {
        for operation in OPERATIONS {
            let [nearest, cut] = Rounding::ALL.map(|rounding| operation(format, rounding, a, b));
            prop_assert_eq!(nearest.flags.inexact, cut.flags.inexact);
            if !nearest.flags.inexact {
                prop_assert_eq!(nearest, cut);
            } else if !is_nan(format, nearest.bits) {
                prop_assert!(nearest.bits == cut.bits || nearest.bits == cut.bits + 1);
                prop_assert!(cut.flags.underflow || !nearest.flags.underflow);
            } else {
                // E4M3's overflow to NaN.
                prop_assert!(nearest.flags.overflow && order(format, cut.bits).unsigned_abs() == format.largest_finite());
            }
        }
    }

    /// A greater operand never gives a smaller sum, nor, times a positive
    /// number, a smaller product.
    #[test]
    fn rounding_is_monotonic((format, a, b) in pair(), c in any::<u64>(), rounding in select(&Rounding::ALL[..])) {
        let c = c & (2 * format.sign_mask() - 1);
        let (low, high) = if order(format, a) <= order(format, b) { (a, b) } else { (b, a) };
        let positive = c & !format.sign_mask();
        for (operation, third) in [(OPERATIONS[0], positive), (OPERATIONS[1], c)] {
            let [low, high] = [low, high].map(|x| operation(format, rounding, x, third).bits);
            if !is_nan(format, low) && !is_nan(format, high) && ![a, b, third].iter().any(|x| is_nan(format, *x)) {
                prop_assert!(order(format, low) <= order(format, high), "{:x} {:x}", low, high);
            }
        }
    }

    /// Multiplying by a power of two adds to the exponent field, as long as the
    /// result stays normal; an addition scales likewise.
    #[test]
    fn powers_of_two_scale((format, a, b) in pair(), power in -20i64..20, rounding in select(&Rounding::ALL[..])) {
        let field = |x: u64| ((x & format.exponent_mask()) >> format.fraction_bits()) as i64;
        let scale = |x: u64| x.wrapping_add_signed(power << format.fraction_bits());
        let largest = field(format.largest_finite()) - i64::from(!format.has_infinity());
        let normal = |x: u64| (1..=largest).contains(&field(x));
        let scalable = |x: u64| normal(x) && (1..=largest).contains(&(field(x) + power));
        // At the ends of the range a result is clipped, or loses bits.
        let regular = |before: Outcome, after: Outcome| {
            let clipped = before.flags.overflow || before.flags.underflow || after.flags.underflow;
            scalable(before.bits) && !clipped
        };
        let factor = i64::from(format.bias()) + power;
        if scalable(a) && (1..=largest).contains(&factor) {
            let product = rounded::mul(format, rounding, a, (factor as u64) << format.fraction_bits());
            prop_assert_eq!(product, Outcome { bits: scale(a), flags: float::Flags::default() });
        }
        if scalable(a) && normal(b) {
            let (before, after) = (rounded::mul(format, rounding, a, b), rounded::mul(format, rounding, scale(a), b));
            if regular(before, after) {
                prop_assert_eq!(after, Outcome { bits: scale(before.bits), ..before });
            }
        }
        if scalable(a) && scalable(b) {
            let (before, after) = (rounded::add(format, rounding, a, b), rounded::add(format, rounding, scale(a), scale(b)));
            if regular(before, after) {
                prop_assert_eq!(after, Outcome { bits: scale(before.bits), ..before });
            }
        }
    }

    /// Moving the last bit and the number by the same power changes nothing,
    /// and conversion to fixed point keeps the order of numbers.
    #[test]
    fn fixed_point_scales_and_keeps_the_order(
        (format, a, b) in pair(), width in 2u32..=64, last_bit in -60i32..60, rounding in select(&Rounding::ALL[..]),
    ) {
        let fixed = FixedFormat { width, last_bit };
        let signed = |bits: u64| (bits << (64 - width)) as i64;
        let [x, y] = [a, b].map(|x| rounded::to_fixed(format, fixed, rounding, x));
        if !is_nan(format, a) && !is_nan(format, b) && order(format, a) <= order(format, b) {
            prop_assert!(signed(x.bits) <= signed(y.bits));
        }
        let doubled = rounded::add(format, rounding, a, a);
        if !format.is_special(a) && !doubled.flags.inexact {
            let coarser = FixedFormat { width, last_bit: last_bit + 1 };
            prop_assert_eq!(rounded::to_fixed(format, coarser, rounding, doubled.bits), x);
        }
    }
}
