//! Layers on narrower operands against the number rules of the PEs that have such operands.

use crate::kernels::geometry;
use axp_golden::am::Am;
use axp_golden::infer::{Control, Engine, narrow};
use axp_golden::net::{ImportOptions, MacLayer, MacOp, Network, Samples};
use axp_golden::pe;
use axp_spec::{NarrowOperands, PeConfig};
use proptest::prelude::*;
use std::sync::atomic::AtomicBool;

fn layer() -> impl Strategy<Value = (MacLayer, Vec<f32>)> {
    let value = || prop_oneof![8 => -2.0f32..2.0, 1 => Just(0.0f32), 1 => -1e-3f32..1e-3];
    geometry().prop_flat_map(move |geometry| {
        let weights = proptest::collection::vec(value(), geometry.weights());
        let bias = prop_oneof![Just(Vec::new()), proptest::collection::vec(-1.0f32..1.0, geometry.out_channels)];
        let input = proptest::collection::vec(value(), geometry.inputs());
        (weights, bias, input).prop_map(move |(weights, bias, input)| {
            let layer = MacLayer {
                name: "a".into(),
                op: MacOp::Conv,
                weight_shape: vec![geometry.weights()],
                geometry: geometry.clone(),
                weights,
                bias,
            };
            (layer, input)
        })
    })
}

/// A sum of the layer on the PE with such operands, which are given as they are on its bus.
fn sum(
    operands: NarrowOperands,
    layer: &MacLayer,
    output: usize,
    pair: impl Fn(usize, Option<usize>) -> (u32, u32),
) -> u32 {
    let config = PeConfig { operands: Some(operands), ..PeConfig::plain("axp_narrow") };
    let pairs = layer.geometry.operands(output).map(|(weight, input)| pair(weight, input));
    pe::sum(&config, &Am::new(&config), false, pairs).data
}

proptest! {
    #[test]
    fn bfloat16_layers_are_those_of_the_processing_element((layer, input) in layer()) {
        let found = narrow::NarrowLayer::new(&layer, NarrowOperands::Bfloat16, 0.0).run(&input);
        let half = |value: f32| {
            // Of the two neighbours the nearer one, of equally near ones the even one.
            let (low, high) = (value.to_bits() >> 16, (value.to_bits() >> 16) + 1);
            let off = |bits: u32| (f64::from(f32::from_bits(bits << 16)) - f64::from(value)).abs();
            if off(low) < off(high) || off(low) == off(high) && low & 1 == 0 { low } else { high }
        };
        for (output, found) in found.iter().enumerate() {
            let total = sum(NarrowOperands::Bfloat16, &layer, output, |weight, input_at| {
                (half(layer.weights[weight]), input_at.map_or(0, |at| half(input[at])))
            });
            let bias = layer.bias.get(layer.geometry.channel_of(output)).copied();
            let expected = bias.map_or(f32::from_bits(total), |bias| f32::from_bits(total) + bias);
            prop_assert_eq!(found.to_bits(), expected.to_bits(), "output {}", output);
        }
    }

    #[test]
    fn integer_layers_are_those_of_the_processing_element((layer, input) in layer(), greatest in 0.25f32..4.0) {
        let found = narrow::NarrowLayer::new(&layer, NarrowOperands::Int8, greatest).run(&input);
        let macs = layer.geometry.macs_per_output();
        for (output, found) in found.iter().enumerate() {
            let channel = layer.geometry.channel_of(output);
            let own = &layer.weights[channel * macs..][..macs];
            let unit = own.iter().fold(0.0f32, |most, weight| most.max(weight.abs())) / 127.0;
            let units = |value: f32, unit: f32| if unit > 0.0 { (value / unit).round().clamp(-127.0, 127.0) as i8 } else { 0 };
            let total = sum(NarrowOperands::Int8, &layer, output, |weight, input_at| {
                let activation = input_at.map_or(0, |at| units(input[at], greatest / 127.0));
                (u32::from(units(layer.weights[weight], unit) as u8), u32::from(activation as u8))
            }) as i32;
            let scaled = total as f32 * (unit * (greatest / 127.0));
            let expected = scaled + layer.bias.get(channel).copied().unwrap_or(0.0);
            prop_assert_eq!(*found, expected, "output {} of {}", output, total);
        }
    }
}

#[test]
fn a_network_on_narrower_operands_nearly_agrees_with_itself() {
    let onnx = include_bytes!("../../data/digits/model.onnx");
    let network = Network::from_onnx(onnx, &ImportOptions::default()).unwrap();
    let length: usize = network.input_shape().iter().product();
    let values = (0..40 * length).map(|at| ((at * 2_654_435_761) % 1000) as f32 / 1000.0);
    let samples = Samples::new(network.input_shape().to_vec(), values.collect()).unwrap();
    let cancel = AtomicBool::new(false);
    let control = Control { progress: &|_| {}, cancel: &cancel };
    let float = Engine::exact(&network, false).evaluate(&samples, None, &control).unwrap().predictions;
    for operands in [NarrowOperands::Bfloat16, NarrowOperands::Int8] {
        let found = narrow::classes(&network, operands, &samples, &samples, &control).unwrap();
        let same = found.iter().zip(&float).filter(|(a, b)| a == b).count();
        assert!(found.len() == 40 && same >= 36, "{operands:?}: {same}");
    }
    cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(narrow::classes(&network, NarrowOperands::Int8, &samples, &samples, &control).is_err());
}
