//! A network on plain multiply-accumulates with narrower operands: what they lose, for comparison.

use super::error::EngineError;
use super::kernel::LayerKernel;
use super::stats::top1;
use super::{Control, Engine, map_samples};
use crate::net::{MacLayer, Network, Samples};
use axp_spec::NarrowOperands;

/// Greatest magnitude of an integer operand.
const MOST: f32 = 127.0;

/// A layer whose weights and inputs are rounded before they are multiplied.
///
/// - `Bfloat16`: to nearest even. Products are exact in binary32, and added in it.
/// - `Int8`: weights in units of 1/127 of their output channel's greatest magnitude, inputs in
///   units of 1/127 of a given one, beyond which they saturate; both to nearest, ties away
///   from 0. The integer sum (exact below 2^24) is multiplied by both units.
///
/// The bias is added in binary32.
#[derive(Debug)]
pub struct NarrowLayer {
    kernel: LayerKernel,
    input: Rounding,
    /// What a unit of each channel's sum stands for; none of bfloat16.
    scales: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
enum Rounding {
    Bfloat16,
    Int8 { unit: f32 },
}

impl Rounding {
    fn of(self, value: f32) -> f32 {
        match self {
            Self::Bfloat16 => bfloat16(value),
            // A NaN is nothing.
            Self::Int8 { unit } if unit > 0.0 && !value.is_nan() => (value / unit).round().clamp(-MOST, MOST),
            Self::Int8 { .. } => 0.0,
        }
    }
}

impl NarrowLayer {
    /// A layer with its weights as imported; `greatest` is the greatest magnitude of its inputs.
    pub fn new(layer: &MacLayer, operands: NarrowOperands, greatest: f32) -> Self {
        let unit_above = |greatest: f32| greatest / MOST;
        let of_channel = layer.geometry.macs_per_output().max(1);
        let units: Vec<f32> = match operands {
            NarrowOperands::Bfloat16 => Vec::new(),
            NarrowOperands::Int8 => {
                let most = |weights: &[f32]| weights.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
                layer.weights.chunks(of_channel).map(|weights| unit_above(most(weights))).collect()
            }
        };
        let rounded = |(index, weight): (usize, &f32)| match operands {
            NarrowOperands::Bfloat16 => bfloat16(*weight),
            NarrowOperands::Int8 => Rounding::Int8 { unit: units[index / of_channel] }.of(*weight),
        };
        let weights = layer.weights.iter().enumerate().map(rounded).collect();
        let input = match operands {
            NarrowOperands::Bfloat16 => Rounding::Bfloat16,
            NarrowOperands::Int8 => Rounding::Int8 { unit: unit_above(greatest) },
        };
        let unit = unit_above(greatest);
        Self {
            kernel: LayerKernel::exact(&MacLayer { weights, bias: Vec::new(), ..layer.clone() }, false),
            input,
            scales: units.into_iter().map(|of_weights| of_weights * unit).collect(),
            bias: layer.bias.clone(),
        }
    }

    /// Computes the output tensor from the input tensor, both flat.
    ///
    /// # Panics
    /// If the input does not have the geometry's number of elements.
    pub fn run(&self, input: &[f32]) -> Vec<f32> {
        let rounded: Vec<f32> = input.iter().map(|value| self.input.of(*value)).collect();
        let (mut output, _) = self.kernel.run(&rounded);
        for (at, value) in output.iter_mut().enumerate() {
            let channel = self.kernel.geometry().channel_of(at);
            if let Some(scale) = self.scales.get(channel) {
                *value *= scale;
            }
            if let Some(bias) = self.bias.get(channel) {
                *value += bias;
            }
        }
        output
    }
}

/// Classes that a network gives samples on such layers. The inputs of integer layers are scaled
/// by the greatest magnitude that each had on `calibration`, in the float network.
///
/// # Errors
/// A failure of the network; [`EngineError::Cancelled`].
pub fn classes(
    network: &Network,
    operands: NarrowOperands,
    calibration: &Samples,
    samples: &Samples,
    control: &Control<'_>,
) -> Result<Vec<usize>, EngineError> {
    let greatest = match operands {
        NarrowOperands::Bfloat16 => vec![0.0; network.layers().len()],
        NarrowOperands::Int8 => greatest_inputs(network, calibration, control)?,
    };
    let layers: Vec<NarrowLayer> = network
        .layers()
        .iter()
        .zip(greatest)
        .map(|(layer, greatest)| NarrowLayer::new(layer, operands, greatest))
        .collect();
    map_samples(samples, control, |_, sample| {
        let output = network.run_with(sample, &mut |layer, input| layers[layer].run(input))?;
        Ok(top1(&output))
    })
}

/// The greatest finite magnitude of each layer's inputs.
fn greatest_inputs(network: &Network, samples: &Samples, control: &Control<'_>) -> Result<Vec<f32>, EngineError> {
    let engine = Engine::exact(network, false);
    let quiet = Control { progress: &|_| {}, ..*control };
    let by_sample = map_samples(samples, &quiet, |_, sample| {
        let mut greatest = vec![0.0_f32; network.layers().len()];
        engine.observe(sample, &mut |tensors| {
            let finite = tensors.input.iter().filter(|value| value.is_finite());
            greatest[tensors.layer] = finite.fold(0.0, |most, value| most.max(value.abs()));
        })?;
        Ok(greatest)
    })?;
    let most = |mut all: Vec<f32>, sample: Vec<f32>| {
        all.iter_mut().zip(sample).for_each(|(most, own)| *most = most.max(own));
        all
    };
    Ok(by_sample.into_iter().fold(vec![0.0; network.layers().len()], most))
}

/// To bfloat16, ties to even; a NaN stays one.
fn bfloat16(value: f32) -> f32 {
    if value.is_nan() {
        return value;
    }
    let bits = value.to_bits();
    // Just below half of the last place, and one more if it is odd.
    f32::from_bits(bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
}
