//! What the float network does on the calibration samples.

use super::classes::InputClasses;
use super::covariance::Covariance;
use super::lockstep::Lockstep;
use super::profile::{Activations, MacCounts, Profile};
use crate::infer::{EngineError, LayerKernel};
use crate::net::{Geometry, Network, Samples};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;

/// Fraction bits of the profiles that are kept: more than rows ever compare
/// with profit.
pub const PROFILE_BITS: u32 = 4;

/// The float network's outputs, and what its layers read and produce.
pub struct Reference {
    /// Its output for each sample, in tract's arithmetic.
    pub outputs: Vec<Vec<f32>>,
    /// One entry for each mapped layer.
    pub layers: Vec<LayerReference>,
}

/// A mapped layer of the float network on the calibration samples.
pub struct LayerReference {
    /// Its input elements by the weights they meet.
    pub classes: InputClasses,
    /// Its activations at [`PROFILE_BITS`].
    pub profile: Profile,
    /// Its multiply-accumulates by kind of activation.
    pub counts: MacCounts,
    /// How much the activations vary that each weight meets.
    pub importance: Vec<f64>,
    /// Mean output of each channel, bias included.
    pub channel_mean: Vec<f64>,
    /// Σ (output − mean of its channel)² over all samples.
    pub signal: f64,
}

impl Reference {
    /// Runs the float network over the samples. `inspect` sees each layer with what is
    /// too large to be kept of all layers: how the operands of its sums vary together,
    /// and its activations at full resolution.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn collect(
        network: &Network,
        samples: &Samples,
        cancel: &AtomicBool,
        mut inspect: impl FnMut(usize, &LayerReference, Covariance, &Activations),
    ) -> Result<Self, EngineError> {
        let mut lockstep = Lockstep::new(network, samples, cancel)?;
        let mut layers = Vec::with_capacity(network.layers().len());
        for (index, layer) in network.layers().iter().enumerate() {
            let kernel = LayerKernel::exact(layer, false);
            let inputs = lockstep.inputs();
            let outputs: Vec<Vec<f32>> = inputs.par_iter().map(|input| kernel.run(input).0).collect();
            let classes = InputClasses::new(&layer.geometry);
            let activations = Activations::collect(&classes, inputs.iter().copied());
            let profile = activations.profile(PROFILE_BITS);
            let channel_mean = channel_means(&layer.geometry, &outputs);
            let of_layer = LayerReference {
                counts: profile.counts(&classes),
                importance: profile.importance(&classes),
                signal: deviation(&layer.geometry, &outputs, &channel_mean),
                classes,
                profile,
                channel_mean,
            };
            inspect(index, &of_layer, Covariance::collect(&layer.geometry, &inputs), &activations);
            layers.push(of_layer);
            lockstep.advance(&outputs)?;
        }
        let outputs = (0..samples.len())
            .into_par_iter()
            .map(|i| Ok(network.baseline(samples.get(i))?))
            .collect::<Result<_, EngineError>>()?;
        Ok(Self { outputs, layers })
    }

    /// Multiply-accumulates with a nonzero activation, in all layers.
    pub fn nonzero(&self) -> u64 {
        self.layers.iter().map(|layer| layer.counts.nonzero()).sum()
    }
}

/// Mean of each output channel over all positions and samples.
pub(super) fn channel_means(geometry: &Geometry, outputs: &[Vec<f32>]) -> Vec<f64> {
    let sums = outputs.par_iter().map(|output| channel_sums(geometry, output, |_, value| value)).collect::<Vec<_>>();
    let count = (geometry.positions() * outputs.len()).max(1) as f64;
    total(geometry.out_channels, sums).into_iter().map(|sum| sum / count).collect()
}

fn deviation(geometry: &Geometry, outputs: &[Vec<f32>], mean: &[f64]) -> f64 {
    let square = |channel: usize, value: f64| (value - mean[channel]).powi(2);
    let sums = outputs.par_iter().map(|output| channel_sums(geometry, output, square)).collect::<Vec<_>>();
    total(geometry.out_channels, sums).into_iter().sum()
}

fn channel_sums(geometry: &Geometry, output: &[f32], term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; geometry.out_channels];
    for (index, value) in output.iter().enumerate() {
        let channel = geometry.channel_of(index);
        sums[channel] += term(channel, f64::from(*value));
    }
    sums
}

/// Sums in the order of the samples, whatever the threads did.
fn total(channels: usize, sums: Vec<Vec<f64>>) -> Vec<f64> {
    sums.into_iter().fold(vec![0.0; channels], |mut total, sample| {
        total.iter_mut().zip(sample).for_each(|(total, sum)| *total += sum);
        total
    })
}
