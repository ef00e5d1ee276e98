//! A layer on its way from an ONNX node to a [`MacLayer`].

use super::error::NetError;
use super::geometry::Geometry;
use super::layer::MacOp;
use super::tensors::Tensors;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::{DatumType, Tensor};

/// Why a node stays with tract, or that the model is not usable at all.
pub(super) enum Refusal {
    /// The reason, for the list of unmapped layers.
    Unmapped(String),
    /// The whole import fails.
    Fatal(NetError),
}

impl From<NetError> for Refusal {
    fn from(error: NetError) -> Self {
        Self::Fatal(error)
    }
}

/// Refuses with a reason.
pub(super) fn unmapped<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unmapped(reason.into()))
}

/// What a MAC layer needs, read from one node.
pub(super) struct Candidate {
    pub(super) op: MacOp,
    pub(super) geometry: Geometry,
    pub(super) weight_shape: Vec<usize>,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Images of a convolution that its geometry interleaves.
    pub(super) batch: usize,
    /// Name of the tensor that it reads.
    pub(super) input: String,
    /// Name of the tensor that it writes.
    pub(super) output: String,
    /// Shape of that tensor, batch included.
    pub(super) output_shape: Vec<usize>,
}

/// A node's input by position, if it is there.
pub(super) fn input(node: &NodeProto, index: usize) -> Option<&str> {
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
}

/// Shape of the activations that a node reads.
pub(super) fn activations<'a>(tensors: &'a Tensors<'_>, name: &str) -> Result<&'a [usize], Refusal> {
    if tensors.is_constant(name) {
        return unmapped("its activations are constant");
    }
    float_shape(tensors, name, "activations")
}

/// Shape of a float32 tensor that must be known.
pub(super) fn float_shape<'a>(tensors: &'a Tensors<'_>, name: &str, what: &str) -> Result<&'a [usize], Refusal> {
    match tensors.shape(name) {
        Some((DatumType::F32, shape)) => Ok(shape),
        Some((other, _)) => unmapped(format!("its {what} are {other:?}, not float32")),
        None => unmapped(format!("the shape of its {what} is known only at run time")),
    }
}

/// Shape and values of a constant float32 tensor.
pub(super) fn constant(tensors: &Tensors<'_>, name: &str, what: &str) -> Result<(Vec<usize>, Vec<f32>), Refusal> {
    if !tensors.is_constant(name) {
        return unmapped(format!("its {what} are computed at run time; only constant ones can be mapped"));
    }
    let tensor = tensors.value(name)?;
    match floats(&tensor) {
        Some(values) => Ok((tensor.shape().to_vec(), values.to_vec())),
        None => unmapped(format!("its {what} are {:?}, not float32", tensor.datum_type())),
    }
}

/// The values of a float32 tensor.
fn floats(tensor: &Tensor) -> Option<&[f32]> {
    tensor.try_as_plain_ram().ok()?.as_slice::<f32>().ok()
}
