//! The parts of a network that tract runs, and the op that stands for a layer
//! that it does not.

use super::error::NetError;
use super::operators::onnx;
use std::path::Path;
use tract_onnx::Onnx;
use tract_onnx::model::{OnnxOpRegister, ParseResult, ParsingContext};
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, attribute_proto::AttributeType};
use tract_onnx::tract_hir::internal::*;

/// Operator name of a [`CutLayer`] in our copy of the graph.
const CUT_LAYER: &str = "AxpMacLayer";

/// Stands in tract's graph for a mapped layer. It has a shape but computes
/// nothing: whoever runs the plan evaluates it.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct CutLayer {
    /// Index of the layer. It also keeps tract from merging two layers that
    /// read the same tensor.
    layer: usize,
    output: TVec<usize>,
}

impl Op for CutLayer {
    fn name(&self) -> StaticName {
        CUT_LAYER.into()
    }

    op_as_typed_op!();
}

impl EvalOp for CutLayer {
    not_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, _inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        bail!("mapped layer {} was left to tract", self.layer)
    }
}

impl TypedOp for CutLayer {
    as_op!();

    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(&self.output)))
    }
}

impl Expansion for CutLayer {
    fn name(&self) -> StaticName {
        CUT_LAYER.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, f32::datum_type())?;
        s.equals(&outputs[0].datum_type, f32::datum_type())?;
        s.equals(&outputs[0].shape, self.output.iter().map(|dim| dim.to_dim()).collect::<TVec<TDim>>())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

/// The node that replaces a mapped layer.
pub(super) fn cut_node(name: &str, layer: usize, input: &str, output: &str, shape: &[usize]) -> NodeProto {
    let ints = |name: &str, ints: Vec<i64>| AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints,
        ..Default::default()
    };
    NodeProto {
        name: name.into(),
        op_type: CUT_LAYER.into(),
        input: vec![input.into()],
        output: vec![output.into()],
        attribute: vec![
            ints("layer", vec![layer as i64]),
            ints("shape", shape.iter().map(|dim| *dim as i64).collect()),
        ],
        ..Default::default()
    }
}

fn cut_layer(_ctx: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let layer = node.get_attr_tvec::<usize>("layer")?[0];
    Ok((expand(CutLayer { layer, output: node.get_attr_tvec("shape")? }), vec![]))
}

/// The ONNX operators that tract runs.
pub(super) fn operators() -> OnnxOpRegister {
    tract_onnx::onnx().op_register
}

/// tract's model of an ONNX graph. Shapes that the file claims for inner
/// tensors are left out: they may speak of another batch size.
pub(super) fn parse(onnx: &Onnx, model: &ModelProto, folder: Option<&Path>) -> TractResult<ParseResult> {
    let folder = folder.map(|folder| folder.to_string_lossy());
    let onnx = onnx.clone().with_ignore_value_info(true).with_ignore_output_types(true);
    let parsed = onnx.parse(model, folder.as_deref())?;
    ensure!(parsed.unresolved_inputs.is_empty(), "nothing writes {:?}", parsed.unresolved_inputs);
    Ok(parsed)
}

/// A graph ready to run.
#[derive(Debug)]
pub(super) struct Plan {
    plan: Arc<TypedSimplePlan>,
    /// For each step the nodes whose values nothing reads after it.
    spent: Vec<Vec<usize>>,
    input: Vec<usize>,
    outputs: usize,
    /// What each mapped layer's number has become, see [`Plan::number_layers`].
    numbers: Vec<usize>,
}

impl Plan {
    /// Compiles a graph with one input, of shape `input` (batch first), and
    /// one output of fixed shape.
    pub(super) fn new(model: &ModelProto, folder: Option<&Path>, input: Vec<usize>) -> Result<Self, NetError> {
        let build = || -> TractResult<Self> {
            let mut onnx = onnx();
            onnx.op_register.insert(CUT_LAYER, cut_layer);
            let model = parse(&onnx, model, folder)?.model.into_optimized()?;
            let shape = model.output_fact(0)?.shape.as_concrete().context("the output has no fixed shape")?;
            let outputs = shape.iter().product();
            ensure!(outputs > 0, "the output is empty");
            let plan = TypedSimplePlan::new(model)?;
            let spent = last_reads(&plan)?;
            Ok(Self { plan, spent, input, outputs, numbers: Vec::new() })
        };
        build().map_err(|e| NetError::Run { what: cause(&e) })
    }

    /// Numbers the mapped layers in the order in which they run, which is tract's choice where
    /// branches meet; returns their former numbers in that order. Layers that are not among
    /// them do not run: what they compute has no effect.
    pub(super) fn number_layers(&mut self, layers: usize) -> Vec<usize> {
        let nodes = self.plan.order_without_consts().iter().map(|id| self.plan.model().node(*id));
        let order: Vec<usize> = nodes.filter_map(|node| Some(node.op_as::<CutLayer>()?.layer)).collect();
        self.numbers = vec![0; layers];
        order.iter().enumerate().for_each(|(number, layer)| self.numbers[*layer] = number);
        order
    }

    /// Elements of the output.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Runs a sample to the first mapped layer, or to the end.
    pub(super) fn start(&self, sample: &[f32]) -> Result<Progress, NetError> {
        let start = || -> TractResult<Progress> {
            let mut state = self.plan.spawn()?;
            state.set_inputs(tvec!(Tensor::from_shape(&self.input, sample)?.into_tvalue()))?;
            Ok(Progress { state, step: 0, pending: None, output: Vec::new() })
        };
        let mut progress = start().map_err(|e| NetError::Run { what: cause(&e) })?;
        self.advance(&mut progress)?;
        Ok(progress)
    }

    /// Gives the pending layer its output and runs to the next one, or to the
    /// end.
    pub(super) fn resume(&self, progress: &mut Progress, output: &[f32]) -> Result<(), NetError> {
        let mut accept = || -> TractResult<()> {
            let pending = progress.pending.take().context("no layer is pending")?;
            let output = Tensor::from_shape(&pending.output, output)?;
            progress.state.set_value(pending.node, output.into_tvalue())
        };
        accept().map_err(|e| NetError::Run { what: cause(&e) })?;
        self.advance(progress)
    }

    fn advance(&self, progress: &mut Progress) -> Result<(), NetError> {
        let mut advance = || -> TractResult<()> {
            let order = self.plan.order_without_consts();
            while let Some(id) = order.get(progress.step) {
                let mut inputs = progress.state.prepare_inputs(*id)?;
                // Before the node runs: it may then reuse its input's memory.
                for spent in &self.spent[progress.step] {
                    progress.state.turn_state.values[*spent] = None;
                }
                progress.step += 1;
                if let Some(cut) = self.plan.model().node(*id).op_as::<CutLayer>() {
                    let input = inputs.pop().context("a mapped layer reads nothing")?;
                    let layer = self.numbers.get(cut.layer).copied().unwrap_or(cut.layer);
                    progress.pending = Some(Pending { node: *id, layer, input, output: cut.output.clone() });
                    return Ok(());
                }
                progress.state.compute_one_with_inputs(*id, inputs)?;
            }
            let outputs = progress.state.outputs()?;
            let output = outputs[0].cast_to::<f32>()?;
            progress.output = output.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
            Ok(())
        };
        advance().map_err(|e| NetError::Run { what: cause(&e) })
    }
}

/// For each step of a plan the nodes whose values it reads last.
fn last_reads(plan: &TypedSimplePlan) -> TractResult<Vec<Vec<usize>>> {
    let order = plan.order_without_consts();
    let kept: Vec<usize> = plan.model().output_outlets()?.iter().map(|outlet| outlet.node).collect();
    let mut computed = vec![false; plan.model().nodes().len()];
    order.iter().for_each(|id| computed[*id] = true);
    let mut read = vec![false; computed.len()];
    let mut spent = vec![Vec::new(); order.len()];
    for (step, id) in order.iter().enumerate().rev() {
        for input in &plan.model().node(*id).inputs {
            let first_seen = !std::mem::replace(&mut read[input.node], true);
            // Constants are not computed again, so they stay.
            if first_seen && !kept.contains(&input.node) && computed[input.node] {
                spent[step].push(input.node);
            }
        }
    }
    Ok(spent)
}

/// One sample on its way through a plan.
#[derive(Debug)]
pub(super) struct Progress {
    state: TypedSimpleState,
    step: usize,
    pending: Option<Pending>,
    output: Vec<f32>,
}

/// A mapped layer whose turn it is.
#[derive(Debug)]
struct Pending {
    node: usize,
    layer: usize,
    input: TValue,
    output: TVec<usize>,
}

impl Progress {
    /// Index and input of the mapped layer whose turn it is; `None` at the end.
    pub(super) fn pending(&self) -> Option<(usize, &[f32])> {
        let pending = self.pending.as_ref()?;
        // The layer's input was declared float32 and is.
        Some((pending.layer, pending.input.try_as_plain_ram().ok()?.as_slice::<f32>().ok()?))
    }

    /// The output; empty before the end.
    pub(super) fn output(&self) -> &[f32] {
        &self.output
    }
}

/// What went wrong, in one line: the innermost cause, and the innermost node
/// that tract names on the way to it.
pub(super) fn cause(error: &TractError) -> String {
    let root = error.root_cause().to_string();
    let node = error.chain().map(ToString::to_string).filter(|text| text.to_lowercase().contains("node")).last();
    let text = match node {
        Some(node) if node != root => format!("{node}: {root}"),
        _ => root,
    };
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}
