//! One mapped layer, compiled for fast and bit-exact evaluation.

use super::classes::Classes;
use super::counts::Counts;
use super::error::EngineError;
use super::lookup::Lookup;
use super::products::Products;
use super::search::search;
use super::stats::LayerStats;
use super::sweep::Sweep;
use super::vectors::Vectors;
use crate::am::Am;
use crate::net::{Geometry, Layout, MacLayer};
use axp_spec::{AmImage, LayerDesign, PeConfig};
use std::collections::HashMap;

/// Below this many output positions a channel, there is too little to do in
/// parallel along them, and outputs are computed side by side instead.
const SWEEP_POSITIONS: usize = 8;

/// A mapped layer with the PE's settings for it.
#[derive(Debug)]
pub struct LayerKernel {
    geometry: Geometry,
    zero_skip: bool,
    /// The (clustered) weights, in the order of the weight tensor.
    weights: Vec<f32>,
    /// One for each output channel, or none.
    bias: Vec<f32>,
    image: AmImage,
    method: Method,
}

/// Weights as indices into their distinct values.
struct Codes {
    codebook: Vec<f32>,
    assignment: Vec<u32>,
}

/// How the products are found. All ways give the same bits.
#[derive(Debug)]
enum Method {
    /// By position, for layers with many: see [`Sweep`].
    Sweep(Sweep, Option<Lookup>),
    /// By output channel, for layers with few: see [`Vectors`].
    Vectors(Vectors, Option<Lookup>),
    /// Pair by pair, for images whose classes are too many.
    Search(Am),
}

impl LayerKernel {
    /// The layer with the weights as imported and an empty AM.
    pub fn exact(layer: &MacLayer, zero_skip: bool) -> Self {
        let (codebook, assignment) = distinct(&layer.weights);
        let weights = Codes { codebook, assignment };
        Self::compile(&layer.geometry, weights, layer.bias.clone(), AmImage::default(), None, zero_skip)
    }

    /// The layer with the clustered weights, bias and AM rows of a design.
    ///
    /// # Errors
    /// A design of another shape, or rows that the AM's loader refuses.
    pub fn new(layer: &MacLayer, design: &LayerDesign, zero_skip: bool) -> Result<Self, EngineError> {
        let mismatch = |what: String| EngineError::Design { what: format!("layer {:?} {what}", layer.name) };
        if design.weight_shape != layer.weight_shape || design.assignment.len() != layer.weights.len() {
            return Err(mismatch(format!(
                "has weights of shape {:?} in the design, {:?} in the network",
                design.weight_shape, layer.weight_shape
            )));
        }
        let channels = layer.geometry.out_channels;
        if !design.bias.is_empty() && design.bias.len() != channels {
            return Err(mismatch(format!("has {} biases for {channels} output channels", design.bias.len())));
        }
        if let Some(index) = design.assignment.iter().find(|index| **index as usize >= design.codebook.len()) {
            return Err(mismatch(format!("uses weight {index} of a codebook of {}", design.codebook.len())));
        }
        let mut am = Am::new(&PeConfig::pair("axp_pe", design.am.rows.len().max(1)));
        am.load(&design.am).map_err(|source| EngineError::Am { layer: layer.name.clone(), source })?;
        let codebook = design.codebook.iter().map(|bits| bits.value()).collect();
        let bias = design.bias.iter().map(|bits| bits.value()).collect();
        let weights = Codes { codebook, assignment: design.assignment.clone() };
        Ok(Self::compile(&layer.geometry, weights, bias, design.am.clone(), Some(am), zero_skip))
    }

    fn compile(
        geometry: &Geometry,
        Codes { codebook, assignment }: Codes,
        bias: Vec<f32>,
        image: AmImage,
        am: Option<Am>,
        zero_skip: bool,
    ) -> Self {
        let weights: Vec<f32> = assignment.iter().map(|index| codebook[*index as usize]).collect();
        let method = match (Classes::new(&image), am) {
            // An image without rows always has classes.
            (None, am) => Method::Search(am.unwrap_or_else(|| Am::new(&PeConfig::pair("axp_pe", 1)))),
            (Some(classes), _) => {
                let products = Products::new(&classes, &image, &codebook, zero_skip);
                let lookup = (!products.is_plain()).then(|| Lookup {
                    counts: Counts::new(geometry, &classes, &products, &assignment),
                    classes,
                    products,
                    codebook,
                    assignment,
                });
                if geometry.layout == Layout::ChannelsFirst && geometry.positions() >= SWEEP_POSITIONS {
                    Method::Sweep(Sweep::new(geometry, lookup.as_ref()), lookup)
                } else {
                    Method::Vectors(Vectors::new(geometry, &weights, lookup.as_ref()), lookup)
                }
            }
        };
        Self { geometry: geometry.clone(), zero_skip, weights, bias, image, method }
    }

    /// Which weight meets which input element.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The (clustered) weights, in the order of the weight tensor.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// One bias for each output channel, or none.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The rows of the AM.
    pub fn image(&self) -> &AmImage {
        &self.image
    }

    /// Whether zero activations are skipped.
    pub fn zero_skip(&self) -> bool {
        self.zero_skip
    }

    /// Computes the output tensor from the input tensor (both flat, in the
    /// layout of the geometry).
    ///
    /// # Panics
    /// If the input does not have the geometry's number of elements.
    pub fn run(&self, input: &[f32]) -> (Vec<f32>, LayerStats) {
        assert_eq!(input.len(), self.geometry.inputs(), "input elements");
        let (mut output, stats) = match &self.method {
            Method::Sweep(sweep, lookup) => sweep.run(&self.geometry, &self.weights, lookup.as_ref(), input),
            Method::Vectors(vectors, lookup) => vectors.run(&self.geometry, lookup.as_ref(), self.zero_skip, input),
            Method::Search(am) => search(&self.geometry, &self.weights, am, self.zero_skip, input),
        };
        for (index, value) in output.iter_mut().enumerate() {
            *value = canonical(*value);
            if !self.bias.is_empty() {
                *value = canonical(*value + self.bias[self.geometry.channel_of(index)]);
            }
        }
        (output, stats)
    }

    /// The operands of one output element, {weight, activation} encodings in
    /// the order in which the PE accumulates them; padding is +0.
    pub fn operands<'a>(&'a self, input: &'a [f32], output: usize) -> impl Iterator<Item = (u32, u32)> + 'a {
        self.geometry.operands(output).map(move |(weight, source)| {
            (self.weights[weight].to_bits(), source.map_or(0, |source| input[source].to_bits()))
        })
    }
}

/// The only NaN that a PE produces.
fn canonical(value: f32) -> f32 {
    if value.is_nan() { f32::from_bits(0x7FC0_0000) } else { value }
}

/// Distinct values in order of appearance, and for each value its index.
fn distinct(values: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let mut codebook = Vec::new();
    let mut index_of = HashMap::new();
    let assign = |value: &f32| {
        *index_of.entry(value.to_bits()).or_insert_with(|| {
            codebook.push(*value);
            codebook.len() as u32 - 1
        })
    };
    let assignment = values.iter().map(assign).collect();
    (codebook, assignment)
}
