//! ONNX import: which layers run on the PE, and everything else, exactly.
//!
//! [`Network::from_onnx`] finds the layers of multiply-accumulates with
//! constant weights (`Conv` 1-D and 2-D, `Gemm`, `MatMul`), folds the batch
//! normalization and the bias that follow them, and cuts them out of the graph.
//! What remains is tract's; [`crate::infer`] computes the cut-out layers. A
//! layer that cannot be mapped is listed with the reason and stays with tract.

mod arrays;
mod attributes;
mod candidate;
mod channels;
mod conv;
mod dense;
mod error;
mod fold;
mod functions;
mod geometry;
mod graph;
mod input;
mod interleave;
mod layer;
mod map;
mod operators;
mod quantise;
pub mod samples;
mod source;
mod tensors;
mod tract;
mod uses;

pub use error::{NetError, SampleError};
pub use geometry::{Geometry, Layout};
pub use layer::{MacLayer, MacOp, UnmappedLayer};
pub use samples::{ByteScale, Samples};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tract_onnx::pb::ModelProto;

/// How to import a model.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Shape of one sample, without the batch dimension; needed where the
    /// model leaves a dimension other than the batch open.
    pub input_shape: Option<Vec<usize>>,
    /// Folder of the model file, for weights that it keeps in files beside it.
    pub folder: Option<PathBuf>,
}

/// An imported network. Cloning is cheap: clones share the model.
#[derive(Clone, Debug)]
pub struct Network {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    layers: Vec<MacLayer>,
    unmapped: Vec<UnmappedLayer>,
    input_name: String,
    input_shape: Vec<usize>,
    /// The model as it came.
    baseline: tract::Plan,
    /// The model without its mapped layers.
    rest: tract::Plan,
}

impl Network {
    /// Imports an ONNX model (the bytes of the file).
    ///
    /// The batch dimension, the first one of the input, becomes 1. Of several
    /// outputs the first floating-point one counts.
    ///
    /// # Errors
    /// See [`NetError`]; no input makes it panic.
    pub fn from_onnx(bytes: &[u8], options: &ImportOptions) -> Result<Self, NetError> {
        // tract indexes and unwraps its way through a graph that contradicts
        // itself in places that no check here foresees.
        catch_unwind(AssertUnwindSafe(|| import(bytes, options)))
            .unwrap_or_else(|_| Err(NetError::Malformed { what: "reading its graph failed".into() }))
            .map(|parts| Self { parts: Arc::new(parts) })
    }

    /// The layers that run on the PE, in the order in which they run.
    pub fn layers(&self) -> &[MacLayer] {
        &self.parts.layers
    }

    /// Layers of multiply-accumulates that do not run on the PE, and why.
    pub fn unmapped(&self) -> &[UnmappedLayer] {
        &self.parts.unmapped
    }

    /// Name of the input. Data, as all names in a model.
    pub fn input_name(&self) -> &str {
        &self.parts.input_name
    }

    /// Shape of one sample, without the batch dimension.
    pub fn input_shape(&self) -> &[usize] {
        &self.parts.input_shape
    }

    /// Elements of the output for one sample: the number of classes.
    pub fn classes(&self) -> usize {
        self.parts.baseline.outputs()
    }

    /// Runs one sample through the unmodified model, in tract's arithmetic.
    ///
    /// # Errors
    /// A sample of another length than the input, or a failure in tract.
    pub fn baseline(&self, sample: &[f32]) -> Result<Vec<f32>, NetError> {
        self.check(sample)?;
        // Nothing was cut out of this plan: it runs to its end.
        Ok(self.parts.baseline.start(sample)?.output().to_vec())
    }

    /// Runs one sample up to the first mapped layer.
    ///
    /// # Errors
    /// A sample of another length than the input, or a failure in tract.
    pub fn start(&self, sample: &[f32]) -> Result<Stepper, NetError> {
        self.check(sample)?;
        Ok(Stepper { network: self.clone(), progress: self.parts.rest.start(sample)? })
    }

    /// Runs one sample to the end; `layers` computes the mapped layers: given a
    /// layer's index and input tensor it returns the output tensor.
    ///
    /// # Errors
    /// As [`Network::start`] and [`Stepper::resume`].
    pub fn run_with(
        &self,
        sample: &[f32],
        layers: &mut dyn FnMut(usize, &[f32]) -> Vec<f32>,
    ) -> Result<Vec<f32>, NetError> {
        let mut stepper = self.start(sample)?;
        while let Some((layer, input)) = stepper.pending() {
            let output = layers(layer, input);
            stepper.resume(&output)?;
        }
        Ok(stepper.output().unwrap_or_default().to_vec())
    }

    fn check(&self, sample: &[f32]) -> Result<(), NetError> {
        let expected = self.input_shape().iter().product();
        if sample.len() != expected {
            return Err(NetError::Sample { expected, found: sample.len() });
        }
        Ok(())
    }
}

/// One sample on its way through a network, layer by mapped layer.
///
/// Whoever holds it computes the mapped layers; everything between them runs
/// in [`Network::start`] and [`Stepper::resume`].
#[derive(Debug)]
pub struct Stepper {
    network: Network,
    progress: tract::Progress,
}

impl Stepper {
    /// The mapped layer whose turn it is, by index in [`Network::layers`], and
    /// its input tensor, flat in the layout of its geometry. `None` at the end.
    pub fn pending(&self) -> Option<(usize, &[f32])> {
        self.progress.pending()
    }

    /// Takes the output tensor of the pending layer, bias included, and runs
    /// on to the next one or to the end.
    ///
    /// # Errors
    /// An output of another length than the layer's, no pending layer, or a
    /// failure in tract.
    pub fn resume(&mut self, output: &[f32]) -> Result<(), NetError> {
        self.network.parts.rest.resume(&mut self.progress, output)
    }

    /// The network's output, flat; `None` before the end.
    pub fn output(&self) -> Option<&[f32]> {
        self.pending().is_none().then(|| self.progress.output())
    }
}

fn import(bytes: &[u8], options: &ImportOptions) -> Result<Parts, NetError> {
    let folder = options.folder.as_deref();
    let mut model = source::decode(bytes, folder.is_some())?;
    // `decode` refuses a model without a graph.
    let mut graph = model.graph.take().unwrap_or_default();
    graph::check_operators(&graph, &tract::operators())?;
    graph::normalise(&mut graph);
    input::select_output(&mut graph)?;
    graph::sort_and_prune(&mut graph)?;
    graph::name_nodes(&mut graph);
    let declared = input::output_elements(&graph);
    let input::Sample { name: input_name, shape: input_shape, batch } =
        input::fix_shape(&mut graph, options.input_shape.as_deref())?;
    let model = ModelProto { graph: Some(graph), ..model };
    let parts = match (build(model, input_name, input_shape, folder), declared) {
        (Ok(parts), Some(declared)) if batch > 1 && parts.baseline.outputs().checked_mul(batch) != Some(declared) => {
            let found = parts.baseline.outputs();
            let what = format!("one sample gives {found} numbers, where {declared} are declared for {batch}");
            return Err(NetError::FixedBatch { batch, what });
        }
        (parts, _) => parts,
    };
    // A shape that holds the batch contradicts one sample somewhere.
    parts.map_err(|error| match error {
        NetError::Run { what } | NetError::Malformed { what } if batch > 1 => NetError::FixedBatch { batch, what },
        error => error,
    })
}

/// Compiles a graph whose nodes are in order and whose input has its shape.
fn build(
    model: ModelProto,
    input_name: String,
    input_shape: Vec<usize>,
    folder: Option<&Path>,
) -> Result<Parts, NetError> {
    let graph = model.graph.clone().unwrap_or_default();
    let tensors = tensors::Tensors::new(&model, &graph, folder)?;
    let map::Mapped { layers, mut unmapped, graph: mut rest } = map::map(&graph, &tensors)?;
    drop(tensors);
    if layers.is_empty() {
        return Err(NetError::NoMacLayer { unmapped });
    }
    graph::sort_and_prune(&mut rest)?;
    let batch: Vec<usize> = std::iter::once(1).chain(input_shape.iter().copied()).collect();
    let baseline = tract::Plan::new(&model, folder, batch.clone())?;
    let mut rest = tract::Plan::new(&ModelProto { graph: Some(rest), ..model }, folder, batch)?;
    let mut found: Vec<Option<MacLayer>> = layers.into_iter().map(Some).collect();
    let order = rest.number_layers(found.len());
    let layers: Vec<MacLayer> = order.into_iter().filter_map(|layer| found[layer].take()).collect();
    unmapped.extend(found.into_iter().flatten().map(|layer| {
        let reason = "what it computes has no effect on the output".to_owned();
        UnmappedLayer { name: layer.name, op: format!("{:?}", layer.op), reason }
    }));
    if layers.is_empty() {
        return Err(NetError::NoMacLayer { unmapped });
    }
    Ok(Parts { layers, unmapped, input_name, input_shape, baseline, rest })
}
