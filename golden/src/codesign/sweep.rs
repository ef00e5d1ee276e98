//! What partial matching is worth: hit rate and loss at every key width.

use super::agreement::Agreement;
use super::candidate::{Clustered, calibrate, layer_design};
use super::feedback::Feedback;
use super::fill::{Fill, by_frequency};
use super::profile::{Activations, FRACTION_BITS, Pair};
use super::reference::{LayerReference, Reference};
use super::search::SearchControl;
use crate::infer::{Engine, EngineError, LayerKernel, LayerStats, top1};
use crate::net::{Network, Samples};
use axp_spec::LayerDesign;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the sweep holds fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepOptions {
    /// Most values in each layer's codebook.
    pub clusters: usize,
    /// Rows of the associative memory.
    pub rows: usize,
    /// Seed of every random choice.
    pub seed: u64,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
}

/// Samples to measure on.
#[derive(Clone, Copy, Debug)]
pub struct Measure<'a> {
    /// The samples.
    pub samples: &'a Samples,
    /// Their classes, if known.
    pub labels: Option<&'a [usize]>,
}

/// One key width.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct SweepPoint {
    /// Top fraction bits of the activation that rows compare; 23 means exact
    /// keys.
    pub key_fraction_bits: u32,
    /// Most rows that a layer uses.
    pub rows: usize,
    /// Hits among all multiply-accumulates, 0 to 1.
    pub hit_rate: f64,
    /// Hits among those with a nonzero activation, 0 to 1.
    pub nonzero_hit_rate: f64,
    /// Agreement with the float network.
    pub agreement: Agreement,
    /// Accuracy with labels, 0 to 1.
    pub accuracy: Option<f64>,
    /// Accuracy of the float network less that, in percentage points.
    pub loss_pp: Option<f64>,
}

/// Fills the rows by frequency at every key width from 0 fraction bits to all
/// 23 (exact keys), the clusters being the same, and measures each.
///
/// Rows and biases come from the calibration samples; hit rates and losses are
/// measured on `measure`.
///
/// # Errors
/// A failure of the network; [`EngineError::Cancelled`].
pub fn key_sweep(
    network: &Network,
    calibration: &Samples,
    measure: &Measure<'_>,
    options: &SweepOptions,
    control: &SearchControl<'_>,
) -> Result<Vec<SweepPoint>, EngineError> {
    let widths = FRACTION_BITS as usize + 1;
    let steps = widths + 1;
    (control.progress)(1, steps, "cluster the weights and fill rows for every key width");
    let mut of_layer: Vec<(Clustered, Vec<Fill>)> = Vec::new();
    let reference =
        Reference::collect(network, calibration, control.cancel, |index, layer, covariance, activations| {
            let of = &network.layers()[index];
            let feedback = Feedback::new(&of.geometry, &covariance);
            let clustered = Clustered::new(of, index, layer, &feedback, true, options.clusters, options.seed);
            let fills = every_width(&clustered, layer, activations, options);
            of_layer.push((clustered, fills));
        })?;
    let float = outputs(measure.samples, control, |sample| Ok((network.baseline(sample)?, Vec::new())))?.0;
    (0..widths)
        .map(|bits| {
            (control.progress)(bits + 2, steps, &format!("key with {bits} fraction bits"));
            let layers: Vec<LayerDesign> = network
                .layers()
                .iter()
                .zip(&of_layer)
                .map(|(layer, (clustered, fills))| {
                    layer_design(layer, &clustered.clustering, &fills[bits], bits as u32)
                })
                .collect();
            let correct = vec![true; layers.len()];
            let calibrated =
                calibrate(network, calibration, &reference, layers, &correct, options.zero_skip, control.cancel)?;
            let engine = engine(network, &calibrated.layers, options.zero_skip)?;
            let (found, stats) = outputs(measure.samples, control, |sample| {
                let run = engine.run(sample)?;
                Ok((run.output, run.layers))
            })?;
            let accuracy = |outputs: &[Vec<f32>]| measure.labels.map(|labels| share_right(outputs, labels));
            let (before, after) = (accuracy(&float), accuracy(&found));
            Ok(SweepPoint {
                key_fraction_bits: bits as u32,
                rows: calibrated.layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0),
                hit_rate: stats.hit_rate(),
                nonzero_hit_rate: stats.nonzero_hit_rate(),
                agreement: Agreement::new(&float, &found),
                accuracy: after,
                loss_pp: before.zip(after).map(|(before, after)| 100.0 * (before - after)),
            })
        })
        .collect()
}

fn every_width(
    clustered: &Clustered,
    layer: &LayerReference,
    activations: &Activations,
    options: &SweepOptions,
) -> Vec<Fill> {
    let clusters = layer.classes.clusters(&clustered.clustering);
    let fill = |bits: u32| {
        let profile = activations.profile(bits);
        let pairs = |visit: &mut dyn FnMut(Pair)| profile.pairs(&clusters, visit);
        let codebook = &clustered.clustering.codebook;
        by_frequency(pairs, codebook, &layer.counts, bits, options.rows, options.zero_skip)
    };
    (0..=FRACTION_BITS).into_par_iter().map(fill).collect()
}

fn engine(network: &Network, layers: &[LayerDesign], zero_skip: bool) -> Result<Engine, EngineError> {
    let exact = Engine::exact(network, zero_skip);
    network.layers().iter().zip(layers).enumerate().try_fold(exact, |engine, (index, (layer, design))| {
        Ok(engine.with_layer(index, Arc::new(LayerKernel::new(layer, design, zero_skip)?)))
    })
}

/// Outputs for each sample, and counts over all of them.
fn outputs(
    samples: &Samples,
    control: &SearchControl<'_>,
    run: impl Fn(&[f32]) -> Result<(Vec<f32>, Vec<LayerStats>), EngineError> + Sync,
) -> Result<(Vec<Vec<f32>>, LayerStats), EngineError> {
    let runs =
        (0..samples.len())
            .into_par_iter()
            .map(|index| {
                if control.cancel.load(Ordering::Relaxed) {
                    Err(EngineError::Cancelled)
                } else {
                    run(samples.get(index))
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
    let stats = runs.iter().flat_map(|(_, layers)| layers).copied().sum();
    Ok((runs.into_iter().map(|(output, _)| output).collect(), stats))
}

fn share_right(outputs: &[Vec<f32>], labels: &[usize]) -> f64 {
    let right = outputs.iter().zip(labels).filter(|(output, label)| top1(output) == **label).count();
    right as f64 / outputs.len().max(1) as f64
}
