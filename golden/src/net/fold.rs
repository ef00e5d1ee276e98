//! What follows a MAC layer and can become part of it.

use super::attributes::{float, int};
use super::candidate::{Candidate, Refusal, constant, input};
use super::error::NetError;
use super::geometry::Layout;
use super::layer::MacOp;
use super::tensors::Tensors;
use tract_onnx::pb::NodeProto;

/// Folds `node`, the only reader of the candidate's output, into it, if it is a
/// bias or a batch normalization. Returns whether it was.
pub(super) fn fold(candidate: &mut Candidate, node: &NodeProto, tensors: &Tensors<'_>) -> Result<bool, NetError> {
    let folded = match node.op_type.as_str() {
        "Add" => add(candidate, node, tensors),
        "BatchNormalization" => batch_norm(candidate, node, tensors),
        _ => return Ok(false),
    };
    match folded {
        Ok(true) => {
            candidate.output.clone_from(&node.output[0]);
            Ok(true)
        }
        Ok(false) | Err(Refusal::Unmapped(_)) => Ok(false),
        Err(Refusal::Fatal(error)) => Err(error),
    }
}

/// `MatMul` has no bias of its own, and some exporters leave `Conv` without
/// one; they put it into an `Add`.
fn add(candidate: &mut Candidate, node: &NodeProto, tensors: &Tensors<'_>) -> Result<bool, Refusal> {
    if candidate.op == MacOp::Gemm || !candidate.bias.is_empty() {
        return Ok(false);
    }
    let Some(addend) = node.input.iter().find(|name| **name != candidate.output) else { return Ok(false) };
    let (shape, values) = constant(tensors, addend, "bias")?;
    let rank = candidate.output_shape.len();
    let axis = match candidate.geometry.layout {
        Layout::ChannelsFirst => 1,
        Layout::ChannelsLast => rank.saturating_sub(1),
    };
    let channels = candidate.geometry.out_channels;
    // Axes count from the last; an addend of higher rank would change the
    // shape of the result.
    let along = |index: usize| index + rank == axis + shape.len();
    let other_axes_one = shape.iter().enumerate().all(|(index, dim)| *dim == 1 || along(index) && *dim == channels);
    if shape.len() > rank || !other_axes_one {
        return Ok(false);
    }
    candidate.bias = match values[..] {
        [value] => vec![value; channels],
        _ => values,
    };
    Ok(true)
}

/// w' = w·s and b' = (b − mean)·s + shift with s = scale / √(variance + ε), in
/// binary64, rounded once to binary32.
fn batch_norm(candidate: &mut Candidate, node: &NodeProto, tensors: &Tensors<'_>) -> Result<bool, Refusal> {
    let channels = candidate.geometry.out_channels;
    // The second axis counts the channels: that of a convolution, or of one
    // dense vector a sample.
    let second_axis = candidate.geometry.layout == Layout::ChannelsFirst || candidate.output_shape.len() == 2;
    let inference = int(node, "training_mode", 0) == 0 && int(node, "spatial", 1) == 1;
    let one_output = node.output.iter().skip(1).all(String::is_empty);
    if !second_axis || !inference || !one_output || input(node, 0) != Some(&candidate.output) {
        return Ok(false);
    }
    let mut parameters: Vec<Vec<f32>> = Vec::new();
    for index in 1..5 {
        let Some(name) = input(node, index) else { return Ok(false) };
        let (_, values) = constant(tensors, name, "batch normalization")?;
        if values.len() != channels {
            return Ok(false);
        }
        parameters.push(values);
    }
    let epsilon = f64::from(float(node, "epsilon", 1e-5));
    if candidate.bias.is_empty() {
        candidate.bias = vec![0.0; channels];
    }
    let weights = candidate.weights.chunks_exact_mut(candidate.geometry.macs_per_output());
    for (channel, (weights, bias)) in weights.zip(&mut candidate.bias).enumerate() {
        let [scale, shift, mean, variance] = [0, 1, 2, 3].map(|index| f64::from(parameters[index][channel]));
        let scale = scale / (variance + epsilon).sqrt();
        weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
        *bias = ((f64::from(*bias) - mean) * scale + shift) as f32;
    }
    Ok(true)
}
