//! From bytes to a checked ONNX protobuf.

use super::error::NetError;
use super::functions;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, tensor_proto::DataType};
use tract_onnx::prelude::Framework;

/// Reads a model and checks what would otherwise fail late or unclearly.
pub(super) fn decode(bytes: &[u8], has_folder: bool) -> Result<ModelProto, NetError> {
    if bytes.is_empty() {
        return Err(NetError::Empty);
    }
    let mut model = tract_onnx::onnx()
        .proto_model_for_read(&mut &*bytes)
        .map_err(|e| NetError::NotOnnx { what: e.root_cause().to_string() })?;
    let Some(graph) = &model.graph else {
        return Err(NetError::NotOnnx { what: "it holds no graph".into() });
    };
    if graph.node.is_empty() {
        return Err(NetError::NotOnnx { what: "its graph is empty".into() });
    }
    if graph.output.is_empty() {
        return Err(NetError::Malformed { what: "the graph has no output".into() });
    }
    if !model.opset_import.iter().any(|set| matches!(set.domain.as_str(), "" | "ai.onnx") && set.version > 0) {
        return Err(NetError::NotOnnx { what: "it does not say which ONNX operator set it uses".into() });
    }
    functions::inline(&mut model)?;
    model.graph.iter().try_for_each(|graph| check_graph(graph, has_folder))?;
    Ok(model)
}

fn check_graph(graph: &GraphProto, has_folder: bool) -> Result<(), NetError> {
    if !graph.sparse_initializer.is_empty() {
        return Err(NetError::Unsupported { what: "the model has sparse weights; store them dense".into() });
    }
    graph.initializer.iter().try_for_each(|tensor| check_tensor(tensor, &tensor.name, has_folder))?;
    for node in &graph.node {
        for attribute in &node.attribute {
            check_sizes(node, attribute)?;
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                check_tensor(tensor, readable(node), has_folder)?;
            }
        }
        subgraphs(node).try_for_each(|graph| check_graph(graph, has_folder))?;
    }
    Ok(())
}

/// The name of a node, or that of its first output.
pub(super) fn readable(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

/// The graphs inside control-flow nodes.
pub(super) fn subgraphs(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// Window sizes and steps are positive: the reader further down divides by
/// them.
fn check_sizes(node: &NodeProto, attribute: &AttributeProto) -> Result<(), NetError> {
    let positive = match attribute.name.as_str() {
        "strides" | "dilations" | "kernel_shape" => attribute.ints.iter().all(|size| (1..1 << 31).contains(size)),
        "group" => attribute.i > 0,
        _ => true,
    };
    if positive {
        return Ok(());
    }
    let (name, readable) = (&attribute.name, readable(node));
    let op = node.op_type.escape_debug();
    let what = format!("{op} {readable:?} has {name} that are not positive numbers");
    Err(NetError::Malformed { what })
}

/// Checks that a tensor's bytes are as many as its shape says: the reader
/// further down trusts them.
fn check_tensor(tensor: &TensorProto, name: &str, has_folder: bool) -> Result<(), NetError> {
    let malformed = |what: String| NetError::Malformed { what: format!("tensor {name:?} {what}") };
    let unsupported = |what: &str| NetError::Unsupported { what: format!("tensor {name:?} {what}") };
    let elements = tensor
        .dims
        .iter()
        .try_fold(1usize, |product, dim| product.checked_mul(usize::try_from(*dim).ok()?))
        .filter(|elements| *elements < 1 << 40)
        .ok_or_else(|| malformed(format!("has the impossible shape {:?}", tensor.dims)))?;
    if !tensor.external_data.is_empty() {
        if has_folder {
            return Ok(());
        }
        return Err(unsupported("is kept in a file beside the model; save the model in one file"));
    }
    let width = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Uint8 | DataType::Int8 | DataType::Bool) => 1,
        Ok(DataType::Uint16 | DataType::Int16 | DataType::Float16) => 2,
        Ok(DataType::Uint32 | DataType::Int32 | DataType::Float) => 4,
        Ok(DataType::Uint64 | DataType::Int64 | DataType::Double) => 8,
        Ok(DataType::String) if tensor.raw_data.is_empty() => return Ok(()),
        Ok(other) => {
            let what = format!("has the type {other:?}, which is not read; export the model with float32 weights");
            return Err(unsupported(&what));
        }
        Err(_) => return Err(malformed(format!("has the unknown type {}", tensor.data_type))),
    };
    if !tensor.raw_data.is_empty() && tensor.raw_data.len() != elements * width {
        return Err(malformed(format!(
            "holds {} bytes where its shape {:?} needs {}; the file may be truncated",
            tensor.raw_data.len(),
            tensor.dims,
            elements * width
        )));
    }
    Ok(())
}
