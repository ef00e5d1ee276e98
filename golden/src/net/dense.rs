//! `Gemm` and `MatMul` nodes with constant weights.

use super::attributes::{float, int};
use super::candidate::{Candidate, Refusal, activations, constant, float_shape, input, unmapped};
use super::error::NetError;
use super::geometry::Geometry;
use super::layer::MacOp;
use super::tensors::Tensors;
use tract_onnx::pb::NodeProto;

/// Reads `alpha · A · B + beta · C` with constant B and C.
pub(super) fn gemm(node: &NodeProto, tensors: &Tensors<'_>) -> Result<Candidate, Refusal> {
    let (Some(a), Some(b), Some(y)) = (input(node, 0), input(node, 1), node.output.first()) else {
        return Err(malformed(node, "needs two inputs and an output"));
    };
    let shape = activations(tensors, a)?;
    if int(node, "transA", 0) != 0 {
        return unmapped("it transposes its activations (transA)");
    }
    let (stored, values) = constant(tensors, b, "weights")?;
    let ([rows, inputs], [first, second]) = (shape, &stored[..]) else {
        return Err(malformed(node, &format!("multiplies {shape:?} by {stored:?}")));
    };
    let transposed = int(node, "transB", 0) != 0;
    let (outputs, shared) = if transposed { (*first, *second) } else { (*second, *first) };
    if shared != *inputs {
        return Err(malformed(node, &format!("multiplies {shape:?} by {stored:?}")));
    }
    let alpha = float(node, "alpha", 1.0);
    let mut weights = if transposed { values } else { transpose(&values, shared, outputs) };
    if alpha != 1.0 {
        weights.iter_mut().for_each(|weight| *weight *= alpha);
    }
    let beta = float(node, "beta", 1.0);
    let bias = match input(node, 2).filter(|_| beta != 0.0) {
        None => Vec::new(),
        Some(name) => {
            let (shape, values) = constant(tensors, name, "bias")?;
            let Some(mut bias) = per_channel(&shape, &values, outputs) else {
                return unmapped(format!("its bias of shape {shape:?} differs from row to row"));
            };
            bias.iter_mut().for_each(|bias| *bias *= beta);
            bias
        }
    };
    let output_shape = float_shape(tensors, y, "outputs")?.to_vec();
    dense(MacOp::Gemm, [*rows, *inputs, outputs], weights, bias, (a, y), output_shape)
}

/// Reads `A · B` with a constant matrix B.
pub(super) fn matmul(node: &NodeProto, tensors: &Tensors<'_>) -> Result<Candidate, Refusal> {
    let (Some(a), Some(b), Some(y)) = (input(node, 0), input(node, 1), node.output.first()) else {
        return Err(malformed(node, "needs two inputs and an output"));
    };
    if tensors.is_constant(a) && !tensors.is_constant(b) {
        return unmapped("its constant is the left operand");
    }
    if !tensors.is_constant(b) {
        return unmapped("both operands are computed at run time");
    }
    let shape = activations(tensors, a)?;
    let (stored, values) = constant(tensors, b, "weights")?;
    // A batch of one matrix is a matrix, as TensorFlow's 1-D layers have it.
    let ones = stored.len().saturating_sub(2).min(stored.iter().take_while(|dim| **dim == 1).count());
    let [inputs, outputs] = stored[ones..] else {
        return unmapped(format!("its weights have the shape {stored:?}; a matrix is supported"));
    };
    let Some((last, leading)) = shape.split_last() else {
        return Err(malformed(node, "multiplies a scalar"));
    };
    if *last != inputs {
        return Err(malformed(node, &format!("multiplies {shape:?} by {stored:?}")));
    }
    let output_shape = float_shape(tensors, y, "outputs")?.to_vec();
    let weights = transpose(&values, inputs, outputs);
    dense(MacOp::MatMul, [leading.iter().product(), inputs, outputs], weights, Vec::new(), (a, y), output_shape)
}

fn dense(
    op: MacOp,
    [rows, inputs, outputs]: [usize; 3],
    weights: Vec<f32>,
    bias: Vec<f32>,
    (input, output): (&str, &str),
    output_shape: Vec<usize>,
) -> Result<Candidate, Refusal> {
    if output_shape.iter().product::<usize>() != rows * outputs || weights.is_empty() {
        return unmapped(format!("its output shape {output_shape:?} is not that of ONNX's formula"));
    }
    Ok(Candidate {
        op,
        geometry: Geometry::dense(rows, inputs, outputs),
        weight_shape: vec![outputs, inputs],
        weights,
        bias,
        batch: 1,
        input: input.to_owned(),
        output: output.to_owned(),
        output_shape,
    })
}

fn malformed(node: &NodeProto, what: &str) -> Refusal {
    NetError::Malformed { what: format!("{} {:?} {what}", node.op_type, node.name) }.into()
}

/// `[inputs, outputs]` to `[outputs, inputs]`.
fn transpose(values: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    (0..outputs).flat_map(|output| (0..inputs).map(move |input| values[input * outputs + output])).collect()
}

/// A tensor that broadcasts along the last axis only, as one value for each of
/// `outputs` channels; `None` if it differs along another axis.
fn per_channel(shape: &[usize], values: &[f32], outputs: usize) -> Option<Vec<f32>> {
    match (values.len(), shape.last().copied().unwrap_or(1)) {
        (1, _) => Some(vec![values[0]; outputs]),
        (len, last) if len == last && last == outputs => Some(values.to_vec()),
        _ => None,
    }
}
