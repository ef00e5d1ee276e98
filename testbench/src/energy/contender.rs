//! Which processing elements are compared: the design's own, and plain ones.

use axp_spec::{Accumulator, PeConfig};

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
/// design's processing element is made of, gated in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Baseline {
    /// binary32, every pair multiplied and added.
    Plain,
    /// The same netlist with its zero-skip bit on.
    ZeroSkip,
    /// binary32 products, added in a saturating integer of [`FIXED_WIDTH`] bits.
    Fixed,
    /// The same netlist with its zero-skip bit on.
    FixedZeroSkip,
}

impl Baseline {
    /// All of them, the plainest first.
    pub const ALL: [Self; 4] = [Self::Plain, Self::ZeroSkip, Self::Fixed, Self::FixedZeroSkip];

    /// Its name in reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "fp32",
            Self::ZeroSkip => "fp32_zero_skip",
            Self::Fixed => "fp32_fixed",
            Self::FixedZeroSkip => "fp32_fixed_zero_skip",
        }
    }

    /// The baseline of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|baseline| baseline.name() == name)
    }

    /// The processing element. Baselines that differ in the zero-skip bit alone
    /// have one configuration, and so one netlist.
    pub fn contender(self) -> Contender {
        let fixed = matches!(self, Self::Fixed | Self::FixedZeroSkip);
        let config = if fixed {
            // Without a memory no product is stored: their width is of no effect.
            let accumulator = Accumulator::Fixed { width: FIXED_WIDTH, product_width: FIXED_WIDTH };
            PeConfig { accumulator, ..PeConfig::plain("axp_plain_fixed") }
        } else {
            PeConfig::plain("axp_plain")
        };
        let zero_skip = matches!(self, Self::ZeroSkip | Self::FixedZeroSkip);
        Contender { name: self.name().to_owned(), config, zero_skip, range: Range::Window }
    }
}
