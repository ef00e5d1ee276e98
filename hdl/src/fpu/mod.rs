//! Floating-point units: multiplier, adder, conversions to and from fixed point.
//!
//! ```text
//! mul: unpack → × ─────────────→ shift → round → pack
//!             └ where to shift ┘
//! add: swap by magnitude → shift right → ± → normalise → round → pack
//! ```
//!
//! IEEE 754 encodings (and FP8) in and out; subnormals kept, one canonical NaN;
//! round to nearest even or toward zero; exceptions as SoftFloat has them. One
//! description serves every format: see [`circuit`](crate::circuit).

mod accumulate;
mod add;
mod fields;
mod from_fixed;
mod full_adders;
mod integer;
mod leading_zeros;
mod mul;
mod ripple;
mod round;
mod shift;
mod significand;
mod stages;
mod to_fixed;
mod widening;

use crate::circuit::Circuit;
use crate::{HdlError, Rtl};
use axp_spec::{FpuConfig, FpuConfigError, FpuOperation};
use round::Rounded;
use rust_hdl::prelude::Block;

pub(crate) use accumulate::{Addend, accumulate};
pub(crate) use from_fixed::ranged_from_fixed;
pub use full_adders::full_adders;
pub(crate) use integer::integer_multiplier;
pub use leading_zeros::leading_zeros;
pub(crate) use ripple::add as ripple_add;
pub use significand::carry_save;
pub(crate) use to_fixed::ranged_to_fixed;
pub(crate) use widening::widening_multiplier;

/// Describes the unit of a configuration, connected and ready to be simulated;
/// its ports are those of [`FpuConfig`].
///
/// # Errors
/// If the configuration is not valid.
pub fn describe(config: &FpuConfig) -> Result<Circuit, FpuConfigError> {
    config.validate()?;
    let mut unit = assemble(config);
    unit.connect_all();
    Ok(unit)
}

/// The Verilog of a configuration.
///
/// # Errors
/// If the configuration is not valid.
pub fn generate(config: &FpuConfig) -> Result<Rtl, HdlError> {
    crate::generate::generate_fpu(config)
}

/// Describes the unit of a configuration that is known to be valid.
pub(crate) fn assemble(config: &FpuConfig) -> Circuit {
    match config.operation {
        FpuOperation::Mul => mul::describe(config),
        FpuOperation::Add => add::describe(config),
        FpuOperation::ToFixed(fixed) => to_fixed::describe(config, fixed),
        FpuOperation::FromFixed(fixed) => from_fixed::describe(config, fixed),
    }
}

/// What a unit is, in one line.
fn doc(config: &FpuConfig) -> String {
    let what = match config.operation {
        FpuOperation::Mul => "multiplier",
        FpuOperation::Add => "adder",
        FpuOperation::ToFixed(_) => "conversion to fixed point",
        FpuOperation::FromFixed(_) => "conversion from fixed point",
    };
    let timing = match config.stages {
        0 => "combinational".to_owned(),
        1 => "1 clock".to_owned(),
        clocks => format!("{clocks} clocks"),
    };
    format!("{} {what}, {timing}", config.format)
}

const FLAGS_DOC: &str = "exceptions: invalid, infinite (never), overflow, underflow, inexact";

/// The result ports.
fn outputs(c: &mut Circuit, rounded: Rounded) {
    c.output("result_o", rounded.result, "result");
    if let Some(flags) = rounded.flags {
        c.output("flags_o", flags, FLAGS_DOC);
    }
}
