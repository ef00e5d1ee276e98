//! The `Design` artifact: one JSON file from co-design to silicon.

use crate::am::AmImage;
use crate::bits::{Bits32, packed};
use crate::memory::{Content, LayerError, LayerMemory, column_of};
use crate::pe::{PeConfig, PeConfigError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

/// Version of the artifact's layout that this crate reads and writes.
pub const SCHEMA: u32 = 1;

/// What [`LayerDesign::channel_exponents`] may be: each is the exponent of a normal binary32 value.
pub const CHANNEL_EXPONENTS: std::ops::RangeInclusive<i32> = -126..=127;

/// A network mapped to a PE: what `axp build` decides and everything later uses.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Layout version, [`SCHEMA`].
    pub schema: u32,
    /// Where the design came from.
    pub provenance: Provenance,
    /// The processing element.
    pub pe: PeConfig,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
    /// The mapped layers, in the order in which they run.
    pub layers: Vec<LayerDesign>,
}

/// Where a design came from, so that it can be made again.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of axp.
    pub axp_version: String,
    /// SHA-256 of the ONNX file, in hex.
    pub model_sha256: String,
    /// The calibration samples.
    pub calibration: SampleSet,
    /// Seed of every random choice.
    pub seed: u64,
    /// Accuracy bound of the search, in percentage points.
    pub max_loss_pp: f64,
    /// Versions of the libraries and tools that shaped the design.
    pub tools: BTreeMap<String, String>,
}

/// A set of samples, by content.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct SampleSet {
    /// SHA-256 of the samples' binary32 values in order, little endian, in hex.
    pub sha256: String,
    /// How many samples there are.
    pub samples: usize,
}

/// One multiply-accumulate layer on the PE.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LayerDesign {
    /// The ONNX node's name. Data: never a path, an identifier or markup.
    pub name: String,
    /// Shape of the ONNX weight tensor, output channel first.
    pub weight_shape: Vec<usize>,
    /// The clustered weight values.
    pub codebook: Vec<Bits32>,
    /// For each element of the weight tensor, in order, its codebook index.
    #[serde(with = "packed")]
    pub assignment: Vec<u32>,
    /// Added once to each output channel's sum; empty where there is no bias.
    pub bias: Vec<Bits32>,
    /// For each output channel the power of two that its sum is multiplied by before the bias
    /// is added, within [`CHANNEL_EXPONENTS`]; empty where no channel is scaled. A channel's weights are the
    /// network's divided by the same power, so that channels of different scale share a codebook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_exponents: Vec<i32>,
    /// Top fraction bits of the activation that rows compare (23: all of them).
    pub key_fraction_bits: u32,
    /// The rows of the associative memory while this layer runs.
    pub am: AmImage,
    /// Exponent field of the fixed-point accumulator's range, see
    /// [`PeConfig::accumulator_format`]; 0 for a floating-point one.
    #[serde(default)]
    pub range: u32,
    /// The weight magnitude of each column, see [`LayerMemory`]; empty unless the
    /// PE is given weights by index.
    #[serde(default)]
    pub magnitudes: Vec<Bits32>,
}

/// Why a design cannot be used.
#[derive(Error, Debug)]
pub enum DesignError {
    /// Not JSON, or not of this layout.
    #[error("this is not a design that this version of axp reads: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a version with another layout.
    #[error("the design has layout {found}, this axp reads layout {SCHEMA}; build the design again")]
    Schema {
        /// Layout version in the file.
        found: u64,
    },
    /// The PE cannot be built.
    #[error(transparent)]
    Pe(#[from] PeConfigError),
    /// The PE cannot hold a layer.
    #[error("layer {layer:?}: {source}")]
    Memory {
        /// Name of the layer.
        layer: String,
        /// What is wrong with its rows, range or magnitudes.
        source: LayerError,
    },
    /// A frozen memory holds other layers than the design's.
    #[error("the frozen memory of the PE does not hold what the layers of the design say; freeze it again")]
    Frozen,
    /// A layer's parts do not fit together.
    #[error("layer {layer:?}: {what}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// What does not fit.
        what: String,
    },
}

impl Design {
    /// Reads and checks a design.
    ///
    /// # Errors
    /// Text that is not a design, a design of another layout, or one whose
    /// parts do not fit together.
    pub fn from_json(text: &str) -> Result<Self, DesignError> {
        // The layout version is read first, so that a design of another
        // version is told apart from a broken file.
        let value: serde_json::Value = serde_json::from_str(text)?;
        if let Some(found) = value.get("schema").and_then(serde_json::Value::as_u64)
            && found != u64::from(SCHEMA)
        {
            return Err(DesignError::Schema { found });
        }
        let design: Self = serde_json::from_value(value)?;
        design.validate()?;
        Ok(design)
    }

    /// The design as JSON text with a final newline.
    pub fn to_json(&self) -> String {
        // Serialisation fails only for maps with keys that are not strings;
        // the artifact has none.
        serde_json::to_string_pretty(self).expect("a design has string keys only") + "\n"
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<(), DesignError> {
        self.pe.validate()?;
        self.layers.iter().try_for_each(|layer| {
            let memory = layer.memory().validate(&self.pe);
            memory.map_err(|source| DesignError::Memory { layer: layer.name.clone(), source })?;
            layer.check_shape().map_err(|what| DesignError::Layer { layer: layer.name.clone(), what })?;
            layer.check_index(&self.pe).map_err(|what| DesignError::Layer { layer: layer.name.clone(), what })
        })?;
        if self.pe.is_frozen()
            && !self.layers.iter().map(LayerDesign::memory).eq(self.pe.frozen_layers().iter().cloned())
        {
            return Err(DesignError::Frozen);
        }
        Ok(())
    }

    /// Builds the layers' rows into the PE; without a memory nothing changes.
    pub fn freeze(&mut self) {
        let layers = self.layers.iter().map(LayerDesign::memory).collect();
        if let Some(am) = &mut self.pe.am {
            am.content = Content::Frozen { layers };
        }
    }
}

impl LayerDesign {
    /// The clustered weight of each element of the ONNX tensor, in order.
    pub fn weights(&self) -> Vec<f32> {
        self.assignment.iter().map(|index| self.codebook[*index as usize].value()).collect()
    }

    /// What the PE holds while this layer runs.
    pub fn memory(&self) -> LayerMemory {
        LayerMemory { range: self.range, magnitudes: self.magnitudes.clone(), am: self.am.clone() }
    }

    /// The column of a weight: by its magnitude where the PE has a codebook, by its
    /// fraction in another `factored` memory; `None` where it has none.
    pub fn column_of(&self, config: &PeConfig, weight: u32) -> Option<u32> {
        column_of(config, &self.am, &self.magnitudes, weight)
    }

    /// A PE that is given weights by index must have all of them.
    fn check_index(&self, config: &PeConfig) -> Result<(), String> {
        if !config.has_codebook() {
            return Ok(());
        }
        match self.codebook.iter().find(|weight| self.column_of(config, weight.0).is_none()) {
            Some(weight) => {
                Err(format!("weight {:e} has no column in a PE that is given weights by index", weight.value()))
            }
            None => Ok(()),
        }
    }

    fn check_shape(&self) -> Result<(), String> {
        let elements: usize = self.weight_shape.iter().product();
        if elements != self.assignment.len() {
            return Err(format!(
                "{} weight indices for a tensor of shape {:?}",
                self.assignment.len(),
                self.weight_shape
            ));
        }
        if let Some(index) = self.assignment.iter().find(|i| **i as usize >= self.codebook.len()) {
            return Err(format!("weight index {index} in a codebook of {}", self.codebook.len()));
        }
        let channels = self.weight_shape.first().copied().unwrap_or(0);
        if !self.bias.is_empty() && self.bias.len() != channels {
            return Err(format!("{} bias values for {channels} output channels", self.bias.len()));
        }
        if !self.channel_exponents.is_empty() && self.channel_exponents.len() != channels {
            let exponents = self.channel_exponents.len();
            return Err(format!("{exponents} channel exponents for {channels} output channels"));
        }
        if let Some(exponent) = self.channel_exponents.iter().find(|exponent| !CHANNEL_EXPONENTS.contains(*exponent)) {
            return Err(format!("a channel exponent of {exponent}: 2^{exponent} is no normal binary32 value"));
        }
        Ok(())
    }
}

/// SHA-256 of some bytes, in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::am::AmRow;
    use crate::format::FloatFormat;

    fn design() -> Design {
        Design {
            schema: SCHEMA,
            provenance: Provenance {
                axp_version: "0".into(),
                model_sha256: sha256_hex(b""),
                calibration: SampleSet { sha256: sha256_hex(b""), samples: 1 },
                seed: 1,
                max_loss_pp: 1.0,
                tools: BTreeMap::new(),
            },
            pe: PeConfig::pair("a", 2),
            zero_skip: false,
            layers: vec![LayerDesign {
                name: "a \"quoted\" </name>".into(),
                weight_shape: vec![2, 2],
                codebook: vec![1.0.into(), (-0.0).into()],
                assignment: vec![0, 1, 1, 0],
                bias: vec![0.5.into(), 0.25.into()],
                channel_exponents: vec![0, -3],
                key_fraction_bits: 23,
                range: 0,
                magnitudes: Vec::new(),
                am: AmImage { rows: vec![AmRow::exact(FloatFormat::Binary32, 0x3F80_0000, 0x3F80_0000, 0x3F80_0000)] },
            }],
        }
    }

    #[test]
    fn survives_json() {
        assert_eq!(Design::from_json(&design().to_json()).unwrap(), design());
        assert_eq!(design().layers[0].weights(), [1.0, -0.0, -0.0, 1.0]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut wrong = design();
        wrong.layers[0].assignment[3] = 2;
        let error = Design::from_json(&wrong.to_json()).unwrap_err().to_string();
        assert!(error.contains("weight index 2 in a codebook of 2"), "{error}");

        let mut old = design();
        old.schema = 99;
        let error = Design::from_json(&old.to_json()).unwrap_err();
        assert!(matches!(error, DesignError::Schema { found: 99 }), "{error}");

        let mut full = design();
        full.layers[0].am.rows = vec![full.layers[0].am.rows[0]; 3];
        assert!(matches!(full.validate(), Err(DesignError::Memory { .. })));
        assert!(matches!(Design::from_json("{}"), Err(DesignError::Json(_))));
    }

    #[test]
    fn a_frozen_design_holds_its_own_layers() {
        let mut design = design();
        design.freeze();
        assert_eq!(Design::from_json(&design.to_json()).unwrap(), design);
        design.layers[0].am.rows.clear();
        assert!(matches!(design.validate(), Err(DesignError::Frozen)));
    }

    #[test]
    fn a_weight_given_by_index_has_a_column() {
        let mut design = design();
        design.pe = PeConfig::grid("a", 1, 2);
        design.pe.am.as_mut().unwrap().weight = crate::memory::WeightOperand::Index;
        design.layers[0].am.rows.clear();
        let error = design.validate().unwrap_err().to_string();
        assert!(error.contains("weight 1e0 has no column"), "{error}");
        // -0 has the column behind the last magnitude.
        design.layers[0].magnitudes = vec![1.0.into()];
        assert!(design.validate().is_ok());
        assert_eq!(design.layers[0].column_of(&design.pe, 1 << 31), Some(1));
    }

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
