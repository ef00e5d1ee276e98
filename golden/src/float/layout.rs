//! Encodings taken apart by field widths, and exact numbers rounded into them.
//!
//! The widest exact results, of binary64, fit an integer of 128 bits: products
//! have 106 bits, aligned sums 108.

use super::{Flags, Outcome};
use axp_spec::FloatFormat;

/// Field widths of an IEEE 754 style binary format: sign, exponent, fraction.
///
/// Exponents of 2 to 11 bits and fractions of 1 to 52 bits are supported, that
/// is everything up to binary64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub exponent_bits: u32,
    pub fraction_bits: u32,
}

/// What an encoding stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub negative: bool,
    pub value: Magnitude,
}

/// The value of an encoding, sign apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magnitude {
    Nan {
        signaling: bool,
    },
    Infinity,
    /// `significand * 2^exponent`, exactly. Zero is a significand of 0;
    /// subnormals are not normalised and carry the smallest exponent.
    Finite {
        significand: u64,
        exponent: i32,
    },
}

impl Layout {
    #[inline]
    pub const fn of(format: FloatFormat) -> Self {
        Self { exponent_bits: format.exponent_bits(), fraction_bits: format.fraction_bits() }
    }

    const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// The exponent field of infinities and NaNs.
    const fn exponent_max(self) -> u64 {
        (1 << self.exponent_bits) - 1
    }

    /// Exponent of the last significand bit of subnormals and of the smallest
    /// normal numbers: the finest quantum of the format.
    const fn min_quantum(self) -> i32 {
        1 - self.bias() - self.fraction_bits as i32
    }

    const fn sign(self, negative: bool) -> u64 {
        (negative as u64) << (self.exponent_bits + self.fraction_bits)
    }

    #[inline]
    pub const fn unpack(self, encoding: u64) -> Unpacked {
        let fraction = encoding & ((1 << self.fraction_bits) - 1);
        let exponent = encoding >> self.fraction_bits & self.exponent_max();
        let negative = encoding >> (self.fraction_bits + self.exponent_bits) & 1 == 1;
        let value = if exponent == self.exponent_max() {
            if fraction == 0 {
                Magnitude::Infinity
            } else {
                // The top fraction bit is the quiet bit.
                Magnitude::Nan { signaling: fraction >> (self.fraction_bits - 1) == 0 }
            }
        } else if exponent == 0 {
            Magnitude::Finite { significand: fraction, exponent: self.min_quantum() }
        } else {
            let significand = 1 << self.fraction_bits | fraction;
            Magnitude::Finite { significand, exponent: self.min_quantum() + exponent as i32 - 1 }
        };
        Unpacked { negative, value }
    }

    /// The canonical quiet NaN: positive, the quiet bit alone.
    pub const fn nan(self, invalid: bool) -> Outcome {
        let bits = self.exponent_max() << self.fraction_bits | 1 << (self.fraction_bits - 1);
        Outcome { bits, flags: Flags { invalid, overflow: false, underflow: false, inexact: false } }
    }

    pub fn infinity(self, negative: bool) -> Outcome {
        Outcome { bits: self.sign(negative) | self.exponent_max() << self.fraction_bits, flags: Flags::default() }
    }

    pub fn zero(self, negative: bool) -> Outcome {
        Outcome { bits: self.sign(negative), flags: Flags::default() }
    }

    /// Rounds the nonzero number `significand * 2^exponent` to nearest even.
    #[inline]
    pub fn round(self, negative: bool, significand: u128, exponent: i32) -> Outcome {
        debug_assert_ne!(significand, 0);
        // The number lies in [2^leading, 2^(leading + 1)).
        let leading = exponent + significand.ilog2() as i32;
        // Exponent of the result's last bit, were there no smallest exponent; and with it.
        let unbounded = leading - self.fraction_bits as i32;
        let quantum = unbounded.max(self.min_quantum());
        let (kept, inexact) = round_to_multiple(significand, quantum - exponent);

        // `kept` counts quanta. It is below 2^fraction_bits only for subnormals,
        // whose exponent field is 0; elsewhere its hidden bit adds 1 to the
        // field, and 2 if the rounding carried out of the significand.
        let field = (quantum - self.min_quantum()) as u64;
        if field + (kept >> self.fraction_bits) >= self.exponent_max() {
            let flags = Flags { overflow: true, inexact: true, ..Flags::default() };
            return Outcome { flags, ..self.infinity(negative) };
        }
        let encoding = (field << self.fraction_bits) + kept;
        let underflow = inexact && self.is_tiny(significand, exponent, unbounded);
        let flags = Flags { underflow, inexact, ..Flags::default() };
        Outcome { bits: self.sign(negative) | encoding, flags }
    }

    /// Whether `significand * 2^exponent` is below the smallest normal number
    /// *after* rounding to multiples of 2^`unbounded`, the quantum that full
    /// precision would give it.
    fn is_tiny(self, significand: u128, exponent: i32, unbounded: i32) -> bool {
        if unbounded >= self.min_quantum() {
            return false;
        }
        let (kept, _) = round_to_multiple(significand, unbounded - exponent);
        let carried = kept >> (self.fraction_bits + 1) == 1;
        unbounded + i32::from(carried) < self.min_quantum()
    }
}

/// `significand / 2^shift` rounded to an integer, ties to even, and whether
/// that lost anything. A negative shift multiplies, and loses nothing.
#[inline]
fn round_to_multiple(significand: u128, shift: i32) -> (u64, bool) {
    if shift <= 0 {
        return ((significand << -shift) as u64, false);
    }
    if shift >= 128 {
        // Below one half: `significand` has at most 108 bits (module comment).
        return (0, true);
    }
    let floor = (significand >> shift) as u64;
    let rest = significand & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let up = rest > half || rest == half && floor & 1 == 1;
    (floor + u64::from(up), rest != 0)
}
