//! The order, the live part and the names of a graph's nodes.

use super::error::NetError;
use super::source::{readable, subgraphs};
use std::collections::{BTreeSet, HashMap, HashSet};
use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::{GraphProto, NodeProto};

/// What to do about a model that computes with integers.
pub(super) const FLOAT_MODEL: &str = "export the float32 model, axp clusters its weights itself";

/// Tensors that a node reads, those read inside its subgraphs included.
pub(super) fn reads(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = node.input.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    for graph in subgraphs(node) {
        names.extend(graph.node.iter().flat_map(reads));
        names.extend(graph.output.iter().map(|output| output.name.as_str()));
    }
    names
}

/// Tensors that a node writes.
pub(super) fn writes(node: &NodeProto) -> impl Iterator<Item = &str> {
    node.output.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// Which node writes each tensor.
pub(super) fn producers(graph: &GraphProto) -> HashMap<&str, usize> {
    graph.node.iter().enumerate().flat_map(|(index, node)| writes(node).map(move |name| (name, index))).collect()
}

/// How often each tensor is read, as a graph output or by nodes.
pub(super) fn read_counts(graph: &GraphProto) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    let outputs = graph.output.iter().map(|output| output.name.as_str());
    for name in graph.node.iter().flat_map(reads).chain(outputs) {
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

/// Puts nodes in an order in which each comes after what it reads, as close
/// to the order of the file as that allows, and drops those that the graph's
/// outputs do not need, with their weights.
pub(super) fn sort_and_prune(graph: &mut GraphProto) -> Result<(), NetError> {
    check_names(graph)?;
    let producers = producers(graph);
    let mut live = vec![false; graph.node.len()];
    let mut stack: Vec<usize> = Vec::new();
    for output in &graph.output {
        stack.extend(producers.get(output.name.as_str()));
    }
    while let Some(node) = stack.pop() {
        if !std::mem::replace(&mut live[node], true) {
            stack.extend(reads(&graph.node[node]).iter().filter_map(|name| producers.get(name)));
        }
    }
    // Kahn's algorithm; the set yields the node that comes first in the file.
    let mut waits: Vec<usize> = vec![0; graph.node.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
    for (index, node) in graph.node.iter().enumerate().filter(|(index, _)| live[*index]) {
        for producer in reads(node).iter().filter_map(|name| producers.get(name)) {
            waits[index] += 1;
            readers[*producer].push(index);
        }
    }
    let mut ready: BTreeSet<usize> = (0..graph.node.len()).filter(|index| live[*index] && waits[*index] == 0).collect();
    let mut order = Vec::new();
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for reader in &readers[index] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    if order.len() != live.iter().filter(|live| **live).count() {
        return Err(NetError::Malformed { what: "its nodes depend on each other in a circle".into() });
    }
    graph.node = order.iter().map(|index| std::mem::take(&mut graph.node[*index])).collect();

    let counts: HashSet<String> = read_counts(graph).into_keys().map(str::to_owned).collect();
    graph.initializer.retain(|tensor| counts.contains(&tensor.name));
    graph.input.retain(|input| counts.contains(&input.name));
    Ok(())
}

/// Every tensor has one source, and everything that is read has one.
fn check_names(graph: &GraphProto) -> Result<(), NetError> {
    let mut known: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    known.extend(graph.input.iter().map(|input| input.name.as_str()));
    for node in &graph.node {
        for name in writes(node) {
            if !known.insert(name) {
                return Err(NetError::Malformed { what: format!("tensor {name:?} is written twice") });
            }
        }
    }
    let missing = |name: &str| NetError::Malformed { what: format!("tensor {name:?} is read but nothing writes it") };
    for node in &graph.node {
        // Names inside a subgraph may be its own.
        if let Some(name) = node.input.iter().find(|name| !name.is_empty() && !known.contains(name.as_str())) {
            return Err(missing(name));
        }
    }
    match graph.output.iter().find(|output| !known.contains(output.name.as_str())) {
        Some(output) => Err(missing(&output.name)),
        None => Ok(()),
    }
}

/// Gives every node a name of its own: unnamed nodes are called after their
/// operator, repeated names get a number.
pub(super) fn name_nodes(graph: &mut GraphProto) {
    // tract keeps weights and inputs in the same name space.
    let mut taken: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    taken.extend(graph.input.iter().map(|input| input.name.clone()));
    let mut numbers: HashMap<String, usize> = HashMap::new();
    // Names that are unique in the file stay as they are.
    let mut given: HashMap<String, usize> = HashMap::new();
    for node in &graph.node {
        *given.entry(node.name.clone()).or_insert(0) += 1;
    }
    taken.extend(given.into_keys());
    let mut seen: HashSet<String> = HashSet::new();
    let reserved: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    for node in &mut graph.node {
        if !node.name.is_empty() && !reserved.contains(&node.name) && seen.insert(node.name.clone()) {
            continue;
        }
        let base = if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() };
        let number = numbers.entry(base.clone()).or_insert(usize::from(!node.name.is_empty()));
        node.name = loop {
            *number += 1;
            let name = format!("{base}_{number}");
            if taken.insert(name.clone()) {
                break name;
            }
        };
    }
}

/// Empty optional inputs at the end of a node's list mean nothing but confuse
/// readers that count; `auto_pad` wins over `pads` where a file has both.
pub(super) fn normalise(graph: &mut GraphProto) {
    for node in &mut graph.node {
        while node.input.last().is_some_and(String::is_empty) {
            node.input.pop();
        }
        let automatic = node
            .attribute
            .iter()
            .any(|a| a.name == "auto_pad" && matches!(&*a.s, b"SAME_UPPER" | b"SAME_LOWER" | b"VALID"));
        if automatic {
            node.attribute.retain(|a| a.name != "pads");
        }
    }
}

/// Refuses operators that tract does not know. It looks at their names alone,
/// so that one of another domain would pass for ONNX's own.
pub(super) fn check_operators(graph: &GraphProto, known: &OnnxOpRegister) -> Result<(), NetError> {
    for node in &graph.node {
        let own = matches!(node.domain.as_str(), "" | "ai.onnx");
        let domain = own || matches!(node.domain.as_str(), "ai.onnx.ml" | "com.microsoft");
        if !domain || !known.0.contains_key(&node.op_type) {
            let op = if own { node.op_type.clone() } else { format!("{}.{}", node.domain, node.op_type) };
            // It may be anything, and the message is one line.
            let op = op.escape_debug().to_string();
            return Err(NetError::UnsupportedOperator { op, node: readable(node).to_owned(), advice: advice(node) });
        }
        subgraphs(node).try_for_each(|graph| check_operators(graph, known))?;
    }
    Ok(())
}

/// What to do about an operator that cannot be run.
fn advice(node: &NodeProto) -> &'static str {
    let op = node.op_type.as_str();
    if ["QLinear", "Quantize", "Integer", "QGemm", "QAttention"].iter().any(|part| op.contains(part)) {
        FLOAT_MODEL
    } else if matches!(op, "Loop" | "Scan") {
        "such loops come from recurrent layers; 1-D convolutions over time are supported"
    } else {
        "export the model without it"
    }
}
