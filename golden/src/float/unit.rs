//! An arithmetic unit as its configuration describes it: operands in, result and flags out.

use super::{Outcome, rounded};
use axp_spec::{FpuConfig, FpuOperation};

/// What a unit of `config` answers to the operands `a` and `b` (ignored by
/// conversions): the result in the low [`FpuConfig::result_bits`] bits, those
/// above 0, and the flags. Pipeline cuts and the kind of multiplier make no
/// difference.
///
/// Bits of an operand above [`FpuConfig::operand_bits`] are ignored.
///
/// ```
/// use axp_golden::float;
/// use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, Rounding};
///
/// // 1.75 in quarters is 7, and in ones it is 2 after rounding.
/// let quarters = FpuOperation::ToFixed(FixedFormat { width: 8, last_bit: -2 });
/// let ones = FpuOperation::ToFixed(FixedFormat { width: 8, last_bit: 0 });
/// let [quarters, ones] =
///     [quarters, ones].map(|operation| FpuConfig::new(operation, FloatFormat::Binary16, Rounding::NearestEven));
/// assert_eq!(float::evaluate(&quarters, 0x3F00, 0).bits, 7);
/// assert_eq!(float::evaluate(&ones, 0x3F00, 0).bits, 2);
/// assert!(float::evaluate(&ones, 0x3F00, 0).flags.inexact);
/// ```
///
/// # Panics
/// If a fixed-point format is outside the ranges that [`FpuConfig::validate`] checks.
#[inline]
pub fn evaluate(config: &FpuConfig, a: u64, b: u64) -> Outcome {
    let (format, rounding) = (config.format, config.rounding);
    match config.operation {
        FpuOperation::Mul => rounded::mul(format, rounding, a, b),
        FpuOperation::Add => rounded::add(format, rounding, a, b),
        FpuOperation::ToFixed(fixed) => rounded::to_fixed(format, fixed, rounding, a),
        FpuOperation::FromFixed(fixed) => rounded::from_fixed(format, fixed, rounding, a),
    }
}
