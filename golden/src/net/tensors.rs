//! What is known of a graph's tensors before it runs: constants and shapes.

use super::error::NetError;
use super::graph::{producers, reads, writes};
use super::operators::onnx;
use super::source::subgraphs;
use super::tract::{cause, parse};
use std::collections::HashSet;
use std::path::Path;
use tract_onnx::data_resolver::MmapDataResolver;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};
use tract_onnx::tensor::load_tensor;
use tract_onnx::tract_hir::internal::*;

/// Operators whose result is not a function of their inputs.
const RANDOM: [&str; 6] =
    ["RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"];

/// Elements of the largest tensor: 8 GiB. Where more are asked for, the process
/// would end without a message.
const MOST_ELEMENTS: usize = 1 << 31;

/// Constants and shapes of a graph whose nodes are in order.
pub(super) struct Tensors<'a> {
    model: &'a ModelProto,
    graph: &'a GraphProto,
    folder: Option<&'a Path>,
    constant: HashSet<&'a str>,
    shapes: HashMap<String, (DatumType, Vec<usize>)>,
}

impl<'a> Tensors<'a> {
    pub(super) fn new(
        model: &'a ModelProto,
        graph: &'a GraphProto,
        folder: Option<&'a Path>,
    ) -> Result<Self, NetError> {
        let mut constant: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        for node in &graph.node {
            let pure = subgraphs(node).next().is_none() && !RANDOM.contains(&node.op_type.as_str());
            if pure && reads(node).iter().all(|name| constant.contains(name)) {
                constant.extend(writes(node));
            }
        }
        Ok(Self { model, graph, folder, constant, shapes: shapes(model, folder)? })
    }

    /// Whether a tensor has the same value for every sample.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        self.constant.contains(name)
    }

    /// Type and shape of a tensor, if they can be told without running.
    pub(super) fn shape(&self, name: &str) -> Option<(DatumType, &[usize])> {
        self.shapes.get(name).map(|(kind, shape)| (*kind, shape.as_slice()))
    }

    /// The value of a constant: a stored tensor, or what nodes make of them.
    pub(super) fn value(&self, name: &str) -> Result<Arc<Tensor>, NetError> {
        let failed = |what: String| NetError::Malformed { what: format!("tensor {name:?}: {what}") };
        let folder = self.folder.map(|folder| folder.to_string_lossy());
        if let Some(tensor) = self.graph.initializer.iter().find(|tensor| tensor.name == name) {
            return load_tensor(&MmapDataResolver, tensor, folder.as_deref())
                .map(Tensor::into_arc_tensor)
                .map_err(|e| failed(cause(&e)));
        }
        let part = self.part_behind(name);
        let run = || -> TractResult<Arc<Tensor>> {
            let plan = parse(&onnx(), &part, self.folder)?.model.into_typed()?.into_runnable()?;
            let value = plan.run(tvec![])?.into_iter().next();
            Ok(value.context("no value")?.into_arc_tensor())
        };
        run().map_err(|e| failed(cause(&e)))
    }

    /// A model of the nodes that compute one constant, and no inputs.
    fn part_behind(&self, name: &str) -> ModelProto {
        let producers = producers(self.graph);
        let (mut nodes, mut names) = (vec![false; self.graph.node.len()], HashSet::from([name]));
        let mut stack = vec![name];
        while let Some(name) = stack.pop() {
            if let Some(index) = producers.get(name)
                && !std::mem::replace(&mut nodes[*index], true)
            {
                let inputs = reads(&self.graph.node[*index]);
                names.extend(&inputs);
                stack.extend(inputs);
            }
        }
        let node = self.graph.node.iter().zip(nodes).filter(|(_, needed)| *needed).map(|(node, _)| node.clone());
        let initializer = self.graph.initializer.iter().filter(|tensor| names.contains(tensor.name.as_str()));
        let graph = GraphProto {
            node: node.collect(),
            initializer: initializer.cloned().collect(),
            output: vec![ValueInfoProto { name: name.to_owned(), ..Default::default() }],
            ..Default::default()
        };
        ModelProto { graph: Some(graph), opset_import: self.model.opset_import.clone(), ..Default::default() }
    }
}

/// The shapes that tract infers, by tensor name.
fn shapes(model: &ModelProto, folder: Option<&Path>) -> Result<HashMap<String, (DatumType, Vec<usize>)>, NetError> {
    let failed = |e: TractError| NetError::Run { what: cause(&e) };
    let mut parsed = parse(&onnx(), model, folder).map_err(failed)?;
    // Contradictions come up again, with their cause, when the model is built.
    let _ = parsed.model.analyse(true);
    let known = parsed.outlets_by_name.into_iter().filter_map(|(name, outlet)| {
        let fact = parsed.model.outlet_fact(outlet).ok()?;
        let shape = fact.shape.concretize()?.iter().map(|dim| dim.to_usize().ok()).collect::<Option<Vec<_>>>()?;
        Some((name, (fact.datum_type.concretize()?, shape)))
    });
    let known: HashMap<_, (DatumType, Vec<usize>)> = known.collect();
    let elements = |shape: &[usize]| shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    match known.iter().find(|(_, (_, shape))| elements(shape).is_none_or(|elements| elements > MOST_ELEMENTS)) {
        Some((name, (_, shape))) => {
            Err(NetError::Unsupported { what: format!("tensor {name:?} of shape {shape:?} does not fit into memory") })
        }
        None => Ok(known),
    }
}
