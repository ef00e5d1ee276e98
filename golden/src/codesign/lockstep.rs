//! All calibration samples through the network together, a layer at a time.

use crate::infer::EngineError;
use crate::net::{Network, Samples};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// All samples, stopped before the same mapped layer.
///
/// Sequential calibration decides on a layer when it has seen the layer's
/// inputs for every sample. The part of the network that is not mapped costs
/// next to nothing, so it simply runs again for every layer, with the outputs
/// of the layers so far read from memory.
pub(super) struct Lockstep<'a> {
    network: &'a Network,
    samples: &'a Samples,
    cancel: &'a AtomicBool,
    /// Outputs so far, by sample, then layer.
    outputs: Vec<Vec<Vec<f32>>>,
}

impl<'a> Lockstep<'a> {
    pub(super) fn new(network: &'a Network, samples: &'a Samples, cancel: &'a AtomicBool) -> Self {
        Self { network, samples, cancel, outputs: vec![Vec::new(); samples.len()] }
    }

    /// The next layer's input tensor for each sample.
    pub(super) fn inputs(&self) -> Result<Vec<Vec<f32>>, EngineError> {
        self.each(|sample, known| {
            let mut input = Vec::new();
            self.network.run_with(self.samples.get(sample), &mut |layer, tensor| {
                if layer == known.len() {
                    input = tensor.to_vec();
                }
                self.output(known, layer)
            })?;
            Ok(input)
        })
    }

    /// Computes the next layer's output for each sample and moves behind it.
    pub(super) fn advance(&mut self, outputs: Vec<Vec<f32>>) {
        self.outputs.iter_mut().zip(outputs).for_each(|(known, output)| known.push(output));
    }

    /// The network's output for each sample, once all layers are behind.
    pub(super) fn finish(&self) -> Result<Vec<Vec<f32>>, EngineError> {
        self.each(|sample, known| {
            Ok(self.network.run_with(self.samples.get(sample), &mut |layer, _| self.output(known, layer))?)
        })
    }

    /// The output of a layer: as computed, or zeros for one still to come.
    fn output(&self, known: &[Vec<f32>], layer: usize) -> Vec<f32> {
        known.get(layer).cloned().unwrap_or_else(|| vec![0.0; self.network.layers()[layer].geometry.outputs()])
    }

    fn each<T: Send>(
        &self,
        map: impl Fn(usize, &[Vec<f32>]) -> Result<T, EngineError> + Sync,
    ) -> Result<Vec<T>, EngineError> {
        let map = |(sample, known): (usize, &Vec<Vec<f32>>)| {
            if self.cancel.load(Ordering::Relaxed) { Err(EngineError::Cancelled) } else { map(sample, known) }
        };
        self.outputs.par_iter().enumerate().map(map).collect()
    }
}
