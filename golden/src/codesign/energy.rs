//! What a search asks of an energy model, and what it tells it.

use crate::infer::LayerKernel;
use axp_spec::{LayerMemory, PeConfig};

/// What a layer gives a processing element to do.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerLoad {
    /// Name of the layer. Data.
    pub name: String,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// What the processing element holds while the layer runs.
    pub memory: LayerMemory,
    /// Some of its sums, as {weight, activation} encodings in the order of accumulation.
    pub sums: Vec<Vec<(u32, u32)>>,
}

/// Multiply-accumulates of a layer that a model is shown, at least.
const SHOWN: usize = 512;
/// Sums, at least, and samples that they are of, at most.
const SUMS: usize = 4;
const SAMPLES: usize = 8;

/// Operands of some outputs, spread over the layer and over some samples.
pub(super) fn some_sums(kernel: &LayerKernel, inputs: &[&[f32]]) -> Vec<Vec<(u32, u32)>> {
    let geometry = kernel.geometry();
    let (outputs, samples) = (geometry.outputs(), inputs.len().min(SAMPLES));
    let count = SHOWN.div_ceil(geometry.macs_per_output().max(1)).max(SUMS).min(outputs * samples);
    let sum = |number: usize| {
        let input = inputs[number % samples];
        kernel.operands(input, number * outputs / count).collect()
    };
    (0..count).map(sum).collect()
}

/// Estimates what a design uses.
pub trait EnergyModel: Sync {
    /// Names the model: models of one name give the same figures.
    fn name(&self) -> &str;

    /// pJ a multiply-accumulate of one inference, what the memory is loaded with
    /// included; none for a configuration that the model does not cover.
    fn pj_per_mac(&self, pe: &PeConfig, zero_skip: bool, layers: &[LayerLoad]) -> Option<f64>;
}

/// Knows nothing: a search orders designs by their size.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

impl EnergyModel for Unknown {
    fn name(&self) -> &str {
        "unknown"
    }

    fn pj_per_mac(&self, _: &PeConfig, _: bool, _: &[LayerLoad]) -> Option<f64> {
        None
    }
}
