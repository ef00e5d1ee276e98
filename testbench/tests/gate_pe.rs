//! A whole processing element on gates, every output of every cycle against the golden model, hits against misses.

use axp_golden::pe::CyclePe;
use axp_spec::{Accumulator, FloatFormat, PeConfig, PeInputs, RowWrite, Storage};
use axp_testbench::dut::Dut;
use axp_testbench::gates::{self, CLOCK_SLEW_NS, Conditions, Engine, Kind};
use axp_testbench::pe_ports::PeVectors;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::synth::recipe::ANY;
use axp_testbench::synth::sta::Surroundings;
use axp_testbench::synth::{Design, Goal, synthesise_tried};
use axp_testbench::tools::Tool;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Clock period in ns.
const PERIOD: f64 = 40.0;

/// Products of one kind, and of one sum.
const BLOCK: usize = 320;
const SUM: usize = 16;

/// Mixes bits, so that operands look arbitrary.
fn mixed(number: usize) -> u32 {
    ((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u32
}

/// Rows for four weights whose activation is free.
fn pair_rows() -> Vec<RowWrite> {
    let row = |row: u32| {
        let key = FloatFormat::Binary32.key_of(weight(row as usize), 0);
        RowWrite { address: row, key, care: u64::from(u32::MAX) << 32, product: 0x3f00_0000 + row, valid: true }
    };
    (0..4).map(row).collect()
}

/// Rows for the columns of four weights, and every prefix of two mantissa bits.
fn factored_rows() -> Vec<RowWrite> {
    let row = |address: u32| RowWrite {
        address,
        product: mixed(address as usize) & 0xFFF,
        valid: true,
        ..RowWrite::default()
    };
    (0..16).map(row).collect()
}

fn weight(id: usize) -> u32 {
    (0.25 + id as f32 / 8.0).to_bits()
}

/// Ten idle cycles, the rows, then a block of pairs with the weights 0 to 3 that
/// have rows and a block of pairs with others that have none.
fn stimulus(rows: &[RowWrite]) -> Vec<PeInputs> {
    let idle = PeInputs { range: 140, out_ready: true, ..PeInputs::default() };
    let mut stimulus = vec![idle; 10];
    stimulus.extend(rows.iter().map(|row| PeInputs { row: Some(*row), ..idle }));
    for number in 0..2 * BLOCK {
        let id = mixed(number) as usize % 4 + if number < BLOCK { 0 } else { 4 };
        let activation = 0x3f00_0000 | mixed(number + 9999) & 0x00ff_ffff;
        let (first, last) = (number % SUM == 0, number % SUM == SUM - 1);
        let column = id as u32;
        stimulus.push(PeInputs { valid: true, first, last, weight: weight(id), activation, column, ..idle });
    }
    stimulus.extend(vec![idle; 10]);
    stimulus
}

#[test]
fn a_hit_moves_neither_multiplier_nor_operands() {
    check(&PeConfig::pair("axp_pe_gates", 4), &pair_rows());
}

/// Weights 4 to 7 miss: the rows of column 4 are invalid, the others not there.
#[test]
fn nor_does_a_hit_in_a_factored_memory() {
    let accumulator = Accumulator::Fixed { width: 24, product_width: 12 };
    let config = PeConfig { accumulator, ..PeConfig::factored("axp_pe_gates_factored", 5, 2) };
    check(&config, &factored_rows());
}

/// Latches of the rows are no clock gates: what they use is the memory's.
#[test]
fn nor_does_a_hit_in_a_memory_of_latches() {
    let accumulator = Accumulator::Fixed { width: 24, product_width: 12 };
    let mut config = PeConfig { accumulator, ..PeConfig::factored("axp_pe_gates_latch", 5, 2) };
    config.am.as_mut().unwrap().storage = Storage::Latches;
    check(&config, &factored_rows());
}

fn check(config: &PeConfig, rows: &[RowWrite]) {
    if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
        eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
        return;
    }
    let library = CellLibrary::read(Path::new(OSU018)).unwrap();
    let rtl = axp_hdl::generate(config).unwrap();
    let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
    let top = rtl.modules.iter().find(|module| module.name == rtl.top).unwrap();
    let parts: Vec<&str> =
        top.children.iter().map(String::as_str).filter(|name| !name.starts_with("axp_reg")).collect();
    let design = Design { top: &rtl.top, modules: &modules, clock: Some("clk_i"), control: &["test_en_i"] };
    let goal = Goal { period: PERIOD, wire_load: library.wire_load() };
    let (cache, cancel) = (Path::new(env!("CARGO_TARGET_TMPDIR")), AtomicBool::new(false));
    let netlist = synthesise_tried(&design, &parts, ANY, &library, goal, Some(cache), &cancel);
    let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
    let around = Surroundings { wire_load: goal.wire_load, clock: design.clock, control: design.control };
    let conditions = Conditions { around, period_ns: PERIOD, clock_slew_ns: CLOCK_SLEW_NS };
    let program = gates::prepare(&netlist.verilog, &rtl.top, &library, conditions, &cancel);
    let program = program.unwrap_or_else(|error| panic!("{error}"));

    let mut vectors = PeVectors::of(&Dut::of(&rtl)).unwrap();
    let mut golden = CyclePe::new(config);
    let mut records = Vec::new();
    vectors.push_reset(&mut records, &PeInputs::default());
    golden.reset();
    for inputs in stimulus(rows) {
        let outputs = golden.step(&inputs);
        vectors.push(&mut records, &inputs, &outputs);
    }
    let names = |fields: &[axp_testbench::vectors::Field]| fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
    let (inputs, outputs) = (names(&vectors.layout().inputs), names(&vectors.layout().outputs));
    let [inputs, outputs] = [&inputs, &outputs].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut engine = Engine::new(&program, &inputs, &outputs, 3, PERIOD).unwrap();
    // Two cycles of reset, ten idle ones, the rows; the pipe needs some cycles
    // from one kind of pair to the other.
    let begin = 2 + 10 + rows.len();
    let class = |record: usize| match record.checked_sub(begin) {
        Some(number) if (8..BLOCK).contains(&number) => 1,
        Some(number) if (BLOCK + 8..2 * BLOCK).contains(&number) => 2,
        _ => 0,
    };
    let start = Instant::now();
    engine.records(vectors.layout(), &records, class).unwrap_or_else(|error| panic!("{error}"));
    let seconds = start.elapsed().as_secs_f64();
    let measured = engine.finish();
    println!(
        "{:.0} GE, {:.2} ns, {} cycles, {:.0} transitions a cycle, {:.0} cycles/s, {:.1} % annotated",
        netlist.ge,
        program.timing.longest_ns,
        measured.cycles(),
        measured.transitions as f64 / measured.cycles() as f64,
        measured.cycles() as f64 / seconds,
        measured.annotated_percent()
    );
    let energy = |class: usize, part: &str, kind: Kind| {
        let place = measured.components.iter().position(|name| name == part).unwrap();
        let class = &measured.classes[class];
        class.parts[place][kind as usize] / class.cycles as f64 / 1000.0
    };
    for part in &measured.components {
        let row = |class| Kind::ALL.map(|kind| format!("{:.2}", energy(class, part, kind))).join(" ");
        println!("{part}: hit {}, miss {} pJ", row(1), row(2));
    }
    let (hit, miss) = (|part, kind| energy(1, part, kind), |part, kind| energy(2, part, kind));
    assert!(hit("multiplier", Kind::Combinational) < 0.02 * miss("multiplier", Kind::Combinational));
    assert!(hit("operands", Kind::ClockPin) < 0.02 * miss("operands", Kind::ClockPin));
    assert!(miss("operands", Kind::ClockPin) > 1.0);
    // The rows are not written: their clocks and their gates stand still, and of the branch
    // above them only the gate moves: an inverter, and the clock pins of a latch and an AND.
    let branch = hit("memory", Kind::ClockGate);
    assert!(branch > 0.0 && branch < 1.0 && miss("memory", Kind::ClockGate) < 1.0, "{branch} pJ");
    assert_eq!(hit("memory", Kind::ClockPin) + miss("memory", Kind::ClockPin), 0.0);
    assert!(measured.classes[1].total() < 0.8 * measured.classes[2].total());
    measured.require_annotation(95.0).unwrap_or_else(|error| panic!("{error}"));
}
