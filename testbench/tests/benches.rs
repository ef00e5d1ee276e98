//! Both benches on a small design with awkward port widths: layout, comparison, waveform window, X.

use axp_hdl::{Direction, Port};
use axp_testbench::compare::{FrameWriter, Section, Stop, compare};
use axp_testbench::dut::{Body, Dut, Source};
use axp_testbench::exchange::Exchange;
use axp_testbench::lint::lint;
use axp_testbench::simulator::{Simulator, SimulatorError, SimulatorKind, Window};
use axp_testbench::vectors::Layout;
use axp_testbench::{icarus, verilator};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

/// A running sum; `parity_o` has no reset, so it is X until the first enable.
const COUNTER: &str = "\
`default_nettype none
module counter (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        en_i,
  input  wire [6:0]  step_i,
  input  wire [63:0] mask_i,
  input  wire [32:0] odd_i,
  output reg  [63:0] sum_o,
  output reg         full_o,
  output wire [6:0]  low_o,
  output reg         parity_o,
  output reg  [32:0] odd_o
);
  assign low_o = sum_o[6:0];
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      sum_o <= 64'd0;
      full_o <= 1'b0;
      odd_o <= 33'd0;
    end else if (en_i) begin
      sum_o <= (sum_o + {57'd0, step_i}) ^ mask_i;
      full_o <= &step_i;
      odd_o <= odd_i;
    end
  always @(posedge clk_i)
    if (en_i) parity_o <= ^step_i;
endmodule
`default_nettype wire
";

fn dut() -> Dut {
    let port = |name: &str, direction, width| Port { name: name.into(), direction, width, doc: String::new() };
    let (input, output) = (Direction::Input, Direction::Output);
    Dut {
        top: "counter".into(),
        sources: vec![Source { file: "counter.v".into(), text: COUNTER.into() }],
        ports: vec![
            port("clk_i", input, 1),
            port("rst_ni", input, 1),
            port("en_i", input, 1),
            port("step_i", input, 7),
            port("mask_i", input, 64),
            port("odd_i", input, 33),
            port("sum_o", output, 64),
            port("full_o", output, 1),
            port("low_o", output, 7),
            port("parity_o", output, 1),
            port("odd_o", output, 33),
        ],
        clock: "clk_i".into(),
        reset: "rst_ni".into(),
    }
}

type Step = (bool, u8, u64, u64);

/// Reset, then one record a step, expected outputs from a model in Rust. The
/// first step enables, so that `parity_o` is known from then on.
fn records(layout: &Layout, steps: &[Step]) -> Vec<u8> {
    let mut records = Vec::new();
    let (mut sum, mut full, mut parity, mut odd) = (0u64, 0u64, 0u64, 0u64);
    layout.push(&mut records, false, &[0, 1, 5, 6, 7], &[0; 5]);
    layout.push(&mut records, true, &[0, 1, 0, 0, 0], &[0; 5]);
    // Clocked in reset with step 5, then with 0: the parity is 0.
    for &(enable, step, mask, odd_in) in steps {
        let inputs = [1, u64::from(enable), u64::from(step), mask, odd_in];
        layout.push(&mut records, true, &inputs, &[sum, full, sum & 0x7F, parity, odd]);
        if enable {
            sum = sum.wrapping_add(u64::from(step)) ^ mask;
            full = u64::from(step == 0x7F);
            parity = u64::from(step.count_ones() % 2);
            odd = odd_in;
        }
    }
    records
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![0u8..0x80, Just(0x7F)];
    prop::collection::vec((any::<bool>(), step, any::<u64>(), 0u64..1 << 33), 1..200)
}

/// Built once for all tests, and kept from one run to the next.
fn simulators(dut: &Dut) -> Vec<Simulator> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let go = AtomicBool::new(false);
    vec![
        verilator::build(dut, Body::Gated, true, cache, &go).unwrap(),
        icarus::build(dut, Body::Gated, cache, &go).unwrap(),
    ]
}

fn feed(simulator: &Simulator, window: Option<&Window>, records: &[u8]) -> (Option<()>, Vec<Section>) {
    let produce = |writer: &mut FrameWriter<'_>, layout: &Layout| -> Result<(), Stop> {
        for (index, record) in records.chunks(layout.record_bytes()).enumerate() {
            writer.records()?.extend_from_slice(record);
            if index % 100 == 99 {
                writer.mark()?;
            }
        }
        Ok(())
    };
    compare(simulator, window, None, produce).unwrap()
}

#[test]
fn both_benches_agree_with_a_model_and_find_every_wrong_bit() {
    let dut = dut();
    for simulator in simulators(&dut) {
        let live = RefCell::new(Exchange::start(&simulator).unwrap());
        let layout = simulator.layout.clone();
        let config = Config { cases: 40, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..Config::default() };
        let wrong = (any::<prop::sample::Index>(), 0usize..5, any::<prop::sample::Index>());
        TestRunner::new(config)
            .run(&(steps(), wrong), |(steps, (at, output, bit))| {
                let good = records(&layout, &steps);
                let (_, sections) = feed(&simulator, None, &good);
                prop_assert!(sections.iter().all(|section| section.mismatches == 0), "{sections:?}");
                let cycles: u64 = sections.iter().map(|section| section.cycles).sum();
                prop_assert_eq!(cycles, steps.len() as u64 + 2);

                // The outputs come back as they were expected.
                let mut seen = Vec::new();
                live.borrow_mut().run(&good, |_, outputs| seen.push(outputs.to_vec())).unwrap();
                let expected = good.chunks(layout.record_bytes()).map(|record| record[layout.input_bytes..].to_vec());
                prop_assert_eq!(&seen[2..], &expected.skip(2).collect::<Vec<_>>()[..]);

                // One flipped bit is found, where it is.
                let cycle = 2 + at.index(steps.len());
                let field = &layout.outputs[output];
                let bit = bit.index(field.width);
                let mut bad = good;
                let part = cycle * layout.record_bytes() + layout.input_bytes + field.byte;
                bad[part + (field.bit + bit) / 8] ^= 1 << ((field.bit + bit) % 8);
                let (_, sections) = feed(&simulator, None, &bad);
                prop_assert_eq!(sections.iter().map(|section| section.mismatches).sum::<u64>(), 1);
                let first = sections.iter().find_map(|section| section.first.clone()).unwrap();
                prop_assert_eq!((first.cycle, first.signal), (cycle as u64, field.name.clone()));
                let parse = |text: &str| u64::from_str_radix(text, 16).unwrap();
                prop_assert_eq!(parse(&first.expected) ^ parse(&first.actual), 1 << bit);
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn the_waveform_holds_the_window_and_nothing_else() {
    let cache = tempfile::tempdir().unwrap();
    let dut = dut();
    let steps: Vec<Step> = (0..300).map(|i| (true, (i % 100) as u8, 0, i)).collect();
    for simulator in simulators(&dut) {
        let window =
            Window { folder: cache.path().into(), file: format!("{}.vcd", simulator.kind), from: 150, to: 160 };
        let (_, sections) = feed(&simulator, Some(&window), &records(&simulator.layout, &steps));
        assert_eq!(sections.iter().map(|section| section.cycles).sum::<u64>(), 161, "it ends after the window");
        let mut wave = wellen::simple::read(window.path()).unwrap();
        let names = wave.hierarchy();
        let sum = names.all_vars().map(|var| &names[var]).find(|var| var.name(names) == "sum_o").unwrap().signal_ref();
        wave.load_signals(&[sum]);
        let changes = wave.get_signal(sum).unwrap().time_indices().len();
        // One value a cycle; Icarus adds what the last edge brings.
        let expected = if simulator.kind == SimulatorKind::Icarus { 12 } else { 11 };
        assert_eq!(changes, expected, "{}", simulator.kind);
    }
}

#[test]
fn icarus_finds_outputs_that_are_unknown() {
    let cache = tempfile::tempdir().unwrap();
    let dut = dut();
    let simulator = icarus::build(&dut, Body::Gated, cache.path(), &AtomicBool::new(false)).unwrap();
    let mut records = Vec::new();
    // Never enabled: parity_o is never written.
    for _ in 0..3 {
        simulator.layout.push(&mut records, false, &[0, 0, 0, 0, 0], &[0; 5]);
    }
    simulator.layout.push(&mut records, true, &[1, 0, 0, 0, 0], &[0; 5]);
    let (_, sections) = feed(&simulator, None, &records);
    let first = sections[0].first.clone().unwrap();
    assert_eq!((first.cycle, first.signal.as_str(), first.actual.as_str()), (3, "parity_o", "x"));
    let error = Exchange::start(&simulator).unwrap().run(&records, |_, _| {}).unwrap_err();
    assert!(matches!(&error, SimulatorError::Unknown { cycle: 3, signal } if signal == "parity_o"), "{error}");
}

#[test]
fn a_simulator_is_built_once() {
    let cache = tempfile::tempdir().unwrap();
    let go = AtomicBool::new(false);
    let mut dut = dut();
    let files = || std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let programs = || files().filter(|name| name.to_string_lossy().starts_with("verilator-")).count();
    let build = |dut: &Dut| verilator::build(dut, Body::Gated, false, cache.path(), &go).unwrap();
    let first = build(&dut);
    let written = first.program.metadata().unwrap().modified().unwrap();
    assert_eq!(build(&dut).program.metadata().unwrap().modified().unwrap(), written);
    assert_eq!((programs(), files().count()), (1, 2), "the program and Verilator's run-time library stay behind");
    dut.sources[0].text.push_str("// changed\n");
    assert_ne!(build(&dut).program, first.program);
    assert_eq!((programs(), files().count()), (2, 3));
}

#[test]
fn verilog_that_does_not_compile_is_shown() {
    let cache = tempfile::tempdir().unwrap();
    let go = AtomicBool::new(false);
    let mut dut = dut();
    dut.sources[0].text = dut.sources[0].text.replace("endmodule", "");
    let error = verilator::build(&dut, Body::Gated, false, cache.path(), &go).unwrap_err().to_string();
    assert!(error.starts_with("verilator") && error.contains("counter.v"), "{error}");
    let error = icarus::build(&dut, Body::Gated, cache.path(), &go).unwrap_err().to_string();
    assert!(error.starts_with("iverilog failed") && error.contains("counter.v"), "{error}");
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn cut_vectors_and_cancelling_are_errors() {
    for simulator in simulators(&dut()) {
        let mut run = Command::new(&simulator.program);
        match &simulator.image {
            Some(image) => run.arg("-n").arg(image).arg("+compare"),
            None => run.arg("compare"),
        };
        // The frame promises two records and holds a part of one.
        let vectors = [2, 0, 0, 0, 1, 2, 3];
        let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&vectors).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("the test vectors end"), "{output:?}");

        let cancel = AtomicBool::new(true);
        let error = compare(&simulator, None, Some(&cancel), |writer, _| {
            loop {
                writer.mark()?;
            }
        });
        assert!(error.map(|(never, _): (Option<()>, _)| never).unwrap_err().is_cancelled());
    }
}

#[test]
fn lint_passes_clean_verilog_and_shows_what_is_wrong() {
    let go = AtomicBool::new(false);
    let passes = lint(&dut(), &go).unwrap();
    assert_eq!(passes.len(), 6);
    for pass in &passes {
        assert_eq!(pass.messages, "", "{:?}", pass.tool);
    }
    let complaints = |from: &str, to: &str| -> Vec<String> {
        let mut dut = dut();
        dut.sources[0].text = dut.sources[0].text.replace(from, to);
        assert_ne!(dut.sources[0].text, COUNTER);
        let passes = lint(&dut, &go).unwrap();
        passes.into_iter().filter(|p| !p.messages.is_empty()).map(|p| format!("{} {}", p.tool, p.messages)).collect()
    };
    let width = complaints("^ mask_i", "^ mask_i[62:0]");
    assert!(width.iter().any(|text| text.starts_with("verilator") && text.contains("WIDTH")), "{width:?}");
    let undeclared = complaints("assign low_o", "assign lowo");
    for tool in ["verilator", "iverilog", "yosys"] {
        assert!(undeclared.iter().any(|text| text.starts_with(tool) && text.contains("lowo")), "{undeclared:?}");
    }
    let looped = complaints("assign low_o = sum_o[6:0];", "assign low_o = ~(low_o & sum_o[6:0]);");
    assert!(looped.iter().any(|text| text.starts_with("yosys") && text.contains("logic loop")), "{looped:?}");
}
