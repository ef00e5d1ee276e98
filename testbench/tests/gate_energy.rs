//! Netlists of real libraries: against Icarus, against evaluation without delays, and part by part.

use axp_golden::float;
use axp_hdl::fpu;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};
use axp_testbench::gates::{self, CLOCK_SLEW_NS, Conditions, Engine, Kind, Program, specify};
use axp_testbench::process::Invocation;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::synth::recipe::ANY;
use axp_testbench::synth::sta::Surroundings;
use axp_testbench::synth::{Design, Goal, Netlist, synthesise_tried};
use axp_testbench::tools::Tool;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const PERIOD: f64 = 20.0;

fn library(path: &Path) -> Option<CellLibrary> {
    if !path.is_file() || Tool::Sta.find().is_err() {
        eprintln!("SKIPPED: {} or sta is missing (apt-get install qflow-tech-osu018 opensta)", path.display());
        return None;
    }
    Some(CellLibrary::read(path).unwrap_or_else(|error| panic!("{error}")))
}

/// A module on gates, and the netlist it was made of.
fn gates_of(library: &CellLibrary, design: &Design<'_>, parts: &[&str]) -> (Netlist, Program) {
    let cancel = AtomicBool::new(false);
    let goal = Goal { period: PERIOD, wire_load: library.wire_load() };
    // Netlists stay from one run to the next.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let netlist = synthesise_tried(design, parts, ANY, library, goal, Some(cache), &cancel)
        .unwrap_or_else(|error| panic!("{error}"));
    let around = Surroundings { wire_load: goal.wire_load, clock: design.clock, control: design.control };
    let conditions = Conditions { around, period_ns: PERIOD, clock_slew_ns: CLOCK_SLEW_NS };
    let program = gates::prepare(&netlist.verilog, design.top, library, conditions, &cancel);
    (netlist, program.unwrap_or_else(|error| panic!("{error}")))
}

/// The module `top` of an arithmetic unit's Verilog.
fn unit_part(format: FloatFormat, top: Option<&str>, library: &CellLibrary) -> (Netlist, Program) {
    let config = FpuConfig { flags: false, ..FpuConfig::new(FpuOperation::Mul, format, Rounding::NearestEven) };
    let rtl = fpu::generate(&config).unwrap_or_else(|error| panic!("{error}"));
    let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
    let design = Design { top: top.unwrap_or(&rtl.top), modules: &modules, clock: None, control: &[] };
    gates_of(library, &design, &[])
}

fn icarus(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bench.v"), text).unwrap();
    let run = |tool: Tool, arguments: &[&str]| {
        let program = tool.find().unwrap_or_else(|error| panic!("{error}"));
        let output = Invocation::new(&program).directory(folder.path()).args(arguments).run();
        output.unwrap_or_else(|error| panic!("{error}")).stdout
    };
    run(Tool::Iverilog, &["-gspecify", "-g2005-sv", "-o", "bench", "bench.v"]);
    run(Tool::Vvp, &["-n", "bench"])
}

/// Mixes bits, so that few rows make much activity.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11
}

/// A multiply-free netlist of osu018's cells: a gated register, a ripple adder
/// behind it, flip-flops with reset, and an exclusive or of skewed signals.
const SMALL: &str = "module small (input clk_i, rst_ni, en_i, input [3:0] a_i, b_i, output [4:0] sum_o, output odd_o);
  wire n, open, clk; wire [3:0] a, b; wire [4:0] c; wire [3:0] s; wire [4:0] d;
  INVX1 i (.A(clk_i), .Y(n)); LATCH l (.D(en_i), .CLK(n), .Q(open)); AND2X2 g (.A(clk_i), .B(open), .Y(clk));
  DFFPOSX1 a0 (.CLK(clk), .D(a_i[0]), .Q(a[0])); DFFPOSX1 a1 (.CLK(clk), .D(a_i[1]), .Q(a[1]));
  DFFPOSX1 a2 (.CLK(clk), .D(a_i[2]), .Q(a[2])); DFFPOSX1 a3 (.CLK(clk), .D(a_i[3]), .Q(a[3]));
  FAX1 f0 (.A(a[0]), .B(b_i[0]), .C(1'b0), .YS(s[0]), .YC(c[1])); FAX1 f1 (.A(a[1]), .B(b_i[1]), .C(c[1]), .YS(s[1]), .YC(c[2]));
  FAX1 f2 (.A(a[2]), .B(b_i[2]), .C(c[2]), .YS(s[2]), .YC(c[3])); FAX1 f3 (.A(a[3]), .B(b_i[3]), .C(c[3]), .YS(s[3]), .YC(c[4]));
  DFFSR r0 (.CLK(clk_i), .D(s[0]), .S(1'b1), .R(rst_ni), .Q(sum_o[0])); DFFSR r1 (.CLK(clk_i), .D(s[1]), .S(1'b1), .R(rst_ni), .Q(sum_o[1]));
  DFFSR r2 (.CLK(clk_i), .D(s[2]), .S(1'b1), .R(rst_ni), .Q(sum_o[2])); DFFSR r3 (.CLK(clk_i), .D(s[3]), .S(1'b1), .R(rst_ni), .Q(sum_o[3]));
  DFFSR r4 (.CLK(clk_i), .D(c[4]), .S(1'b1), .R(rst_ni), .Q(sum_o[4]));
  INVX1 j0 (.A(s[0]), .Y(d[0])); INVX1 j1 (.A(d[0]), .Y(d[1])); INVX1 j2 (.A(d[1]), .Y(d[2])); INVX1 j3 (.A(d[2]), .Y(d[3]));
  XOR2X1 x (.A(s[0]), .B(d[3]), .Y(odd_o));
endmodule
";

#[test]
fn icarus_counts_the_same_transitions() {
    let Some(library) = library(Path::new(OSU018)) else { return };
    let around = Surroundings { wire_load: 5.0, clock: Some("clk_i"), control: &[] };
    let conditions = Conditions { around, period_ns: PERIOD, clock_slew_ns: CLOCK_SLEW_NS };
    let program = gates::prepare(SMALL, "small", &library, conditions, &AtomicBool::new(false));
    let program = program.unwrap_or_else(|error| panic!("{error}"));
    let inputs = ["rst_ni", "en_i", "a_i", "b_i"];
    let row = |k: u64| vec![u64::from(k % 50 > 1), u64::from(!k.is_multiple_of(3)), mixed(k) & 15, mixed(k + 9) & 15];
    let rows: Vec<Vec<u64>> = (0..200).map(row).collect();
    let mut engine = Engine::new(&program, &inputs, &[], 1, PERIOD).unwrap();
    rows.iter().for_each(|row| engine.cycle(row, None, 0).unwrap_or_else(|error| panic!("{error}")));
    let output = icarus(&specify::bench(&program, &inputs, &rows));
    let differences = specify::differences(&program, &engine, &output);
    assert!(differences.is_empty(), "{differences:#?}");
    // The exclusive or glitches whenever the lowest bit of the sum changes.
    let count = |name: &str| engine.toggles()[program.circuit.netlist.nets.iter().position(|net| net == name).unwrap()];
    assert!(count("s") > 50, "{}", count("s"));
    assert_eq!(count("odd_o"), 2 * count("s"));
}

/// Transitions that engine and bench count, where all settled values are the same.
fn total_transitions(program: &Program, engine: &Engine<'_>, output: &str) -> [f64; 2] {
    let mut totals = [0.0; 2];
    for (net, line) in (0..program.circuit.nets.len() as u32).zip(output.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[1], if engine.value(net) { "1" } else { "0" }, "{line}");
        totals[0] += f64::from(engine.toggles()[net as usize]);
        totals[1] += words[2].parse::<f64>().unwrap();
    }
    totals
}

/// Icarus 11 puts an output's latest value out at the time of every event of a
/// path, those of cancelled pulses included, so that a third change in a row may
/// come early. In a tree of adders some do: values agree, counts nearly.
#[test]
fn icarus_agrees_on_a_multiplier() {
    let Some(library) = library(Path::new(OSU018)) else { return };
    let (_, program) = unit_part(FloatFormat::E4m3, None, &library);
    let rows: Vec<Vec<u64>> = (0..200).map(|k| vec![mixed(k) & 0xff, mixed(k + 1000) & 0xff]).collect();
    let mut engine = Engine::new(&program, &["a_i", "b_i"], &["result_o"], 1, PERIOD).unwrap();
    for row in &rows {
        let expected = float::mul(FloatFormat::E4m3, row[0], row[1]).bits;
        engine.cycle(row, Some(&[expected]), 0).unwrap_or_else(|error| panic!("{error}"));
    }
    let output = icarus(&specify::bench(&program, &["a_i", "b_i"], &rows));
    let [own, other] = total_transitions(&program, &engine, &output);
    assert!((own - other).abs() < 0.01 * other, "{own} and {other}");
    // It does glitch: some nets change more than once an operation.
    assert!(engine.toggles().iter().any(|count| *count as usize > rows.len()), "{:?}", engine.toggles());
}

const MAC: &str =
    "module mac (input wire clk_i, rst_ni, test_en_i, en_i, input wire [3:0] a_i, b_i, output wire [7:0] sum_o);
  wire [3:0] a, b;
  wire [7:0] product;
  held operands_a (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .d_i(a_i), .q_o(a));
  held operands_b (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .d_i(b_i), .q_o(b));
  times multiplier (.a_i(a), .b_i(b), .y_o(product));
  reg [7:0] sum;
  always @(posedge clk_i or negedge rst_ni) if (!rst_ni) sum <= 0; else sum <= sum + product;
  assign sum_o = sum;
endmodule
";
const HELD: &str = "module held (input wire clk_i, en_i, test_en_i, input wire [3:0] d_i, output reg [3:0] q_o);
  wire clk;
  axp_clock_gate gate (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .clk_o(clk));
  always @(posedge clk) q_o <= d_i;
endmodule
";
const TIMES: &str = "module times (input wire [3:0] a_i, b_i, output wire [7:0] y_o);
  assign y_o = a_i * b_i;
endmodule
";
const GATE: &str = "module axp_clock_gate (input wire clk_i, en_i, test_en_i, output wire clk_o);
  reg open;
  always @* if (!clk_i) open = en_i | test_en_i;
  assign clk_o = clk_i & open;
endmodule
";

/// The multiply-accumulate unit as gates, its parts told apart.
fn mac(library: &CellLibrary) -> (Netlist, Program) {
    let modules = [("mac", MAC), ("held", HELD), ("times", TIMES), ("axp_clock_gate", GATE)];
    let design = Design { top: "mac", modules: &modules, clock: Some("clk_i"), control: &["test_en_i"] };
    gates_of(library, &design, &["held", "times"])
}

const MAC_INPUTS: [&str; 5] = ["rst_ni", "test_en_i", "en_i", "a_i", "b_i"];

/// Rows of inputs; with `enabled`, operands are taken in each cycle.
fn mac_rows(count: u64, enabled: bool) -> Vec<Vec<u64>> {
    let row = |k: u64| vec![u64::from(k > 1), 0, u64::from(enabled || k < 4), mixed(k) & 15, mixed(k + 77) & 15];
    (0..count).map(row).collect()
}

/// Runs the rows, sums compared with a model of it. Cycles are of class 1 once all is known.
fn run_mac<'a>(program: &'a Program, rows: &[Vec<u64>]) -> Engine<'a> {
    let mut engine = Engine::new(program, &MAC_INPUTS, &["sum_o"], 2, PERIOD).unwrap();
    let (mut a, mut b, mut sum, mut before) = (0, 0, 0, vec![0; 5]);
    for (number, row) in rows.iter().enumerate() {
        sum = if before[0] == 0 { 0 } else { (sum + a * b) & 0xff };
        if before[2] == 1 {
            (a, b) = (before[3], before[4]);
        }
        let expected = (number > 4).then_some([if row[0] == 0 { 0 } else { sum }]);
        let expected = expected.as_ref().map(|sum| sum.as_slice());
        engine.cycle(row, expected, usize::from(number > 4)).unwrap_or_else(|error| panic!("{error}"));
        before.clone_from(row);
    }
    engine
}

#[test]
fn icarus_agrees_on_a_gated_unit() {
    let Some(library) = library(Path::new(OSU018)) else { return };
    let (_, program) = mac(&library);
    let mut rows = mac_rows(200, true);
    rows.iter_mut().step_by(3).for_each(|row| row[2] = 0);
    let mut engine = Engine::new(&program, &MAC_INPUTS, &[], 1, PERIOD).unwrap();
    rows.iter().for_each(|row| engine.cycle(row, None, 0).unwrap_or_else(|error| panic!("{error}")));
    let output = icarus(&specify::bench(&program, &MAC_INPUTS, &rows));
    let [own, other] = total_transitions(&program, &engine, &output);
    assert!((own - other).abs() < 0.01 * other, "{own} and {other}");
}

#[test]
fn parts_are_told_apart_and_gates_stay_latch_and_and() {
    let Some(library) = library(Path::new(OSU018)) else { return };
    let (netlist, program) = mac(&library);
    let mut parts = program.circuit.components.clone();
    parts.sort();
    assert_eq!(parts, ["multiplier", "operands_a", "operands_b", "top"]);
    assert_eq!(netlist.cells_by_type.get("LATCH"), Some(&2), "{:?}", netlist.cells_by_type);
    assert_eq!(netlist.flops, 16);

    let (busy, held) =
        (run_mac(&program, &mac_rows(300, true)).finish(), run_mac(&program, &mac_rows(300, false)).finish());
    let energy = |measured: &gates::Measurement, part: &str| measured.part(part).unwrap();
    let sum = |kinds: [f64; Kind::COUNT]| kinds[..4].iter().sum::<f64>();
    // Held operands: nothing in the multiplier moves, their registers' clock
    // stands still, and the gates take what their latch and AND take.
    assert!(sum(energy(&held, "multiplier")) < 0.03 * sum(energy(&busy, "multiplier")));
    let clock = |measured: &gates::Measurement| energy(measured, "operands_a")[Kind::ClockPin as usize];
    assert!(clock(&held) < 0.03 * clock(&busy), "{} {}", clock(&held), clock(&busy));
    assert!(energy(&held, "operands_a")[Kind::ClockGate as usize] > 0.0);
    let free = |measured: &gates::Measurement| energy(measured, "top")[Kind::ClockPin as usize];
    assert!((free(&held) - free(&busy)).abs() < 1e-6 * free(&busy));
    let parts: f64 = busy.components.iter().map(|part| energy(&busy, part).iter().sum::<f64>()).sum();
    assert!((parts - busy.total()).abs() < 1e-6 * parts);
    assert_eq!(busy.annotated_percent(), 100.0);
}

#[test]
fn timing_is_that_of_opensta() {
    for path in libraries() {
        let Some(library) = library(&path) else { continue };
        for (netlist, program) in [unit_part(FloatFormat::E4m3, None, &library), mac(&library)] {
            let (sta, own) = (netlist.longest_path_ns, program.timing.longest_ns);
            // OpenSTA's ideal clock has no slew, ours has.
            assert!((sta - own).abs() < 0.03 * sta, "{}: {sta} ns, here {own} ns", library.name);
        }
    }
}

fn libraries() -> [std::path::PathBuf; 3] {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/liberty");
    [
        OSU018.into(),
        shared.join("sky130_fd_sc_hd__tt_025C_1v80.lib.gz"),
        shared.join("sg13g2_stdcell_typ_1p20V_25C.lib.gz"),
    ]
}

#[test]
fn every_library_runs_the_gated_unit() {
    for path in libraries() {
        let Some(library) = library(&path) else { continue };
        let (_, program) = mac(&library);
        let measured = run_mac(&program, &mac_rows(200, true)).finish();
        measured.require_annotation(99.9).unwrap_or_else(|error| panic!("{}: {error}", library.name));
        let class = &measured.classes[1];
        assert!(Kind::ALL.iter().all(|kind| class.kind(*kind) > 0.0), "{}: {class:?}", library.name);
        // 16 flip-flops and a four-bit product: between 0.1 and 100 pJ a cycle.
        let pj = class.total() / class.cycles as f64 / 1000.0;
        assert!((0.1..100.0).contains(&pj), "{}: {pj} pJ", library.name);
    }
}

#[test]
fn no_table_of_a_library_is_lost_in_reading() {
    for path in libraries() {
        let Some(library) = library(&path) else { continue };
        let stated = |group: &str| {
            let begins = |line: &&str| {
                line.trim_start().strip_prefix(group).is_some_and(|rest| rest.trim_start().starts_with('('))
            };
            library.text.lines().filter(begins).count()
        };
        let pins = || library.parsed().cell.iter().flat_map(|cell| &cell.pin);
        assert_eq!(
            pins().map(|pin| pin.internal_power.len()).sum::<usize>(),
            stated("internal_power"),
            "{}",
            library.name
        );
        assert_eq!(pins().map(|pin| pin.timing.len()).sum::<usize>(), stated("timing"), "{}", library.name);
    }
}

#[test]
fn a_tree_settles_to_what_it_computes_without_delays() {
    let Some(library) = library(Path::new(OSU018)) else { return };
    let (netlist, program) = unit_part(FloatFormat::Bfloat16, Some("axp_dadda_w8"), &library);
    assert!(netlist.full_adders > 30, "{:?}", netlist.cells_by_type);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
    let pairs = prop::collection::vec((0_u64..256, 0_u64..256), 1..17);
    let settles = |pairs: Vec<(u64, u64)>| {
        let mut engine = Engine::new(&program, &["a_i", "b_i"], &["sum_o", "carry_o"], 1, PERIOD).unwrap();
        for (a, b) in pairs {
            // Every net is compared with its value without delays as long as
            // nets become known and 16 cycles longer, so in all of these.
            engine.cycle(&[a, b], None, 0).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let [sum, carry] = [0, 1].map(|place| !engine.output(place) & 0xffff);
            prop_assert_eq!((sum + carry) & 0xffff, a * b);
        }
        Ok(())
    };
    runner.run(&pairs, settles).unwrap_or_else(|error| panic!("{error}"));
}
