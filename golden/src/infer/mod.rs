//! A whole network through the PE's arithmetic, bit-exact and fast.
//!
//! Every output of a mapped layer equals [`crate::pe::sum`] over its operand
//! stream plus [`crate::pe::add_bias`], bit for bit; the layers between them
//! run in tract, exactly. The results do not depend on the number of threads.

mod error;
mod kernel;
mod stats;

pub use error::EngineError;
pub use kernel::LayerKernel;
pub use stats::{Evaluation, LayerStats, top1};

use crate::net::{Network, Samples};
use axp_spec::Design;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A network with the PE's settings for each of its layers.
///
/// Cloning is cheap, and so is [`Engine::with_layer`]: a search can change one
/// layer at a time.
#[derive(Clone, Debug)]
pub struct Engine {
    network: Network,
    kernels: Vec<Arc<LayerKernel>>,
}

/// What one sample gives.
#[derive(Clone, Debug)]
pub struct Run {
    /// The network's (first) output, flat.
    pub output: Vec<f32>,
    /// Counts for each mapped layer.
    pub layers: Vec<LayerStats>,
}

/// A mapped layer's tensors while a sample runs.
#[derive(Clone, Copy, Debug)]
pub struct LayerTensors<'a> {
    /// Index of the layer in [`Network::layers`].
    pub layer: usize,
    /// What the layer reads, flat, in the layout of its geometry.
    pub input: &'a [f32],
    /// What it produces, bias included.
    pub output: &'a [f32],
}

/// The operand stream of one output element, for replay.
#[derive(Clone, Debug)]
pub struct OutputTrace {
    /// Flat index of the element in the layer's output tensor.
    pub index: usize,
    /// {weight, activation} encodings, in the order of accumulation.
    pub operands: Vec<(u32, u32)>,
    /// Added after the last one, if the layer has a bias.
    pub bias: Option<u32>,
    /// The element that inference produced.
    pub element: u32,
}

/// How a long run reports and stops.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Called after each sample with the number done so far, from any thread.
    pub progress: &'a (dyn Fn(usize) + Sync),
    /// Stops the run at the next sample once it is true.
    pub cancel: &'a AtomicBool,
}

impl Engine {
    /// The network on a PE with an empty AM and the weights as imported.
    pub fn exact(network: &Network, zero_skip: bool) -> Self {
        let _ = (network, zero_skip);
        todo!()
    }

    /// The network with the clustered weights and AM rows of a design.
    ///
    /// # Errors
    /// A design that was made for another network, or that does not fit the PE.
    pub fn from_design(network: &Network, design: &Design) -> Result<Self, EngineError> {
        let _ = (network, design);
        todo!()
    }

    /// This engine with another kernel for one layer.
    ///
    /// # Panics
    /// If the network has no such layer.
    pub fn with_layer(&self, layer: usize, kernel: Arc<LayerKernel>) -> Self {
        let mut changed = self.clone();
        changed.kernels[layer] = kernel;
        changed
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The layers' kernels, in the order of [`Network::layers`].
    pub fn kernels(&self) -> &[Arc<LayerKernel>] {
        &self.kernels
    }

    /// Runs one sample.
    ///
    /// # Errors
    /// A sample of another length than the input, or a failure in tract.
    pub fn run(&self, sample: &[f32]) -> Result<Run, EngineError> {
        self.observe(sample, &mut |_| {})
    }

    /// Runs one sample and shows each mapped layer's tensors as they come.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn observe(
        &self,
        sample: &[f32],
        observer: &mut dyn FnMut(LayerTensors<'_>),
    ) -> Result<Run, EngineError> {
        let _ = (sample, observer);
        todo!()
    }

    /// Top-1 predictions, accuracy if there are labels, and counts summed over
    /// the samples.
    ///
    /// # Errors
    /// As [`Engine::run`]; [`EngineError::Cancelled`].
    pub fn evaluate(
        &self,
        samples: &Samples,
        labels: Option<&[usize]>,
        control: &Control<'_>,
    ) -> Result<Evaluation, EngineError> {
        let _ = (samples, labels, control);
        todo!()
    }

    /// The operand streams of outputs `indices` of `layer` for one sample.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn traces(
        &self,
        sample: &[f32],
        layer: usize,
        indices: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<OutputTrace>, EngineError> {
        let _ = (sample, layer, indices);
        todo!()
    }
}

/// Calls `each` with every sample's index and values, on all cores, and returns
/// what it gives in the order of the samples.
///
/// # Errors
/// The first error of `each`; [`EngineError::Cancelled`].
pub fn map_samples<T: Send>(
    samples: &Samples,
    control: &Control<'_>,
    each: impl Fn(usize, &[f32]) -> Result<T, EngineError> + Sync,
) -> Result<Vec<T>, EngineError> {
    let _ = (samples, control, each);
    todo!()
}
