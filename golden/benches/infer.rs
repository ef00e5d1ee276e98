//! Whole-net inference against tract's float arithmetic, on the workloads.
//!
//! `cargo bench -p axp-golden --bench infer`; networks that are not at hand are
//! left out.

use axp_golden::infer::{Control, Engine, LayerKernel, evaluate_baseline};
use axp_golden::net::{ImportOptions, MacLayer, Network, Samples};
use axp_golden::{am::Am, float};
use axp_spec::{AmImage, AmRow, Bits32, FloatFormat, LayerDesign, PeConfig};
use divan::Bencher;
use divan::counter::ItemsCount;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const NETS: [&str; 3] = ["kws_dscnn", "fashion_lenet5", "fsdd_tdnnf"];
const SAMPLES: usize = 200;
const CLUSTERS: usize = 32;
const ROWS: usize = 128;

fn main() {
    divan::main();
}

/// A network and its first calibration samples.
fn load(name: &str) -> Option<(Network, Samples)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/workloads").join(name);
    let bytes = std::fs::read(folder.join("model.onnx")).ok()?;
    let network = Network::from_onnx(&bytes, &ImportOptions::default()).expect("a workload is a usable model");
    let samples = Samples::read(&folder.join("x_calib.npy"), network.input_shape()).expect("and has samples");
    let first: Vec<usize> = (0..SAMPLES).collect();
    Some((network, samples.select(&first)))
}

/// Quantiles of the weights as codebook, and rows for the most frequent pairs
/// of cluster and activation prefix: a stand-in for co-design.
fn rows(network: &Network, samples: &Samples) -> Engine {
    let exact = Engine::exact(network, false);
    let mut inputs = vec![Vec::new(); network.layers().len()];
    for index in 0..20 {
        let observe = &mut |tensors: axp_golden::infer::LayerTensors<'_>| inputs[tensors.layer].extend(tensors.input);
        exact.observe(samples.get(index), observe).expect("the sample fits");
    }
    let layers = network.layers().iter().zip(&inputs).enumerate();
    layers.fold(exact.clone(), |engine, (index, (layer, input))| {
        let kernel = LayerKernel::new(layer, &design(layer, input), false).expect("the design fits");
        engine.with_layer(index, Arc::new(kernel))
    })
}

fn design(layer: &MacLayer, input: &[f32]) -> LayerDesign {
    let mut sorted = layer.weights.clone();
    sorted.sort_by(f32::total_cmp);
    let codebook: Vec<f32> =
        (0..CLUSTERS).map(|cluster| sorted[(2 * cluster + 1) * sorted.len() / (2 * CLUSTERS)]).collect();
    let nearest = |weight: &f32| {
        let distance = |index: &usize| (codebook[*index] - weight).abs();
        (0..CLUSTERS).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0) as u32
    };
    let mut frequency: HashMap<u32, usize> = HashMap::new();
    for value in input.iter().filter(|value| **value != 0.0) {
        *frequency.entry(value.to_bits() & 0xFFE0_0000).or_insert(0) += 1;
    }
    let mut prefixes: Vec<(u32, usize)> = frequency.into_iter().collect();
    prefixes.sort_by_key(|(prefix, count)| (std::cmp::Reverse(*count), *prefix));
    let row = |weight: f32, prefix: u32| {
        let middle = prefix | 0x0010_0000;
        let product = float::mul(FloatFormat::Binary32, weight.to_bits().into(), middle.into()).bits as u32;
        let care = 0xFFFF_FFFF_FFE0_0000;
        AmRow { key: (u64::from(weight.to_bits()) << 32 | u64::from(prefix)) & care, care, product: Bits32(product) }
    };
    let pairs = prefixes.iter().flat_map(|(prefix, _)| codebook.iter().map(|weight| row(*weight, *prefix)));
    let loads = |row: &AmRow| Am::new(&PeConfig::pair("axp_pe", 1)).load(&AmImage { rows: vec![*row] }).is_ok();
    LayerDesign {
        name: layer.name.clone(),
        weight_shape: layer.weight_shape.clone(),
        assignment: layer.weights.iter().map(nearest).collect(),
        codebook: codebook.iter().map(|value| Bits32(value.to_bits())).collect(),
        bias: layer.bias.iter().map(|value| Bits32(value.to_bits())).collect(),
        key_fraction_bits: 2,
        am: AmImage { rows: pairs.filter(loads).take(ROWS).collect() },
        range: 0,
        magnitudes: Vec::new(),
    }
}

fn bench(bencher: Bencher<'_, '_>, samples: &Samples, run: impl Fn(&Control<'_>) + Sync) {
    let cancel = AtomicBool::new(false);
    let control = Control { progress: &|_| {}, cancel: &cancel };
    bencher.counter(ItemsCount::new(samples.len())).bench(|| run(&control));
}

/// tract's own float arithmetic.
#[divan::bench(args = NETS, sample_count = 10)]
fn tract_float(bencher: Bencher<'_, '_>, name: &str) {
    let Some((network, samples)) = load(name) else { return };
    bench(bencher, &samples, |control| drop(evaluate_baseline(&network, &samples, None, control)));
}

/// Our arithmetic with an empty AM and the weights as imported.
#[divan::bench(args = NETS, sample_count = 10)]
fn axp_empty_am(bencher: Bencher<'_, '_>, name: &str) {
    let Some((network, samples)) = load(name) else { return };
    let engine = Engine::exact(&network, false);
    bench(bencher, &samples, |control| drop(engine.evaluate(&samples, None, control)));
}

/// 32 clusters and 128 rows a layer.
#[divan::bench(args = NETS, sample_count = 10)]
fn axp_128_rows(bencher: Bencher<'_, '_>, name: &str) {
    let Some((network, samples)) = load(name) else { return };
    let engine = rows(&network, &samples);
    bench(bencher, &samples, |control| drop(engine.evaluate(&samples, None, control)));
}

/// Compiling all kernels of a network once, as a search does for each try.
#[divan::bench(args = NETS, sample_count = 10)]
fn compile_128_rows(bencher: Bencher<'_, '_>, name: &str) {
    let Some((network, samples)) = load(name) else { return };
    let inputs = vec![samples.values(); network.layers().len()];
    let designs: Vec<LayerDesign> = network.layers().iter().zip(&inputs).map(|(l, i)| design(l, i)).collect();
    bencher.bench(|| {
        let kernel = |(layer, design)| LayerKernel::new(layer, design, false);
        network.layers().iter().zip(&designs).map(kernel).collect::<Result<Vec<_>, _>>()
    });
}
