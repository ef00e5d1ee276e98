//! The width-independent algorithms on other widths than the public one.
//!
//! Narrow formats are checked against a table of all their finite values: the
//! exact result, as one or two binary64 numbers, is rounded by looking up its
//! neighbours, which shares nothing with the algorithms under test.

use super::layout::Layout;
use super::{Flags, Outcome, arithmetic};
use axp_spec::FloatFormat;
use axp_spec::Rounding::{self, NearestEven};
use proptest::prelude::*;
use std::sync::LazyLock;

const BINARY16: Layout = Layout { exponent_bits: 5, fraction_bits: 10, has_infinity: true };
const BFLOAT16: Layout = Layout { exponent_bits: 8, fraction_bits: 7, has_infinity: true };
const BINARY64: Layout = Layout { exponent_bits: 11, fraction_bits: 52, has_infinity: true };

/// All nonnegative finite values of a format, and what the encoding after the
/// last one (of infinity, or of E4M3's NaN) would stand for as one more of
/// them; the index is the encoding.
struct Table {
    layout: Layout,
    values: Vec<f64>,
}

impl Table {
    fn of(layout: Layout) -> Self {
        let fractions = 1u64 << layout.fraction_bits;
        let bias = (1 << (layout.exponent_bits - 1)) - 1;
        let all = fractions << layout.exponent_bits;
        let limit = if layout.has_infinity { all - fractions } else { all - 1 };
        let values = (0..=limit).map(|encoding| {
            let (exponent, fraction) = (encoding / fractions, (encoding % fractions) as f64 / fractions as f64);
            let hidden = if exponent == 0 { 0.0 } else { 1.0 };
            (hidden + fraction) * 2f64.powi(exponent.max(1) as i32 - bias)
        });
        Self { layout, values: values.collect() }
    }

    fn sign_bit(&self) -> u64 {
        1 << (self.layout.exponent_bits + self.layout.fraction_bits)
    }

    /// The magnitude after the largest finite one.
    fn limit(&self) -> u64 {
        self.values.len() as u64 - 1
    }

    fn smallest_normal(&self) -> f64 {
        self.values[1 << self.layout.fraction_bits]
    }

    fn value(&self, encoding: u64) -> f64 {
        let magnitude = encoding & (self.sign_bit() - 1);
        let value = match magnitude {
            m if m < self.limit() => self.values[m as usize],
            m if m == self.limit() && self.layout.has_infinity => f64::INFINITY,
            _ => f64::NAN,
        };
        if magnitude == encoding { value } else { -value }
    }

    fn is_signaling(&self, encoding: u64) -> bool {
        let quiet = 1 << (self.layout.fraction_bits - 1);
        self.layout.has_infinity && self.value(encoding).is_nan() && encoding & quiet == 0
    }

    /// Rounds `high + low`, a nonzero number whose rounding to binary64 is
    /// `high`.
    fn round(&self, rounding: Rounding, high: f64, low: f64) -> Outcome {
        let sign = if high < 0.0 { self.sign_bit() } else { 0 };
        let (magnitude, residue) = (high.abs(), if high < 0.0 { -low } else { low });
        let (encoding, exact) = self.neighbour(rounding, magnitude, residue);
        let inexact = !exact;
        // Tiny after rounding: moved up to the first binade of full precision,
        // does the number still round below the (equally moved) smallest normal?
        let tiny = magnitude < self.smallest_normal() && {
            let mut scale = 1.0;
            while magnitude * scale < self.smallest_normal() {
                scale *= 2.0;
            }
            let (moved, _) = self.neighbour(rounding, magnitude * scale, residue * scale);
            self.values[moved as usize] / scale < self.smallest_normal()
        };
        if encoding == self.limit() {
            let bits = match rounding {
                Rounding::TowardZero => sign | (self.limit() - 1),
                NearestEven if self.layout.has_infinity => sign | self.limit(),
                NearestEven => self.nan(false).bits,
            };
            return Outcome { bits, flags: Flags { overflow: true, inexact: true, ..Flags::default() } };
        }
        let flags = Flags { underflow: tiny && inexact, inexact, ..Flags::default() };
        Outcome { bits: sign | encoding, flags }
    }

    /// The encoding that a positive number rounds to, and whether it is exact;
    /// `limit` is never exact.
    fn neighbour(&self, rounding: Rounding, magnitude: f64, residue: f64) -> (u64, bool) {
        let limit = self.values[self.limit() as usize];
        if magnitude > limit || magnitude == limit && residue >= 0.0 {
            return (self.limit(), false);
        }
        let above = self.values.partition_point(|v| *v < magnitude || *v == magnitude && residue > 0.0);
        if self.values[above] == magnitude && residue == 0.0 {
            return (above as u64, true);
        }
        let below = above - 1;
        let middle = (self.values[below] + self.values[above]) / 2.0;
        let beyond_middle =
            magnitude > middle || magnitude == middle && (residue > 0.0 || residue == 0.0 && below % 2 == 1);
        let up = rounding == NearestEven && beyond_middle;
        (if up { above } else { below } as u64, false)
    }

    fn nan(&self, invalid: bool) -> Outcome {
        let quiet = if self.layout.has_infinity { 1 << (self.layout.fraction_bits - 1) } else { 0 };
        Outcome { bits: self.limit() | quiet, flags: Flags { invalid, ..Flags::default() } }
    }

    /// What an operation must give, from its host result in binary64 and the
    /// error of that.
    fn expect(&self, rounding: Rounding, a: u64, b: u64, high: f64, low: f64) -> Outcome {
        let (x, y) = (self.value(a), self.value(b));
        if high.is_nan() {
            let operand_is_nan = x.is_nan() || y.is_nan();
            return self.nan(!operand_is_nan || self.is_signaling(a) || self.is_signaling(b));
        }
        if high.is_infinite() || high == 0.0 {
            let sign = if high.is_sign_negative() { self.sign_bit() } else { 0 };
            let magnitude = if high == 0.0 { 0 } else { self.limit() };
            return Outcome { bits: sign | magnitude, flags: Flags::default() };
        }
        self.round(rounding, high, low)
    }

    /// Products of numbers of at most 26 bits are exact in binary64.
    fn expect_mul(&self, rounding: Rounding, a: u64, b: u64) -> Outcome {
        self.expect(rounding, a, b, self.value(a) * self.value(b), 0.0)
    }

    /// The error of a binary64 sum is Knuth's TwoSum.
    fn expect_add(&self, rounding: Rounding, a: u64, b: u64) -> Outcome {
        let (x, y) = (self.value(a), self.value(b));
        let high = x + y;
        let virtual_y = high - x;
        let low = (x - (high - virtual_y)) + (y - virtual_y);
        self.expect(rounding, a, b, high, if low.is_nan() { 0.0 } else { low })
    }

    fn check(&self, a: u64, b: u64) {
        let layout = self.layout;
        for rounding in Rounding::ALL {
            let (product, sum) = (arithmetic::mul(layout, rounding, a, b), arithmetic::add(layout, rounding, a, b));
            assert_eq!(product, self.expect_mul(rounding, a, b), "{a:x} * {b:x}, {rounding:?}, {layout:?}");
            assert_eq!(sum, self.expect_add(rounding, a, b), "{a:x} + {b:x}, {rounding:?}, {layout:?}");
        }
    }

    /// Encodings where the exponent or the fraction is at a corner.
    fn corners(&self) -> Vec<u64> {
        let (exponent_bits, fraction_bits) = (self.layout.exponent_bits, self.layout.fraction_bits);
        let top = (1u64 << exponent_bits) - 1;
        let ones = (1u64 << fraction_bits) - 1;
        let mut corners = Vec::new();
        for exponent in [0, 1, top / 2 - 1, top / 2, top / 2 + 1, top - 2, top - 1, top] {
            for fraction in [0, 1, ones / 2, ones / 2 + 1, ones - 1, ones] {
                for sign in [0, self.sign_bit()] {
                    corners.push(sign | exponent << fraction_bits | fraction);
                }
            }
        }
        corners
    }
}

#[test]
fn all_pairs_of_formats_of_up_to_eight_bits() {
    for exponent_bits in 2..=6 {
        for fraction_bits in 1..=7 - exponent_bits {
            for has_infinity in [true, false] {
                let table = Table::of(Layout { exponent_bits, fraction_bits, has_infinity });
                let encodings = 2 * table.sign_bit();
                for a in 0..encodings {
                    (0..encodings).for_each(|b| table.check(a, b));
                }
            }
        }
    }
}

#[test]
fn the_layouts_of_the_public_formats() {
    let layouts = [FloatFormat::E4m3, FloatFormat::E5m2, FloatFormat::Binary16, FloatFormat::Bfloat16].map(Layout::of);
    let layout = |exponent_bits, fraction_bits, has_infinity| Layout { exponent_bits, fraction_bits, has_infinity };
    assert_eq!(layouts, [layout(4, 3, false), layout(5, 2, true), BINARY16, BFLOAT16]);
}

#[test]
fn corners_of_16_bit_formats_with_every_encoding() {
    for table in &*TABLES {
        for a in table.corners() {
            for b in 0..=0xFFFF {
                table.check(a, b);
                // Both orders, so that operand order plays no part.
                table.check(b, a);
            }
        }
    }
}

static TABLES: LazyLock<[Table; 2]> = LazyLock::new(|| [BINARY16, BFLOAT16].map(Table::of));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300_000))]

    #[test]
    fn random_16_bit_pairs(a: u16, b: u16) {
        TABLES.iter().for_each(|table| table.check(a.into(), b.into()));
    }

    /// The widest layout: exact results need the whole 128-bit integer. The
    /// second operand is near the first one's exponent or its opposite, so
    /// that cancellation, subnormal products and overflow are common.
    #[test]
    fn binary64_agrees_with_the_host(a: u64, b: u64, near in -60i64..60, kind in 0..4) {
        let exponent = |x: i64| (x.clamp(0, 2047) as u64) << 52;
        let field = (a >> 52 & 0x7FF) as i64;
        let rest = b & !exponent(2047);
        let b = match kind {
            0 => b,
            1 => rest | exponent(field + near),
            2 => rest | exponent(1022 - field + near),
            _ => rest | exponent(3069 - field + near),
        };
        let canonical = |x: f64| if x.is_nan() { 0x7FF8_0000_0000_0000 } else { x.to_bits() };
        let (x, y) = (f64::from_bits(a), f64::from_bits(b));
        prop_assert_eq!(arithmetic::mul(BINARY64, NearestEven, a, b).bits, canonical(x * y));
        prop_assert_eq!(arithmetic::add(BINARY64, NearestEven, a, b).bits, canonical(x + y));
    }
}

#[test]
fn bits_above_the_format_are_ignored() {
    for (a, b) in [(0x3C00, 0x4200), (0x7C01, 0x0001), (0xFC00, 0x7C00)] {
        let above = 0xABCD_EF01_2345_0000;
        assert_eq!(arithmetic::mul(BINARY16, NearestEven, a | above, b), arithmetic::mul(BINARY16, NearestEven, a, b));
        assert_eq!(arithmetic::add(BINARY16, NearestEven, a, b | above), arithmetic::add(BINARY16, NearestEven, a, b));
    }
}
