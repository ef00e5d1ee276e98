//! One configuration of the search: made, calibrated and measured.

use super::cluster::{self, Clustering, layer_rng};
use super::energy::{LayerLoad, some_sums};
use super::feedback::Feedback;
use super::fill::{Fill, by_frequency};
use super::lockstep::Lockstep;
use super::profile::{FRACTION_BITS, Pair, key_mask};
use super::reference::{LayerReference, PROFILE_BITS, Reference, channel_means};
use super::ternary::{Budget, Forest};
use crate::infer::{EngineError, LayerKernel, LayerStats};
use crate::net::{MacLayer, Network, Samples};
use axp_spec::{AmImage, Bits32, LayerDesign};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// How rows are chosen.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase", tag = "rule")]
pub enum FillRule {
    /// The most frequent keys, one row each.
    Frequency,
    /// Ternary rows over several keys where the error they make is worth it.
    Merged {
        /// What an error as large as the layer's own signal weighs up, as a
        /// share of the network's multiply-accumulates with a nonzero
        /// activation.
        error_price: f64,
    },
}

/// What is decided for a layer.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct LayerChoice {
    /// Most values in the codebook; none: the weights stay as they are.
    pub clusters: Option<usize>,
    /// Most fraction bits of the activation that a row compares.
    pub key_fraction_bits: u32,
    /// Most rows.
    pub rows: usize,
    /// How the rows are chosen.
    pub fill: FillRule,
}

/// A layer's clustered weights and what they meet.
pub(super) struct Clustered {
    pub clustering: Clustering,
    /// At [`PROFILE_BITS`]; empty for weights that stay as they are.
    pub pairs: Vec<Pair>,
    /// The same, for merged rows.
    forest: Forest,
    /// Squared error that clustering puts on the layer's outputs, summed over
    /// outputs and samples.
    pub error: f64,
}

impl Clustered {
    pub(super) fn new(
        layer: &MacLayer,
        index: usize,
        reference: &LayerReference,
        feedback: &Feedback<'_>,
        refined: bool,
        clusters: usize,
        seed: u64,
    ) -> Self {
        let rng = &mut layer_rng(seed, index);
        let nearest = cluster::k_means(&layer.weights, &reference.importance, clusters, rng);
        let clustering = if refined { feedback.refine(&layer.weights, nearest) } else { nearest };
        let mean_error = feedback.output_error(&layer.weights, &clustering);
        let mut pairs = Vec::new();
        reference.profile.pairs(&reference.classes.clusters(&clustering), |pair| pairs.push(pair));
        let sums = reference.counts.macs / layer.geometry.weights().max(1) as u64;
        let forest = Forest::new(&pairs, &clustering.codebook, PROFILE_BITS);
        Self { clustering, pairs, forest, error: mean_error * sums as f64 }
    }

    /// Weights as they are, and no rows but for zeros.
    pub(super) fn exact(layer: &MacLayer) -> Self {
        Self {
            clustering: cluster::distinct(&layer.weights),
            pairs: Vec::new(),
            forest: Forest::new(&[], &[], 0),
            error: 0.0,
        }
    }

    /// The rows of a layer.
    pub(super) fn fill(&self, reference: &LayerReference, choice: &LayerChoice, nonzero: u64, zero_skip: bool) -> Fill {
        let (codebook, counts) = (&self.clustering.codebook, &reference.counts);
        let bits = choice.key_fraction_bits;
        match choice.fill {
            FillRule::Frequency => {
                let visit = |visit: &mut dyn FnMut(Pair)| coarse(&self.pairs, bits).into_iter().for_each(visit);
                by_frequency(visit, codebook, counts, bits, choice.rows, zero_skip)
            }
            FillRule::Merged { error_price } => {
                let error_price = error_price * nonzero as f64 / reference.signal.max(f64::MIN_POSITIVE);
                let budget = Budget { rows: choice.rows, error_price, zero_skip };
                if bits >= PROFILE_BITS {
                    self.forest.fill(codebook, counts, &budget)
                } else {
                    Forest::new(&coarse(&self.pairs, bits), codebook, bits).fill(codebook, counts, &budget)
                }
            }
        }
    }
}

/// Pairs with narrower keys.
fn coarse(pairs: &[Pair], fraction_bits: u32) -> Vec<Pair> {
    if fraction_bits >= PROFILE_BITS {
        return pairs.to_vec();
    }
    let mask = key_mask(fraction_bits);
    let mut narrow: Vec<Pair> = pairs.iter().map(|pair| Pair { key: pair.key & mask, ..*pair }).collect();
    // Stable: sums are made in the order of the wider keys.
    narrow.sort_by_key(|pair| (pair.key, pair.cluster));
    narrow
        .chunk_by(|a, b| (a.key, a.cluster) == (b.key, b.cluster))
        .map(|same| {
            let mut pair = same[0];
            same[1..].iter().for_each(|other| pair.moments.add_times(&other.moments, 1));
            pair
        })
        .collect()
}

/// A layer as it goes into a design, its bias still the float network's.
pub(super) fn layer_design(layer: &MacLayer, clustering: &Clustering, rows: &Fill, fraction_bits: u32) -> LayerDesign {
    LayerDesign {
        name: layer.name.clone(),
        weight_shape: layer.weight_shape.clone(),
        codebook: clustering.codebook.iter().map(|w| Bits32::from(*w)).collect(),
        assignment: clustering.assignment.clone(),
        bias: layer.bias.iter().map(|b| Bits32::from(*b)).collect(),
        channel_exponents: Vec::new(),
        key_fraction_bits: fraction_bits.min(FRACTION_BITS),
        am: AmImage { rows: rows.rows.clone() },
        range: 0,
        magnitudes: Vec::new(),
    }
}

/// A design with its biases corrected, on the calibration samples.
pub(super) struct Calibrated {
    pub layers: Vec<LayerDesign>,
    /// The network's output for each sample.
    pub outputs: Vec<Vec<f32>>,
    pub stats: Vec<LayerStats>,
    /// What the layers give a PE to do.
    pub loads: Vec<LayerLoad>,
}

/// Corrects the biases of a design layer by layer and measures it.
///
/// Each channel's bias becomes the value that gives the channel the mean
/// output it has in the float network, over all calibration samples and
/// positions, with inputs that went through the design's earlier layers: it
/// takes out the mean error of clustering, of the rows' products, and of
/// everything before. A layer whose `correct` is false keeps its bias.
pub(super) fn calibrate(
    network: &Network,
    samples: &Samples,
    reference: &Reference,
    layers: Vec<LayerDesign>,
    correct: &[bool],
    zero_skip: bool,
    cancel: &AtomicBool,
) -> Result<Calibrated, EngineError> {
    let kernel = |index: usize, design: &mut LayerDesign, _: &[&[f32]]| {
        LayerKernel::new(&network.layers()[index], design, zero_skip)
    };
    Calibration { network, samples, reference, cancel }.run(layers, correct, kernel, |_| {})
}

/// A network and the samples that a design for it is calibrated on.
#[derive(Clone, Copy)]
pub(super) struct Calibration<'a> {
    pub network: &'a Network,
    pub samples: &'a Samples,
    pub reference: &'a Reference,
    pub cancel: &'a AtomicBool,
}

impl Calibration<'_> {
    /// The same as [`calibrate`]. `kernel` completes a layer, whose bias is empty,
    /// once its inputs are known, and compiles it; `done` gets it with its bias.
    pub fn run(
        &self,
        mut layers: Vec<LayerDesign>,
        correct: &[bool],
        mut kernel: impl FnMut(usize, &mut LayerDesign, &[&[f32]]) -> Result<LayerKernel, EngineError>,
        mut done: impl FnMut(LayerKernel),
    ) -> Result<Calibrated, EngineError> {
        let mut lockstep = Lockstep::new(self.network, self.samples, self.cancel)?;
        let (mut stats, mut loads) = (Vec::with_capacity(layers.len()), Vec::with_capacity(layers.len()));
        for (index, design) in layers.iter_mut().enumerate() {
            let layer = &self.network.layers()[index];
            let inputs = lockstep.inputs();
            let bias = std::mem::take(&mut design.bias);
            let kernel = kernel(index, design, &inputs)?;
            let (mut outputs, counts): (Vec<Vec<f32>>, Vec<LayerStats>) =
                inputs.par_iter().map(|input| kernel.run(input)).unzip();
            design.bias = if correct[index] {
                let means = channel_means(&layer.geometry, &outputs);
                let target = &self.reference.layers[index].channel_mean;
                target.iter().zip(means).map(|(target, mean)| Bits32::from((target - mean) as f32)).collect()
            } else {
                bias
            };
            if !design.bias.is_empty() {
                // Rounded to binary32 like the addition after the PE.
                outputs.par_iter_mut().for_each(|output| {
                    for (at, value) in output.iter_mut().enumerate() {
                        *value += design.bias[layer.geometry.channel_of(at)].value();
                    }
                });
            }
            stats.push(counts.into_iter().sum());
            loads.push(LayerLoad {
                name: design.name.clone(),
                macs: layer.geometry.macs(),
                memory: design.memory(),
                sums: some_sums(&kernel, &inputs),
            });
            done(kernel.with_bias(&design.bias));
            lockstep.advance(&outputs)?;
        }
        Ok(Calibrated { layers, outputs: lockstep.outputs(), stats, loads })
    }
}
