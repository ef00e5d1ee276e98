//! Functions that a model brings along: each call becomes the nodes of its body.

use super::error::NetError;
use super::source::{readable, subgraphs};
use std::collections::HashMap;
use tract_onnx::pb::{FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto};

/// Calls inside calls.
const DEEPEST: usize = 32;

/// Nodes after all calls are replaced: a few functions that call each other
/// twice would fill the memory.
const MOST_NODES: usize = 100_000;

/// Replaces the calls in a model's graph.
///
/// # Errors
/// Functions that call each other in a circle, or that need what is not read:
/// control flow, defaults of attributes, another operator set.
pub(super) fn inline(model: &mut ModelProto) -> Result<(), NetError> {
    let functions = std::mem::take(&mut model.functions);
    let Some(graph) = model.graph.as_mut().filter(|_| !functions.is_empty()) else { return Ok(()) };
    let mut calls = Calls { functions: &functions, opsets: &model.opset_import, number: 0, nodes: Vec::new() };
    for node in std::mem::take(&mut graph.node) {
        if subgraphs(&node).any(|graph| calls.any_in(graph)) {
            return Err(unsupported(readable(&node), "is called inside control flow"));
        }
        calls.add(node, 0)?;
    }
    graph.node = calls.nodes;
    Ok(())
}

fn unsupported(function: &str, what: &str) -> NetError {
    let what = format!("function {function:?} {what}; inline the model's functions (onnx.inliner) before");
    NetError::Unsupported { what }
}

struct Calls<'a> {
    functions: &'a [FunctionProto],
    opsets: &'a [OperatorSetIdProto],
    /// Of the calls so far: part of the names of what they compute.
    number: usize,
    nodes: Vec<NodeProto>,
}

impl Calls<'_> {
    fn called_by(&self, node: &NodeProto) -> Option<&FunctionProto> {
        let called = |function: &&FunctionProto| function.name() == node.op_type && function.domain() == node.domain;
        self.functions.iter().find(called)
    }

    fn any_in(&self, graph: &GraphProto) -> bool {
        graph.node.iter().any(|node| self.called_by(node).is_some() || subgraphs(node).any(|graph| self.any_in(graph)))
    }

    /// Adds a node, or the body of the function that it calls.
    fn add(&mut self, node: NodeProto, depth: usize) -> Result<(), NetError> {
        let Some(function) = self.called_by(&node).cloned() else {
            self.nodes.push(node);
            return Ok(());
        };
        let name = function.name();
        if depth == DEEPEST || self.nodes.len() >= MOST_NODES {
            return Err(unsupported(name, "calls itself, or is called too often"));
        }
        if !same_operators(&function.opset_import, self.opsets) {
            return Err(unsupported(name, "uses another ONNX operator set than the model"));
        }
        self.number += 1;
        let outer = self.names(&function, &node);
        let rename = |inner: &String| match outer.get(inner.as_str()) {
            Some(name) => name.clone(),
            None if inner.is_empty() => String::new(),
            None => format!("{name}:{}:{inner}", self.number),
        };
        let mut body = Vec::new();
        for (output, written) in function.output.iter().zip(&node.output) {
            // It hands an input through.
            if function.input.contains(output) {
                let (input, output) = (vec![rename(output)], vec![written.clone()]);
                body.push(NodeProto { op_type: "Identity".into(), input, output, ..NodeProto::default() });
            }
        }
        for inner in &function.node {
            if subgraphs(inner).next().is_some() {
                return Err(unsupported(name, "has control flow in it"));
            }
            let mut copy = inner.clone();
            copy.input = inner.input.iter().map(rename).collect();
            copy.output = inner.output.iter().map(rename).collect();
            if !inner.name.is_empty() && !node.name.is_empty() {
                copy.name = format!("{}/{}", node.name, inner.name);
            }
            bind(&mut copy, &function, &node)?;
            body.push(copy);
        }
        body.into_iter().try_for_each(|inner| self.add(inner, depth + 1))
    }

    /// What the names of a function's inputs and outputs stand for in a call.
    fn names<'f>(&self, function: &'f FunctionProto, call: &NodeProto) -> HashMap<&'f str, String> {
        let mut names = HashMap::new();
        for (index, output) in function.output.iter().enumerate() {
            if let Some(written) = call.output.get(index).filter(|name| !name.is_empty()) {
                names.insert(output.as_str(), written.clone());
            }
        }
        // An input that is handed through keeps the name that it comes with.
        for (index, input) in function.input.iter().enumerate() {
            names.insert(input.as_str(), call.input.get(index).cloned().unwrap_or_default());
        }
        names
    }
}

/// Gives a node of a body the attributes that it takes from the call.
fn bind(node: &mut NodeProto, function: &FunctionProto, call: &NodeProto) -> Result<(), NetError> {
    let mut bound = Vec::new();
    for attribute in std::mem::take(&mut node.attribute) {
        if attribute.ref_attr_name.is_empty() {
            bound.push(attribute);
            continue;
        }
        let name = &attribute.ref_attr_name;
        match call.attribute.iter().find(|given| given.name == *name) {
            Some(given) => {
                let mut given = given.clone();
                given.name = attribute.name;
                bound.push(given);
            }
            // Then the operator's own default counts.
            None if function.attribute.contains(name) => {}
            None => {
                let what = format!("takes the default of its attribute {name:?}");
                return Err(unsupported(function.name(), &what));
            }
        }
    }
    node.attribute = bound;
    Ok(())
}

/// Whether both mean the same version of ONNX's own operators.
fn same_operators(function: &[OperatorSetIdProto], model: &[OperatorSetIdProto]) -> bool {
    let own = |sets: &[OperatorSetIdProto]| {
        sets.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx")).map(|set| set.version)
    };
    own(function).is_none_or(|version| own(model) == Some(version))
}
