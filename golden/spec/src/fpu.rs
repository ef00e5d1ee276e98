//! The configuration of an arithmetic unit: operation, formats, rounding, cuts.

use crate::format::FloatFormat;
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// How a result that does not fit is rounded.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, ties to the even one.
    #[default]
    NearestEven,
    /// Toward zero.
    TowardZero,
}

impl Rounding {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::NearestEven, Self::TowardZero];

    /// Short name, as in module names and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NearestEven => "rne",
            Self::TowardZero => "rtz",
        }
    }
}

/// A two's complement number of `width` bits that counts units of 2^`last_bit`.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct FixedFormat {
    /// Width in bits, sign included: 2 to [`FixedFormat::MAX_WIDTH`].
    pub width: u32,
    /// Exponent of the weight of the last bit:
    /// [`FixedFormat::MIN_LAST_BIT`] to [`FixedFormat::MAX_LAST_BIT`].
    pub last_bit: i32,
}

impl FixedFormat {
    /// Most bits.
    pub const MAX_WIDTH: u32 = 64;
    /// Fewest bits of an accumulator.
    pub const MIN_ACCUMULATOR: u32 = 8;
    /// Least exponent of the last bit.
    pub const MIN_LAST_BIT: i32 = -256;
    /// Greatest exponent of the last bit.
    pub const MAX_LAST_BIT: i32 = 255;

    /// The encoding of the greatest number; the least one is its complement.
    pub const fn greatest(self) -> u64 {
        (1 << (self.width - 1)) - 1
    }

    /// All bits of an encoding.
    pub const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.width)
    }
}

/// What an arithmetic unit computes.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum FpuOperation {
    /// `a * b`.
    Mul,
    /// `a + b`.
    Add,
    /// From floating to fixed point, saturating.
    ToFixed(FixedFormat),
    /// From fixed to floating point.
    FromFixed(FixedFormat),
}

impl FpuOperation {
    /// Short name, as in module names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mul => "mul",
            Self::Add => "add",
            Self::ToFixed(_) => "to_fixed",
            Self::FromFixed(_) => "from_fixed",
        }
    }

    /// How many operands a case has.
    pub const fn operands(self) -> usize {
        match self {
            Self::Mul | Self::Add => 2,
            Self::ToFixed(_) | Self::FromFixed(_) => 1,
        }
    }
}

/// What the significand multiplier is made of.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum MultiplierStyle {
    /// A Dadda tree of full-adder cells under a carry-propagate adder.
    #[default]
    Dadda,
    /// Radix-4 Booth recoding over the same kind of tree.
    Booth,
    /// Verilog's `*`: for the DSP blocks of FPGAs.
    Operator,
}

/// An arithmetic unit. One configuration is one netlist.
///
/// Ports of a combinational unit (`stages` = 0), in this order:
///
/// | port | width | |
/// |---|---|---|
/// | `a_i` | operand | first or only operand |
/// | `b_i` | operand | second operand (`mul`, `add`) |
/// | `result_o` | result | |
/// | `flags_o` | 5 | if `flags`: invalid, infinite (always 0), overflow, underflow, inexact, from bit 4 down, as SoftFloat and TestFloat have them |
///
/// With `stages` > 0 the ports `clk_i`, `test_en_i` and `en_i` (`stages` bits:
/// bit k clocks the registers of cut k) come first.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct FpuConfig {
    /// What is computed.
    pub operation: FpuOperation,
    /// The floating-point format.
    pub format: FloatFormat,
    /// How results are rounded.
    pub rounding: Rounding,
    /// What the multiplier is made of (`mul` alone).
    #[serde(default)]
    pub multiplier: MultiplierStyle,
    /// Whether there is a port `flags_o`.
    #[serde(default = "yes")]
    pub flags: bool,
    /// Pipeline cuts: 0 to 2 for `mul`, 0 or 1 for `add`, 0 for conversions.
    #[serde(default)]
    pub stages: u32,
}

const fn yes() -> bool {
    true
}

/// Why an arithmetic unit cannot be built.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum FpuConfigError {
    /// Too many pipeline cuts.
    #[error("{operation} with {stages} pipeline cuts cannot be built: at most {most}")]
    Stages {
        /// The operation's name.
        operation: &'static str,
        /// What was asked for.
        stages: u32,
        /// The most there can be.
        most: u32,
    },
    /// The fixed-point format is outside the supported range.
    #[error(
        "a fixed-point number of {} bits with a last bit of 2^{} cannot be built: use 2 to {} bits and {} to {}",
        .0.width, .0.last_bit, FixedFormat::MAX_WIDTH, FixedFormat::MIN_LAST_BIT, FixedFormat::MAX_LAST_BIT
    )]
    Fixed(FixedFormat),
}

impl FpuConfig {
    /// A combinational unit with the default multiplier.
    pub const fn new(operation: FpuOperation, format: FloatFormat, rounding: Rounding) -> Self {
        Self { operation, format, rounding, multiplier: MultiplierStyle::Dadda, flags: true, stages: 0 }
    }

    /// Checks the ranges that the types cannot.
    ///
    /// # Errors
    /// Too many cuts, or a fixed-point format out of range.
    pub fn validate(&self) -> Result<(), FpuConfigError> {
        let most = match self.operation {
            FpuOperation::Mul => 2,
            FpuOperation::Add => 1,
            _ => 0,
        };
        if self.stages > most {
            return Err(FpuConfigError::Stages { operation: self.operation.name(), stages: self.stages, most });
        }
        match self.operation {
            FpuOperation::ToFixed(fixed) | FpuOperation::FromFixed(fixed)
                if !(2..=FixedFormat::MAX_WIDTH).contains(&fixed.width)
                    || !(FixedFormat::MIN_LAST_BIT..=FixedFormat::MAX_LAST_BIT).contains(&fixed.last_bit) =>
            {
                Err(FpuConfigError::Fixed(fixed))
            }
            _ => Ok(()),
        }
    }

    /// Clock cycles from operands to result.
    pub const fn latency(&self) -> u32 {
        self.stages
    }

    /// Width in bits of an operand.
    pub const fn operand_bits(&self) -> u32 {
        match self.operation {
            FpuOperation::FromFixed(fixed) => fixed.width,
            _ => self.format.width(),
        }
    }

    /// Width in bits of the result.
    pub const fn result_bits(&self) -> u32 {
        match self.operation {
            FpuOperation::ToFixed(fixed) => fixed.width,
            _ => self.format.width(),
        }
    }

    /// Name of the module, a function of the configuration alone, such as
    /// `axp_fp_mul_fp32_rne` or `axp_fp_to_fixed_bf16_rne_w24_m12` (24 bits,
    /// last bit 2^-12).
    pub fn module(&self) -> String {
        let mut name = format!("axp_fp_{}_{}_{}", self.operation.name(), self.format, self.rounding.name());
        if let FpuOperation::ToFixed(fixed) | FpuOperation::FromFixed(fixed) = self.operation {
            let sign = if fixed.last_bit < 0 { 'm' } else { 'p' };
            name += &format!("_w{}_{sign}{}", fixed.width, fixed.last_bit.unsigned_abs());
        }
        match (self.operation, self.multiplier) {
            (FpuOperation::Mul, MultiplierStyle::Booth) => name += "_booth",
            (FpuOperation::Mul, MultiplierStyle::Operator) => name += "_operator",
            _ => {}
        }
        if !self.flags {
            name += "_noflags";
        }
        if self.stages > 0 {
            name += &format!("_s{}", self.stages);
        }
        name
    }
}

impl fmt::Display for FpuConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.module())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_configurations_apart() {
        let fixed = FixedFormat { width: 24, last_bit: -12 };
        let mut config = FpuConfig::new(FpuOperation::ToFixed(fixed), FloatFormat::Bfloat16, Rounding::NearestEven);
        assert_eq!(config.module(), "axp_fp_to_fixed_bf16_rne_w24_m12");
        config.operation = FpuOperation::Mul;
        config.multiplier = MultiplierStyle::Operator;
        config.stages = 2;
        assert_eq!(config.module(), "axp_fp_mul_bf16_rne_operator_s2");
    }

    #[test]
    fn ranges_are_checked() {
        let build = |operation, stages| FpuConfig {
            stages,
            ..FpuConfig::new(operation, FloatFormat::Binary32, Rounding::TowardZero)
        };
        assert_eq!(build(FpuOperation::Mul, 2).validate(), Ok(()));
        assert!(build(FpuOperation::Mul, 3).validate().is_err());
        assert!(build(FpuOperation::Add, 2).validate().is_err());
        for (width, last_bit) in [(1, 0), (65, 0), (8, -257), (8, 256)] {
            let fixed = FixedFormat { width, last_bit };
            assert_eq!(build(FpuOperation::FromFixed(fixed), 0).validate(), Err(FpuConfigError::Fixed(fixed)));
        }
        assert_eq!((FixedFormat { width: 64, last_bit: 0 }).mask(), u64::MAX);
        assert_eq!((FixedFormat { width: 8, last_bit: 0 }).greatest(), 127);
    }
}
