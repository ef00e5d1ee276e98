//! Narrow formats as tables of all their values in binary64, where products
//! are exact: results are rounded by their neighbours in the table.
//!
//! Values and all flags, fast enough for 2^32 pairs. Sums of bfloat16 numbers
//! do not fit binary64 and are not offered.

use axp_golden::float::{Flags, Outcome};
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};

/// All nonnegative finite values of a format of at most 16 bits, and what the
/// encoding after the last one would stand for; the index is the encoding.
pub struct Table {
    format: FloatFormat,
    values: Vec<f64>,
    /// The value of every encoding, negative ones and specials included.
    all: Vec<f64>,
    /// How far an index lies below the top bits of a normal value's binary64.
    offset: u64,
}

impl Table {
    pub fn of(format: FloatFormat) -> Self {
        assert!(format.width() <= 16, "a table of {format} would be too large");
        let fractions = 1u64 << format.fraction_bits();
        let value = |encoding: u64| {
            let (exponent, fraction) = (encoding / fractions, (encoding % fractions) as f64 / fractions as f64);
            let hidden = if exponent == 0 { 0.0 } else { 1.0 };
            (hidden + fraction) * 2f64.powi(exponent.max(1) as i32 - format.bias())
        };
        let values: Vec<f64> = (0..=format.largest_finite() + 1).map(value).collect();
        let all = (0..1u64 << format.width()).map(|encoding| {
            let magnitude = encoding & (format.sign_mask() - 1);
            let value = match values.get(magnitude as usize) {
                Some(value) if magnitude <= format.largest_finite() => *value,
                _ if magnitude == format.exponent_mask() && format.has_infinity() => f64::INFINITY,
                _ => f64::NAN,
            };
            if magnitude == encoding { value } else { -value }
        });
        let offset = ((1023 - format.bias()) as u64) << format.fraction_bits();
        Self { format, all: all.collect(), values, offset }
    }

    /// The number that an encoding stands for.
    pub fn value(&self, encoding: u64) -> f64 {
        self.all[encoding as usize]
    }

    fn is_signaling(&self, encoding: u64) -> bool {
        let quiet = 1 << (self.format.fraction_bits() - 1);
        self.format.has_infinity() && self.value(encoding).is_nan() && encoding & quiet == 0
    }

    /// What a multiplication or an addition must give.
    pub fn evaluate(&self, config: &FpuConfig, a: u64, b: u64) -> Outcome {
        let (x, y) = (self.value(a), self.value(b));
        let exact = match config.operation {
            FpuOperation::Mul => x * y,
            FpuOperation::Add if self.format != FloatFormat::Bfloat16 => x + y,
            _ => panic!("{config} is not in the table"),
        };
        if exact.is_nan() {
            let invalid = !x.is_nan() && !y.is_nan() || self.is_signaling(a) || self.is_signaling(b);
            return Outcome { bits: self.format.canonical_nan(), flags: Flags { invalid, ..Flags::default() } };
        }
        self.round(config.rounding, exact)
    }

    /// The outcome of rounding a number that is not a NaN; infinity counts as
    /// an exact result.
    pub fn round(&self, rounding: Rounding, exact: f64) -> Outcome {
        let sign = if exact.is_sign_negative() { self.format.sign_mask() } else { 0 };
        let x = exact.abs();
        if x == 0.0 {
            return Outcome { bits: sign, flags: Flags::default() };
        }
        if x == f64::INFINITY {
            assert!(self.format.has_infinity());
            return Outcome { bits: sign | self.format.exponent_mask(), flags: Flags::default() };
        }
        let limit = self.values.len() as u64 - 1;
        if x >= self.values[limit as usize] {
            return self.overflow(rounding, sign);
        }
        let below = self.below(x);
        let (low, high) = (self.values[below as usize], self.values[below as usize + 1]);
        // What makes the table an oracle, however `below` was found.
        assert!(low <= x && x < high, "{x:e} is not between the table's {low:e} and {high:e}");
        if x == low {
            return Outcome { bits: sign | below, flags: Flags::default() };
        }
        // Both distances are exact: numerator and neighbours are this close.
        let nearer_to_high = (x - low, high - x);
        let up = rounding == Rounding::NearestEven
            && (nearer_to_high.0 > nearer_to_high.1 || nearer_to_high.0 == nearer_to_high.1 && below % 2 == 1);
        let magnitude = below + u64::from(up);
        if magnitude == limit {
            return self.overflow(rounding, sign);
        }
        let flags = Flags { inexact: true, underflow: self.is_tiny(rounding, x), ..Flags::default() };
        Outcome { bits: sign | magnitude, flags }
    }

    /// Index of the largest value up to `x`, positive and below the limit; a
    /// guess from the bits of `x` that the caller checks.
    fn below(&self, x: f64) -> u64 {
        if x < self.values[1 << self.format.fraction_bits()] {
            (x / self.values[1]) as u64
        } else {
            (x.to_bits() >> (52 - self.format.fraction_bits())) - self.offset
        }
    }

    /// Whether `x` stays below the smallest normal number n when it is rounded
    /// with an unbounded exponent. Below n the quanta are then half as large as
    /// above, so nearest rounds to n from n - n / 2^(fraction bits + 2) on, the
    /// tie included because n is even.
    fn is_tiny(&self, rounding: Rounding, x: f64) -> bool {
        let normal = self.values[1 << self.format.fraction_bits()];
        match rounding {
            Rounding::TowardZero => x < normal,
            Rounding::NearestEven => x < normal - normal * 0.25 / (1u64 << self.format.fraction_bits()) as f64,
        }
    }

    fn overflow(&self, rounding: Rounding, sign: u64) -> Outcome {
        let bits = match rounding {
            Rounding::TowardZero => sign | self.format.largest_finite(),
            Rounding::NearestEven if self.format.has_infinity() => sign | self.format.exponent_mask(),
            Rounding::NearestEven => self.format.canonical_nan(),
        };
        Outcome { bits, flags: Flags { overflow: true, inexact: true, ..Flags::default() } }
    }
}
