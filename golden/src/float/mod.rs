//! Bit-level floating-point arithmetic, from integer operations alone:
//! multiply, add, and conversions from and to fixed point.
//!
//! IEEE 754-2019 semantics: round to nearest, ties to even, or toward zero;
//! subnormals kept as operands and as results; tininess detected after
//! rounding. One deviation, which the standard permits: every NaN result is the
//! format's canonical quiet NaN, whatever the payload of the operands.
//!
//! E5M2 is a small IEEE format. E4M3 has no infinity and one NaN a sign, so the
//! largest exponent serves finite numbers, nothing is signalling, and what
//! overflows under round to nearest becomes the NaN. Toward zero, overflow
//! gives the largest finite number in every format.
//!
//! No host floating point takes part, so that the host can serve as the oracle
//! in the tests. The algorithms depend on the field widths only.
//!
//! [`mul()`] and [`add()`] round to nearest even, as the processing element does;
//! [`rounded`] has every operation in both modes, and [`evaluate`] takes the
//! configuration of a hardware unit.
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
pub mod families;
mod fixed;
mod flags;
mod layout;
#[cfg(test)]
mod narrow_tests;
pub mod rounded;
mod unit;

use axp_spec::{FloatFormat, Rounding};
pub use flags::Flags;
pub use unit::evaluate;

/// A result and the exceptions that it raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The encoding, in the low bits; bits above the format's width are 0.
    pub bits: u64,
    /// The exceptions of this operation alone; nothing is sticky.
    pub flags: Flags,
}

/// The product `a * b`, rounded to nearest even.
///
/// `a` and `b` are encodings in `format`; bits above its width are ignored.
#[inline]
pub fn mul(format: FloatFormat, a: u64, b: u64) -> Outcome {
    rounded::mul(format, Rounding::NearestEven, a, b)
}

/// The sum `a + b`, rounded to nearest even. An exact zero from operands of
/// opposite sign is +0.
///
/// `a` and `b` are encodings in `format`; bits above its width are ignored.
#[inline]
pub fn add(format: FloatFormat, a: u64, b: u64) -> Outcome {
    rounded::add(format, Rounding::NearestEven, a, b)
}
