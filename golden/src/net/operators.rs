//! ONNX operators that tract reads in part only: padding of named axes,
//! squeezed axes in any order, and quantised numbers.

use super::quantise::{dequantise, quantise};
use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::array::{Pad, PadMode, RmDims};

/// tract's reader of ONNX, with what it lacks.
pub(super) fn onnx() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    onnx.op_register.insert("Pad", pad);
    onnx.op_register.insert("Squeeze", squeeze);
    onnx.op_register.insert("QuantizeLinear", quantise);
    onnx.op_register.insert("DequantizeLinear", dequantise);
    onnx
}

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// `Pad` with a fourth input, the axes that the pads are for (opset 18); tract
/// leaves the sizes of all other axes open.
fn pad(ctx: &ParsingContext, node: &NodeProto) -> Built {
    if node.input.get(3).is_none_or(String::is_empty) {
        let built = tract_onnx::onnx().op_register.0.get("Pad").copied().context("tract has no Pad")?;
        return built(ctx, node);
    }
    let mode = match node.get_attr_opt("mode")? {
        None | Some("constant") => PadMode::Constant(Arc::new(0f32.into())),
        Some("reflect") => PadMode::Reflect,
        Some("edge") => PadMode::Edge,
        Some(mode) => bail!("padding of mode {mode:?} is not supported"),
    };
    let value = !node.input[2].is_empty();
    Ok((expand(PadAxes { mode, value }), vec![]))
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct PadAxes {
    mode: PadMode,
    /// Whether the value is an input, before the axes.
    value: bool,
}

/// What goes before and behind each of `rank` axes.
fn all_pads(pads: &Tensor, axes: &Tensor, rank: usize) -> TractResult<Vec<(usize, usize)>> {
    let (pads, axes) = (integers(pads)?, positions(&integers(axes)?, rank)?);
    ensure!(pads.len() == 2 * axes.len(), "there are {} pads for {} axes", pads.len(), axes.len());
    ensure!(pads.iter().all(|pad| (0..1 << 24).contains(pad)), "the pads {pads:?} are not supported");
    let mut all = vec![(0, 0); rank];
    for (index, axis) in axes.iter().enumerate() {
        all[*axis] = (pads[index] as usize, pads[index + axes.len()] as usize);
    }
    Ok(all)
}

impl Expansion for PadAxes {
    fn name(&self) -> StaticName {
        "PadAxes".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 3 + usize::from(self.value))?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.equals(&inputs[0].rank, &outputs[0].rank)?;
        let axes = inputs.len() - 1;
        s.given_3(&inputs[0].rank, &inputs[1].value, &inputs[axes].value, move |s, rank, pads, axes| {
            for (axis, (before, after)) in all_pads(&pads, &axes, rank as usize)?.into_iter().enumerate() {
                let more = (before + after).to_dim();
                s.equals(&outputs[0].shape[axis], inputs[0].shape[axis].bex() + more)?;
            }
            Ok(())
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let known = |index: usize| -> TractResult<Arc<Tensor>> {
            model.outlet_fact(inputs[index])?.konst.clone().context("the pads, their value and axes must be constant")
        };
        let mode = if self.value && matches!(self.mode, PadMode::Constant(_)) {
            PadMode::Constant(known(2)?)
        } else {
            self.mode.clone()
        };
        let rank = model.outlet_fact(inputs[0])?.rank();
        let pads = all_pads(&*known(1)?, &*known(inputs.len() - 1)?, rank)?;
        model.wire_node(prefix, Pad { mode, pads }, &inputs[..1])
    }
}

/// `Squeeze`; tract takes axes to be in order.
fn squeeze(ctx: &ParsingContext, node: &NodeProto) -> Built {
    // They are an attribute before opset 13, and an input since.
    let axes = node.get_attr_opt_vec::<i64>("axes")?.filter(|_| ctx.onnx_operator_set_version < 13);
    Ok((expand(Squeeze { axes }), vec![]))
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Squeeze {
    axes: Option<Vec<i64>>,
}

impl Squeeze {
    /// The axes to remove, in order: as given, or all of size 1.
    fn removed<D: DimLike>(given: Option<&[i64]>, shape: &[D]) -> TractResult<Vec<usize>> {
        let one = |axis: &usize| shape[*axis].is_one();
        let Some(given) = given else { return Ok((0..shape.len()).filter(one).collect()) };
        let mut axes = positions(given, shape.len())?;
        ensure!(axes.iter().all(one), "an axis of more than one element is squeezed: {given:?} of {shape:?}");
        axes.sort_unstable();
        Ok(axes)
    }
}

impl Expansion for Squeeze {
    fn name(&self) -> StaticName {
        "SqueezeAxes".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        ensure!(matches!(inputs.len(), 1 | 2), "Squeeze has {} inputs", inputs.len());
        check_output_arity(outputs, 1)?;
        s.equals(&outputs[0].datum_type, &inputs[0].datum_type)?;
        let left = |axes: Option<&[i64]>, shape: &[TDim]| -> TractResult<TVec<TDim>> {
            let removed = Self::removed(axes, shape)?;
            Ok((0..shape.len()).filter(|axis| !removed.contains(axis)).map(|axis| shape[axis].clone()).collect())
        };
        if inputs.len() == 2 {
            return s.given_2(&inputs[0].shape, &inputs[1].value, move |s, shape, axes| {
                s.equals(&outputs[0].shape, left(Some(&integers(&axes)?), &shape)?)
            });
        }
        s.given(&inputs[0].shape, move |s, shape| s.equals(&outputs[0].shape, left(self.axes.as_deref(), &shape)?))
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let given = match inputs.get(1) {
            Some(axes) => {
                Some(integers(model.outlet_fact(*axes)?.konst.as_ref().context("squeezed axes must be constant")?)?)
            }
            None => self.axes.clone(),
        };
        let removed = Self::removed(given.as_deref(), &model.outlet_fact(inputs[0])?.shape)?;
        RmDims::new(removed.into_iter().map(|axis| axis as isize).collect()).wire(prefix, model, &inputs[..1])
    }
}

fn integers(tensor: &Tensor) -> TractResult<Vec<i64>> {
    Ok(tensor.cast_to::<i64>()?.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
}

/// Axes of a tensor of `rank`, each once; negative ones count from the last.
fn positions(axes: &[i64], rank: usize) -> TractResult<Vec<usize>> {
    let signed = rank as i64;
    let mut positions = Vec::new();
    for axis in axes {
        ensure!((-signed..signed).contains(axis), "there is no axis {axis} of {rank}");
        let axis = axis.rem_euclid(signed) as usize;
        ensure!(!positions.contains(&axis), "axis {axis} is named twice");
        positions.push(axis);
    }
    Ok(positions)
}
