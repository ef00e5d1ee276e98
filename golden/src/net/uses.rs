//! Which node reads a tensor.

use super::graph::{read_counts, reads};
use std::collections::HashMap;
use tract_onnx::pb::{GraphProto, NodeProto};

/// The readers of a graph's tensors.
pub(super) struct Uses<'a> {
    graph: &'a GraphProto,
    counts: HashMap<&'a str, usize>,
    readers: HashMap<&'a str, usize>,
}

impl<'a> Uses<'a> {
    pub(super) fn new(graph: &'a GraphProto) -> Self {
        let named = |(index, node)| reads(node).into_iter().map(move |name| (name, index));
        let readers = graph.node.iter().enumerate().flat_map(named).collect();
        Self { graph, counts: read_counts(graph), readers }
    }

    /// The node that reads a tensor, once, if nothing else does.
    pub(super) fn only_reader(&self, tensor: &str) -> Option<(usize, &'a NodeProto)> {
        let index = *self.readers.get(tensor).filter(|_| self.counts.get(tensor) == Some(&1))?;
        Some((index, &self.graph.node[index]))
    }
}
