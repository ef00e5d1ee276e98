//! ONNX operators that tract reads in part only: padding of named axes and by
//! less than nothing, squeezed axes in any order, and quantised numbers.

use super::quantise::{dequantise, quantise};
use tract_onnx::Onnx;
use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::array::Slice;
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

/// `Pad`; tract leaves the sizes of axes open that the fourth input does not
/// name (opset 18), and cannot cut.
fn pad(ctx: &ParsingContext, node: &NodeProto) -> Built {
    let value: f32 = node.get_attr_opt("value")?.unwrap_or(0.0);
    let mode = match node.get_attr_opt("mode")? {
        None | Some("constant") => PadMode::Constant(Arc::new(value.into())),
        Some("reflect") => PadMode::Reflect,
        Some("edge") => PadMode::Edge,
        Some(mode) => bail!("padding of mode {mode:?} is not supported"),
    };
    // Pads are an attribute before opset 11, and an input since.
    let pads = node.get_attr_opt_vec::<i64>("pads")?.filter(|_| ctx.onnx_operator_set_version < 11);
    let mut inputs = optional_inputs(node).skip(2);
    let (value, axes) = (inputs.next().flatten(), inputs.next().flatten());
    Ok((expand(PadOrCut { mode, pads, value, axes }), vec![]))
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct PadOrCut {
    mode: PadMode,
    pads: Option<Vec<i64>>,
    /// The input that is the value.
    value: Option<usize>,
    /// The input that names the axes.
    axes: Option<usize>,
}

/// What goes before and behind each of `rank` axes; what is negative is cut.
fn all_pads(pads: &[i64], axes: Option<&[i64]>, rank: usize) -> TractResult<Vec<[i64; 2]>> {
    let axes = axes.map_or_else(|| Ok((0..rank).collect()), |axes| positions(axes, rank))?;
    ensure!(pads.len() == 2 * axes.len(), "there are {} pads for {} axes", pads.len(), axes.len());
    ensure!(pads.iter().all(|pad| pad.unsigned_abs() < 1 << 24), "the pads {pads:?} are out of range");
    let mut all = vec![[0, 0]; rank];
    for (index, axis) in axes.iter().enumerate() {
        all[*axis] = [pads[index], pads[index + axes.len()]];
    }
    Ok(all)
}

impl Expansion for PadOrCut {
    fn name(&self) -> StaticName {
        "PadOrCut".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        let optional = usize::from(self.value.is_some()) + usize::from(self.axes.is_some());
        check_input_arity(inputs, if self.pads.is_some() { 1 } else { 2 + optional })?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.equals(&inputs[0].rank, &outputs[0].rank)?;
        let sizes = move |s: &mut Solver<'r>, pads: &[i64], axes: Option<&[i64]>, rank: usize| -> InferenceResult {
            for (axis, [before, after]) in all_pads(pads, axes, rank)?.into_iter().enumerate() {
                s.equals(&outputs[0].shape[axis], inputs[0].shape[axis].bex() + (before + after).to_dim())?;
            }
            Ok(())
        };
        let rank = &inputs[0].rank;
        match (&self.pads, self.axes) {
            (Some(pads), _) => s.given(rank, move |s, rank| sizes(s, pads, None, rank as usize)),
            (None, None) => {
                s.given_2(rank, &inputs[1].value, move |s, rank, pads| sizes(s, &integers(&pads)?, None, rank as usize))
            }
            (None, Some(at)) => s.given_3(rank, &inputs[1].value, &inputs[at].value, move |s, rank, pads, axes| {
                sizes(s, &integers(&pads)?, Some(&integers(&axes)?), rank as usize)
            }),
        }
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let known = |index: usize| -> TractResult<Arc<Tensor>> {
            model.outlet_fact(inputs[index])?.konst.clone().context("the pads, their value and axes must be constant")
        };
        let mode = match (self.value, &self.mode) {
            (Some(value), PadMode::Constant(_)) => {
                PadMode::Constant(known(value)?.into_tensor().into_shape(&[])?.into_arc_tensor())
            }
            (_, mode) => mode.clone(),
        };
        let pads = self.pads.clone().map_or_else(|| integers(&*known(1)?), Ok)?;
        let axes = self.axes.map(|axes| integers(&*known(axes)?)).transpose()?;
        let pads = all_pads(&pads, axes.as_deref(), model.outlet_fact(inputs[0])?.rank())?;
        let added = pads.iter().map(|[before, after]| ((*before).max(0) as usize, (*after).max(0) as usize)).collect();
        let mut wire = model.wire_node(format!("{prefix}.pad"), Pad { mode, pads: added }, &inputs[..1])?;
        for (axis, [before, after]) in pads.into_iter().enumerate().filter(|(_, pads)| pads.iter().any(|pad| *pad < 0))
        {
            let end = model.outlet_fact(wire[0])?.shape[axis].clone() + after.min(0);
            let cut = Slice::new(axis, (-before).max(0) as usize, end);
            wire = model.wire_node(format!("{prefix}.cut{axis}"), cut, &wire)?;
        }
        Ok(wire)
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
