//! One mapped layer, compiled for fast and bit-exact evaluation.

use super::error::EngineError;
use super::stats::LayerStats;
use crate::net::MacLayer;
use axp_spec::LayerDesign;

/// A mapped layer with the PE's settings for it.
#[derive(Debug)]
pub struct LayerKernel {}

impl LayerKernel {
    /// The layer with the weights as imported and an empty AM.
    pub fn exact(layer: &MacLayer, zero_skip: bool) -> Self {
        let _ = (layer, zero_skip);
        todo!()
    }

    /// The layer with the clustered weights, bias and AM rows of a design.
    ///
    /// # Errors
    /// A design of another shape.
    pub fn new(layer: &MacLayer, design: &LayerDesign, zero_skip: bool) -> Result<Self, EngineError> {
        let _ = (layer, design, zero_skip);
        todo!()
    }

    /// Computes the output tensor from the input tensor (both flat, in the
    /// layout of the geometry).
    ///
    /// # Panics
    /// If the input does not have the geometry's number of elements.
    pub fn run(&self, input: &[f32]) -> (Vec<f32>, LayerStats) {
        let _ = input;
        todo!()
    }
}
