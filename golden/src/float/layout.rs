//! Encodings taken apart by field widths, and exact numbers rounded into them.
//!
//! The widest exact results, of binary64, fit an integer of 128 bits: products
//! have 106 bits, aligned sums 108.

use super::{Flags, Outcome};
use axp_spec::{FloatFormat, Rounding};

/// A binary format in the style of IEEE 754 or OCP E4M3: sign, exponent, fraction.
///
/// Exponents of 2 to 11 bits and fractions of 1 to 52 bits are supported, that
/// is everything up to binary64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub exponent_bits: u32,
    pub fraction_bits: u32,
    /// Whether the largest exponent field is kept for infinities and NaNs.
    /// Where it is not, only the magnitude of all ones is special: a quiet NaN.
    pub has_infinity: bool,
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
        Self {
            exponent_bits: format.exponent_bits(),
            fraction_bits: format.fraction_bits(),
            has_infinity: format.has_infinity(),
        }
    }

    const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    /// The largest exponent field: of infinities and NaNs, or of the largest
    /// finite numbers and the NaN.
    const fn exponent_max(self) -> u64 {
        (1 << self.exponent_bits) - 1
    }

    /// Exponent of the last significand bit of subnormals and of the smallest
    /// normal numbers: the finest quantum of the format.
    const fn min_quantum(self) -> i32 {
        1 - self.bias() - self.fraction_bits as i32
    }

    /// The magnitude of the largest finite number.
    const fn largest_finite(self) -> u64 {
        let specials = if self.has_infinity { 1 << self.fraction_bits } else { 1 };
        (1 << (self.exponent_bits + self.fraction_bits)) - 1 - specials
    }

    const fn sign(self, negative: bool) -> u64 {
        (negative as u64) << (self.exponent_bits + self.fraction_bits)
    }

    #[inline]
    pub const fn unpack(self, encoding: u64) -> Unpacked {
        let fraction = encoding & ((1 << self.fraction_bits) - 1);
        let exponent = encoding >> self.fraction_bits & self.exponent_max();
        let negative = encoding >> (self.fraction_bits + self.exponent_bits) & 1 == 1;
        let value = if exponent == self.exponent_max() && self.has_infinity {
            if fraction == 0 {
                Magnitude::Infinity
            } else {
                // The top fraction bit is the quiet bit.
                Magnitude::Nan { signaling: fraction >> (self.fraction_bits - 1) == 0 }
            }
        } else if exponent == self.exponent_max() && fraction == (1 << self.fraction_bits) - 1 {
            Magnitude::Nan { signaling: false }
        } else if exponent == 0 {
            Magnitude::Finite { significand: fraction, exponent: self.min_quantum() }
        } else {
            let significand = 1 << self.fraction_bits | fraction;
            Magnitude::Finite { significand, exponent: self.min_quantum() + exponent as i32 - 1 }
        };
        Unpacked { negative, value }
    }

    /// The canonical NaN: positive, and where there are several the quiet bit alone.
    pub const fn nan(self, invalid: bool) -> Outcome {
        let fraction = if self.has_infinity { 1 << (self.fraction_bits - 1) } else { (1 << self.fraction_bits) - 1 };
        let flags = if invalid { Flags::INVALID_ALONE } else { NO_FLAGS };
        Outcome { bits: self.exponent_max() << self.fraction_bits | fraction, flags }
    }

    /// An exact infinity, from an operand that is one.
    pub const fn infinity(self, negative: bool) -> Outcome {
        Outcome { bits: self.sign(negative) | self.exponent_max() << self.fraction_bits, flags: NO_FLAGS }
    }

    pub const fn zero(self, negative: bool) -> Outcome {
        Outcome { bits: self.sign(negative), flags: NO_FLAGS }
    }

    /// What becomes of a number beyond the largest finite one.
    #[cold]
    const fn overflow(self, rounding: Rounding, negative: bool) -> Outcome {
        let bits = match rounding {
            Rounding::NearestEven if self.has_infinity => self.infinity(negative).bits,
            Rounding::NearestEven => self.nan(false).bits,
            Rounding::TowardZero => self.sign(negative) | self.largest_finite(),
        };
        Outcome { bits, flags: Flags::OUT_OF_RANGE }
    }

    /// Rounds the nonzero number `significand * 2^exponent`.
    #[inline(always)]
    pub fn round(self, rounding: Rounding, negative: bool, significand: u128, exponent: i32) -> Outcome {
        debug_assert_ne!(significand, 0);
        // The number lies in [2^leading, 2^(leading + 1)).
        let leading = exponent + significand.ilog2() as i32;
        // Exponent of the result's last bit, were there no smallest exponent; and with it.
        let unbounded = leading - self.fraction_bits as i32;
        let quantum = unbounded.max(self.min_quantum());
        let (kept, inexact) = round_to_multiple(significand, quantum - exponent, rounding);

        // `kept` counts quanta. It is below 2^fraction_bits only for subnormals,
        // whose exponent field is 0; elsewhere its hidden bit adds 1 to the
        // field, and 2 if the rounding carried out of the significand.
        let field = (quantum - self.min_quantum()) as u64;
        let encoding = (field << self.fraction_bits) + kept;
        if encoding > self.largest_finite() {
            return self.overflow(rounding, negative);
        }
        let underflow = inexact && self.is_tiny(significand, exponent, unbounded, rounding);
        let flags = Flags { underflow, inexact, ..NO_FLAGS };
        Outcome { bits: self.sign(negative) | encoding, flags }
    }

    /// Whether `significand * 2^exponent` is below the smallest normal number
    /// *after* rounding to multiples of 2^`unbounded`, the quantum that full
    /// precision would give it.
    #[cold]
    fn is_tiny(self, significand: u128, exponent: i32, unbounded: i32, rounding: Rounding) -> bool {
        if unbounded >= self.min_quantum() {
            return false;
        }
        let (kept, _) = round_to_multiple(significand, unbounded - exponent, rounding);
        let carried = kept >> (self.fraction_bits + 1) == 1;
        unbounded + i32::from(carried) < self.min_quantum()
    }
}

const NO_FLAGS: Flags = Flags { invalid: false, overflow: false, underflow: false, inexact: false };

/// `significand / 2^shift` rounded to an integer, and whether that lost
/// anything. A negative shift multiplies, and loses nothing.
#[inline]
pub(super) fn round_to_multiple(significand: u128, shift: i32, rounding: Rounding) -> (u64, bool) {
    if shift <= 0 {
        return ((significand << -shift) as u64, false);
    }
    if shift >= 128 {
        // Below one half: `significand` has at most 108 bits (module comment).
        return (0, true);
    }
    // Nearly everything fits half the width, which is what the host is fast in:
    // all but binary64 and long words far from the format's range.
    match u64::try_from(significand) {
        Ok(narrow) if shift < 64 => {
            let (floor, rest, half) = (narrow >> shift, narrow & ((1 << shift) - 1), 1 << (shift - 1));
            (floor + u64::from(goes_up(rest > half, rest == half, floor, rounding)), rest != 0)
        }
        _ => {
            let (floor, rest, half) =
                ((significand >> shift) as u64, significand & ((1 << shift) - 1), 1 << (shift - 1));
            (floor + u64::from(goes_up(rest > half, rest == half, floor, rounding)), rest != 0)
        }
    }
}

/// Whether what is cut off, more than one half or exactly that, takes `floor` one up.
#[inline]
const fn goes_up(more: bool, tie: bool, floor: u64, rounding: Rounding) -> bool {
    match rounding {
        Rounding::NearestEven => more || tie && floor & 1 == 1,
        Rounding::TowardZero => false,
    }
}
