//! Berkeley SoftFloat 3, through `softfloat-wrapper`: values and all flags.
//!
//! The wrapper's default build, "8086-SSE", detects tininess after rounding
//! (`tininess.rs` shows that it does). Its `BF16` is of no use here: it cuts a
//! binary32 result off instead of rounding it.

use axp_golden::float::{Flags, Outcome};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, Rounding};
use softfloat_wrapper::{ExceptionFlags, F16, F32, F64, Float, RoundingMode};

/// What SoftFloat answers, NaNs replaced by the canonical one; `None` where it
/// does not have the format or the operation.
pub fn evaluate(config: &FpuConfig, a: u64, b: u64) -> Option<Outcome> {
    let mode = mode(config.rounding);
    let raised = ExceptionFlags::default();
    raised.set();
    let bits = match (config.format, config.operation) {
        (FloatFormat::Binary32, FpuOperation::Mul) => f32(a).mul(f32(b), mode).to_bits().into(),
        (FloatFormat::Binary32, FpuOperation::Add) => f32(a).add(f32(b), mode).to_bits().into(),
        (FloatFormat::Binary32, FpuOperation::FromFixed(fixed)) => scaled(a, fixed)?.to_f32(mode).to_bits().into(),
        (FloatFormat::Binary16, FpuOperation::Mul) => f16(a).mul(f16(b), mode).to_bits().into(),
        (FloatFormat::Binary16, FpuOperation::Add) => f16(a).add(f16(b), mode).to_bits().into(),
        (FloatFormat::Binary16, FpuOperation::FromFixed(fixed)) => scaled(a, fixed)?.to_f16(mode).to_bits().into(),
        _ => return None,
    };
    let magnitude = bits & (config.format.sign_mask() - 1);
    let is_nan = magnitude > config.format.exponent_mask();
    Some(Outcome { bits: if is_nan { config.format.canonical_nan() } else { bits }, flags: flags(raised) })
}

/// The integer that SoftFloat converts `a` to, 32 or 64 bits wide, with its
/// flags. It knows neither saturation with overflow nor a NaN that becomes 0:
/// both are invalid there.
pub fn to_integer(format: FloatFormat, width: u32, rounding: Rounding, a: u64) -> Outcome {
    let mode = mode(rounding);
    let raised = ExceptionFlags::default();
    raised.set();
    let bits = match (format, width) {
        (FloatFormat::Binary32, 32) => u64::from(f32(a).to_i32(mode, true) as u32),
        (FloatFormat::Binary32, 64) => f32(a).to_i64(mode, true) as u64,
        (FloatFormat::Binary16, 32) => u64::from(f16(a).to_i32(mode, true) as u32),
        (FloatFormat::Binary16, 64) => f16(a).to_i64(mode, true) as u64,
        _ => panic!("SoftFloat does not convert {format} to {width} bits"),
    };
    Outcome { bits, flags: flags(raised) }
}

/// A fixed-point number in binary64, if it is exact there.
fn scaled(a: u64, fixed: FixedFormat) -> Option<F64> {
    if fixed.width > 53 {
        return None;
    }
    let unused = 64 - fixed.width;
    let value = ((a << unused) as i64 >> unused) as f64 * 2f64.powi(fixed.last_bit);
    Some(F64::from_bits(value.to_bits()))
}

fn flags(mut raised: ExceptionFlags) -> Flags {
    raised.get();
    Flags::from_bits(raised.to_bits()).expect("no division takes place")
}

fn f32(encoding: u64) -> F32 {
    F32::from_bits(encoding as u32)
}

fn f16(encoding: u64) -> F16 {
    F16::from_bits(encoding as u16)
}

const fn mode(rounding: Rounding) -> RoundingMode {
    match rounding {
        Rounding::NearestEven => RoundingMode::TiesToEven,
        Rounding::TowardZero => RoundingMode::TowardZero,
    }
}
