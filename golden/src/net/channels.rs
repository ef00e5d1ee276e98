//! Where the output channels of a layer are, in the tensors behind it.

use super::attributes::ints;
use super::candidate::{Candidate, float_shape, input};
use super::geometry::Layout;
use super::tensors::Tensors;
use tract_onnx::pb::NodeProto;

/// A tensor that holds a layer's outputs, unchanged, perhaps in another order.
pub(super) struct Channels {
    /// Its name.
    pub(super) tensor: String,
    shape: Vec<usize>,
    /// The axis that counts the layer's output channels.
    pub(super) axis: usize,
}

impl Channels {
    /// The tensor that the layer itself writes.
    pub(super) fn of(candidate: &Candidate) -> Self {
        let shape = candidate.output_shape.clone();
        let axis = match candidate.geometry.layout {
            Layout::ChannelsFirst => 1,
            Layout::ChannelsLast => shape.len().saturating_sub(1),
        };
        Self { tensor: candidate.output.clone(), shape, axis }
    }

    /// The tensor that `node` writes, if it only moves what it reads and keeps
    /// the channels on an axis of their own.
    pub(super) fn behind(&self, node: &NodeProto, tensors: &Tensors<'_>) -> Option<Self> {
        if input(node, 0) != Some(&self.tensor) {
            return None;
        }
        let tensor = node.output.first()?.clone();
        let shape = float_shape(tensors, &tensor, "outputs").ok()?.to_vec();
        let axis = match node.op_type.as_str() {
            "Identity" => self.axis,
            "Dropout" if !trains(node, tensors) => self.axis,
            "Transpose" => match ints(node, "perm") {
                Some(order) => order.iter().position(|from| usize::try_from(*from) == Ok(self.axis))?,
                None => (self.shape.len() - 1).checked_sub(self.axis)?,
            },
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.axis_in(&shape)?,
            _ => return None,
        };
        (shape.get(axis) == self.shape.get(self.axis)).then_some(Self { tensor, shape, axis })
    }

    /// The axis of another shape of the same elements that has as many before
    /// and behind it, and so tells the same channels apart.
    fn axis_in(&self, shape: &[usize]) -> Option<usize> {
        let around = |shape: &[usize], axis: usize| {
            let product = |sizes: &[usize]| sizes.iter().product::<usize>();
            [product(&shape[..axis]), shape[axis], product(&shape[axis + 1..])]
        };
        let here = around(&self.shape, self.axis);
        // Batch norm wants the second axis, so of several the first that is not the batch.
        (1..shape.len()).chain([0]).find(|axis| *axis < shape.len() && around(shape, *axis) == here)
    }

    /// A tensor that is combined with this one element by element, as one value
    /// for each channel; `None` if it differs along another axis, or changes
    /// the result's shape.
    pub(super) fn spread(&self, shape: &[usize], values: &[f32]) -> Option<Vec<f64>> {
        let (rank, channels) = (self.shape.len(), self.shape[self.axis]);
        // Axes count from the last.
        let along = |index: usize| index + rank == self.axis + shape.len();
        let other_axes_one = shape.iter().enumerate().all(|(index, dim)| *dim == 1 || along(index) && *dim == channels);
        if shape.len() > rank || !other_axes_one {
            return None;
        }
        match values {
            [value] => Some(vec![f64::from(*value); channels]),
            _ => Some(values.iter().copied().map(f64::from).collect()),
        }
    }
}

/// Whether a `Dropout` is told to drop, which it is by its third input.
fn trains(node: &NodeProto, tensors: &Tensors<'_>) -> bool {
    let Some(name) = input(node, 2) else { return false };
    let value = tensors.is_constant(name).then(|| tensors.value(name).ok()).flatten();
    let off = value.and_then(|value| value.cast_to_scalar::<bool>().ok());
    off != Some(false)
}
