//! Recipes for memories with columns, tried on the calibration samples.

use super::super::agreement::Agreement;
use super::super::candidate::{Calibrated, Calibration};
use super::super::energy::LayerLoad;
use super::super::feedback::Feedback;
use super::super::reference::Reference;
use super::super::search::SearchOptions;
use super::super::trials::{Rows, Trial};
use super::layer::{Filled, Folded};
use super::pe::Kind;
use super::recipe::{LayerColumns, Recipe};
use crate::infer::{EngineError, LayerKernel, LayerStats};
use crate::net::{Network, Samples};
use axp_spec::design::SCHEMA;
use axp_spec::{Design, LayerDesign, Provenance, WeightOperand};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

/// What all recipes have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Seed of every random choice.
    pub seed: u64,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
    /// Whether codebooks are rounded to with error feedback; without it, weights get the
    /// nearest value of k-means.
    pub feedback: bool,
    /// Whether output channels may be scaled by powers of two, so that channels of different
    /// scale share a codebook.
    pub channel_scales: bool,
}

impl From<&SearchOptions> for Setting {
    fn from(options: &SearchOptions) -> Self {
        let SearchOptions { seed, zero_skip, feedback, channel_scales, .. } = *options;
        Self { seed, zero_skip, feedback, channel_scales }
    }
}

/// The network, the samples, and codebooks of all sizes for each layer.
pub struct ColumnTrials<'a> {
    network: &'a Network,
    samples: &'a Samples,
    setting: Setting,
    cancel: &'a AtomicBool,
    reference: Reference,
    /// For each layer its codebooks, by the columns that they may use.
    folded: Vec<HashMap<LayerColumns, Folded>>,
}

/// A recipe and its measurement.
#[derive(Clone, Debug)]
pub struct Measured {
    /// For the report; neither feasible nor with an energy yet.
    pub trial: Trial,
    /// The layers of the design, biases corrected.
    pub layers: Vec<LayerDesign>,
    /// What the layers give the PE to do.
    pub loads: Vec<LayerLoad>,
}

impl<'a> ColumnTrials<'a> {
    /// Profiles the samples and makes each layer's codebooks, those of `columns`.
    /// Layers come one after the other, and what is large of one is gone before the next.
    /// `each` is called before each layer.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn new(
        network: &'a Network,
        samples: &'a Samples,
        setting: Setting,
        columns: &[LayerColumns],
        cancel: &'a AtomicBool,
        mut each: impl FnMut(usize),
    ) -> Result<Self, EngineError> {
        let mut folded = Vec::new();
        each(0);
        let reference = Reference::collect(network, samples, cancel, |index, reference, covariance, _| {
            let layer = &network.layers()[index];
            let feedback = setting.feedback.then(|| Feedback::new(&layer.geometry, &covariance));
            let fold = |columns: &LayerColumns| {
                let folded = Folded::new(layer, index, reference, feedback.as_ref(), *columns, &setting);
                (*columns, folded)
            };
            folded.push(columns.par_iter().map(fold).collect());
            each(index + 1);
        })?;
        Ok(Self { network, samples, setting, cancel, reference, folded })
    }

    /// Mapped layers of the network.
    pub fn layers(&self) -> usize {
        self.network.layers().len()
    }

    /// Multiply-accumulates of each layer in one inference.
    pub fn macs(&self) -> Vec<u64> {
        self.network.layers().iter().map(|layer| layer.geometry.macs()).collect()
    }

    /// Fills all layers, corrects their biases and runs them.
    ///
    /// # Errors
    /// A PE that cannot be built or has too few columns, a codebook that was not made, a
    /// failure of the network; [`EngineError::Cancelled`].
    pub fn measure(&mut self, recipe: &Recipe, weight: WeightOperand) -> Result<Measured, EngineError> {
        self.measure_with(recipe, weight, |_| {})
    }

    /// The same; `done` gets each layer's kernel, with its bias, once it has run.
    pub(super) fn measure_with(
        &mut self,
        recipe: &Recipe,
        weight: WeightOperand,
        done: impl FnMut(LayerKernel),
    ) -> Result<Measured, EngineError> {
        let pe = recipe.kind.pe(weight, false);
        pe.validate().map_err(axp_spec::DesignError::from)?;
        let network = self.network;
        for ((layer, folded), choice) in network.layers().iter().zip(&mut self.folded).zip(&recipe.layers) {
            // Distinct weights of a large layer are many: they are made when they are asked for.
            if *choice == LayerColumns::Exact {
                folded.entry(*choice).or_insert_with(|| Folded::exact(layer));
            }
        }
        let refused = || EngineError::Design { what: format!("{} has no columns for its weights", pe.name) };
        let chosen = self.folded.iter().zip(&recipe.layers);
        let chosen: Vec<&Folded> =
            chosen.map(|(folded, choice)| folded.get(choice).ok_or_else(refused)).collect::<Result<_, _>>()?;
        let fill = |(number, layer): (usize, _)| match recipe.layers[number] {
            LayerColumns::Exact => Ok(Filled::exact(layer)),
            _ => Filled::new(&pe, layer, chosen[number], recipe.rows[number]).ok_or_else(refused),
        };
        let filled = network.layers().par_iter().enumerate().map(fill).collect::<Result<Vec<_>, _>>()?;
        let designs = network.layers().iter().zip(&filled).zip(&chosen);
        let designs = designs.map(|((layer, filled), folded)| filled.design(&pe, layer, folded)).collect();
        let kernel = |index: usize, design: &mut LayerDesign, inputs: &[&[f32]]| {
            filled[index].complete(&pe, design, inputs);
            LayerKernel::on(&pe, &network.layers()[index], design, self.setting.zero_skip)
        };
        let calibration =
            Calibration { network, samples: self.samples, reference: &self.reference, cancel: self.cancel };
        // Behind nothing but exact layers there is nothing to correct.
        let changed = recipe.layers.iter().position(|choice| *choice != LayerColumns::Exact);
        let correct: Vec<bool> = (0..filled.len()).map(|layer| changed.is_some_and(|first| layer >= first)).collect();
        let Calibrated { layers, outputs, stats, loads } = calibration.run(designs, &correct, kernel, done)?;
        let total: LayerStats = stats.into_iter().sum();
        let on_memory = || layers.iter().zip(&recipe.layers).filter(|(_, choice)| **choice != LayerColumns::Exact);
        let trial = Trial {
            name: pe.name.clone(),
            clusters: on_memory().map(|(layer, _)| layer.codebook.len()).max(),
            key_fraction_bits: on_memory().map(|(layer, _)| layer.key_fraction_bits).max().unwrap_or(0),
            rows: layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0),
            fill: if pe.grid_memory().is_some() { Rows::Patterns } else { Rows::Significands },
            mixed: recipe.is_mixed(),
            exact: recipe.exact(),
            hit_rate: total.hit_rate(),
            nonzero_hit_rate: total.nonzero_hit_rate(),
            pj_per_mac: None,
            agreement: Agreement::new(&self.reference.outputs, &outputs),
            feasible: false,
        };
        Ok(Measured { trial, layers, loads })
    }
}

impl Measured {
    /// The design on a PE of this kind.
    pub fn design(
        &self,
        kind: Kind,
        weight: WeightOperand,
        frozen: bool,
        zero_skip: bool,
        provenance: Provenance,
    ) -> Design {
        let pe = kind.pe(weight, frozen);
        let mut design = Design { schema: SCHEMA, provenance, pe, zero_skip, layers: self.layers.clone() };
        if frozen {
            design.freeze();
        }
        design
    }
}
