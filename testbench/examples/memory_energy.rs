//! Energy a MAC of PEs with different memories on one synthetic stream: 16 weights, half of the activations zero.
//!
//! `cargo run --release --example memory_energy -- LIBRARY [NAME …]`

use axp_golden::am::{Operands, rounded_product};
use axp_spec::{
    Accumulator, AmConfig, AmImage, AmRow, Bits32, Content, FactoredConfig, FloatFormat, GridConfig, LayerMemory,
    Organisation, PeConfig, PeInputs, WeightOperand,
};
use axp_testbench::energy::gates::Gates;
use axp_testbench::energy::stream::Stream;
use axp_testbench::gates::Kind;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const F: FloatFormat = FloatFormat::Binary32;
/// Range of the sums: below 2^4.
const RANGE: u32 = 127 + 3;
const WIDTH: u32 = 24;

fn mixed(number: u64) -> u64 {
    let x = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11
}

/// The magnitudes of a layer: 2^-6 to 1, as those of trained weights are.
fn magnitudes(layer: u64, columns: u32) -> Vec<u32> {
    (0..columns)
        .map(|column| {
            let share = (f64::from(column) + 0.5) / f64::from(columns);
            let jitter = 1.0 + (mixed(layer << 8 | u64::from(column)) % 1000) as f64 / 5000.0;
            ((share.powi(2) * jitter) as f32).to_bits()
        })
        .collect()
}

fn factored_layer(config: &PeConfig, layer: u64, shape: FactoredConfig) -> LayerMemory {
    let magnitudes = magnitudes(layer, shape.columns);
    let fraction = |bits: u32| bits & 0x7F_FFFF;
    let mut rows = Vec::new();
    for (column, magnitude) in (0..).zip(&magnitudes) {
        for prefix in 0..1u32 << shape.mantissa_bits {
            let below = 23 - shape.mantissa_bits;
            let middle = prefix << below | 1 << (below - 1);
            let product = rounded_product(F, config.product_bits(), fraction(*magnitude), middle);
            rows.push(AmRow {
                key: shape.key(F, column, *magnitude, middle),
                care: shape.care(F),
                product: Bits32(product),
            });
        }
    }
    LayerMemory { range: RANGE, magnitudes: magnitudes.into_iter().map(Bits32).collect(), am: AmImage { rows } }
}

fn grid_layer(config: &PeConfig, layer: u64, shape: GridConfig) -> LayerMemory {
    let magnitudes = magnitudes(layer, shape.columns);
    let unit = 2.0f64.powi(RANGE as i32 + 2 - 127 - WIDTH as i32);
    let mut rows = Vec::new();
    // Two patterns an exponent, from 2 down.
    for pattern in 0..shape.patterns {
        let key = (128 - pattern / 2) << 23 | (1 - pattern % 2) << 22;
        let middle = f32::from_bits(key | 1 << 21);
        for (column, magnitude) in (0..).zip(&magnitudes) {
            let product = f64::from(f32::from_bits(*magnitude)) * f64::from(middle) / unit;
            let product = (product.round() as u32).min((1 << config.product_bits()) - 1);
            let care = shape.key(F, (1 << shape.column_bits()) - 1, 0x7FC0_0000);
            rows.push(AmRow { key: shape.key(F, column, key), care, product: Bits32(product) });
        }
    }
    LayerMemory { range: RANGE, magnitudes: magnitudes.into_iter().map(Bits32).collect(), am: AmImage { rows } }
}

fn fixed(product_width: u32) -> Accumulator {
    Accumulator::Fixed { width: WIDTH, product_width }
}

/// A configuration and its layers.
fn contender(name: &str) -> (PeConfig, Vec<LayerMemory>) {
    let plain = PeConfig::plain("axp_plain");
    let layers: u64 = 8;
    let build = |organisation, rows, accumulator, frozen: bool, index: bool| {
        let am = AmConfig::new(organisation, rows);
        let am = AmConfig { weight: if index { WeightOperand::Index } else { WeightOperand::Value }, ..am };
        let mut config = PeConfig { name: format!("axp_pe_{name}"), am: Some(am), accumulator, ..plain.clone() };
        let memories: Vec<LayerMemory> = (0..layers)
            .map(|layer| match organisation {
                Organisation::Factored(shape) => factored_layer(&config, layer, shape),
                Organisation::Grid(shape) => grid_layer(&config, layer, shape),
                Organisation::Pair => LayerMemory::default(),
            })
            .map(|mut memory| {
                if !index {
                    memory.magnitudes.clear();
                }
                if accumulator == Accumulator::Float {
                    memory.range = 0;
                }
                memory
            })
            .collect();
        if frozen {
            config.am.as_mut().unwrap().content = Content::Frozen { layers: memories.clone() };
        }
        (config, memories)
    };
    let factored = |columns, mantissa_bits| {
        let shape = FactoredConfig { columns, mantissa_bits };
        (Organisation::Factored(shape), shape.rows())
    };
    let grid = |patterns, columns| {
        let shape = GridConfig { patterns, columns };
        (Organisation::Grid(shape), shape.rows())
    };
    match name {
        "plain" | "plain_no_skip" => (plain, vec![LayerMemory::default()]),
        "plain_fixed" => {
            (PeConfig { accumulator: fixed(24), name: "axp_plain_fixed".into(), ..plain }, vec![LayerMemory::default()])
        }
        "factored_frozen" => {
            let (o, r) = factored(8, 2);
            build(o, r, fixed(9), true, true)
        }
        "factored_frozen_value" => {
            let (o, r) = factored(8, 2);
            build(o, r, fixed(9), true, false)
        }
        "factored_frozen_float" => {
            let (o, r) = factored(8, 2);
            build(o, r, Accumulator::Float, true, true)
        }
        "factored" => {
            let (o, r) = factored(8, 2);
            build(o, r, fixed(9), false, true)
        }
        "grid_frozen" => {
            let (o, r) = grid(16, 8);
            build(o, r, fixed(18), true, true)
        }
        "grid" => {
            let (o, r) = grid(16, 8);
            build(o, r, fixed(18), false, true)
        }
        other => panic!("unknown {other}"),
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let library = args.next().unwrap_or_default();
    let path = if library == "osu018" || library.is_empty() { OSU018.to_owned() } else { library };
    let library = CellLibrary::read(Path::new(&path)).unwrap();
    let cancel = AtomicBool::new(false);
    let cache = std::env::temp_dir().join("axp_memory_energy");
    std::fs::create_dir_all(&cache).unwrap();
    for name in args {
        let (config, memories) = contender(&name);
        let gates = Gates::make(&name, &config, &library, Some(&cache), &cancel).unwrap_or_else(|e| panic!("{e}"));
        let period = if gates.longest_ns < 20.0 { 20.0 } else { gates.longest_ns.ceil() };
        let program = gates.program(&name, &library, period).unwrap_or_else(|e| panic!("{e}"));
        println!("== {name}: {:.0} GE, {:.2} ns, period {period} ns", gates.netlist.ge, gates.longest_ns);
        for zero_percent in [50, 0] {
            let mut stream = Stream::begin(&name, (&gates.rtl, &config), &program, period, (3, 2), &cancel).unwrap();
            let columns = 8;
            let idle =
                PeInputs { zero_skip: name != "plain_no_skip", range: RANGE, out_ready: true, ..PeInputs::default() };
            let memory = &memories[0];
            if config.is_frozen() {
                stream.step(&PeInputs { layer: Some(0), ..idle }, 2).unwrap();
            } else if config.am.is_some() {
                for row in memory.am.writes(&config) {
                    stream.step(&PeInputs { row: Some(row), ..idle }, 2).unwrap();
                }
                for (column, magnitude) in (0..).zip(&memory.magnitudes) {
                    let word = axp_spec::CodebookWrite { column, magnitude: magnitude.0 };
                    stream.step(&PeInputs { codebook: Some(word), ..idle }, 2).unwrap();
                }
            }
            for _ in 0..4 {
                stream.step(&idle, 2).unwrap();
            }
            let weights = magnitudes(0, columns);
            let (mut hits, mut misses) = (0, 0);
            for number in 0..2048u64 {
                let random = mixed(number);
                let column = (random % u64::from(columns)) as u32;
                let weight = weights[column as usize] | ((random >> 8 & 1) as u32) << 31;
                let zero = random >> 16 & 0xFF < zero_percent * 256 / 100;
                // Activations behind a ReLU: mostly around 0.5.
                let gauss = (0..4).map(|k| (mixed(number * 4 + k + 77_777) & 0xFFFF) as f32 / 65536.0).sum::<f32>();
                let activation = if zero { 0 } else { ((gauss - 2.0).abs() + 0.02).to_bits() };
                let (first, last) = (number % 128 == 0, number % 128 == 127);
                let inputs = PeInputs { valid: true, first, last, weight, activation, column, ..idle };
                if !zero && config.am.is_some() {
                    let found = stream.golden().am().product(Operands { column, weight, activation }).is_some();
                    if found { hits += 1 } else { misses += 1 }
                }
                stream.step(&inputs, usize::from(number >= 64)).unwrap_or_else(|e| panic!("{e}"));
            }
            for _ in 0..8 {
                stream.step(&idle, 2).unwrap();
            }
            let measured = stream.finish().unwrap_or_else(|e| panic!("{e}"));
            let class = &measured.classes[1];
            let each = |joules: f64| joules / class.cycles as f64 / 1000.0;
            println!(
                "-- {zero_percent} % zero: {:.2} pJ a MAC ({hits} hits, {misses} misses), {:.1} % annotated",
                each(class.total()),
                measured.annotated_percent()
            );
            for (place, part) in measured.components.iter().enumerate() {
                let row = Kind::ALL
                    .map(|kind| format!("{:?} {:.2}", kind, each(class.parts[place][kind as usize])))
                    .join(", ");
                let sum: f64 = class.parts[place].iter().sum();
                if each(sum) > 0.05 {
                    println!("   {part:24} {:8.2}   {row}", each(sum));
                }
            }
        }
    }
}
