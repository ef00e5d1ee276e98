//! Bit-level floating-point multiply and add, from integer operations alone.
//!
//! IEEE 754-2019 semantics: round to nearest, ties to even; subnormals kept as
//! operands and as results; tininess detected after rounding. One deviation,
//! which the standard permits: every NaN result is the format's canonical quiet
//! NaN, whatever the payload of the operands.
//!
//! No host floating point takes part, so that the host can serve as the oracle
//! in the tests. The algorithms depend on the field widths only.
//!
//! ```
//! use axp_golden::float;
//! use axp_spec::FloatFormat::Binary32;
//!
//! let third = u64::from((1.0f32 / 3.0).to_bits());
//! let three = u64::from(3.0f32.to_bits());
//! let product = float::mul(Binary32, third, three);
//! assert_eq!(product.bits, u64::from(1.0f32.to_bits()));
//! assert!(product.flags.inexact && !product.flags.overflow);
//! ```

mod arithmetic;
mod layout;
#[cfg(test)]
mod narrow_tests;

use axp_spec::FloatFormat;
use layout::Layout;

/// A result and the exceptions that it raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The encoding, in the low bits; bits above the format's width are 0.
    pub bits: u64,
    /// The exceptions of this operation alone; nothing is sticky.
    pub flags: Flags,
}

/// The IEEE 754 exceptions that a multiplication or addition can signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// No useful result: 0 × ∞, ∞ − ∞, or a signalling NaN operand.
    pub invalid: bool,
    /// The rounded result is beyond the largest finite number (gives ±∞).
    pub overflow: bool,
    /// The result is tiny *after rounding*, and inexact. Tiny: rounded to the
    /// format's precision with an unbounded exponent, it would lie strictly
    /// between ± the smallest normal number.
    pub underflow: bool,
    /// The result differs from the exact one.
    pub inexact: bool,
}

/// The product `a * b`, correctly rounded.
///
/// `a` and `b` are encodings in `format`; bits above its width are ignored.
#[inline]
pub fn mul(format: FloatFormat, a: u64, b: u64) -> Outcome {
    arithmetic::mul(Layout::of(format), a, b)
}

/// The sum `a + b`, correctly rounded. An exact zero from operands of opposite
/// sign is +0.
///
/// `a` and `b` are encodings in `format`; bits above its width are ignored.
#[inline]
pub fn add(format: FloatFormat, a: u64, b: u64) -> Outcome {
    arithmetic::add(Layout::of(format), a, b)
}
