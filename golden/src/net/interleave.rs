//! A layer that reads several images, between nodes that interleave them.

use super::candidate::Candidate;
use super::tract::cut_node;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto::AttributeType};

/// The stand-in for a layer whose images are interleaved along the first axis
/// behind the channels. Adds to the graph what brings them into that order and
/// back, in any place: the graph is sorted again.
pub(super) fn cut_between(graph: &mut GraphProto, name: &str, layer: usize, candidate: &Candidate) -> NodeProto {
    let (geometry, batch) = (&candidate.geometry, candidate.batch);
    let rank = candidate.output_shape.len();
    let tensor = |part: &str| format!("{}:{part}", candidate.output);
    // [batch, channel, axis, rest] to [channel, axis, batch, rest], and back.
    let (there, back) = ([&[1, 2, 0][..], &[3][..rank - 3]].concat(), [&[2, 0, 1][..], &[3][..rank - 3]].concat());
    let rows = |sizes: [usize; 2]| if rank == 3 { vec![sizes[1]] } else { sizes.to_vec() };
    let one = [vec![1, geometry.in_channels], rows(geometry.input)].concat();
    let written = [vec![1, geometry.out_channels], rows(geometry.output)].concat();
    let mut apart = [vec![geometry.out_channels], rows(geometry.output)].concat();
    apart[1] /= batch;
    apart.insert(2, batch);
    graph.node.push(transpose(&candidate.input, &tensor("apart"), there));
    reshape(graph, &tensor("apart"), &tensor("one"), &one);
    reshape(graph, &tensor("computed"), &tensor("computed apart"), &apart);
    graph.node.push(transpose(&tensor("computed apart"), &candidate.output, back));
    cut_node(name, layer, &tensor("one"), &tensor("computed"), &written)
}

fn transpose(input: &str, output: &str, order: Vec<i64>) -> NodeProto {
    let perm =
        AttributeProto { name: "perm".into(), r#type: AttributeType::Ints as i32, ints: order, ..Default::default() };
    NodeProto { attribute: vec![perm], ..node("Transpose", vec![input.into()], output) }
}

fn reshape(graph: &mut GraphProto, input: &str, output: &str, shape: &[usize]) {
    let name = format!("{output}:shape");
    graph.initializer.push(TensorProto {
        name: name.clone(),
        dims: vec![shape.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: shape.iter().map(|size| *size as i64).collect(),
        ..Default::default()
    });
    graph.node.push(node("Reshape", vec![input.into(), name], output));
}

fn node(op: &str, input: Vec<String>, output: &str) -> NodeProto {
    NodeProto {
        name: format!("{output}:node"),
        op_type: op.into(),
        input,
        output: vec![output.into()],
        ..Default::default()
    }
}
