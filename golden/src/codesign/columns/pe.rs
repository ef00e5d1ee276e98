//! Processing elements whose memory has columns: what there is to choose from.

use super::super::agreement::Agreement;
use super::recipe::LayerColumns;
use axp_spec::{Accumulator, AmConfig, FactoredConfig, GridConfig, Organisation, PeConfig, WeightOperand};
use serde::{Deserialize, Serialize};

/// Columns and fraction bits of a `factored` memory, in the order of its products.
const FACTORED: [(u32, u32); 10] =
    [(4, 2), (8, 2), (8, 3), (16, 2), (16, 3), (32, 2), (16, 4), (32, 3), (32, 4), (64, 4)];
/// Significands, powers of two and fraction bits of a `factored` memory whose columns share
/// significands, in the same order.
const SHARED: [(u32, u32, u32); 10] =
    [(2, 4, 2), (2, 8, 2), (4, 4, 2), (4, 8, 2), (4, 4, 3), (4, 8, 3), (8, 4, 3), (8, 8, 3), (8, 8, 4), (16, 4, 4)];
/// Bits of fixed-point sums that there are to choose from, and of the products that a `factored`
/// memory stores for them.
const FIXED: [(u32, u32); 6] = [(10, 4), (12, 5), (14, 6), (16, 6), (20, 8), (24, 9)];
/// Bits of the products that a `factored` memory stores beside a binary32 sum.
const SHORT: [u32; 2] = [6, 9];
/// Most powers of two of weights that are given by value: what is smaller hardly counts.
const EXPONENTS: u32 = 10;
/// Magnitudes of a codebook of weights by value: with both signs as many values as inference looks
/// up in registers (`infer/sources.rs`).
const MAGNITUDES: u32 = 64;
/// Patterns and columns of a `grid`, in the same order.
const GRID: [(u32, u32); 9] = [(12, 4), (16, 8), (24, 8), (24, 16), (32, 16), (48, 16), (32, 32), (64, 16), (15, 64)];

/// An organisation whose memory has columns.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum ColumnMemory {
    /// [`Organisation::Grid`].
    Grid,
    /// [`Organisation::Factored`].
    Factored,
}

/// What products are summed in, and how they are stored.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The accumulator.
    pub accumulator: Accumulator,
    /// Bits of a stored product beside a floating-point sum, see [`AmConfig::product_bits`].
    pub product_bits: Option<u32>,
}

impl Sum {
    /// A binary32 sum.
    pub fn float(product_bits: Option<u32>) -> Self {
        Self { accumulator: Accumulator::Float, product_bits }
    }

    /// A fixed-point sum of so many bits.
    pub fn fixed(width: u32, product_width: u32) -> Self {
        Self { accumulator: Accumulator::Fixed { width, product_width }, product_bits: None }
    }

    /// A fixed-point sum of `width` bits, and products of as many as go with it.
    pub fn of_width(memory: ColumnMemory, width: u32) -> Self {
        let product = match memory {
            ColumnMemory::Grid => 3 * width / 4,
            // Those of the next narrower sum that there is to choose from.
            ColumnMemory::Factored => {
                FIXED.iter().rev().find(|(fixed, _)| *fixed <= width).unwrap_or(&FIXED[0]).1.min(width - 1)
            }
        };
        Self::fixed(width, product.min(32))
    }

    /// The fixed-point sums that there are to choose from, the narrowest first.
    pub fn choices(memory: ColumnMemory) -> Vec<Self> {
        FIXED.iter().map(|(width, _)| Self::of_width(memory, *width)).collect()
    }

    /// The binary32 sums that there are to choose from, those with the shortest products first.
    pub fn floats(memory: ColumnMemory) -> Vec<Self> {
        match memory {
            ColumnMemory::Factored => SHORT.iter().map(|bits| Self::float(Some(*bits))).collect(),
            ColumnMemory::Grid => vec![Self::float(None)],
        }
    }

    /// Bits of the sum and of a stored product.
    fn bits(&self) -> [u32; 2] {
        match self.accumulator {
            Accumulator::Float => [32, self.product_bits.unwrap_or(32)],
            Accumulator::Fixed { width, product_width } => [width, product_width],
        }
    }
}

/// Which memory, and what is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnOptions {
    /// The organisation.
    pub memory: ColumnMemory,
    /// How weights come to the PE. A design says nothing of the columns of a grid with
    /// weights by value, so that a grid always gets them by index.
    pub weight: WeightOperand,
    /// What products may be summed in.
    pub sums: Vec<Sum>,
    /// Whether the rows of all layers are built into the PE.
    pub frozen: bool,
    /// The only size that is tried, instead of all of them: columns and mantissa
    /// bits of a `factored` memory, patterns and columns of a `grid`.
    pub size: Option<(u32, u32)>,
    /// With a `size`, how many significands the columns of a `factored` memory share.
    pub fractions: Option<u32>,
}

/// The sizes of a memory that there are to choose from, see [`Kind::size`].
pub fn sizes(memory: ColumnMemory) -> &'static [(u32, u32)] {
    match memory {
        ColumnMemory::Factored => &FACTORED,
        ColumnMemory::Grid => &GRID,
    }
}

/// The sizes of a `factored` memory whose columns share significands, and how many of these,
/// see [`Kind::fractions`].
pub fn shared_sizes() -> impl Iterator<Item = ((u32, u32), u32)> {
    SHARED.into_iter().map(|(fractions, exponents, bits)| ((fractions * exponents, bits), fractions))
}

impl ColumnOptions {
    /// Every memory with every sum: memories with the smallest first, each with its
    /// widest sum first.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut sums = self.sums.clone();
        sums.sort_by_key(|sum| std::cmp::Reverse(sum.bits()));
        let plain = |size: &(u32, u32)| (*size, None);
        let mut chosen: Vec<((u32, u32), Option<u32>)> = match self.size {
            Some(size) => vec![(size, self.fractions)],
            None => sizes(self.memory).iter().map(plain).collect(),
        };
        // In logic, columns with the same products are one. In a memory that is written they are not.
        let shares = self.memory == ColumnMemory::Factored && self.operand() == WeightOperand::Index && self.frozen;
        if shares && self.size.is_none() {
            chosen.extend(shared_sizes().map(|(size, fractions)| (size, Some(fractions))));
        }
        let kind = |(size, fractions): &((u32, u32), Option<u32>), sum: &Sum| Kind {
            memory: self.memory,
            size: *size,
            sum: *sum,
            fractions: *fractions,
        };
        chosen.iter().flat_map(|size| sums.iter().map(move |sum| kind(size, sum))).collect()
    }

    /// How weights really come to the PE.
    pub fn operand(&self) -> WeightOperand {
        match self.memory {
            ColumnMemory::Grid => WeightOperand::Index,
            ColumnMemory::Factored => self.weight,
        }
    }

    /// Whether a layer may run without rows: its weights need no columns then, but a PE
    /// that is given weights by index has no others.
    pub(super) fn may_be_exact(&self) -> bool {
        self.operand() == WeightOperand::Value
    }
}

/// A memory and a sum.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The organisation.
    pub memory: ColumnMemory,
    /// Columns and mantissa bits of a `factored` memory, patterns and columns of a `grid`.
    pub size: (u32, u32),
    /// The sum.
    pub sum: Sum,
    /// How many significands the columns of a `factored` memory share, each at several powers of
    /// two; none where each column has a magnitude of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fractions: Option<u32>,
}

impl Kind {
    /// Columns of the memory.
    pub fn columns(&self) -> u32 {
        match self.memory {
            ColumnMemory::Factored => self.size.0,
            ColumnMemory::Grid => self.size.1,
        }
    }

    /// Different products in the memory.
    pub fn products(&self) -> u64 {
        match self.memory {
            ColumnMemory::Factored => u64::from(self.fractions.unwrap_or(self.size.0)) << self.size.1,
            ColumnMemory::Grid => u64::from(self.size.0) * u64::from(self.size.1),
        }
    }

    /// What layers run with that use all of it.
    pub(super) fn whole(&self, weight: WeightOperand) -> LayerColumns {
        match (self.memory, weight, self.fractions) {
            (_, _, Some(fractions)) => LayerColumns::Shared { fractions, exponents: self.size.0 / fractions.max(1) },
            // Weights by value have any exponent, and a column a significand.
            (ColumnMemory::Factored, WeightOperand::Value, None) => {
                let exponents = (MAGNITUDES / self.size.0.max(1)).clamp(1, EXPONENTS);
                LayerColumns::Shared { fractions: self.size.0, exponents }
            }
            _ => LayerColumns::Columns(self.columns()),
        }
    }

    /// Whether this one has at least as much of everything.
    pub(super) fn covers(&self, other: &Self) -> bool {
        // Shared significands and columns of their own are two different things.
        if self.fractions.is_some() != other.fractions.is_some() || self.fractions < other.fractions {
            return false;
        }
        let powers = |kind: &Self| kind.fractions.map_or(1, |fractions| kind.size.0 / fractions.max(1));
        let parts = |kind: &Self| [kind.size.0, powers(kind), kind.size.1, kind.sum.bits()[0], kind.sum.bits()[1]];
        parts(self).iter().zip(parts(other)).all(|(own, other)| *own >= other)
    }

    /// Bits of a stored product that a layer could do without, but one: those of a binary32 number
    /// are fixed.
    pub(super) fn stored_bits(&self) -> u32 {
        match (self.sum.accumulator, self.memory) {
            (Accumulator::Fixed { product_width, .. }, _) => product_width,
            (Accumulator::Float, ColumnMemory::Factored) => self.sum.product_bits.unwrap_or(24),
            (Accumulator::Float, ColumnMemory::Grid) => 0,
        }
    }

    fn organisation(&self) -> Organisation {
        let (first, second) = self.size;
        match self.memory {
            ColumnMemory::Factored => Organisation::Factored(FactoredConfig { columns: first, mantissa_bits: second }),
            ColumnMemory::Grid => Organisation::Grid(GridConfig { patterns: first, columns: second }),
        }
    }

    /// The PE, its rows still to be loaded or frozen.
    pub fn pe(&self, weight: WeightOperand, frozen: bool) -> PeConfig {
        let (organisation, Sum { accumulator, product_bits }) = (self.organisation(), self.sum);
        let (what, rows) = match organisation {
            Organisation::Factored(shape) => {
                let significands = self.fractions.map_or(String::new(), |fractions| format!("s{fractions}"));
                (format!("factored_c{}{significands}_m{}", shape.columns, shape.mantissa_bits), shape.rows())
            }
            Organisation::Grid(shape) => (format!("grid_r{}_c{}", shape.patterns, shape.columns), shape.rows()),
            Organisation::Pair => ("pair".to_owned(), 1),
        };
        let sum = match accumulator {
            Accumulator::Float => product_bits.map_or(String::new(), |bits| format!("_p{bits}")),
            Accumulator::Fixed { width, .. } => format!("_fixed{width}"),
        };
        let index = if weight == WeightOperand::Index { "_ix" } else { "" };
        let frozen = if frozen { "_frozen" } else { "" };
        PeConfig {
            am: Some(AmConfig { weight, product_bits, ..AmConfig::new(organisation, rows) }),
            accumulator,
            ..PeConfig::plain(&format!("axp_pe_{what}{sum}{index}{frozen}"))
        }
    }
}

/// Samples of an evaluation that should keep the bound.
const EVALUATION: f64 = 1000.0;

/// Whether the accuracy lost stays within a bound, see
/// [`search::within_bound`](super::super::search::within_bound). One of a few recipes is
/// taken here, not the luckiest of many, and each is judged on samples that it was not made from
/// (unless there are too few), so that the estimate need not be as far below the bound. The cost of the
/// disagreements that did occur, and a standard error, must be below the bound.
///
/// Each disagreement may be lost or won, so that what a thousand samples tell has a standard error
/// of its own: the root of the disagreements' share over the samples. With it the expected loss must
/// stay within two thirds of the bound, or else the bound is missed by chance too often.
pub(super) fn within_bound(agreement: &Agreement, max_loss_pp: f64) -> bool {
    let bound = max_loss_pp / 100.0;
    let chance = (agreement.smoothed_disagreement / EVALUATION).sqrt();
    agreement.expected_loss <= bound / 3.0
        && agreement.expected_loss + chance <= bound * 2.0 / 3.0
        && agreement.flip_loss + agreement.flip_loss_error <= bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_covers_what_it_has_as_much_of() {
        let kind = |size, sum| Kind { memory: ColumnMemory::Factored, size, sum, fractions: None };
        let small = kind((8, 2), Sum::fixed(16, 6));
        assert!(kind((8, 3), Sum::fixed(16, 6)).covers(&small) && small.covers(&small));
        assert!(kind((8, 2), Sum::fixed(24, 9)).covers(&small) && !small.covers(&kind((8, 2), Sum::fixed(24, 9))));
        let shared =
            |fractions, powers| Kind { fractions: Some(fractions), ..kind((fractions * powers, 3), Sum::fixed(16, 6)) };
        assert!(shared(4, 8).covers(&shared(4, 4)) && shared(8, 4).covers(&shared(4, 4)));
        assert!(!shared(4, 4).covers(&shared(2, 8)) && !shared(4, 8).covers(&small) && !small.covers(&shared(2, 2)));
        assert_eq!((shared(4, 8).products(), shared(4, 8).columns()), (32, 32));
        assert_eq!(shared(4, 8).pe(WeightOperand::Index, true).name, "axp_pe_factored_c32s4_m3_fixed16_ix_frozen");
        // More of one and less of another are two different things.
        let (wide, deep) = (kind((16, 2), Sum::fixed(16, 6)), kind((8, 3), Sum::fixed(24, 9)));
        assert!(!wide.covers(&deep) && !deep.covers(&wide));
        assert_eq!((wide.products(), deep.products(), wide.columns()), (64, 64, 16));
    }

    #[test]
    fn what_disagrees_often_is_not_within_the_bound_even_if_little_is_expected() {
        let agreement = |expected_loss: f64, smoothed_disagreement: f64| Agreement {
            samples: 200,
            top1: 1.0,
            smoothed_disagreement,
            expected_loss,
            ..Agreement::default()
        };
        assert!(within_bound(&agreement(0.0033, 0.01), 1.0) && !within_bound(&agreement(0.0034, 0.01), 1.0));
        // The root of 0.019 over 1000 is 0.44 %.
        assert!(within_bound(&agreement(0.0022, 0.019), 1.0) && !within_bound(&agreement(0.0024, 0.019), 1.0));
        assert!(within_bound(&agreement(0.0066, 0.019), 2.0));
    }

    #[test]
    fn the_widest_sum_of_a_size_comes_first() {
        let sums = vec![Sum::fixed(16, 6), Sum::fixed(24, 9)];
        let options = ColumnOptions {
            memory: ColumnMemory::Grid,
            weight: WeightOperand::Value,
            sums,
            frozen: false,
            size: Some((12, 4)),
            fractions: None,
        };
        let kinds = options.kinds();
        assert_eq!(kinds.iter().map(|kind| kind.sum.bits()[0]).collect::<Vec<_>>(), [24, 16]);
        assert_eq!((options.operand(), options.may_be_exact()), (WeightOperand::Index, false));
        assert_eq!(kinds[1].pe(options.operand(), true).name, "axp_pe_grid_r12_c4_fixed16_ix_frozen");
    }
}
