//! `QuantizeLinear` and `DequantizeLinear` in plain arithmetic, as the standard
//! has it. tract replaces what stands between the two by a table of 256 values,
//! even a softmax, and multiplies by the reciprocal of the scale.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::math::{add, div, max, min, mul, round_half_to_even, sub};
use tract_onnx::tract_hir::internal::*;

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

/// Integers that ONNX's `output_dtype` may name.
const TYPES: [(i64, DatumType); 4] = [(2, DatumType::U8), (3, DatumType::I8), (4, DatumType::U16), (5, DatumType::I16)];

/// round(x / scale) + zero point, limited to the type's range.
pub(super) fn quantise(_ctx: &ParsingContext, node: &NodeProto) -> Built {
    let stated = node.get_attr_opt::<i64>("output_dtype")?.unwrap_or(0);
    let stated = TYPES.iter().find(|(number, _)| *number == stated).map_or(DatumType::U8, |(_, kind)| *kind);
    linear(node, Some(stated))
}

/// (x − zero point) · scale.
pub(super) fn dequantise(_ctx: &ParsingContext, node: &NodeProto) -> Built {
    linear(node, None)
}

fn linear(node: &NodeProto, quantises: Option<DatumType>) -> Built {
    ensure!(node.get_attr_opt::<i64>("block_size")?.unwrap_or(0) == 0, "scales of blocks are not supported");
    Ok((expand(Linear { axis: node.get_attr_opt("axis")?.unwrap_or(1), quantises }), vec![]))
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Linear {
    /// Of a scale for each channel.
    axis: i64,
    /// The type to quantise to where no zero point tells it; `None` for the way back.
    quantises: Option<DatumType>,
}

impl Linear {
    /// A scale or zero point as float32 of the rank of what it applies to.
    fn parameter(&self, model: &TypedModel, outlet: OutletId, rank: usize) -> TractResult<Tensor> {
        let value = model.outlet_fact(outlet)?.konst.clone().context("scales and zero points must be constant")?;
        let axis = if self.axis < 0 { self.axis + rank as i64 } else { self.axis };
        let mut shape = vec![1; rank];
        if value.len() != 1 {
            let axis = usize::try_from(axis).ok().filter(|axis| *axis < rank);
            shape[axis.with_context(|| format!("there is no axis {} of {rank}", self.axis))?] = value.len();
        }
        value.cast_to::<f32>()?.into_owned().into_shape(&shape)
    }
}

impl Expansion for Linear {
    fn name(&self) -> StaticName {
        if self.quantises.is_some() { "Quantise".into() } else { "Dequantise".into() }
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        ensure!(matches!(inputs.len(), 2 | 3), "there are {} inputs instead of 2 or 3", inputs.len());
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[1].datum_type, f32::datum_type())?;
        s.equals(&inputs[0].shape, &outputs[0].shape)?;
        let integers = if self.quantises.is_some() { &outputs[0] } else { &inputs[0] };
        if let Some(zero) = inputs.get(2) {
            s.equals(&integers.datum_type, &zero.datum_type)?;
        }
        match self.quantises {
            Some(stated) if inputs.len() == 2 => s.equals(&outputs[0].datum_type, stated),
            Some(_) => Ok(()),
            None => s.equals(&outputs[0].datum_type, f32::datum_type()),
        }
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let rank = model.outlet_fact(inputs[0])?.rank();
        let stated = self.quantises.unwrap_or(DatumType::U8);
        let kind = inputs.get(2).map_or(Ok(stated), |zero| model.outlet_fact(*zero).map(|fact| fact.datum_type))?;
        let constant = |model: &mut TypedModel, name: &str, value: Tensor| -> TractResult<OutletId> {
            model.add_const(format!("{prefix}.{name}"), value)
        };
        let scale = self.parameter(model, inputs[1], rank)?;
        let scale = constant(model, "scale", scale)?;
        let zero = match inputs.get(2) {
            Some(zero) => Some(self.parameter(model, *zero, rank)?),
            None => None,
        };
        let zero = zero.map(|zero| constant(model, "zero", zero)).transpose()?;
        let mut x = model.wire_node(format!("{prefix}.float"), cast(f32::datum_type()), &inputs[..1])?[0];
        if self.quantises.is_none() {
            if let Some(zero) = zero {
                x = model.wire_node(format!("{prefix}.sub"), sub(), &[x, zero])?[0];
            }
            return model.wire_node(prefix, mul(), &[x, scale]);
        }
        let limits = match kind {
            DatumType::U8 => [0.0, 255.0],
            DatumType::I8 => [-128.0, 127.0],
            DatumType::U16 => [0.0, 65535.0],
            DatumType::I16 => [-32768.0, 32767.0],
            other => bail!("quantising to {other:?} is not supported"),
        };
        let [low, high] = limits.map(|limit: f32| tensor0(limit).broadcast_into_rank(rank));
        let (low, high) = (constant(model, "low", low?)?, constant(model, "high", high?)?);
        x = model.wire_node(format!("{prefix}.div"), div(), &[x, scale])?[0];
        x = model.wire_node(format!("{prefix}.round"), round_half_to_even(), &[x])?[0];
        if let Some(zero) = zero {
            x = model.wire_node(format!("{prefix}.add"), add(), &[x, zero])?[0];
        }
        x = model.wire_node(format!("{prefix}.max"), max(), &[x, low])?[0];
        x = model.wire_node(format!("{prefix}.min"), min(), &[x, high])?[0];
        model.wire_node(prefix, cast(kind), &[x])
    }
}
