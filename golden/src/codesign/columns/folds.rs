//! Recipes judged on samples that they were not fitted to: cross-validation.
//!
//! Codebooks, rows and biases fit the samples that they are made from, so that a recipe looks
//! better there than it is. So it is also made from three quarters of the samples and run on the
//! rest, four times, until each sample was left out once.

use super::super::agreement::Agreement;
use super::recipe::{LayerColumns, Recipe};
use super::trials::{ColumnTrials, Setting};
use crate::infer::{Control, Engine, EngineError, map_samples};
use crate::net::{Network, Samples};
use axp_spec::WeightOperand;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Into so many parts the samples are divided.
pub(super) const FOLDS: usize = 4;
/// Fewest samples of which some can be left out.
const FEWEST: usize = 64;

/// The samples without each part, and each part. None of too few.
pub(super) fn divide(samples: &Samples) -> Vec<[Samples; 2]> {
    if samples.len() < FEWEST {
        return Vec::new();
    }
    let part = |fold: usize| {
        let (held, fitted): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|sample| sample % FOLDS == fold);
        [samples.select(&fitted), samples.select(&held)]
    };
    (0..FOLDS).map(part).collect()
}

/// Trials on the samples without each part.
pub(super) struct Folds<'a> {
    network: &'a Network,
    cancel: &'a AtomicBool,
    /// Trials, the samples that they do not see, and the float network's outputs for these.
    parts: Vec<(ColumnTrials<'a>, &'a Samples, Vec<Vec<f32>>)>,
}

impl<'a> Folds<'a> {
    /// See [`ColumnTrials::new`]; `each` is called before each layer of each part.
    pub fn new(
        network: &'a Network,
        divided: &'a [[Samples; 2]],
        setting: Setting,
        columns: &[LayerColumns],
        cancel: &'a AtomicBool,
        mut each: impl FnMut(),
    ) -> Result<Self, EngineError> {
        let part = |[fitted, held]: &'a [Samples; 2]| {
            let trials = ColumnTrials::new(network, fitted, setting, columns, cancel, |_| each())?;
            let control = Control { progress: &|_| {}, cancel };
            let outputs = map_samples(held, &control, |_, sample| Ok(network.baseline(sample)?))?;
            Ok((trials, held, outputs))
        };
        let parts = divided.iter().map(part).collect::<Result<_, EngineError>>()?;
        Ok(Self { network, cancel, parts })
    }

    /// How far a recipe's outputs are from the float network's on samples that it was not made
    /// from; none without parts.
    pub fn agreement(&mut self, recipe: &Recipe, weight: WeightOperand) -> Result<Option<Agreement>, EngineError> {
        if self.parts.is_empty() {
            return Ok(None);
        }
        let (network, cancel) = (self.network, self.cancel);
        // Parts side by side: within one, a layer's kernel waits for the layers before it.
        let part = |(trials, held, _): &mut (ColumnTrials<'a>, &Samples, Vec<Vec<f32>>)| {
            let mut kernels = Vec::with_capacity(trials.layers());
            trials.measure_with(recipe, weight, |kernel| kernels.push(Arc::new(kernel)))?;
            let engine = Engine::of_kernels(network, kernels);
            let control = Control { progress: &|_| {}, cancel };
            map_samples(held, &control, |_, sample| Ok(engine.run(sample)?.output))
        };
        let found = self.parts.par_iter_mut().map(part).collect::<Result<Vec<_>, EngineError>>()?.concat();
        let float: Vec<Vec<f32>> = self.parts.iter().flat_map(|(_, _, outputs)| outputs.clone()).collect();
        Ok(Some(Agreement::new(&float, &found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_left_out_once() {
        let samples = |count: usize| Samples::new(vec![1], (0..count).map(|value| value as f32).collect()).unwrap();
        let divided = divide(&samples(70));
        assert_eq!(divided.len(), FOLDS);
        let mut held: Vec<f32> = divided.iter().flat_map(|[_, held]| held.values().to_vec()).collect();
        held.sort_by(f32::total_cmp);
        assert_eq!(held, samples(70).values());
        for [fitted, held] in &divided {
            assert_eq!(fitted.len() + held.len(), 70);
            assert!(held.values().iter().all(|value| !fitted.values().contains(value)));
        }
        assert!(divide(&samples(FEWEST - 1)).is_empty());
    }
}
