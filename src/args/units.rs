//! The options of `axp fpu` and `axp synth`: arithmetic units.

use axp_spec::{FloatFormat, MultiplierStyle, Rounding};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What an arithmetic unit computes.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FpuChoice {
    /// a * b
    Mul,
    /// a + b
    Add,
    /// From floating to fixed point, saturating
    ToFixed,
    /// From fixed to floating point
    FromFixed,
}

/// How results are rounded.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundingChoice {
    /// To the nearest, ties to even
    Rne,
    /// Toward zero
    Rtz,
}

impl From<RoundingChoice> for Rounding {
    fn from(choice: RoundingChoice) -> Self {
        match choice {
            RoundingChoice::Rne => Self::NearestEven,
            RoundingChoice::Rtz => Self::TowardZero,
        }
    }
}

/// What the significand multiplier is made of.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiplierChoice {
    /// A Dadda tree of full adders
    Dadda,
    /// Radix-4 Booth recoding over the same kind of tree
    Booth,
    /// Verilog's *
    Operator,
}

impl From<MultiplierChoice> for MultiplierStyle {
    fn from(choice: MultiplierChoice) -> Self {
        match choice {
            MultiplierChoice::Dadda => Self::Dadda,
            MultiplierChoice::Booth => Self::Booth,
            MultiplierChoice::Operator => Self::Operator,
        }
    }
}

#[derive(Args, Debug)]
pub struct FpuOptions {
    /// What to compute
    #[arg(value_enum)]
    pub operation: FpuChoice,
    /// Cases, a line each [default: standard input]
    pub file: Option<PathBuf>,
    /// Floating-point format: fp32, bf16, fp16, e4m3 or e5m2
    #[arg(long, default_value_t = FloatFormat::Binary32)]
    pub format: FloatFormat,
    /// How results are rounded
    #[arg(long, value_enum, default_value_t = RoundingChoice::Rne)]
    pub rounding: RoundingChoice,
    /// Bits of the fixed-point number, sign included (conversions only)
    #[arg(long, value_name = "BITS")]
    pub width: Option<u32>,
    /// Weight of its last bit, as an exponent of 2: 0 for integers (conversions only)
    #[arg(long, value_name = "EXPONENT", allow_negative_numbers = true)]
    pub last_bit: Option<i32>,
    /// Compute with the generated Verilog, in Verilator, instead of the golden model
    #[arg(long)]
    pub rtl: bool,
    /// What the Verilog's significand multiplier is made of
    #[arg(long, value_enum, default_value_t = MultiplierChoice::Dadda)]
    pub multiplier: MultiplierChoice,
    /// Pipeline cuts of the Verilog: 0 to 2 for mul, 0 or 1 for add
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub stages: u32,
}

/// A module that can be synthesised.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[value(rename_all = "snake_case")]
pub enum ModuleChoice {
    /// a * b
    FpMul,
    /// a + b
    FpAdd,
    /// From floating to fixed point
    FpToFixed,
    /// From fixed to floating point
    FixedToFp,
}

/// An FPGA that is placed and routed for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// Lattice iCE40 HX8K
    Ice40,
    /// Lattice ECP5, 85k cells
    Ecp5,
}

#[derive(Args, Debug)]
pub struct SynthOptions {
    /// What to synthesise
    #[arg(long, value_enum)]
    pub module: ModuleChoice,
    /// Floating-point format: fp32, bf16, fp16, e4m3 or e5m2
    #[arg(long, default_value_t = FloatFormat::Binary32)]
    pub format: FloatFormat,
    /// How results are rounded
    #[arg(long, value_enum, default_value_t = RoundingChoice::Rne)]
    pub rounding: RoundingChoice,
    /// What the significand multiplier is made of
    #[arg(long, value_enum, default_value_t = MultiplierChoice::Dadda)]
    pub multiplier: MultiplierChoice,
    /// Pipeline cuts: 0 to 2 for fp_mul, 0 or 1 for fp_add
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub stages: u32,
    /// Bits of the fixed-point number, sign included (conversions only)
    #[arg(long, value_name = "BITS")]
    pub width: Option<u32>,
    /// Weight of its last bit, as an exponent of 2: 0 for integers (conversions only)
    #[arg(long, value_name = "EXPONENT", allow_negative_numbers = true)]
    pub last_bit: Option<i32>,
    /// Liberty file, may be gzipped; can be given several times [default: osu018]
    #[arg(long, value_name = "FILE[.gz]")]
    pub liberty: Vec<PathBuf>,
    /// Longest path in ns that is good enough: the smallest netlist within it wins [default:
    /// 13.5 for fp_mul, 12 otherwise, half again as much on sky130, divided among pipeline stages]
    #[arg(long, value_name = "NS", value_parser = parse_positive)]
    pub period: Option<f64>,
    /// Wire capacitance a fan-out [default: 5 on osu018, 3 on other libraries]
    #[arg(long, value_name = "FF", value_parser = parse_positive)]
    pub wire_load: Option<f64>,
    /// Also place and route for an FPGA; can be given several times
    #[arg(long, value_enum)]
    pub fpga: Vec<DeviceChoice>,
    /// Also measure fp_mul with Verilog's *, and print ratios
    #[arg(long)]
    pub compare: bool,
    /// Folder for the netlists, a file a library
    #[arg(long, value_name = "DIR")]
    pub netlist: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e6 => Ok(value),
        _ => Err("write a positive number".to_owned()),
    }
}
