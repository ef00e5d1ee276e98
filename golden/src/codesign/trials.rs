//! Configurations of the search, tried on the calibration samples.

use super::agreement::Agreement;
use super::candidate::{Calibrated, Clustered, FillRule, LayerChoice, calibrate, layer_design};
use super::fill::Fill;
use super::reference::Reference;
use crate::infer::{EngineError, LayerStats};
use crate::net::{Network, Samples};
use axp_spec::LayerDesign;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One configuration that was tried, for the report.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Trial {
    /// Most values in a codebook; none: unclustered. Where layers differ, the
    /// first layer's.
    pub clusters: Option<usize>,
    /// Most fraction bits that a row compares, over all layers.
    pub key_fraction_bits: u32,
    /// How rows were chosen.
    pub fill: FillRule,
    /// Most rows that a layer uses.
    pub rows: usize,
    /// Hits among all multiply-accumulates of the network, 0 to 1.
    pub hit_rate: f64,
    /// Hits among those with a nonzero activation, 0 to 1.
    pub nonzero_hit_rate: f64,
    /// Agreement with the float network on the calibration samples.
    pub agreement: Agreement,
    /// Whether the accuracy lost stays within the bound.
    pub feasible: bool,
}

/// Rows for every layer, and what the profile says they do.
pub struct Filled {
    pub(super) choices: Vec<LayerChoice>,
    pub(super) clustered: Vec<Arc<Clustered>>,
    pub(super) fills: Vec<Fill>,
    /// Predicted hits among the multiply-accumulates with a nonzero activation.
    pub nonzero_hit_rate: f64,
    /// Most rows that a layer uses.
    pub rows: usize,
}

/// A configuration and its measurement.
pub struct Measured {
    /// For the report; `feasible` is left to the search.
    pub trial: Trial,
    /// The layers of the design, biases corrected.
    pub layers: Vec<LayerDesign>,
    /// What was decided for each layer.
    pub choices: Vec<LayerChoice>,
}

/// The network, the samples and what is known of them.
pub struct Trials<'a> {
    network: &'a Network,
    samples: &'a Samples,
    reference: &'a Reference,
    seed: u64,
    zero_skip: bool,
    cancel: &'a AtomicBool,
    clustered: HashMap<(usize, Option<usize>), Arc<Clustered>>,
}

impl<'a> Trials<'a> {
    /// Trials of a network on samples that `reference` was collected from.
    pub fn new(
        network: &'a Network,
        samples: &'a Samples,
        reference: &'a Reference,
        seed: u64,
        zero_skip: bool,
        cancel: &'a AtomicBool,
    ) -> Self {
        Self { network, samples, reference, seed, zero_skip, cancel, clustered: HashMap::new() }
    }

    /// Mapped layers of the network.
    pub fn layers(&self) -> usize {
        self.network.layers().len()
    }

    /// Clusters and fills every layer. Nothing runs yet.
    pub fn fill(&mut self, choices: Vec<LayerChoice>) -> Filled {
        self.cluster(&choices);
        let clustered: Vec<Arc<Clustered>> = choices
            .iter()
            .enumerate()
            .map(|(layer, choice)| Arc::clone(&self.clustered[&(layer, choice.clusters)]))
            .collect();
        let nonzero = self.reference.nonzero();
        let fills: Vec<Fill> = clustered
            .par_iter()
            .zip(&choices)
            .zip(&self.reference.layers)
            .map(|((clustered, choice), reference)| clustered.fill(reference, choice, nonzero, self.zero_skip))
            .collect();
        let hits: u64 = fills.iter().map(|fill| fill.nonzero_hits).sum();
        Filled {
            nonzero_hit_rate: hits as f64 / nonzero.max(1) as f64,
            rows: fills.iter().map(|fill| fill.rows.len()).max().unwrap_or(0),
            choices,
            clustered,
            fills,
        }
    }

    fn cluster(&mut self, choices: &[LayerChoice]) {
        let missing: Vec<(usize, Option<usize>)> = choices
            .iter()
            .enumerate()
            .map(|(layer, choice)| (layer, choice.clusters))
            .filter(|key| !self.clustered.contains_key(key))
            .collect();
        let made: Vec<_> = missing
            .into_par_iter()
            .map(|(layer, clusters)| {
                let (of, reference) = (&self.network.layers()[layer], &self.reference.layers[layer]);
                let clustered = match clusters {
                    Some(clusters) => Clustered::new(of, layer, reference, clusters, self.seed),
                    None => Clustered::exact(of),
                };
                ((layer, clusters), Arc::new(clustered))
            })
            .collect();
        self.clustered.extend(made);
    }

    /// Corrects the biases of a filled configuration and runs it.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn measure(&self, filled: Filled) -> Result<Measured, EngineError> {
        let layers: Vec<LayerDesign> = self
            .network
            .layers()
            .iter()
            .zip(filled.clustered.iter().zip(&filled.fills).zip(&filled.choices))
            .map(|(layer, ((clustered, fill), choice))| {
                layer_design(layer, &clustered.clustering, fill, choice.key_fraction_bits)
            })
            .collect();
        let correct: Vec<bool> = filled.choices.iter().map(|choice| choice.clusters.is_some()).collect();
        let Calibrated { layers, outputs, stats } =
            calibrate(self.network, self.samples, self.reference, layers, &correct, self.zero_skip, self.cancel)?;
        let total: LayerStats = stats.into_iter().sum();
        let first = filled.choices.first();
        let trial = Trial {
            clusters: first.and_then(|choice| choice.clusters),
            key_fraction_bits: filled.choices.iter().map(|choice| choice.key_fraction_bits).max().unwrap_or(0),
            fill: first.map_or(FillRule::Frequency, |choice| choice.fill),
            rows: filled.rows,
            hit_rate: total.hit_rate(),
            nonzero_hit_rate: total.nonzero_hit_rate(),
            agreement: Agreement::new(&self.reference.outputs, &outputs),
            feasible: false,
        };
        Ok(Measured { trial, layers, choices: filled.choices })
    }
}
