//! Configurations of the search, tried on the calibration samples.

use super::agreement::Agreement;
use super::candidate::{Calibrated, Clustered, FillRule, LayerChoice, calibrate, layer_design};
use super::columns::Setting;
use super::energy::LayerLoad;
use super::feedback::Feedback;
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

/// How the rows of a configuration were made.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Rows {
    /// Pairs were chosen.
    Pairs(FillRule),
    /// One for every prefix of the activation's fraction.
    Significands,
    /// The best prefixes of the activation's magnitude.
    Patterns,
}

/// One configuration that was tried, for the report.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Trial {
    /// What is built, in a word or a name.
    pub name: String,
    /// Most values in a codebook; none: unclustered.
    pub clusters: Option<usize>,
    /// Most fraction bits that a row may compare.
    pub key_fraction_bits: u32,
    /// Most rows that a layer uses.
    pub rows: usize,
    /// How rows were chosen; where layers differ, in the first one.
    pub fill: Rows,
    /// Whether layers have codebooks of different sizes.
    pub mixed: bool,
    /// Layers that keep their own weights and have no rows.
    pub exact: usize,
    /// Hits among all multiply-accumulates of the network, 0 to 1.
    pub hit_rate: f64,
    /// Hits among those with a nonzero activation, 0 to 1.
    pub nonzero_hit_rate: f64,
    /// What it should use, in pJ a multiply-accumulate, if an energy model could tell.
    pub pj_per_mac: Option<f64>,
    /// Agreement with the float network on the calibration samples.
    pub agreement: Agreement,
    /// Whether the accuracy lost stays within the bound.
    pub feasible: bool,
}

/// Rows for every layer, and what the profile says they do.
#[derive(Clone)]
pub struct Filled {
    layers: Vec<FilledLayer>,
    nonzero: u64,
}

#[derive(Clone)]
struct FilledLayer {
    choice: LayerChoice,
    clustered: Arc<Clustered>,
    fill: Fill,
    /// Squared error of clustering and rows over that of the signal.
    noise: f64,
}

impl Filled {
    /// Predicted hits among the multiply-accumulates with a nonzero activation.
    pub fn nonzero_hit_rate(&self) -> f64 {
        let hits: u64 = self.layers.iter().map(|layer| layer.fill.nonzero_hits).sum();
        hits as f64 / self.nonzero.max(1) as f64
    }
}

/// A configuration and its measurement.
pub struct Measured {
    /// For the report; `feasible` is left to the search.
    pub trial: Trial,
    /// The layers of the design, biases corrected.
    pub layers: Vec<LayerDesign>,
    /// What the layers give the PE to do.
    pub loads: Vec<LayerLoad>,
}

/// The network, the samples and what is known of them.
pub struct Trials<'a> {
    network: &'a Network,
    samples: &'a Samples,
    reference: Reference,
    zero_skip: bool,
    cancel: &'a AtomicBool,
    clustered: HashMap<(usize, Option<usize>), Arc<Clustered>>,
    /// How much noise in each layer disturbs the network's output, relative to
    /// the other layers.
    sensitivity: Vec<f64>,
}

impl<'a> Trials<'a> {
    /// Profiles the samples, and clusters each layer into at most each of `sizes` values.
    /// Layers come one after the other, and what is large of one is gone before the next.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn new(
        network: &'a Network,
        samples: &'a Samples,
        sizes: &[usize],
        setting: Setting,
        cancel: &'a AtomicBool,
    ) -> Result<Self, EngineError> {
        let mut clustered = HashMap::new();
        let reference = Reference::collect(network, samples, cancel, |index, reference, covariance, _| {
            let layer = &network.layers()[index];
            let feedback = Feedback::new(&layer.geometry, &covariance);
            let cluster = |size: &usize| {
                let made = Clustered::new(layer, index, reference, &feedback, setting.feedback, *size, setting.seed);
                ((index, Some(*size)), Arc::new(made))
            };
            clustered.par_extend(sizes.par_iter().map(cluster));
            clustered.insert((index, None), Arc::new(Clustered::exact(layer)));
        })?;
        let sensitivity = vec![1.0; network.layers().len()];
        Ok(Self { network, samples, reference, zero_skip: setting.zero_skip, cancel, clustered, sensitivity })
    }

    /// Mapped layers of the network.
    pub fn layers(&self) -> usize {
        self.network.layers().len()
    }

    /// Fills every layer, of sizes that were clustered. Nothing runs yet.
    pub fn fill(&self, choices: &[LayerChoice]) -> Filled {
        let layers = choices.par_iter().enumerate().map(|(layer, choice)| self.fill_layer(layer, choice)).collect();
        Filled { layers, nonzero: self.reference.nonzero() }
    }

    /// Fills every layer with whichever of the choices is worth
    /// most: hits less the price of the noise that clustering and rows make.
    pub fn fill_best(&self, choices: &[LayerChoice], error_price: f64) -> Filled {
        let layers = self.layers();
        let nonzero = self.reference.nonzero() as f64;
        let worth = |layer: usize, filled: &FilledLayer| {
            filled.fill.nonzero_hits as f64 - error_price * self.sensitivity[layer] * nonzero * filled.noise
        };
        let best = |layer: usize| {
            let filled = choices.iter().map(|choice| self.fill_layer(layer, choice));
            // The first of equals.
            filled.reduce(|a, b| if worth(layer, &b) > worth(layer, &a) { b } else { a })
        };
        Filled { layers: (0..layers).into_par_iter().filter_map(best).collect(), nonzero: self.reference.nonzero() }
    }

    fn fill_layer(&self, layer: usize, choice: &LayerChoice) -> FilledLayer {
        let clustered = Arc::clone(&self.clustered[&(layer, choice.clusters)]);
        let reference = &self.reference.layers[layer];
        let fill = clustered.fill(reference, &self.priced(layer, choice), self.reference.nonzero(), self.zero_skip);
        let noise = (clustered.error + fill.error) / reference.signal.max(f64::MIN_POSITIVE);
        FilledLayer { choice: *choice, clustered, fill, noise }
    }

    /// The choice with its error price made that of the layer.
    fn priced(&self, layer: usize, choice: &LayerChoice) -> LayerChoice {
        let fill = match choice.fill {
            FillRule::Frequency => FillRule::Frequency,
            FillRule::Merged { error_price } => FillRule::Merged { error_price: error_price * self.sensitivity[layer] },
        };
        LayerChoice { fill, ..*choice }
    }

    /// Measures how sensitive the network is to noise in each layer: the
    /// divergence of its outputs when this layer alone is clustered and filled,
    /// over the noise that this makes.
    ///
    /// `each` is called before each layer's run.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn measure_sensitivity(
        &mut self,
        choice: &LayerChoice,
        mut each: impl FnMut(usize),
    ) -> Result<(), EngineError> {
        let exact = LayerChoice { clusters: None, rows: 0, ..*choice };
        let mut sensitivity = Vec::new();
        for layer in 0..self.layers() {
            each(layer);
            let mut choices = vec![exact; self.layers()];
            choices[layer] = *choice;
            let filled = self.fill(&choices);
            let noise = filled.layers[layer].noise;
            let divergence = self.measure(&filled)?.trial.agreement.divergence;
            sensitivity.push(if noise > 0.0 { divergence / noise } else { 0.0 });
        }
        let mean = sensitivity.iter().sum::<f64>() / sensitivity.len().max(1) as f64;
        if mean > 0.0 && mean.is_finite() {
            // No layer is taken to be free of consequences, or beyond all price.
            self.sensitivity = sensitivity.iter().map(|s| (s / mean).clamp(0.05, 20.0)).collect();
        }
        Ok(())
    }

    /// How much noise in each layer disturbs the output, 1 on average; all 1
    /// before [`Trials::measure_sensitivity`].
    pub fn sensitivity(&self) -> &[f64] {
        &self.sensitivity
    }

    /// The layers of a filled configuration, their biases still the float network's.
    pub fn designs(&self, filled: &Filled) -> Vec<LayerDesign> {
        let design = |(layer, filled): (_, &FilledLayer)| {
            layer_design(layer, &filled.clustered.clustering, &filled.fill, filled.choice.key_fraction_bits)
        };
        self.network.layers().iter().zip(&filled.layers).map(design).collect()
    }

    /// Corrects the biases of a filled configuration and runs it.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn measure(&self, filled: &Filled) -> Result<Measured, EngineError> {
        let layers = self.designs(filled);
        // Weights that stay as they are make no error of their own. Their bias
        // is corrected only behind layers that do.
        let first_change = filled.layers.iter().position(|layer| layer.choice.clusters.is_some());
        let correct: Vec<bool> =
            (0..layers.len()).map(|layer| first_change.is_some_and(|first| layer >= first)).collect();
        let Calibrated { layers, outputs, stats, loads } =
            calibrate(self.network, self.samples, &self.reference, layers, &correct, self.zero_skip, self.cancel)?;
        let total: LayerStats = stats.into_iter().sum();
        let choices = || filled.layers.iter().map(|layer| layer.choice);
        let rows = layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0);
        let trial = Trial {
            name: format!("pair, {rows} rows"),
            clusters: choices().map(|choice| choice.clusters).max().flatten(),
            key_fraction_bits: choices().map(|choice| choice.key_fraction_bits).max().unwrap_or(0),
            rows,
            fill: Rows::Pairs(choices().next().map_or(FillRule::Frequency, |choice| choice.fill)),
            mixed: choices().any(|choice| Some(choice.clusters) != filled.layers.first().map(|l| l.choice.clusters)),
            exact: choices().filter(|choice| choice.clusters.is_none()).count(),
            hit_rate: total.hit_rate(),
            nonzero_hit_rate: total.nonzero_hit_rate(),
            pj_per_mac: None,
            agreement: Agreement::new(&self.reference.outputs, &outputs),
            feasible: false,
        };
        Ok(Measured { trial, layers, loads })
    }
}
