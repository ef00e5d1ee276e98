//! `Conv` nodes.

use super::attributes::{int, ints, text};
use super::candidate::{Candidate, Refusal, activations, constant, float_shape, input, unmapped};
use super::error::NetError;
use super::geometry::{Geometry, Layout};
use super::layer::MacOp;
use super::tensors::Tensors;
use tract_onnx::pb::NodeProto;

/// Reads a 1-D or 2-D convolution with constant weights.
pub(super) fn conv(node: &NodeProto, tensors: &Tensors<'_>) -> Result<Candidate, Refusal> {
    let (Some(x), Some(w), Some(y)) = (input(node, 0), input(node, 1), node.output.first()) else {
        return Err(malformed(node, "needs an input, weights and an output"));
    };
    let shape = activations(tensors, x)?;
    let spatial = shape.len().saturating_sub(2);
    if !(1..=2).contains(&spatial) {
        return unmapped(format!("it is a {spatial}-D convolution; 1-D and 2-D ones are supported"));
    }
    let (weight_shape, weights) = constant(tensors, w, "weights")?;
    if weight_shape.len() != shape.len() {
        return Err(malformed(node, &format!("has weights of shape {weight_shape:?} for an input of {shape:?}")));
    }
    let groups = int(node, "group", 1);
    let (out_channels, in_channels) = (weight_shape[0], shape[1]);
    let fits = |groups: &usize| {
        *groups > 0 && out_channels.is_multiple_of(*groups) && weight_shape[1].checked_mul(*groups) == Some(in_channels)
    };
    let Some(groups) = usize::try_from(groups).ok().filter(fits) else {
        return Err(malformed(
            node,
            &format!("has weights of shape {weight_shape:?} and {groups} groups for {in_channels} channels"),
        ));
    };
    let bias = match input(node, 2) {
        Some(name) => constant(tensors, name, "bias")?.1,
        None => Vec::new(),
    };
    if !bias.is_empty() && bias.len() != out_channels {
        return Err(malformed(node, &format!("has {} biases for {out_channels} output channels", bias.len())));
    }
    let geometry = Geometry {
        layout: Layout::ChannelsFirst,
        in_channels,
        out_channels,
        groups,
        input: pair(&shape[2..]),
        output: [1, 1],
        kernel: pair(&weight_shape[2..]),
        stride: pair(&sizes(node, "strides", spatial)?),
        dilation: pair(&sizes(node, "dilations", spatial)?),
        padding: [0, 0],
    };
    let batch = shape[0];
    let geometry = padded(node, geometry, spatial)?;
    let output_shape = float_shape(tensors, y, "outputs")?.to_vec();
    if output_shape[..2] != [batch, out_channels] || pair(&output_shape[2..]) != geometry.output {
        return unmapped(format!("its output shape {output_shape:?} is not that of ONNX's formula"));
    }
    let geometry = interleaved(geometry, batch, 2 - spatial)?;
    let (input, output) = (x.to_owned(), y.clone());
    Ok(Candidate { op: MacOp::Conv, geometry, weight_shape, weights, bias, batch, input, output, output_shape })
}

/// A convolution of several images as one of a single image: position `i` of
/// image `b` along `axis` becomes position `i · batch + b`. TensorFlow moves
/// pixels into the batch where a convolution is dilated.
fn interleaved(mut geometry: Geometry, batch: usize, axis: usize) -> Result<Geometry, Refusal> {
    if batch > 1 && geometry.stride[axis] > 1 {
        return unmapped(format!("it has a stride and reads a batch of {batch} images; one is supported"));
    }
    for size in [&mut geometry.input, &mut geometry.output, &mut geometry.dilation, &mut geometry.padding] {
        size[axis] *= batch;
    }
    Ok(geometry)
}

fn malformed(node: &NodeProto, what: &str) -> Refusal {
    NetError::Malformed { what: format!("Conv {:?} {what}", node.name) }.into()
}

/// One or two spatial sizes as `[rows, columns]`.
fn pair(sizes: &[usize]) -> [usize; 2] {
    match sizes {
        [rows, columns] => [*rows, *columns],
        [columns] => [1, *columns],
        _ => [1, 1],
    }
}

/// Strides or dilations: positive, 1 where absent.
fn sizes(node: &NodeProto, name: &str, spatial: usize) -> Result<Vec<usize>, Refusal> {
    let Some(values) = ints(node, name) else { return Ok(vec![1; spatial]) };
    let sizes: Option<Vec<usize>> = values.iter().map(|v| usize::try_from(*v).ok().filter(|v| *v > 0)).collect();
    sizes
        .filter(|sizes| sizes.len() == spatial)
        .ok_or_else(|| malformed(node, &format!("has {name} {values:?}; it needs {spatial} positive numbers")))
}

/// Completes the geometry with padding and output size.
fn padded(node: &NodeProto, mut geometry: Geometry, spatial: usize) -> Result<Geometry, Refusal> {
    let auto = text(node, "auto_pad");
    let pads = ints(node, "pads").unwrap_or(&[]);
    if !pads.is_empty() && pads.len() != 2 * spatial || pads.iter().any(|pad| !(0..1 << 24).contains(pad)) {
        return Err(malformed(node, &format!("has pads {pads:?}; it needs {} numbers, none negative", 2 * spatial)));
    }
    // ONNX lists the pads before all axes, then those after; a 1-D layer has
    // only columns.
    let pad = |axis: usize, after: bool| {
        let axis = (axis + spatial).checked_sub(2)?;
        pads.get(axis + if after { spatial } else { 0 }).map(|pad| *pad as usize)
    };
    for axis in 0..2 {
        let (size, stride) = (geometry.input[axis], geometry.stride[axis]);
        let reach = (geometry.kernel[axis].max(1) - 1) * geometry.dilation[axis] + 1;
        let (before, after) = match auto {
            b"SAME_UPPER" | b"SAME_LOWER" => {
                let total = ((size.div_ceil(stride) - 1) * stride + reach).saturating_sub(size);
                if auto == b"SAME_UPPER" { (total / 2, total.div_ceil(2)) } else { (total.div_ceil(2), total / 2) }
            }
            b"" | b"NOTSET" | b"VALID" => (pad(axis, false).unwrap_or(0), pad(axis, true).unwrap_or(0)),
            other => return Err(malformed(node, &format!("has auto_pad {:?}", String::from_utf8_lossy(other)))),
        };
        let Some(room) = (size + before + after).checked_sub(reach).filter(|_| geometry.kernel[axis] > 0) else {
            return Err(malformed(node, "has a kernel larger than its padded input"));
        };
        geometry.padding[axis] = before;
        geometry.output[axis] = room / stride + 1;
    }
    Ok(geometry)
}
