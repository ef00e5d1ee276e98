//! The network's input and output, with every dimension known.

use super::error::NetError;
use std::collections::HashSet;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value};
use tract_onnx::pb::{GraphProto, TensorShapeProto, ValueInfoProto, type_proto};

/// Keeps the first output that holds floating-point numbers: the class scores
/// of a classifier that also returns labels.
pub(super) fn select_output(graph: &mut GraphProto) -> Result<(), NetError> {
    let scores = graph.output.iter().position(|output| {
        matches!(
            element_type(output),
            Some(DataType::Float | DataType::Float16 | DataType::Double | DataType::Undefined) | None
        )
    });
    let Some(index) = scores else {
        let found =
            graph.output.iter().map(|o| format!("{:?}: {}", o.name, type_name(o))).collect::<Vec<_>>().join(", ");
        return Err(NetError::OutputType { found });
    };
    graph.output.swap(0, index);
    graph.output.truncate(1);
    Ok(())
}

/// Elements of the first output, batch included, where the file says so.
pub(super) fn output_elements(graph: &GraphProto) -> Option<usize> {
    let type_proto::Value::TensorType(tensor) = graph.output.first()?.r#type.as_ref()?.value.as_ref()?;
    let dims = &tensor.shape.as_ref()?.dim;
    dims.iter().try_fold(1usize, |product, dim| product.checked_mul(dimension_value(dim)?))
}

/// The only input of a graph.
pub(super) struct Sample {
    pub(super) name: String,
    /// Shape without the batch.
    pub(super) shape: Vec<usize>,
    /// The batch that the file declares, 1 where it is open.
    pub(super) batch: usize,
}

/// Fixes the shape of the only input: batch 1, open dimensions as given.
pub(super) fn fix_shape(graph: &mut GraphProto, given: Option<&[usize]>) -> Result<Sample, NetError> {
    // Old exporters list weights as inputs too.
    let weights: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs: Vec<usize> =
        (0..graph.input.len()).filter(|index| !weights.contains(graph.input[*index].name.as_str())).collect();
    let [index] = inputs[..] else {
        let inputs = inputs.iter().map(|index| graph.input[*index].name.clone()).collect();
        return Err(NetError::Inputs { inputs });
    };
    let input = &mut graph.input[index];
    let name = input.name.clone();
    if element_type(input) != Some(DataType::Float) {
        return Err(NetError::InputType { input: name, found: type_name(input) });
    }
    let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|t| t.value.as_mut()) else {
        return Err(NetError::InputType { input: name, found: "not a tensor".into() });
    };
    let declared = tensor.shape.as_ref().map(|shape| shape.dim.as_slice());
    let shape = sample_shape(&name, declared, given)?;
    let batch = declared.and_then(<[Dimension]>::first).and_then(dimension_value).unwrap_or(1);
    let dims = std::iter::once(1).chain(shape.iter().copied());
    let dim = dims.map(|d| Dimension { value: Some(Value::DimValue(d as i64)), ..Dimension::default() }).collect();
    tensor.shape = Some(TensorShapeProto { dim });
    Ok(Sample { name, shape, batch })
}

fn sample_shape(name: &str, declared: Option<&[Dimension]>, given: Option<&[usize]>) -> Result<Vec<usize>, NetError> {
    let Some(declared) = declared else {
        return match given {
            Some(given) if usable(given) => Ok(given.to_vec()),
            _ => Err(NetError::DynamicShape { input: name.into(), shape: "(none)".into(), example: "?".into() }),
        };
    };
    let shape = format!("[{}]", declared.iter().map(dimension_text).collect::<Vec<_>>().join(", "));
    let Some(dims) = declared.get(1..) else {
        return Err(NetError::Malformed { what: format!("input {name:?} has no batch dimension") });
    };
    let known: Vec<Option<usize>> = dims.iter().map(dimension_value).collect();
    match given {
        Some(given) => {
            let fits = given.len() == known.len() && known.iter().zip(given).all(|(k, g)| k.is_none_or(|k| k == *g));
            if !fits || !usable(given) {
                let given = given.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
                return Err(NetError::InputShape { input: name.into(), shape, given });
            }
            Ok(given.to_vec())
        }
        None => known.iter().copied().collect::<Option<Vec<usize>>>().ok_or_else(|| {
            let example = known.iter().map(|k| k.map_or("?".into(), |k| k.to_string())).collect::<Vec<_>>().join(",");
            NetError::DynamicShape { input: name.into(), shape, example }
        }),
    }
}

fn usable(shape: &[usize]) -> bool {
    let elements = shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    elements.is_some_and(|elements| (1..1 << 32).contains(&elements))
}

/// Exporters write 0 and -1 for a dimension that they leave open.
fn dimension_value(dimension: &Dimension) -> Option<usize> {
    match dimension.value {
        Some(Value::DimValue(value)) => usize::try_from(value).ok().filter(|value| *value > 0),
        _ => None,
    }
}

fn dimension_text(dimension: &Dimension) -> String {
    match &dimension.value {
        Some(Value::DimValue(value)) => value.to_string(),
        Some(Value::DimParam(symbol)) => symbol.escape_debug().to_string(),
        None => "?".into(),
    }
}

fn element_type(value: &ValueInfoProto) -> Option<DataType> {
    match value.r#type.as_ref()?.value.as_ref()? {
        type_proto::Value::TensorType(tensor) => DataType::try_from(tensor.elem_type).ok(),
    }
}

fn type_name(value: &ValueInfoProto) -> String {
    element_type(value).map_or("of an unknown type".into(), |t| t.as_str_name().to_lowercase())
}
