//! A whole network through the PE's arithmetic, bit-exact and fast.
//!
//! Every output of a mapped layer equals [`crate::pe::sum`] over its operand
//! stream with its [`crate::pe::Epilogue`], bit for bit; the layers between them
//! run in tract, exactly. The results do not depend on the number of threads.

mod arithmetic;
mod blocks;
mod by_rule;
mod classes;
mod compiled;
mod counts;
mod error;
mod hit_table;
mod kernel;
mod lanes;
pub mod narrow;
mod packing;
mod powers;
mod present;
mod products;
mod reach;
mod scaled;
mod sign_folded;
mod sources;
mod stats;
mod sums;
mod sweep;
mod window;

pub(crate) use compiled::Peaks;
pub use error::EngineError;
pub use kernel::LayerKernel;
pub use stats::{Evaluation, LayerStats, top1};

use crate::net::{MacLayer, Network, Samples};
use crate::pe::Epilogue;
use axp_spec::{Design, LayerDesign};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    /// What makes the element of the sum.
    pub epilogue: Epilogue,
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
        let kernels = network.layers().iter().map(|layer| Arc::new(LayerKernel::exact(layer, zero_skip))).collect();
        Self { network: network.clone(), kernels }
    }

    /// The network with the clustered weights and AM rows of a design.
    ///
    /// # Errors
    /// A design that was made for another network, or that does not fit the PE.
    pub fn from_design(network: &Network, design: &Design) -> Result<Self, EngineError> {
        design.validate()?;
        let (layers, designs) = (network.layers(), &design.layers);
        if layers.len() != designs.len() {
            let what = format!("it has {} layers, the network has {}", designs.len(), layers.len());
            return Err(EngineError::Design { what });
        }
        let kernel = |(layer, design_of): (&MacLayer, &LayerDesign)| {
            if layer.name != design_of.name {
                let what = format!("it has layer {:?} where the network has {:?}", design_of.name, layer.name);
                return Err(EngineError::Design { what });
            }
            LayerKernel::on(&design.pe, layer, design_of, design.zero_skip).map(Arc::new)
        };
        let kernels = layers.iter().zip(designs).map(kernel).collect::<Result<_, _>>()?;
        Ok(Self { network: network.clone(), kernels })
    }

    /// The network with kernels of its layers, in their order.
    ///
    /// # Panics
    /// If they are not as many, or one is of another shape.
    pub(crate) fn of_kernels(network: &Network, kernels: Vec<Arc<LayerKernel>>) -> Self {
        let layers = network.layers().iter().map(|layer| &layer.geometry);
        assert!(layers.eq(kernels.iter().map(|kernel| kernel.geometry())), "kernels of other layers");
        Self { network: network.clone(), kernels }
    }

    /// This engine with another kernel for one layer.
    ///
    /// # Panics
    /// If the network has no such layer, or the kernel is of another shape.
    pub fn with_layer(&self, layer: usize, kernel: Arc<LayerKernel>) -> Self {
        assert_eq!(kernel.geometry(), &self.network.layers()[layer].geometry, "kernel of another layer");
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
    pub fn observe(&self, sample: &[f32], observer: &mut dyn FnMut(LayerTensors<'_>)) -> Result<Run, EngineError> {
        let mut layers = vec![LayerStats::default(); self.kernels.len()];
        let output = self.network.run_with(sample, &mut |layer, input| {
            let (output, stats) = self.kernels[layer].run(input);
            observer(LayerTensors { layer, input, output: &output });
            layers[layer] = stats;
            output
        })?;
        Ok(Run { output, layers })
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
        let runs =
            map_samples(samples, control, |_, sample| self.run(sample).map(|run| (top1(&run.output), run.layers)))?;
        let mut layers = vec![LayerStats::default(); self.kernels.len()];
        for (total, stats) in runs.iter().flat_map(|(_, stats)| stats.iter().enumerate()) {
            layers[total] += *stats;
        }
        Ok(Evaluation::new(runs.into_iter().map(|(class, _)| class).collect(), labels, layers))
    }

    /// The operand streams of outputs `indices` of `layer` for one sample.
    ///
    /// # Errors
    /// As [`Engine::run`].
    ///
    /// # Panics
    /// If the network has no such layer or the layer no such output.
    pub fn traces(
        &self,
        sample: &[f32],
        layer: usize,
        indices: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<OutputTrace>, EngineError> {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        self.observe(sample, &mut |tensors| {
            if tensors.layer == layer {
                (input, output) = (tensors.input.to_vec(), tensors.output.to_vec());
            }
        })?;
        let kernel = &self.kernels[layer];
        let trace = |index: usize| OutputTrace {
            index,
            operands: kernel.operands(&input, index).collect(),
            epilogue: kernel.epilogue(index),
            element: output[index].to_bits(),
        };
        Ok(indices.into_iter().map(trace).collect())
    }
}

/// Top-1 predictions of the unmodified model, in tract's arithmetic.
///
/// # Errors
/// As [`Network::baseline`]; [`EngineError::Cancelled`].
pub fn evaluate_baseline(
    network: &Network,
    samples: &Samples,
    labels: Option<&[usize]>,
    control: &Control<'_>,
) -> Result<Evaluation, EngineError> {
    let predictions = map_samples(samples, control, |_, sample| Ok(top1(&network.baseline(sample)?)))?;
    Ok(Evaluation::new(predictions, labels, Vec::new()))
}

/// Calls `each` with every sample's index and values, on all cores, and returns
/// what it gives in the order of the samples.
///
/// # Errors
/// An error of `each`; [`EngineError::Cancelled`].
pub fn map_samples<T: Send>(
    samples: &Samples,
    control: &Control<'_>,
    each: impl Fn(usize, &[f32]) -> Result<T, EngineError> + Sync,
) -> Result<Vec<T>, EngineError> {
    let done = AtomicUsize::new(0);
    (0..samples.len())
        .into_par_iter()
        .map(|index| {
            if control.cancel.load(Ordering::Relaxed) {
                return Err(EngineError::Cancelled);
            }
            let result = each(index, samples.get(index))?;
            (control.progress)(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(result)
        })
        .collect()
}
