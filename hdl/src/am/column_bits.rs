//! Which bits of a column's number decide on what a frozen memory holds for it.
//!
//! Weights that differ by a power of two have the same products of significands. Where the columns
//! of a layer are numbered so that their lowest bits tell the significand and the others the power of two,
//! a read looks at some of the bits only, and a word is there once.

use super::frozen::frozen_products;
use crate::circuit::{Value, literal};
use axp_spec::{FactoredConfig, LayerMemory, PeConfig};

/// Some bits of a column's number, next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColumnBits {
    from: u32,
    /// 0 where all columns hold the same.
    count: u32,
}

impl ColumnBits {
    /// The lowest bits that decide on the words of a frozen `factored` memory, in all layers. A
    /// column whose magnitude is 0 counts as one without words.
    pub fn of_words(config: &PeConfig, shape: FactoredConfig) -> Self {
        let layers = config.frozen_layers().iter();
        let words: Vec<Vec<u128>> = layers.map(|layer| frozen_products(config, shape, layer)).collect();
        // Numbers past the last column are sent as well, and have no words.
        let none = vec![0; 1 << shape.mantissa_bits];
        fn column<'a>(words: &'a [u128], none: &'a [u128], id: u32) -> &'a [u128] {
            words.chunks_exact(none.len()).nth(id as usize).unwrap_or(none)
        }
        let same = |a: u32, b: u32| words.iter().all(|words| column(words, &none, a) == column(words, &none, b));
        let decide = |count: &u32| (0..1 << shape.column_bits()).all(|id| same(id, id & ((1 << count) - 1)));
        let count = (0..shape.column_bits()).find(decide).unwrap_or(shape.column_bits());
        Self { from: 0, count }
    }

    /// The highest bits that decide on a word of each column, in all layers.
    pub fn of_column_words(config: &PeConfig, bits: u32, word: impl Fn(&LayerMemory, u32) -> u128) -> Self {
        let same = |a: u32, b: u32| config.frozen_layers().iter().all(|layer| word(layer, a) == word(layer, b));
        let decide = |from: &u32| (0..1 << bits).all(|id| same(id, id >> from << from));
        let from = (0..=bits).rev().find(decide).unwrap_or(0);
        Self { from, count: bits - from }
    }

    /// All bits.
    pub fn all(bits: u32) -> Self {
        Self { from: 0, count: bits }
    }

    /// What a column's select says.
    pub fn doc(self, number: &Value) -> &'static str {
        match self == Self::all(number.width()) {
            true => "the weight is in this column",
            false => "the weight is in this column, or in one that holds the same",
        }
    }

    /// One column of each group that holds the same, ascending.
    pub fn columns(self, columns: u32) -> Vec<u32> {
        let all = (0..1_u32 << self.count).map(|group| group << self.from);
        all.filter(|column| *column < columns).collect()
    }

    /// Whether the column given by `number` holds what `column` does.
    pub fn is(self, number: &Value, column: u32) -> Value {
        if self.count == 0 {
            return literal(1, 1);
        }
        number.slice(self.from, self.count).equals(&literal((column >> self.from).into(), self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::{AmImage, AmRow, Bits32, Content, FloatFormat::Binary32, WeightOperand};

    /// Eight columns with these magnitudes, and products that are their fractions.
    fn config(layers: &[[f32; 8]]) -> (PeConfig, FactoredConfig) {
        let mut config = PeConfig::factored("axp_pe", 8, 1);
        let shape = config.factored_memory().unwrap();
        let layer = |magnitudes: &[f32; 8]| {
            let magnitudes = magnitudes.map(Bits32::from);
            let row = |place: u32| {
                let (column, prefix) = (place / 2, (place % 2) << 22);
                let magnitude = magnitudes[column as usize].0;
                let product = Bits32(magnitude >> 1 & 0x003F_FFFF | prefix);
                AmRow { key: shape.key(Binary32, column, magnitude, prefix), care: shape.care(Binary32), product }
            };
            let stored = (0..16).filter(|place| magnitudes[*place as usize / 2].0 != 0);
            LayerMemory { range: 0, am: AmImage { rows: stored.map(row).collect() }, magnitudes: magnitudes.to_vec() }
        };
        let layers = layers.iter().map(layer).collect();
        let am = config.am.as_mut().unwrap();
        (am.weight, am.content) = (WeightOperand::Index, Content::Frozen { layers });
        config.validate().unwrap();
        (config, shape)
    }

    #[test]
    fn lowest_bits_tell_significands_and_highest_bits_powers() {
        let bits = |layers: &[[f32; 8]]| {
            let (config, shape) = config(layers);
            let exponent = |layer: &LayerMemory, id: u32| u128::from(layer.magnitude(id) >> 23);
            (ColumnBits::of_words(&config, shape), ColumnBits::of_column_words(&config, 3, exponent))
        };
        let shared = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];
        let (low, high) = (ColumnBits { from: 0, count: 1 }, ColumnBits { from: 1, count: 2 });
        assert_eq!(bits(&[shared]), (low, high));
        assert_eq!(bits(&[shared, shared.map(|m| m * 0.21)]).0, low);
        // One layer that does not do so decides for all.
        let (all, mixed) = (ColumnBits::all(3), [1.0, 1.5, 2.0, 3.5, 4.0, 6.0, 8.0, 12.0]);
        assert_eq!(bits(&[shared, mixed]).0, all);
        assert_eq!(bits(&[[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 0.0]]).0, all);
        assert_eq!(bits(&[[1.0, 2.5, 2.0, 5.0, 4.0, 10.0, 8.0, 20.0]]), (low, all));
        assert_eq!(bits(&[[1.25; 8]]), (ColumnBits { from: 0, count: 0 }, ColumnBits { from: 3, count: 0 }));
        // Of seven columns the eighth number is not one of a weight.
        let (mut seven, shape) = config(&[shared]);
        let shape = FactoredConfig { columns: 7, ..shape };
        let Some(am) = &mut seven.am else { unreachable!() };
        let Content::Frozen { layers } = &mut am.content else { unreachable!() };
        layers[0].magnitudes.pop();
        layers[0].am.rows.truncate(14);
        am.organisation = axp_spec::Organisation::Factored(shape);
        am.rows = shape.rows();
        seven.validate().unwrap();
        assert_eq!(ColumnBits::of_words(&seven, shape), all);
        assert_eq!((low.columns(8), high.columns(7)), (vec![0, 1], vec![0, 2, 4, 6]));
    }
}
