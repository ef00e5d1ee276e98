//! Energy an operation of the binary32 multiplier and adder on gates, and how fast the simulator is.
//!
//! ```text
//! cargo run --release -p axp-testbench --example unit_energy -- [OPERATIONS] [LIBERTY...]
//! ```
//!
//! The stream has 16 weight values; activations are half zeros, or all nonzero.
//! The adder adds these products in sums of 64. Without a library: osu018, and
//! those of `../shared/liberty`. Every result is compared with the golden model.

use axp_golden::float;
use axp_hdl::fpu;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};
use axp_testbench::gates::{self, CLOCK_SLEW_NS, Conditions, Engine, Measurement, Program};
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::synth::sta::Surroundings;
use axp_testbench::synth::{Design, Goal, synthesise};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Products of a sum.
const SUM: usize = 64;

/// Operands of one operation, as binary32.
type Pair = (u32, u32);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let operations = arguments.next().map_or(Ok(4096), |text| text.parse())?;
    let mut libraries: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    if libraries.is_empty() {
        libraries = known_libraries();
    }
    println!("library unit cells GE STA_ns own_ns | pJ/op half-zero nonzero | leakage_pJ annotated% toggled% | events/op Mevents/s op/s");
    for path in libraries {
        let library = CellLibrary::read(&path)?;
        for operation in [FpuOperation::Mul, FpuOperation::Add] {
            measure(&library, operation, operations)?;
        }
    }
    Ok(())
}

fn known_libraries() -> Vec<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/liberty");
    let mut paths = vec![PathBuf::from(OSU018)];
    for file in ["sky130_fd_sc_hd__tt_025C_1v80.lib.gz", "sg13g2_stdcell_typ_1p20V_25C.lib.gz"] {
        paths.push(shared.join(file));
    }
    paths.retain(|path| path.is_file() || {
        eprintln!("SKIPPED: {} is missing", path.display());
        false
    });
    paths
}

fn measure(library: &CellLibrary, operation: FpuOperation, operations: usize) -> Result<(), Box<dyn Error>> {
    let config = FpuConfig { flags: false, ..FpuConfig::new(operation, FloatFormat::Binary32, Rounding::NearestEven) };
    let rtl = fpu::generate(&config)?;
    let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
    let design = Design { top: &rtl.top, modules: &modules, clock: None, control: &[] };
    let cancel = AtomicBool::new(false);
    let cache = std::env::temp_dir().join("axp-unit-energy");
    let period = if library.name.contains("sky130") { 30.0 } else { 20.0 };
    let goal = Goal { period, wire_load: library.wire_load() };
    let netlist = synthesise(&design, library, goal, Some(&cache), &cancel)?;
    let around = Surroundings { wire_load: goal.wire_load, clock: None, control: &[] };
    let conditions = Conditions { around, period_ns: period, clock_slew_ns: CLOCK_SLEW_NS };
    let program = gates::prepare(&netlist.verilog, &rtl.top, library, conditions, &cancel)?;
    let begin = Instant::now();
    let [half, full] = [true, false].map(|zeros| run(&program, operation, &stream(operations, zeros)));
    let (half, full) = (half?, full?);
    let seconds = begin.elapsed().as_secs_f64();
    let per_operation = |m: &Measurement| m.total() / m.cycles() as f64 / 1000.0;
    let (events, cycles) = (half.transitions + full.transitions, half.cycles() + full.cycles());
    println!(
        "{} {} {} {:.0} {:.2} {:.2} | {:.2} {:.2} | {:.4} {:.1} {:.1} | {:.0} {:.1} {:.0}",
        library.name,
        rtl.top,
        netlist.cells,
        netlist.ge,
        netlist.longest_path_ns,
        program.timing.longest_ns,
        per_operation(&half),
        per_operation(&full),
        half.kind(gates::Kind::Leakage) / half.cycles() as f64 / 1000.0,
        half.annotated_percent(),
        half.toggled_percent(),
        events as f64 / cycles as f64,
        events as f64 / seconds / 1e6,
        cycles as f64 / seconds,
    );
    Ok(())
}

fn run(program: &Program, operation: FpuOperation, stream: &[Pair]) -> Result<Measurement, Box<dyn Error>> {
    let mut engine = Engine::new(program, &["a_i", "b_i"], &["result_o"], 1, program.period_ns)?;
    let mut sum = 0_u64;
    for (number, (weight, activation)) in stream.iter().enumerate() {
        let product = float::mul(FloatFormat::Binary32, u64::from(*weight), u64::from(*activation)).bits;
        if number % SUM == 0 {
            sum = 0;
        }
        let next = float::add(FloatFormat::Binary32, sum, product).bits;
        if operation == FpuOperation::Mul {
            engine.cycle(&[u64::from(*weight), u64::from(*activation)], Some(&[product]), 0)?;
        } else {
            engine.cycle(&[sum, product], Some(&[next]), 0)?;
        }
        sum = next;
    }
    Ok(engine.finish())
}

/// 16 weight values of both signs, activations of up to 24 significant bits.
fn stream(operations: usize, zeros: bool) -> Vec<Pair> {
    let mut source = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut uniform = move || (source.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    // The sum of four uniform numbers is bell-shaped.
    let mut bell = move || (uniform() + uniform() + uniform() + uniform() - 2.0) * 1.7;
    let weights: Vec<f64> = (0..16).map(|_| 0.1 * bell()).collect();
    (0..operations)
        .map(|_| {
            let weight = weights[((bell().abs() * 1e6) as usize) % 16];
            let value = bell();
            let activation = if zeros && value < 0.0 { 0.0 } else { value.abs() };
            ((weight as f32).to_bits(), (activation as f32).to_bits())
        })
        .collect()
}
