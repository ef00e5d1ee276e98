//! Which processing elements are compared: the design's own, and plain ones.

use axp_spec::{Accumulator, NarrowOperands, PeConfig};

/// Width in bits of the fixed-point baselines' accumulator.
pub const FIXED_WIDTH: u32 = 24;

/// Where the range of a fixed-point accumulator comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The design says it, layer by layer.
    Design,
    /// The window does, see [`LayerWindow::range`](super::LayerWindow::range).
    Window,
}

/// A processing element to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// What it is called in reports.
    pub name: String,
    /// What is built into its netlist.
    pub config: PeConfig,
    /// State of its zero-skip bit.
    pub zero_skip: bool,
    /// Where the range of a fixed-point accumulator comes from.
    pub range: Range,
}

impl Contender {
    /// The processing element of a design.
    pub fn design(config: &PeConfig, zero_skip: bool) -> Self {
        Self { name: "design".to_owned(), config: config.clone(), zero_skip, range: Range::Design }
    }
}

/// A plain multiply-accumulate without a memory, from the parts that the
/// design's processing element is made of, gated in the same way. Each comes twice:
/// as it is, and the same netlist with its zero-skip bit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Baseline {
    /// binary32, every pair multiplied and added.
    Plain,
    /// The same, zeros skipped.
    ZeroSkip,
    /// binary32 products, added in a saturating integer of [`FIXED_WIDTH`] bits.
    Fixed,
    /// The same, zeros skipped.
    FixedZeroSkip,
    /// bfloat16 operands, binary32 products and sums.
    Bf16,
    /// The same, zeros skipped.
    Bf16ZeroSkip,
    /// bfloat16 operands, added in a saturating integer of [`FIXED_WIDTH`] bits.
    Bf16Fixed,
    /// The same, zeros skipped.
    Bf16FixedZeroSkip,
    /// Integers of 8 bits, added in one of 32.
    Int8,
    /// The same, zeros skipped.
    Int8ZeroSkip,
}

impl Baseline {
    /// All of them, the plainest first.
    pub const ALL: [Self; 10] = [
        Self::Plain,
        Self::ZeroSkip,
        Self::Fixed,
        Self::FixedZeroSkip,
        Self::Bf16,
        Self::Bf16ZeroSkip,
        Self::Bf16Fixed,
        Self::Bf16FixedZeroSkip,
        Self::Int8,
        Self::Int8ZeroSkip,
    ];

    /// Its name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "fp32",
            Self::ZeroSkip => "fp32_zero_skip",
            Self::Fixed => "fp32_fixed",
            Self::FixedZeroSkip => "fp32_fixed_zero_skip",
            Self::Bf16 => "bf16",
            Self::Bf16ZeroSkip => "bf16_zero_skip",
            Self::Bf16Fixed => "bf16_fixed",
            Self::Bf16FixedZeroSkip => "bf16_fixed_zero_skip",
            Self::Int8 => "int8",
            Self::Int8ZeroSkip => "int8_zero_skip",
        }
    }

    /// The baseline of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|baseline| baseline.name() == name)
    }

    /// The processing element. Baselines that differ in the zero-skip bit alone
    /// have one configuration, and so one netlist.
    pub fn contender(self) -> Contender {
        // Without a memory no product is stored: their width is of no effect.
        let fixed = Accumulator::Fixed { width: FIXED_WIDTH, product_width: FIXED_WIDTH };
        let (name, operands, accumulator) = match self {
            Self::Plain | Self::ZeroSkip => ("axp_plain", None, Accumulator::Float),
            Self::Fixed | Self::FixedZeroSkip => ("axp_plain_fixed", None, fixed),
            Self::Bf16 | Self::Bf16ZeroSkip => ("axp_plain_bf16", Some(NarrowOperands::Bfloat16), Accumulator::Float),
            Self::Bf16Fixed | Self::Bf16FixedZeroSkip => {
                ("axp_plain_bf16_fixed", Some(NarrowOperands::Bfloat16), fixed)
            }
            Self::Int8 | Self::Int8ZeroSkip => ("axp_plain_int8", Some(NarrowOperands::Int8), Accumulator::Float),
        };
        let config = PeConfig { operands, accumulator, ..PeConfig::plain(name) };
        let skips =
            [Self::ZeroSkip, Self::FixedZeroSkip, Self::Bf16ZeroSkip, Self::Bf16FixedZeroSkip, Self::Int8ZeroSkip];
        let zero_skip = skips.contains(&self);
        Contender { name: self.name().to_owned(), config, zero_skip, range: Range::Window }
    }
}
