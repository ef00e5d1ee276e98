//! What follows a MAC layer and can become part of it: a bias, and a batch
//! normalization, also as the products and sums that exporters make of it.

use super::attributes::{float, int};
use super::candidate::{Candidate, Refusal, constant, input};
use super::channels::Channels;
use super::error::NetError;
use super::tensors::Tensors;
use super::uses::Uses;
use tract_onnx::pb::NodeProto;

/// Folds what follows a layer into it, as long as only one node reads what the
/// last one wrote. Nodes that move channels and change none may stand between.
/// Returns the folded nodes, each with the name of the tensor that it would
/// have changed; they are to pass it on.
pub(super) fn fold<'a>(
    candidate: &mut Candidate,
    uses: &Uses<'a>,
    tensors: &Tensors<'_>,
) -> Result<Vec<(usize, String)>, NetError> {
    let mut affine = Affine::of(candidate);
    let mut at = Channels::of(candidate);
    let mut folded = Vec::new();
    while let Some((index, node)) = uses.only_reader(&at.tensor) {
        if let Some(moved) = at.behind(node, tensors) {
            at = moved;
            continue;
        }
        match affine.take(node, &at, tensors) {
            Ok(true) => {}
            Ok(false) | Err(Refusal::Unmapped(_)) => break,
            Err(Refusal::Fatal(error)) => return Err(error),
        }
        folded.push((index, std::mem::replace(&mut at.tensor, node.output[0].clone())));
    }
    affine.apply(candidate);
    Ok(folded)
}

/// y = x·scale + bias for each channel, in binary64; rounded to binary32 once,
/// when all is folded.
struct Affine {
    scale: Option<Vec<f64>>,
    bias: Option<Vec<f64>>,
    channels: usize,
}

impl Affine {
    /// Of a layer by itself.
    fn of(candidate: &Candidate) -> Self {
        let bias = candidate.bias.iter().copied().map(f64::from).collect();
        Self {
            scale: None,
            bias: (!candidate.bias.is_empty()).then_some(bias),
            channels: candidate.geometry.out_channels,
        }
    }

    /// Takes `node` in, which reads the channels at `at`. Returns whether it
    /// could.
    fn take(&mut self, node: &NodeProto, at: &Channels, tensors: &Tensors<'_>) -> Result<bool, Refusal> {
        if node.op_type == "BatchNormalization" {
            return self.take_batch_norm(node, at, tensors);
        }
        if !matches!(node.op_type.as_str(), "Add" | "Sub" | "Mul" | "Div") {
            return Ok(false);
        }
        let (Some(left), Some(right)) = (input(node, 0), input(node, 1)) else { return Ok(false) };
        let channels_left = left == at.tensor;
        let (shape, values) = constant(tensors, if channels_left { right } else { left }, "constant")?;
        let Some(values) = at.spread(&shape, &values) else { return Ok(false) };
        let zeros = values.contains(&0.0);
        match (node.op_type.as_str(), channels_left) {
            ("Add", _) => self.shift(|channel| values[channel]),
            ("Sub", true) => self.shift(|channel| -values[channel]),
            ("Sub", false) => {
                self.scale(|_| -1.0);
                self.shift(|channel| values[channel]);
            }
            ("Mul", _) if values.iter().all(|value| value.is_finite()) => self.scale(|channel| values[channel]),
            ("Div", true) if !zeros && values.iter().all(|value| value.is_finite()) => {
                self.scale(|channel| 1.0 / values[channel]);
            }
            // A constant divided by the channels, and what has no finite weights.
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// w' = w·s and b' = (b − mean)·s + shift with s = scale / √(variance + ε).
    fn take_batch_norm(&mut self, node: &NodeProto, at: &Channels, tensors: &Tensors<'_>) -> Result<bool, Refusal> {
        let inference = int(node, "training_mode", 0) == 0 && int(node, "spatial", 1) == 1;
        let one_output = node.output.iter().skip(1).all(String::is_empty);
        // It counts the channels on its second axis.
        if at.axis != 1 || !inference || !one_output || input(node, 0) != Some(&at.tensor) {
            return Ok(false);
        }
        let mut parameters: Vec<Vec<f32>> = Vec::new();
        for index in 1..5 {
            let Some(name) = input(node, index) else { return Ok(false) };
            let (_, values) = constant(tensors, name, "batch normalization")?;
            if values.len() != self.channels {
                return Ok(false);
            }
            parameters.push(values);
        }
        let epsilon = f64::from(float(node, "epsilon", 1e-5));
        let parameter = |index: usize, channel: usize| f64::from(parameters[index][channel]);
        self.shift(|channel| -parameter(2, channel));
        self.scale(|channel| parameter(0, channel) / (parameter(3, channel) + epsilon).sqrt());
        self.shift(|channel| parameter(1, channel));
        Ok(true)
    }

    fn shift(&mut self, by: impl Fn(usize) -> f64) {
        // -0 is what leaves every number as it is.
        let bias = self.bias.get_or_insert_with(|| vec![-0.0; self.channels]);
        bias.iter_mut().enumerate().for_each(|(channel, bias)| *bias += by(channel));
    }

    fn scale(&mut self, by: impl Fn(usize) -> f64) {
        let scale = self.scale.get_or_insert_with(|| vec![1.0; self.channels]);
        for values in [Some(scale), self.bias.as_mut()].into_iter().flatten() {
            values.iter_mut().enumerate().for_each(|(channel, value)| *value *= by(channel));
        }
    }

    fn apply(self, candidate: &mut Candidate) {
        if let Some(scale) = self.scale {
            let weights = candidate.weights.chunks_exact_mut(candidate.geometry.macs_per_output());
            for (weights, scale) in weights.zip(scale) {
                weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
            }
        }
        if let Some(bias) = self.bias {
            candidate.bias = bias.into_iter().map(|bias| bias as f32).collect();
        }
    }
}
