//! Energy an operation of binary32 multiplier, adder and plain MAC on gates, and how fast the simulator is.
//!
//! ```text
//! cargo run --release -p axp-testbench --example unit_energy -- [--json FILE] [OPERATIONS] [LIBERTY...]
//! ```
//!
//! The multiplier is measured with each of its trees, and with Verilog's `*`.
//! The stream has 16 weight values; activations are half zeros, or all nonzero.
//! The adder adds these products in sums of 64; the MAC does both, with
//! registers for operands, product and sum, all on the free clock. Without a
//! library: osu018, and those of `../shared/liberty`. Every result is compared
//! with the golden model.

use axp_golden::float;
use axp_hdl::fpu;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, MultiplierStyle, Rounding};
use axp_testbench::gates::{self, CLOCK_SLEW_NS, Conditions, Engine, Measurement, Program};
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::synth::sta::Surroundings;
use axp_testbench::synth::{Design, Goal, synthesise_parts};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Products of a sum.
const SUM: usize = 64;

/// Cycles from the operands of a MAC to the sum that they are in.
const LATENCY: usize = 3;

/// Operands of one operation, as binary32.
type Pair = (u32, u32);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Mul(MultiplierStyle),
    Add,
    Mac,
}

const UNITS: [Unit; 5] = [
    Unit::Mul(MultiplierStyle::Dadda),
    Unit::Mul(MultiplierStyle::Booth),
    Unit::Mul(MultiplierStyle::Operator),
    Unit::Add,
    Unit::Mac,
];

const MAC: &str = "module plain_mac (input wire clk_i, first_i, input wire [31:0] a_i, b_i, output wire [31:0] sum_o);
  reg first, second; reg [31:0] a, b, product, sum;
  wire [31:0] next_product, next_sum;
  MUL multiplier (.a_i(a), .b_i(b), .result_o(next_product));
  ADD adder (.a_i(second ? 32'd0 : sum), .b_i(product), .result_o(next_sum));
  always @(posedge clk_i) begin
    a <= a_i; b <= b_i; first <= first_i; product <= next_product; second <= first; sum <= next_sum;
  end
  assign sum_o = sum;
endmodule
";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let json = arguments.next_if(|argument| argument == "--json").and_then(|_| arguments.next());
    let mut rows = Vec::new();
    let operations = arguments.next().map_or(Ok(4096), |text| text.parse())?;
    let mut libraries: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    if libraries.is_empty() {
        libraries = known_libraries();
    }
    println!(
        "library unit cells GE STA_ns own_ns | pJ/op half-zero nonzero | leakage_pJ annotated% toggled% | events/op Mevents/s op/s"
    );
    for path in libraries {
        let library = CellLibrary::read(&path)?;
        for unit in UNITS {
            rows.push(measure(&library, unit, operations)?);
        }
    }
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_string_pretty(&rows)? + "\n")?;
    }
    Ok(())
}

fn known_libraries() -> Vec<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/liberty");
    let mut paths = vec![PathBuf::from(OSU018)];
    for file in ["sky130_fd_sc_hd__tt_025C_1v80.lib.gz", "sg13g2_stdcell_typ_1p20V_25C.lib.gz"] {
        paths.push(shared.join(file));
    }
    paths.retain(|path| {
        path.is_file() || {
            eprintln!("SKIPPED: {} is missing", path.display());
            false
        }
    });
    paths
}

fn measure(library: &CellLibrary, unit: Unit, operations: usize) -> Result<serde_json::Value, Box<dyn Error>> {
    let multiplier = if let Unit::Mul(style) = unit { style } else { MultiplierStyle::Dadda };
    let generate = |operation| {
        let new = FpuConfig::new(operation, FloatFormat::Binary32, Rounding::NearestEven);
        fpu::generate(&FpuConfig { flags: false, multiplier, ..new })
    };
    let (mul, add) = (generate(FpuOperation::Mul)?, generate(FpuOperation::Add)?);
    let mac = MAC.replace("MUL", &mul.top).replace("ADD", &add.top);
    let parts = [mul.top.as_str(), add.top.as_str()];
    let of = |rtl: &'_ axp_hdl::Rtl| rtl.modules.iter().map(|m| (m.name.clone(), m.text.clone())).collect::<Vec<_>>();
    let (top, parts, texts): (&str, &[&str], _) = match unit {
        Unit::Mul(_) => (&mul.top, &[], of(&mul)),
        Unit::Add => (&add.top, &[], of(&add)),
        Unit::Mac => {
            let mut texts = [vec![("plain_mac".to_owned(), mac)], of(&mul), of(&add)].concat();
            texts.sort();
            texts.dedup();
            ("plain_mac", &parts, texts)
        }
    };
    let modules: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let clock = (unit == Unit::Mac).then_some("clk_i");
    let design = Design { top, modules: &modules, clock, control: &[] };
    let cancel = AtomicBool::new(false);
    let cache = std::env::temp_dir().join("axp-unit-energy");
    let period = if library.name.contains("sky130") { 30.0 } else { 20.0 };
    let goal = Goal { period, wire_load: library.wire_load() };
    let netlist = synthesise_parts(&design, parts, library, goal, Some(&cache), &cancel)?;
    let around = Surroundings { wire_load: goal.wire_load, clock, control: &[] };
    let conditions = Conditions { around, period_ns: period, clock_slew_ns: CLOCK_SLEW_NS };
    let program = gates::prepare(&netlist.verilog, top, library, conditions, &cancel)?;
    let begin = Instant::now();
    let [half, full] = [true, false].map(|zeros| run(&program, unit, &stream(operations, zeros)));
    let (half, full) = (half?, full?);
    let seconds = begin.elapsed().as_secs_f64();
    let per_operation = |m: &Measurement| m.total() / m.cycles() as f64 / 1000.0;
    let (events, cycles) = (half.transitions + full.transitions, half.cycles() + full.cycles());
    println!(
        "{} {} {} {:.0} {:.2} {:.2} | {:.2} {:.2} | {:.4} {:.1} {:.1} | {:.0} {:.1} {:.0}",
        library.name,
        top,
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
    for part in half.components.iter().filter(|_| half.components.len() > 1) {
        let kinds = half.part(part).unwrap_or_default().map(|fj| fj / half.cycles() as f64 / 1000.0);
        println!(
            "    {part}: logic {:.2} register {:.2} clock pin {:.2} gate {:.2} leakage {:.4}",
            kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]
        );
    }
    Ok(serde_json::json!({
        "library": library.name,
        "module": top,
        "operations": operations,
        "ge": netlist.ge,
        "longest_path_ns": netlist.longest_path_ns,
        "period_ns": period,
        "pj_half_zero": per_operation(&half),
        "pj_nonzero": per_operation(&full),
        "leakage_pj": half.kind(gates::Kind::Leakage) / half.cycles() as f64 / 1000.0,
        "annotated_percent": half.annotated_percent(),
    }))
}

fn run(program: &Program, unit: Unit, stream: &[Pair]) -> Result<Measurement, Box<dyn Error>> {
    let (inputs, outputs): (&[&str], _) =
        if unit == Unit::Mac { (&["a_i", "b_i", "first_i"], "sum_o") } else { (&["a_i", "b_i"], "result_o") };
    let mut engine = Engine::new(program, inputs, &[outputs], 1, program.period_ns)?;
    let (mut sum, mut sums) = (0_u64, Vec::new());
    for (number, (weight, activation)) in stream.iter().enumerate() {
        let [weight, activation] = [weight, activation].map(|bits| u64::from(*bits));
        let product = float::mul(FloatFormat::Binary32, weight, activation).bits;
        let first = number % SUM == 0;
        let base = if first { 0 } else { sum };
        sum = float::add(FloatFormat::Binary32, base, product).bits;
        sums.push(sum);
        match unit {
            Unit::Mul(_) => engine.cycle(&[weight, activation], Some(&[product]), 0)?,
            Unit::Add => engine.cycle(&[base, product], Some(&[sum]), 0)?,
            Unit::Mac => {
                let expected = number.checked_sub(LATENCY).map(|done| [sums[done]]);
                let expected = expected.as_ref().map(|sum| sum.as_slice());
                engine.cycle(&[weight, activation, u64::from(first)], expected, 0)?;
            }
        }
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
