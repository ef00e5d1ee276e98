//! The whole net: every element that inference produces is what a PE computes
//! from its operand stream, and runs do not depend on order or threads.

use axp_golden::am::Am;
use axp_golden::infer::{Control, Engine, EngineError, LayerTensors, map_samples};
use axp_golden::net::samples::read_labels;
use axp_golden::net::{ImportOptions, Network, Samples};
use axp_golden::{float, pe};
use axp_spec::{
    AmImage, AmRow, Bits32, Design, FloatFormat, LayerDesign, PeConfig, Provenance, SampleSet, design::SCHEMA,
};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const ROWS: usize = 512;

fn bundled(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

fn load(name: &str) -> (Network, Samples) {
    let bytes = std::fs::read(bundled(name).join("model.onnx")).unwrap();
    let network = Network::from_onnx(&bytes, &ImportOptions::default()).unwrap();
    let samples = Samples::read(&bundled(name).join("x_calib.npy"), network.input_shape()).unwrap();
    (network, samples)
}

/// Weights rounded to multiples of 1/8, and rows for the most frequent
/// activation prefixes with each of them.
fn design(network: &Network, samples: &Samples, zero_skip: bool) -> Design {
    let mut prefixes: Vec<HashMap<u32, usize>> = vec![HashMap::new(); network.layers().len()];
    let engine = Engine::exact(network, zero_skip);
    let mut count = |tensors: LayerTensors<'_>| {
        for value in tensors.input.iter().filter(|value| **value != 0.0) {
            *prefixes[tensors.layer].entry(value.to_bits() & 0xFFF0_0000).or_insert(0) += 1;
        }
    };
    (0..10).for_each(|index| drop(engine.observe(samples.get(index), &mut count).unwrap()));
    let layers = network.layers().iter().zip(&prefixes).map(|(layer, prefixes)| {
        let rounded: Vec<i32> = layer.weights.iter().map(|weight| (weight * 8.0).round() as i32).collect();
        let mut values = rounded.clone();
        values.sort_unstable();
        values.dedup();
        let codebook: Vec<f32> = values.iter().map(|value| *value as f32 / 8.0).collect();
        let index = |value: &i32| values.binary_search(value).unwrap() as u32;
        let mut frequent: Vec<(u32, usize)> = prefixes.iter().map(|(prefix, count)| (*prefix, *count)).collect();
        frequent.sort_by_key(|(prefix, count)| (std::cmp::Reverse(*count), *prefix));
        let rows = frequent.iter().flat_map(|(prefix, _)| codebook.iter().map(|weight| row(*weight, *prefix)));
        LayerDesign {
            name: layer.name.clone(),
            weight_shape: layer.weight_shape.clone(),
            codebook: codebook.iter().map(|value| Bits32(value.to_bits())).collect(),
            assignment: rounded.iter().map(index).collect(),
            bias: layer.bias.iter().map(|value| Bits32(value.to_bits())).collect(),
            channel_exponents: Vec::new(),
            key_fraction_bits: 3,
            am: AmImage { rows: rows.take(ROWS).collect() },
            range: 0,
            magnitudes: Vec::new(),
        }
    });
    Design {
        schema: SCHEMA,
        provenance: Provenance {
            axp_version: "test".into(),
            model_sha256: String::new(),
            calibration: SampleSet { sha256: samples.sha256(), samples: samples.len() },
            seed: 0,
            max_loss_pp: 1.0,
            tools: BTreeMap::new(),
        },
        pe: PeConfig::pair("axp_pe", ROWS),
        zero_skip,
        layers: layers.collect(),
    }
}

fn row(weight: f32, prefix: u32) -> AmRow {
    let care = 0xFFFF_FFFF_FFF0_0000;
    let middle = u64::from(prefix | 0x0008_0000);
    let product = float::mul(FloatFormat::Binary32, weight.to_bits().into(), middle).bits as u32;
    AmRow { key: (u64::from(weight.to_bits()) << 32 | u64::from(prefix)) & care, care, product: Bits32(product) }
}

fn every_element_is_what_a_pe_computes(name: &str) {
    let (network, samples) = load(name);
    for zero_skip in [false, true] {
        let design = design(&network, &samples, zero_skip);
        let engine = Engine::from_design(&network, &design).unwrap();
        let sample = samples.get(3);
        let run = engine.run(sample).unwrap();
        for (layer, layer_design) in design.layers.iter().enumerate() {
            let mut am = Am::new(&design.pe);
            am.load(&layer_design.am).unwrap();
            let outputs = network.layers()[layer].geometry.outputs();
            let traces = engine.traces(sample, layer, 0..outputs).unwrap();
            let (mut hits, mut macs) = (0, 0);
            for trace in &traces {
                let sum = pe::sum(&design.pe, &am, zero_skip, trace.operands.iter().copied());
                let element = trace.epilogue.apply(sum.data);
                assert_eq!(element, trace.element, "{name} layer {layer} output {}", trace.index);
                hits += sum.hits;
                macs += trace.operands.len() as u64;
            }
            assert_eq!(traces.len(), outputs);
            assert_eq!((run.layers[layer].hits, run.layers[layer].macs), (hits, macs), "{name} layer {layer}");
            assert!(hits > 0, "{name} layer {layer} never hits");
        }
    }
}

#[test]
fn every_element_of_the_vision_net_is_what_a_pe_computes() {
    every_element_is_what_a_pe_computes("digits");
}

#[test]
fn every_element_of_the_speech_net_is_what_a_pe_computes() {
    every_element_is_what_a_pe_computes("keywords");
}

#[test]
fn evaluation_sums_up_single_runs() {
    let (network, samples) = load("digits");
    let labels = read_labels(&bundled("digits").join("y_calib.npy"), samples.len(), network.classes()).unwrap();
    let engine = Engine::from_design(&network, &design(&network, &samples, false)).unwrap();
    let done = AtomicUsize::new(0);
    let progress = |count: usize| {
        done.fetch_max(count, Ordering::Relaxed);
    };
    let control = Control { progress: &progress, cancel: &AtomicBool::new(false) };
    let evaluation = engine.evaluate(&samples, Some(&labels), &control).unwrap();
    assert_eq!(done.load(Ordering::Relaxed), samples.len());
    let mut total = vec![axp_golden::infer::LayerStats::default(); network.layers().len()];
    let mut right = 0;
    for (index, label) in labels.iter().enumerate() {
        let run = engine.run(samples.get(index)).unwrap();
        run.layers.iter().zip(&mut total).for_each(|(stats, total)| *total += *stats);
        let class = axp_golden::infer::top1(&run.output);
        assert_eq!(class, evaluation.predictions[index]);
        right += usize::from(class == *label);
    }
    assert_eq!(evaluation.layers, total);
    assert_eq!(evaluation.accuracy, Some(right as f64 / samples.len() as f64));
    assert_eq!(evaluation.agreement(&evaluation), 1.0);
    assert!(evaluation.total().nonzero_hits > 0);
    let again = engine.evaluate(&samples, None, &control).unwrap();
    assert_eq!((again.predictions, again.accuracy), (evaluation.predictions, None));
}

#[test]
fn a_cancelled_run_stops() {
    let (network, samples) = load("digits");
    let engine = Engine::exact(&network, false);
    let cancel = AtomicBool::new(false);
    let progress = |_| cancel.store(true, Ordering::Relaxed);
    let control = Control { progress: &progress, cancel: &cancel };
    let ran = AtomicUsize::new(0);
    let count = |_: usize, sample: &[f32]| {
        ran.fetch_add(1, Ordering::Relaxed);
        engine.run(sample)
    };
    assert!(matches!(map_samples(&samples, &control, count), Err(EngineError::Cancelled)));
    assert!(ran.load(Ordering::Relaxed) < samples.len() / 2);
}

#[test]
fn a_design_of_another_network_is_refused() {
    let (network, samples) = load("digits");
    let good = design(&network, &samples, false);
    let refused = |change: &dyn Fn(&mut Design), expected: &str| {
        let mut design = good.clone();
        change(&mut design);
        let error = Engine::from_design(&network, &design).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(&|design| drop(design.layers.pop()), "the network has");
    refused(&|design| design.layers[0].name = "other".into(), "\"other\"");
    refused(&|design| design.layers[0].weight_shape.push(1), "shape");
    refused(&|design| design.layers[0].bias.truncate(1), "bias");
    refused(&|design| design.layers[0].channel_exponents.push(0), "channel exponents");
    refused(&|design| design.layers[0].am.rows[0].product = Bits32(0x7F80_0000), "infinite");
    let (other, _) = load("keywords");
    assert!(matches!(Engine::from_design(&other, &good), Err(EngineError::Design { .. })));
}

#[test]
fn a_sample_of_another_length_is_refused() {
    let (network, samples) = load("digits");
    let error = Engine::exact(&network, false).run(&samples.get(0)[1..]).unwrap_err().to_string();
    assert!(error.contains("64") && error.contains("63"), "{error}");
    assert!(network.baseline(&[]).is_err());
}

#[test]
fn a_stepper_takes_layers_in_order_and_refuses_wrong_outputs() {
    let (network, samples) = load("digits");
    let engine = Engine::exact(&network, false);
    let mut stepper = network.start(samples.get(0)).unwrap();
    for (index, kernel) in engine.kernels().iter().enumerate() {
        assert_eq!(stepper.output(), None);
        let (layer, input) = stepper.pending().unwrap();
        assert_eq!(layer, index);
        let output = kernel.run(input).0;
        stepper.resume(&output).unwrap();
    }
    assert_eq!(stepper.pending(), None);
    assert_eq!(stepper.output().unwrap(), engine.run(samples.get(0)).unwrap().output);
    assert!(stepper.resume(&[0.0]).is_err());
    let mut stepper = network.start(samples.get(0)).unwrap();
    assert!(stepper.resume(&[0.0]).is_err());
}
