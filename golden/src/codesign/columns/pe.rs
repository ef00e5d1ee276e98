//! Processing elements whose memory has columns: what there is to choose from.

use super::super::agreement::Agreement;
use axp_spec::{Accumulator, AmConfig, FactoredConfig, GridConfig, Organisation, PeConfig, WeightOperand};
use serde::{Deserialize, Serialize};

/// Columns and fraction bits of a `factored` memory, in the order of its products.
const FACTORED: [(u32, u32); 10] =
    [(4, 2), (8, 2), (8, 3), (16, 2), (16, 3), (32, 2), (16, 4), (32, 3), (32, 4), (64, 4)];
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
}

/// The sizes of a memory that there are to choose from, see [`Kind::size`].
pub fn sizes(memory: ColumnMemory) -> &'static [(u32, u32)] {
    match memory {
        ColumnMemory::Factored => &FACTORED,
        ColumnMemory::Grid => &GRID,
    }
}

impl ColumnOptions {
    /// Every memory with every sum: memories with the smallest first, each with its
    /// widest sum first.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut sums = self.sums.clone();
        sums.sort_by_key(|sum| std::cmp::Reverse(sum.bits()));
        let chosen = self.size.as_ref().map_or(sizes(self.memory), std::slice::from_ref);
        let kinds =
            chosen.iter().flat_map(|size| sums.iter().map(|sum| Kind { memory: self.memory, size: *size, sum: *sum }));
        kinds.collect()
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
}

impl Kind {
    /// Columns of the memory.
    pub fn columns(&self) -> u32 {
        match self.memory {
            ColumnMemory::Factored => self.size.0,
            ColumnMemory::Grid => self.size.1,
        }
    }

    /// Products in the memory.
    pub fn products(&self) -> u64 {
        match self.memory {
            ColumnMemory::Factored => u64::from(self.size.0) << self.size.1,
            ColumnMemory::Grid => u64::from(self.size.0) * u64::from(self.size.1),
        }
    }

    /// Whether this one has at least as much of everything.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let parts = |kind: &Self| [kind.size.0, kind.size.1, kind.sum.bits()[0], kind.sum.bits()[1]];
        parts(self).iter().zip(parts(other)).all(|(own, other)| *own >= other)
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
                (format!("factored_c{}_m{}", shape.columns, shape.mantissa_bits), shape.rows())
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

/// What a layer runs with.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum LayerColumns {
    /// Its own weights and no rows: every product is a miss.
    Exact,
    /// At most so many weight magnitudes.
    Columns(u32),
}

/// A PE and what each layer runs with.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Memory and sum.
    pub kind: Kind,
    /// One entry a layer.
    pub layers: Vec<LayerColumns>,
}

impl Recipe {
    /// All layers with all columns.
    pub fn whole(kind: Kind, layers: usize) -> Self {
        Self { kind, layers: vec![LayerColumns::Columns(kind.columns()); layers] }
    }

    /// Layers that run exactly.
    pub fn exact(&self) -> usize {
        self.layers.iter().filter(|layer| **layer == LayerColumns::Exact).count()
    }
}

/// Whether the accuracy lost stays within a bound, see
/// [`search::within_bound`](super::super::search::within_bound). One of a few recipes is
/// taken here, not the luckiest of many, and each is judged on samples that it was not made from
/// (unless there are too few), so that the estimate need not be as far below the bound. The cost of the
/// disagreements that did occur, and a standard error, must be below the bound.
pub(super) fn within_bound(agreement: &Agreement, max_loss_pp: f64) -> bool {
    let bound = max_loss_pp / 100.0;
    agreement.expected_loss <= bound / 3.0 && agreement.flip_loss + agreement.flip_loss_error <= bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_covers_what_it_has_as_much_of() {
        let kind = |size, sum| Kind { memory: ColumnMemory::Factored, size, sum };
        let small = kind((8, 2), Sum::fixed(16, 6));
        assert!(kind((8, 3), Sum::fixed(16, 6)).covers(&small) && small.covers(&small));
        assert!(kind((8, 2), Sum::fixed(24, 9)).covers(&small) && !small.covers(&kind((8, 2), Sum::fixed(24, 9))));
        // More of one and less of another are two different things.
        let (wide, deep) = (kind((16, 2), Sum::fixed(16, 6)), kind((8, 3), Sum::fixed(24, 9)));
        assert!(!wide.covers(&deep) && !deep.covers(&wide));
        assert_eq!((wide.products(), deep.products(), wide.columns()), (64, 64, 16));
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
        };
        let kinds = options.kinds();
        assert_eq!(kinds.iter().map(|kind| kind.sum.bits()[0]).collect::<Vec<_>>(), [24, 16]);
        assert_eq!((options.operand(), options.may_be_exact()), (WeightOperand::Index, false));
        assert_eq!(kinds[1].pe(options.operand(), true).name, "axp_pe_grid_r12_c4_fixed16_ix_frozen");
    }
}
