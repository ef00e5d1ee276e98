//! Attributes of an ONNX node, with ONNX's defaults.

use tract_onnx::pb::{AttributeProto, NodeProto};

fn find<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// An integer.
pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    find(node, name).map_or(default, |attribute| attribute.i)
}

/// A float.
pub(super) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    find(node, name).map_or(default, |attribute| attribute.f)
}

/// A list of integers, `None` where the attribute is absent.
pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    find(node, name).map(|attribute| attribute.ints.as_slice())
}

/// A text, empty where the attribute is absent.
pub(super) fn text<'a>(node: &'a NodeProto, name: &str) -> &'a [u8] {
    find(node, name).map_or(&[], |attribute| &attribute.s)
}
