//! Every operation with its rounding mode spelled out.
//!
//! Encodings are given and returned in the low bits of a word. Bits of an
//! operand above the width of its format are ignored, those of a result are 0.

use super::layout::Layout;
use super::{Outcome, arithmetic, fixed};
use axp_spec::{FixedFormat, FloatFormat, Rounding};

/// The product `a * b`, correctly rounded.
#[inline]
pub fn mul(format: FloatFormat, rounding: Rounding, a: u64, b: u64) -> Outcome {
    arithmetic::mul(Layout::of(format), rounding, a, b)
}

/// The sum `a + b`, correctly rounded. An exact zero from operands of opposite
/// sign is +0.
#[inline]
pub fn add(format: FloatFormat, rounding: Rounding, a: u64, b: u64) -> Outcome {
    arithmetic::add(Layout::of(format), rounding, a, b)
}

/// The number `a` as a multiple of 2^`fixed.last_bit`, in two's complement.
///
/// What is out of range after rounding, ±infinity included, becomes the nearest
/// limit and raises overflow and inexact. A NaN, quiet or not, becomes 0 and
/// raises invalid. There is no underflow, and no negative zero.
///
/// # Panics
/// If `fixed` is outside the ranges that [`axp_spec::FpuConfig::validate`] checks.
#[inline]
pub fn to_fixed(format: FloatFormat, fixed: FixedFormat, rounding: Rounding, a: u64) -> Outcome {
    fixed::to_fixed(Layout::of(format), fixed, rounding, a)
}

/// The two's complement number `a`, which counts units of 2^`fixed.last_bit`,
/// correctly rounded; 0 is +0. Overflow and underflow are those of a product.
///
/// # Panics
/// If `fixed` is outside the ranges that [`axp_spec::FpuConfig::validate`] checks.
#[inline]
pub fn from_fixed(format: FloatFormat, fixed: FixedFormat, rounding: Rounding, a: u64) -> Outcome {
    fixed::from_fixed(Layout::of(format), fixed, rounding, a)
}
