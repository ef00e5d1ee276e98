//! Whole-net inference beside tract's float arithmetic, on the workloads.
//!
//! `cargo bench -p axp-golden --bench infer [-- NETWORK... DESIGN...]` prints, for each
//! network and kind of design, the time of one inference and its ratio to tract's on the same
//! samples and threads. All of them take turns, round by round, so that whatever else
//! the machine does slows all of them. Networks that are not at hand are skipped aloud.

use axp_golden::am::Am;
use axp_golden::codesign::columns::{self, ColumnMemory, ColumnOptions, Sum};
use axp_golden::codesign::energy::Unknown;
use axp_golden::codesign::search::{SearchControl, SearchOptions};
use axp_golden::codesign::trial_log::TrialLog;
use axp_golden::float;
use axp_golden::infer::{Control, Engine, LayerKernel, LayerTensors, evaluate_baseline};
use axp_golden::net::{ImportOptions, MacLayer, Network, Samples};
use axp_spec::{AmImage, AmRow, Bits32, FloatFormat, LayerDesign, PeConfig, WeightOperand};
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const NETS: [&str; 3] = ["kws_dscnn", "fashion_lenet5", "fsdd_tdnnf"];
/// The designs, with bits of fixed-point sums; weights by index, or by `value`.
const KINDS: [&str; 11] = [
    "factored fixed14",
    "factored value14",
    "factored value24",
    "factored fixed24",
    "factored float",
    "factored value float",
    "grid fixed14",
    "grid fixed24",
    "grid float",
    "pair 128 rows",
    "empty AM",
];
/// Samples of a round; those that designs are made from are the same.
const SAMPLES: usize = 200;
const ROUNDS: usize = 25;
/// Of the `pair` stand-in.
const CLUSTERS: usize = 32;
const ROWS: usize = 128;
/// Columns and mantissa bits; patterns and columns.
const FACTORED: (u32, u32) = (16, 2);
const GRID: (u32, u32) = (24, 16);

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench`.
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    println!("{:16} {:16} {:>10} {:>10} {:>8} {:>8}", "network", "design", "min us", "median us", "min", "median");
    let (nets, designs): (Vec<&String>, Vec<&String>) = named.iter().partition(|name| NETS.contains(&name.as_str()));
    for name in NETS.iter().filter(|name| nets.is_empty() || nets.iter().any(|n| n == *name)) {
        match load(name)? {
            Some((network, samples)) => compare(name, &network, &samples, &designs)?,
            None => eprintln!("SKIPPED: no workload {name} in ../shared/workloads"),
        }
    }
    Ok(())
}

/// A network and its first calibration samples.
fn load(name: &str) -> Result<Option<(Network, Samples)>, Box<dyn Error>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/workloads").join(name);
    if !folder.is_dir() {
        return Ok(None);
    }
    let network = Network::from_onnx(&std::fs::read(folder.join("model.onnx"))?, &ImportOptions::default())?;
    let samples = Samples::read(&folder.join("x_calib.npy"), network.input_shape())?;
    let first: Vec<usize> = (0..SAMPLES.min(samples.len())).collect();
    Ok(Some((network, samples.select(&first))))
}

/// Lets tract and all designs take turns, and prints their times.
fn compare(name: &str, network: &Network, samples: &Samples, designs: &[&String]) -> Result<(), Box<dyn Error>> {
    let design = |memory, weight, sum| column_design(network, samples, memory, weight, sum);
    let of_width = |memory, width| design(memory, WeightOperand::Index, Sum::of_width(memory, width));
    let float = |memory, product_bits| design(memory, WeightOperand::Index, Sum::float(product_bits));
    let by_value = |sum| design(ColumnMemory::Factored, WeightOperand::Value, sum);
    let by_value_of = |width| by_value(Sum::of_width(ColumnMemory::Factored, width));
    let engine = |kind: &str| match kind {
        "factored fixed14" => of_width(ColumnMemory::Factored, 14),
        "factored value14" => by_value_of(14),
        "factored value24" => by_value_of(24),
        "factored fixed24" => of_width(ColumnMemory::Factored, 24),
        "factored float" => float(ColumnMemory::Factored, Some(9)),
        "factored value float" => by_value(Sum::float(Some(9))),
        "grid fixed14" => of_width(ColumnMemory::Grid, 14),
        "grid fixed24" => of_width(ColumnMemory::Grid, 24),
        "grid float" => float(ColumnMemory::Grid, None),
        "pair 128 rows" => pair_design(network, samples),
        _ => Ok(Engine::exact(network, false)),
    };
    let chosen = |kind: &&str| designs.is_empty() || designs.iter().any(|design| design == kind);
    let engines = KINDS.into_iter().filter(chosen).map(|kind| Ok((kind, engine(kind)?)));
    let engines = engines.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let cancel = AtomicBool::new(false);
    let control = Control { progress: &|_| {}, cancel: &cancel };
    let mut times = vec![Vec::new(); 1 + engines.len()];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        evaluate_baseline(network, samples, None, &control)?;
        times[0].push(start.elapsed());
        for ((_, engine), times) in engines.iter().zip(&mut times[1..]) {
            let start = Instant::now();
            engine.evaluate(samples, None, &control)?;
            times.push(start.elapsed());
        }
    }
    let names = std::iter::once("tract float").chain(engines.iter().map(|(kind, _)| *kind));
    let least = |times: &[Duration]| times.iter().min().copied().unwrap_or_default();
    for (kind, of_kind) in names.zip(&times) {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / samples.len() as f64;
        let ratios = of_kind.iter().zip(&times[0]).map(|(ours, tract)| ours.as_secs_f64() / tract.as_secs_f64());
        println!(
            "{name:16} {kind:16} {:10.1} {:10.1} {:8.2} {:8.2}",
            micros(least(of_kind)),
            median(of_kind.iter().copied().map(micros)),
            least(of_kind).as_secs_f64() / least(&times[0]).as_secs_f64(),
            median(ratios),
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A design of the co-design with a memory of one size.
fn column_design(
    network: &Network,
    samples: &Samples,
    memory: ColumnMemory,
    weight: WeightOperand,
    sum: Sum,
) -> Result<Engine, Box<dyn Error>> {
    let options = SearchOptions {
        rows: ROWS,
        max_loss_pp: 1.0,
        seed: 1,
        zero_skip: false,
        frozen: false,
        feedback: true,
        channel_scales: true,
        model_sha256: String::new(),
        tools: BTreeMap::new(),
    };
    let size = match memory {
        ColumnMemory::Factored => FACTORED,
        ColumnMemory::Grid => GRID,
    };
    let column = ColumnOptions { memory, weight, sums: vec![sum], frozen: false, size: Some(size), fractions: None };
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    let found = columns::search(network, samples, &options, &column, &Unknown, &mut TrialLog::none(), &control)?;
    Ok(Engine::from_design(network, &found.design)?)
}

/// Quantiles of the weights as codebook, and rows for the most frequent pairs of
/// cluster and activation prefix: a stand-in for co-design, with misses.
fn pair_design(network: &Network, samples: &Samples) -> Result<Engine, Box<dyn Error>> {
    let exact = Engine::exact(network, false);
    let mut inputs = vec![Vec::new(); network.layers().len()];
    for index in 0..20 {
        let observe = &mut |tensors: LayerTensors<'_>| inputs[tensors.layer].extend(tensors.input);
        exact.observe(samples.get(index), observe)?;
    }
    let layers = network.layers().iter().zip(&inputs).enumerate();
    layers.into_iter().try_fold(exact.clone(), |engine, (index, (layer, input))| {
        let kernel = LayerKernel::new(layer, &pair_layer(layer, input), false)?;
        Ok(engine.with_layer(index, Arc::new(kernel)))
    })
}

fn pair_layer(layer: &MacLayer, input: &[f32]) -> LayerDesign {
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
        channel_exponents: Vec::new(),
        key_fraction_bits: 2,
        am: AmImage { rows: pairs.filter(loads).take(ROWS).collect() },
        range: 0,
        magnitudes: Vec::new(),
    }
}
