//! LLVM's APFloat, through its port `rustc_apfloat`: values and most flags of
//! all five formats.
//!
//! It differs on purpose in two flags, which are left out of the comparison:
//! underflow means there that the delivered result is subnormal, and a result
//! cut down to the largest finite number (overflow toward zero) is merely inexact.

use axp_golden::float::{Flags, Outcome};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, Rounding};
use rustc_apfloat::ieee::{BFloat, Float8E4M3FN, Float8E5M2, Half, Quad, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};

/// What APFloat answers, NaNs replaced by the canonical one, without the flags
/// that are not [`comparable`].
///
/// # Panics
/// On conversions to fixed point, which it does not have.
pub fn evaluate(config: &FpuConfig, a: u64, b: u64) -> Outcome {
    match config.format {
        FloatFormat::Binary32 => evaluate_in::<Single>(config, a, b),
        FloatFormat::Bfloat16 => evaluate_in::<BFloat>(config, a, b),
        FloatFormat::Binary16 => evaluate_in::<Half>(config, a, b),
        FloatFormat::E4m3 => evaluate_in::<Float8E4M3FN>(config, a, b),
        FloatFormat::E5m2 => evaluate_in::<Float8E5M2>(config, a, b),
    }
}

/// Our outcome without the flags in which APFloat differs.
pub fn comparable(rounding: Rounding, outcome: Outcome) -> Outcome {
    let overflow = outcome.flags.overflow && rounding == Rounding::NearestEven;
    Outcome { flags: Flags { underflow: false, overflow, ..outcome.flags }, ..outcome }
}

fn evaluate_in<F: Float>(config: &FpuConfig, a: u64, b: u64) -> Outcome
where
    Quad: FloatConvert<F>,
{
    let round = match config.rounding {
        Rounding::NearestEven => Round::NearestTiesToEven,
        Rounding::TowardZero => Round::TowardZero,
    };
    let [x, y] = [a, b].map(|encoding| F::from_bits(encoding.into()));
    let StatusAnd { status, value } = match config.operation {
        FpuOperation::Mul => x.mul_r(y, round),
        FpuOperation::Add => x.add_r(y, round),
        FpuOperation::FromFixed(fixed) => exact(a, fixed).convert_r(round, &mut false),
        FpuOperation::ToFixed(_) => panic!("APFloat has no fixed point"),
    };
    let flags = Flags {
        invalid: status.contains(Status::INVALID_OP),
        overflow: status.contains(Status::OVERFLOW),
        underflow: status.contains(Status::UNDERFLOW),
        inexact: status.contains(Status::INEXACT),
    };
    let bits = if value.is_nan() { config.format.canonical_nan() } else { value.to_bits() as u64 };
    comparable(config.rounding, Outcome { bits, flags })
}

/// A fixed-point number in binary128, which holds 113 bits.
fn exact(a: u64, fixed: FixedFormat) -> Quad {
    let unused = 64 - fixed.width;
    let units = (a << unused) as i64 >> unused;
    let converted = Quad::from_i128(units.into());
    assert_eq!(converted.status, Status::OK);
    converted.value.scalbn(fixed.last_bit)
}
