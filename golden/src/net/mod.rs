//! ONNX import: which layers run on the PE, and everything else, exactly.
//!
//! [`Network::from_onnx`] finds the layers of multiply-accumulates with
//! constant weights (`Conv` 1-D and 2-D, `Gemm`, `MatMul`), folds the batch
//! normalization and the bias that follow them, and cuts them out of the graph.
//! What remains is tract's; [`crate::infer`] computes the cut-out layers. A
//! layer that cannot be mapped is listed with the reason and stays with tract.

mod error;
mod geometry;
mod layer;
pub mod samples;

pub use error::{NetError, SampleError};
pub use geometry::{Geometry, Layout};
pub use layer::{MacLayer, MacOp, UnmappedLayer};
pub use samples::Samples;

use std::path::PathBuf;

/// How to import a model.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Shape of one sample, without the batch dimension; needed where the
    /// model leaves a dimension other than the batch open.
    pub input_shape: Option<Vec<usize>>,
    /// Folder of the model file, for weights that it keeps in files beside it.
    pub folder: Option<PathBuf>,
}

/// An imported network. Cloning is cheap: clones share the model.
#[derive(Clone, Debug)]
pub struct Network {}

impl Network {
    /// Imports an ONNX model (the bytes of the file).
    ///
    /// The batch dimension, the first one of the input, becomes 1.
    ///
    /// # Errors
    /// See [`NetError`]; no input makes it panic.
    pub fn from_onnx(bytes: &[u8], options: &ImportOptions) -> Result<Self, NetError> {
        let _ = (bytes, options);
        todo!()
    }

    /// The layers that run on the PE, in the order in which they run.
    pub fn layers(&self) -> &[MacLayer] {
        todo!()
    }

    /// Layers of multiply-accumulates that do not run on the PE, and why.
    pub fn unmapped(&self) -> &[UnmappedLayer] {
        todo!()
    }

    /// Shape of one sample, without the batch dimension.
    pub fn input_shape(&self) -> &[usize] {
        todo!()
    }

    /// Elements of the (first) output for one sample: the number of classes.
    pub fn classes(&self) -> usize {
        todo!()
    }

    /// Runs one sample through the unmodified model, in tract's arithmetic.
    ///
    /// # Errors
    /// A sample of another length than the input, or a failure in tract.
    pub fn baseline(&self, sample: &[f32]) -> Result<Vec<f32>, NetError> {
        let _ = sample;
        todo!()
    }
}
