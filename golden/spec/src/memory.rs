//! The associative memory of a PE, and what it holds while a layer runs.

use crate::am::{AmError, AmImage, AmRow};
use crate::bits::Bits32;
use crate::factored::FactoredConfig;
use crate::format::FloatFormat;
use crate::grid::GridConfig;
use crate::pe::PeConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// Most rows that a generated memory can have.
pub const MAX_ROWS: usize = 1024;

/// Most layers that can be frozen into one memory.
pub const MAX_LAYERS: usize = 256;

/// What a row of the associative memory is keyed by.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Organisation {
    /// Ternary rows keyed by {weight, activation}, as in the AxP paper.
    Pair,
    /// Ternary rows keyed by the magnitude of the activation alone, each with a
    /// product for every column of weights; signs are XORed beside them.
    Grid(GridConfig),
    /// Products of significands, indexed by a weight's column and the top
    /// mantissa bits of the activation; a row serves every sign and exponent.
    Factored(FactoredConfig),
}

/// Where the rows come from.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Rows are written at run time through the row port.
    Programmable,
    /// The rows of all layers of one network are built into the netlist, and a
    /// register says which layer runs.
    Frozen {
        /// What the memory holds for each layer, 1 to [`MAX_LAYERS`].
        layers: Vec<LayerMemory>,
    },
}

/// How a weight comes to the PE.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum WeightOperand {
    /// Its encoding, and its column beside it where the memory has columns.
    #[default]
    Value,
    /// Its sign and its column. The PE has a codebook of one magnitude a column,
    /// which is read on a miss alone (and for the exponents of a `factored` memory).
    Index,
}

/// What the rows of a programmable memory are kept in. Every output of every cycle is
/// the same.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Flip-flops behind a clock gate a row.
    #[default]
    Flops,
    /// Transparent latches behind a clock gate a row, fed by one register of the memory
    /// that keeps what is written. Latches are smaller; on an FPGA (`AXP_CE`) they are
    /// flip-flops.
    Latches,
}

impl Storage {
    /// Whether it is what a configuration that does not say has.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The associative memory of a PE.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct AmConfig {
    /// What a row is keyed by.
    pub organisation: Organisation,
    /// Where the rows come from.
    pub content: Content,
    /// How a weight comes to the PE; by its index only where there are columns.
    #[serde(default)]
    pub weight: WeightOperand,
    /// What the rows are kept in; latches only where they are written.
    #[serde(default, skip_serializing_if = "Storage::is_default")]
    pub storage: Storage,
    /// Bits of a stored product of a `factored` memory beside a floating-point sum: a bit for
    /// 2 or more, and the upper part of the fraction, the rest being 0. Absent, it has the
    /// whole fraction. A fixed-point sum has a width of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_bits: Option<u32>,
    /// How many rows there are, 1 to [`MAX_ROWS`]; in a `grid` [`GridConfig::rows`],
    /// in a `factored` memory [`FactoredConfig::rows`].
    pub rows: usize,
}

impl AmConfig {
    /// A memory with a row port, in a PE that is given weights by value.
    pub const fn new(organisation: Organisation, rows: usize) -> Self {
        let (content, weight) = (Content::Programmable, WeightOperand::Value);
        Self { organisation, content, weight, storage: Storage::Flops, product_bits: None, rows }
    }
}

/// What a PE holds for one layer of a network.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct LayerMemory {
    /// Exponent field of the fixed-point accumulator's range, see
    /// [`PeConfig::accumulator_format`]; 0 for a floating-point one.
    #[serde(default)]
    pub range: u32,
    /// The magnitude of the weights of each column, an encoding without its sign;
    /// columns past the last one have 0. Empty unless weights are given by index.
    #[serde(default)]
    pub magnitudes: Vec<Bits32>,
    /// The rows.
    pub am: AmImage,
}

/// Why a layer cannot be put into a PE.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum LayerError {
    /// A row is refused.
    #[error(transparent)]
    Am(#[from] AmError),
    /// More magnitudes than columns, or some where weights are given by value.
    #[error("{magnitudes} weight magnitudes for a PE that has {columns} of them")]
    Magnitudes {
        /// What there is.
        magnitudes: usize,
        /// The most there can be: 0 where weights are given by value.
        columns: usize,
    },
    /// A magnitude has a sign, or is no number.
    #[error("column {column} has the magnitude {bits:x}; it must be finite and without a sign in {format}")]
    Magnitude {
        /// Its column.
        column: usize,
        /// The encoding.
        bits: u32,
        /// The PE's format.
        format: FloatFormat,
    },
    /// The rows of a column are those of another weight.
    #[error("column {column} has rows for another weight than its magnitude {bits:x}")]
    ColumnMagnitude {
        /// The column.
        column: u32,
        /// The encoding of its magnitude.
        bits: u32,
    },
    /// More than an exponent field.
    #[error("a range of {range} is no exponent field of {format}; use 0 to {most}")]
    Range {
        /// What was asked for.
        range: u32,
        /// The PE's format.
        format: FloatFormat,
        /// The most there can be.
        most: u32,
    },
}

impl LayerMemory {
    /// Checks that a PE of `config` can hold this.
    ///
    /// # Errors
    /// The first thing that it cannot.
    pub fn validate(&self, config: &PeConfig) -> Result<(), LayerError> {
        let format = config.format;
        let most = (1 << format.exponent_bits()) - 1;
        if self.range > most {
            return Err(LayerError::Range { range: self.range, format, most });
        }
        let columns = if config.has_codebook() { config.columns().unwrap_or(0) as usize } else { 0 };
        if self.magnitudes.len() > columns {
            return Err(LayerError::Magnitudes { magnitudes: self.magnitudes.len(), columns });
        }
        for (column, magnitude) in self.magnitudes.iter().enumerate() {
            let bits = u64::from(magnitude.0);
            if bits >= format.sign_mask() || format.is_special(bits) {
                return Err(LayerError::Magnitude { column, bits: magnitude.0, format });
            }
        }
        self.am.validate(config)?;
        let Some(shape) = config.factored_memory().filter(|_| config.has_codebook()) else { return Ok(()) };
        for row in &self.am.rows {
            let (column, weight, _) = shape.parts(format, row.key);
            let bits = self.magnitude(column);
            if bits & ((1 << format.fraction_bits()) - 1) != weight {
                return Err(LayerError::ColumnMagnitude { column, bits });
            }
        }
        Ok(())
    }

    /// The column of a weight, see [`LayerDesign::column_of`](crate::design::LayerDesign::column_of).
    pub fn column_of(&self, config: &PeConfig, weight: u32) -> Option<u32> {
        column_of(config, &self.am, &self.magnitudes, weight)
    }

    /// The column that is sent with a weight: its own, or the first where the memory
    /// does not know the weight. In a layer without rows such a pair is a miss.
    pub fn column_sent(&self, config: &PeConfig, weight: u32) -> u32 {
        self.column_of(config, weight).unwrap_or(0)
    }

    /// Rows with a product of their own. In a `factored` memory columns of one significand have the
    /// same products, and in logic they are one.
    pub fn different_rows(&self, config: &PeConfig) -> usize {
        let Some(shape) = config.factored_memory() else { return self.am.rows.len() };
        let address = |row: &AmRow| {
            let (_, weight, activation) = shape.parts(config.format, row.key);
            (weight, activation)
        };
        self.am.rows.iter().map(address).collect::<BTreeSet<_>>().len()
    }

    /// The magnitude of the weights of a column, 0 past the last one.
    pub fn magnitude(&self, column: u32) -> u32 {
        self.magnitudes.get(column as usize).map_or(0, |bits| bits.0)
    }
}

/// The column of a weight: by its magnitude where the PE has a codebook, by its
/// fraction in another `factored` memory; `None` where it has none.
pub(crate) fn column_of(config: &PeConfig, am: &AmImage, magnitudes: &[Bits32], weight: u32) -> Option<u32> {
    if !config.has_codebook() {
        return am.column_of(config, weight);
    }
    // A format has at most 32 bits.
    let magnitude = Bits32(weight & (config.format.sign_mask() - 1) as u32);
    let given = magnitudes.iter().position(|other| *other == magnitude).map(|column| column as u32);
    // Columns past the last one have a magnitude of 0.
    let spare = magnitudes.len() as u32;
    given.or_else(|| (magnitude.0 == 0 && Some(spare) < config.columns()).then_some(spare))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pe::PeConfigError;

    const THREE: u32 = 0x4040_0000;

    fn frozen(layers: Vec<LayerMemory>) -> PeConfig {
        let mut config = PeConfig::factored("a", 2, 1);
        let am = config.am.as_mut().unwrap();
        (am.content, am.weight) = (Content::Frozen { layers }, WeightOperand::Index);
        config
    }

    fn layer(magnitudes: &[u32]) -> LayerMemory {
        let shape = FactoredConfig { columns: 2, mantissa_bits: 1 };
        let format = FloatFormat::Binary32;
        let row = AmRow { key: shape.key(format, 1, THREE, 0), care: shape.care(format), product: Bits32(5) };
        let magnitudes = magnitudes.iter().map(|bits| Bits32(*bits)).collect();
        LayerMemory { range: 0, magnitudes, am: AmImage { rows: vec![row] } }
    }

    #[test]
    fn what_a_frozen_layer_cannot_hold_is_named() {
        let check = |layer: LayerMemory| frozen(vec![layer]).validate();
        assert_eq!(check(layer(&[0, THREE])), Ok(()));
        let wrong = |source| Err(PeConfigError::Frozen { layer: 0, source: Box::new(source) });
        assert_eq!(check(layer(&[THREE])), wrong(LayerError::ColumnMagnitude { column: 1, bits: 0 }));
        assert_eq!(check(layer(&[0, THREE, 0])), wrong(LayerError::Magnitudes { magnitudes: 3, columns: 2 }));
        let format = FloatFormat::Binary32;
        for bits in [1 << 31, 0x7F80_0000] {
            assert_eq!(check(layer(&[bits, THREE])), wrong(LayerError::Magnitude { column: 0, bits, format }));
        }
        let far = LayerMemory { range: 256, ..layer(&[0, THREE]) };
        assert_eq!(check(far), wrong(LayerError::Range { range: 256, format, most: 255 }));
        assert_eq!(frozen(Vec::new()).validate(), Err(PeConfigError::Layers(0)));
    }

    #[test]
    fn a_frozen_configuration_survives_json() {
        let config = frozen(vec![layer(&[0, THREE]), LayerMemory::default()]);
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<PeConfig>(&json).unwrap(), config);
        assert_eq!((config.layer_bits(), config.columns(), config.has_codebook()), (Some(1), Some(2), true));
        let mut pair = PeConfig::pair("a", 4);
        pair.am.as_mut().unwrap().weight = WeightOperand::Index;
        assert_eq!(pair.validate(), Err(PeConfigError::Index));
    }

    #[test]
    fn latches_are_for_rows_that_are_written() {
        let latched = |mut config: PeConfig| {
            config.am.as_mut().unwrap().storage = Storage::Latches;
            config
        };
        let pair = latched(PeConfig::pair("a", 4));
        assert_eq!((pair.validate(), pair.storage()), (Ok(()), Storage::Latches));
        let json = serde_json::to_string(&pair).unwrap();
        assert!(json.contains(r#""storage":"latches""#), "{json}");
        assert_eq!(serde_json::from_str::<PeConfig>(&json).unwrap(), pair);
        // A configuration that does not say has flip-flops, and does not say so.
        let flops = serde_json::to_string(&PeConfig::pair("a", 4)).unwrap();
        assert!(!flops.contains("storage"), "{flops}");
        assert_eq!(serde_json::from_str::<PeConfig>(&flops).unwrap(), PeConfig::pair("a", 4));
        let error = latched(frozen(vec![layer(&[0, THREE])])).validate().unwrap_err();
        assert_eq!(error, PeConfigError::FrozenLatches);
        assert!(error.to_string().contains("storage flops"), "{error}");
    }

    #[test]
    fn columns_of_one_significand_have_the_same_products() {
        let config = PeConfig::factored("a", 3, 1);
        let shape = config.factored_memory().unwrap();
        let row = |column: u32, magnitude: f32, prefix: u32| AmRow {
            key: shape.key(FloatFormat::Binary32, column, magnitude.to_bits(), prefix << 22),
            care: shape.care(FloatFormat::Binary32),
            product: Bits32(prefix),
        };
        let columns = [(0, 1.5), (1, 3.0), (2, 1.25)];
        let rows = columns.iter().flat_map(|(column, magnitude)| [0, 1].map(|prefix| row(*column, *magnitude, prefix)));
        let layer = LayerMemory { am: AmImage { rows: rows.collect() }, ..LayerMemory::default() };
        assert_eq!(layer.different_rows(&config), 4);
        assert_eq!(layer.different_rows(&PeConfig::pair("a", 6)), 6);
    }
}
