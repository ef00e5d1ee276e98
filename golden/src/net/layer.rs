//! What import finds: layers that run on the PE, and those that cannot.

use super::geometry::Geometry;

/// The ONNX operator that a MAC layer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacOp {
    /// `Conv`, 1-D or 2-D.
    Conv,
    /// `Gemm` with constant weights.
    Gemm,
    /// `MatMul` with constant weights.
    MatMul,
}

/// A layer of multiply-accumulates with constant weights.
#[derive(Clone, Debug)]
pub struct MacLayer {
    /// Unique in the network: the ONNX node's name, or one made for it. Data:
    /// it may hold any character.
    pub name: String,
    /// The operator.
    pub op: MacOp,
    /// Which weight meets which input element.
    pub geometry: Geometry,
    /// Shape of `weights`: `[out, in / groups, rows, columns]` for a 2-D
    /// convolution, without rows for a 1-D one, `[out, in]` for a dense layer.
    pub weight_shape: Vec<usize>,
    /// The weights, output channel first, batch normalization folded in. All
    /// are finite.
    pub weights: Vec<f32>,
    /// One value for each output channel; empty where there is no bias. All
    /// are finite.
    pub bias: Vec<f32>,
}

/// A layer of multiply-accumulates that runs outside the PE, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmappedLayer {
    /// The ONNX node's name, or one made for it.
    pub name: String,
    /// The ONNX operator.
    pub op: String,
    /// Why it cannot run on the PE.
    pub reason: String,
}
