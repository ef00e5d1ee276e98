//! Which processing elements are compared: the design's own, and plain ones.

use axp_spec::{Accumulator, NarrowOperands, PeConfig};

/// Width in bits of the fixed-point baselines' accumulator.
pub const FIXED_WIDTH: u32 = 24;

/// Where the range of a fixed-point accumulator comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The design says it, layer by layer.
    Design,
    /// The design says it, but the products are not its own: exact ones may leave a range that
    /// stored ones just do not, which is no fault.
    Same,
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
    /// binary32 products, added in an integer as wide as the design's, with its ranges.
    SameSum,
    /// The same, zeros skipped.
    SameSumZeroSkip,
    /// bfloat16 operands, binary32 products and sums.
    Bf16,
    /// The same, zeros skipped.
    Bf16ZeroSkip,
    /// bfloat16 operands, added in a saturating integer of [`FIXED_WIDTH`] bits.
    Bf16Fixed,
    /// The same, zeros skipped.
    Bf16FixedZeroSkip,
    /// bfloat16 operands, added in an integer as wide as the design's, with its ranges.
    Bf16SameSum,
    /// The same, zeros skipped.
    Bf16SameSumZeroSkip,
    /// Integers of 8 bits, added in one of 32.
    Int8,
    /// The same, zeros skipped.
    Int8ZeroSkip,
}

impl Baseline {
    /// All of them, the plainest first.
    pub const ALL: [Self; 14] = [
        Self::Plain,
        Self::ZeroSkip,
        Self::Fixed,
        Self::FixedZeroSkip,
        Self::SameSum,
        Self::SameSumZeroSkip,
        Self::Bf16,
        Self::Bf16ZeroSkip,
        Self::Bf16Fixed,
        Self::Bf16FixedZeroSkip,
        Self::Bf16SameSum,
        Self::Bf16SameSumZeroSkip,
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
            Self::SameSum => "fp32_same",
            Self::SameSumZeroSkip => "fp32_same_zero_skip",
            Self::Bf16 => "bf16",
            Self::Bf16ZeroSkip => "bf16_zero_skip",
            Self::Bf16Fixed => "bf16_fixed",
            Self::Bf16FixedZeroSkip => "bf16_fixed_zero_skip",
            Self::Bf16SameSum => "bf16_same",
            Self::Bf16SameSumZeroSkip => "bf16_same_zero_skip",
            Self::Int8 => "int8",
            Self::Int8ZeroSkip => "int8_zero_skip",
        }
    }

    /// The baseline of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|baseline| baseline.name() == name)
    }

    /// The processing element by itself. Baselines that differ in the zero-skip bit alone
    /// have one configuration, and so one netlist.
    pub fn contender(self) -> Contender {
        self.with_sum(FIXED_WIDTH)
    }

    /// The processing element to compare with this design; none if it has the design's fixed-point
    /// sum and the design has none.
    pub fn beside(self, design: &PeConfig) -> Option<Contender> {
        match (self.has_same_sum(), design.accumulator) {
            (false, _) => Some(self.contender()),
            (true, Accumulator::Fixed { width, .. }) => Some(self.with_sum(width)),
            (true, Accumulator::Float) => None,
        }
    }

    /// Whether its sum is as wide as the design's.
    const fn has_same_sum(self) -> bool {
        matches!(self, Self::SameSum | Self::SameSumZeroSkip | Self::Bf16SameSum | Self::Bf16SameSumZeroSkip)
    }

    fn with_sum(self, width: u32) -> Contender {
        // Without a memory no product is stored: their width is of no effect.
        let fixed = Accumulator::Fixed { width, product_width: width };
        let bfloat16 = Some(NarrowOperands::Bfloat16);
        let (name, operands, accumulator) = match self {
            Self::Plain | Self::ZeroSkip => ("axp_plain", None, Accumulator::Float),
            Self::Fixed | Self::FixedZeroSkip | Self::SameSum | Self::SameSumZeroSkip => {
                ("axp_plain_fixed", None, fixed)
            }
            Self::Bf16 | Self::Bf16ZeroSkip => ("axp_plain_bf16", bfloat16, Accumulator::Float),
            Self::Bf16Fixed | Self::Bf16FixedZeroSkip | Self::Bf16SameSum | Self::Bf16SameSumZeroSkip => {
                ("axp_plain_bf16_fixed", bfloat16, fixed)
            }
            Self::Int8 | Self::Int8ZeroSkip => ("axp_plain_int8", Some(NarrowOperands::Int8), Accumulator::Float),
        };
        let bits = if width == FIXED_WIDTH { String::new() } else { width.to_string() };
        let config = PeConfig { operands, accumulator, ..PeConfig::plain(&format!("{name}{bits}")) };
        let zero_skip = matches!(
            self,
            Self::ZeroSkip
                | Self::FixedZeroSkip
                | Self::SameSumZeroSkip
                | Self::Bf16ZeroSkip
                | Self::Bf16FixedZeroSkip
                | Self::Bf16SameSumZeroSkip
                | Self::Int8ZeroSkip
        );
        let range = if self.has_same_sum() { Range::Same } else { Range::Window };
        Contender { name: self.name().to_owned(), config, zero_skip, range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sum_is_the_design_s() {
        let fixed =
            |width| PeConfig { accumulator: Accumulator::Fixed { width, product_width: 4 }, ..PeConfig::plain("a") };
        for baseline in Baseline::ALL {
            assert_eq!(Baseline::of_name(baseline.name()), Some(baseline));
            let same = baseline.name().contains("_same");
            let found = baseline.beside(&fixed(10)).unwrap();
            assert_eq!((found.range == Range::Same, found.zero_skip), (same, baseline.name().ends_with("zero_skip")));
            assert_eq!(found == baseline.contender(), !same);
            assert!(found.config.validate().is_ok());
            if same {
                assert_eq!(found.config.accumulator, Accumulator::Fixed { width: 10, product_width: 10 });
                assert_eq!(baseline.beside(&PeConfig::plain("a")), None);
            }
        }
        // As wide as the other ones: the same netlist.
        let (same, own) = (Baseline::Bf16SameSum.beside(&fixed(FIXED_WIDTH)).unwrap(), Baseline::Bf16Fixed.contender());
        assert_eq!(same.config, own.config);
    }
}
