//! Cuts the layers that run on the PE out of a graph.

use super::candidate::{Candidate, Refusal};
use super::conv::conv;
use super::dense::{gemm, matmul};
use super::error::NetError;
use super::fold::fold;
use super::interleave::cut_between;
use super::layer::{MacLayer, UnmappedLayer};
use super::source::subgraphs;
use super::tensors::Tensors;
use super::tract::cut_node;
use super::uses::Uses;
use tract_onnx::pb::{GraphProto, NodeProto};

/// What to do about layers that compute with integers.
const INTEGERS: &str = "it multiplies quantised integers; export the float32 model, axp clusters its weights itself";

/// What to do about recurrent layers.
const RECURRENT: &str = "recurrent layers are not supported, 1-D convolutions over time are";

/// Operators of multiply-accumulates that no rule maps, and why.
const NEVER: [(&str, &str); 17] = [
    ("ConvTranspose", "transposed convolutions are not supported"),
    ("ConvInteger", INTEGERS),
    ("MatMulInteger", INTEGERS),
    ("QLinearConv", INTEGERS),
    ("QLinearMatMul", INTEGERS),
    ("MatMulNBits", INTEGERS),
    ("DynamicQuantizeMatMul", INTEGERS),
    ("FusedMatMul", "fused operators are not supported; export the model before it is optimised for a runtime"),
    ("Einsum", "general sums are not supported; a product with a constant matrix is, as MatMul"),
    ("EinSum", "general sums are not supported; a product with a constant matrix is, as MatMul"),
    ("LSTM", RECURRENT),
    ("GRU", RECURRENT),
    ("RNN", RECURRENT),
    ("Attention", "attention is not supported: both factors are computed at run time"),
    ("MultiHeadAttention", "attention is not supported: both factors are computed at run time"),
    ("GroupQueryAttention", "attention is not supported: both factors are computed at run time"),
    ("DeformConv", "deformable convolutions are not supported"),
];

/// A graph without its mapped layers.
pub(super) struct Mapped {
    pub(super) layers: Vec<MacLayer>,
    pub(super) unmapped: Vec<UnmappedLayer>,
    /// The graph with a stand-in for each layer.
    pub(super) graph: GraphProto,
}

/// Maps what can be mapped in a graph whose nodes are in order and named.
pub(super) fn map(graph: &GraphProto, tensors: &Tensors<'_>) -> Result<Mapped, NetError> {
    let uses = Uses::new(graph);
    let mut result = Mapped { layers: Vec::new(), unmapped: Vec::new(), graph: graph.clone() };
    for (index, node) in graph.node.iter().enumerate() {
        let mut candidate = match candidate(node, tensors) {
            Some(Ok(candidate)) => candidate,
            Some(Err(Refusal::Fatal(error))) => return Err(error),
            Some(Err(Refusal::Unmapped(reason))) => {
                let (name, op) = (node.name.clone(), node.op_type.clone());
                result.unmapped.push(UnmappedLayer { name, op, reason });
                continue;
            }
            None => continue,
        };
        check_finite(&candidate, &node.name, ["weights", "bias"])?;
        for (folded, tensor) in fold(&mut candidate, &uses, tensors)? {
            let node = &mut result.graph.node[folded];
            // Nothing else is left to do for it.
            (node.op_type, node.input) = ("Identity".into(), vec![tensor]);
            node.domain.clear();
            node.attribute.clear();
        }
        check_finite(&candidate, &node.name, ["weights with batch normalization", "bias with batch normalization"])?;
        result.graph.node[index] = if candidate.batch == 1 {
            cut_node(&node.name, result.layers.len(), &candidate.input, &candidate.output, &candidate.output_shape)
        } else {
            cut_between(&mut result.graph, &node.name, result.layers.len(), &candidate)
        };
        result.layers.push(MacLayer {
            name: node.name.clone(),
            op: candidate.op,
            geometry: candidate.geometry,
            weight_shape: candidate.weight_shape,
            weights: candidate.weights,
            bias: candidate.bias,
        });
    }
    Ok(result)
}

/// Reads a node as a MAC layer; `None` if it is none.
fn candidate(node: &NodeProto, tensors: &Tensors<'_>) -> Option<Result<Candidate, Refusal>> {
    match node.op_type.as_str() {
        "Conv" => Some(conv(node, tensors)),
        "Gemm" => Some(gemm(node, tensors)),
        // A product of constants is a constant, not a layer.
        "MatMul" if node.output.first().is_some_and(|name| tensors.is_constant(name)) => None,
        "MatMul" => Some(matmul(node, tensors)),
        op => match NEVER.iter().find(|(never, _)| *never == op) {
            Some((_, reason)) => Some(Err(Refusal::Unmapped((*reason).into()))),
            None if subgraphs(node).any(has_macs) => {
                Some(Err(Refusal::Unmapped("layers inside control flow are not supported".into())))
            }
            None => None,
        },
    }
}

fn has_macs(graph: &GraphProto) -> bool {
    graph.node.iter().any(|node| {
        matches!(node.op_type.as_str(), "Conv" | "Gemm" | "MatMul")
            || NEVER.iter().any(|(never, _)| *never == node.op_type)
            || subgraphs(node).any(has_macs)
    })
}

fn check_finite(candidate: &Candidate, layer: &str, [weights, bias]: [&'static str; 2]) -> Result<(), NetError> {
    for (what, values) in [(weights, &candidate.weights), (bias, &candidate.bias)] {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(NetError::NotFinite { layer: layer.to_owned(), what, index, value: values[index] });
        }
    }
    Ok(())
}
