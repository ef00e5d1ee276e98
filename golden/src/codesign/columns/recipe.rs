//! What each layer of a network runs with on a PE whose memory has columns.

use super::pe::{ColumnMemory, Kind};
use axp_spec::WeightOperand;
use serde::{Deserialize, Serialize};

/// Fewest magnitudes or significands of a layer.
const FEWEST: u32 = 2;

/// What a layer runs with.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum LayerColumns {
    /// Its own weights and no rows: every product is a miss.
    Exact,
    /// At most so many weight magnitudes.
    Columns(u32),
    /// So many significands, each at so many powers of two.
    Shared {
        /// How many significands.
        fractions: u32,
        /// How many powers of two.
        exponents: u32,
    },
}

impl LayerColumns {
    /// Half of the magnitudes or significands; none where there is no half.
    pub(super) fn half(self) -> Option<Self> {
        match self {
            Self::Exact => None,
            Self::Columns(columns) => (columns / 2 >= FEWEST).then_some(Self::Columns(columns / 2)),
            Self::Shared { fractions, exponents } => {
                (fractions / 2 >= FEWEST).then_some(Self::Shared { fractions: fractions / 2, exponents })
            }
        }
    }
}

/// What the rows of a layer leave unused of what the PE has.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerRows {
    /// How many mantissa bits fewer a `factored` memory tells apart; how many times a `grid` has
    /// half of its patterns.
    pub coarser: u32,
    /// By how many bits the stored products are shorter: so many of their last bits are 0.
    pub shorter: u32,
}

/// A PE and what each layer runs with.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Memory and sum.
    pub kind: Kind,
    /// The weights of each layer.
    pub layers: Vec<LayerColumns>,
    /// The rows of each layer.
    pub rows: Vec<LayerRows>,
}

impl Recipe {
    /// All layers with all columns.
    pub fn whole(kind: Kind, weight: WeightOperand, layers: usize) -> Self {
        Self { kind, layers: vec![kind.whole(weight); layers], rows: vec![LayerRows::default(); layers] }
    }

    /// Recipes in which one layer makes do with less: half of its columns, rows that tell half as much
    /// apart, products that are a bit shorter; none where it cannot.
    pub(super) fn less(&self, layer: usize) -> [Option<Self>; 3] {
        let (columns, rows) = (self.layers[layer], self.rows[layer]);
        if columns == LayerColumns::Exact {
            return [None, None, None];
        }
        let with = |columns: LayerColumns, rows: LayerRows| {
            let mut recipe = self.clone();
            (recipe.layers[layer], recipe.rows[layer]) = (columns, rows);
            recipe
        };
        let coarser = LayerRows { coarser: rows.coarser + 1, ..rows };
        let shorter = LayerRows { shorter: rows.shorter + 1, ..rows };
        let keys = match self.kind.memory {
            ColumnMemory::Factored => self.kind.size.1,
            ColumnMemory::Grid => self.kind.size.0.ilog2(),
        };
        [
            columns.half().map(|half| with(half, rows)),
            (coarser.coarser < keys).then(|| with(columns, coarser)),
            (shorter.shorter + 1 < self.kind.stored_bits()).then(|| with(columns, shorter)),
        ]
    }

    /// Whether a layer makes do with less than all of the memory, other than by being exact.
    pub(super) fn is_less(&self, weight: WeightOperand) -> bool {
        let whole = self.kind.whole(weight);
        let less = |columns: &LayerColumns| ![whole, LayerColumns::Exact].contains(columns);
        self.layers.iter().any(less) || self.rows.iter().any(|rows| *rows != LayerRows::default())
    }

    /// Whether layers differ in what they run with.
    pub fn is_mixed(&self) -> bool {
        let differ = |two: &[(&LayerColumns, &LayerRows)]| two[0] != two[1];
        self.layers.iter().zip(&self.rows).collect::<Vec<_>>().windows(2).any(differ)
    }

    /// Layers that run exactly.
    pub fn exact(&self) -> usize {
        self.layers.iter().filter(|layer| **layer == LayerColumns::Exact).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pe::Sum;
    use super::*;

    #[test]
    fn a_layer_makes_do_with_less_of_one_thing_at_a_time() {
        let kind = Kind { memory: ColumnMemory::Factored, size: (4, 2), sum: Sum::fixed(10, 3), fractions: Some(2) };
        let whole = Recipe::whole(kind, WeightOperand::Index, 2);
        assert!(!whole.is_mixed() && !whole.is_less(WeightOperand::Index));
        // Two significands are the fewest.
        let [columns, coarser, shorter] = whole.less(1);
        assert_eq!(columns, None);
        let (coarser, shorter) = (coarser.unwrap(), shorter.unwrap());
        assert_eq!(coarser.rows, [LayerRows::default(), LayerRows { coarser: 1, shorter: 0 }]);
        assert_eq!(shorter.rows, [LayerRows::default(), LayerRows { coarser: 0, shorter: 1 }]);
        assert!(coarser.is_mixed() && coarser.is_less(WeightOperand::Index));
        // One bit of each is left.
        assert_eq!(coarser.less(1)[1], None);
        assert_eq!(shorter.less(1)[2], None);
        let exact = Recipe { layers: vec![LayerColumns::Exact; 2], ..whole.clone() };
        assert_eq!((exact.less(0), exact.is_less(WeightOperand::Index)), ([None, None, None], false));
        let grid = Kind { memory: ColumnMemory::Grid, size: (12, 4), sum: Sum::float(None), fractions: None };
        let [columns, coarser, shorter] = Recipe::whole(grid, WeightOperand::Index, 1).less(0);
        assert_eq!(columns.unwrap().layers, [LayerColumns::Columns(2)]);
        // A binary32 product is stored as it is.
        assert_eq!((coarser.unwrap().rows[0].coarser, shorter), (1, None));
    }
}
