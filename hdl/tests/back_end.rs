//! The back-end on small blocks: committed texts, and vectors from Rust.
//!
//! `tests/expect/<block>/` holds the Verilog of each block, the values of its
//! ports in a simulation of the *Rust* behaviour, and a bench that compares the
//! two; `axp-testbench` runs it. `AXP_UPDATE=1` writes the folders anew.

mod blocks;

use axp_hdl::prim::{BankBody, BankShape, ClockGate, RegisterBank};
use axp_hdl::verilog::{Emitted, emit};
use axp_hdl::{Direction, Port};
use blocks::{Random, port_values, settle};
use rust_hdl::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Cycles that are simulated.
const CYCLES: usize = 600;

fn connected<B: Block + Default>() -> B {
    let mut block = B::default();
    block.connect_all();
    block
}

/// Simulates the Rust behaviour; `clock` sets the clock and reset pins.
fn vectors<B: Block>(block: &mut B, clock: fn(&mut B, bool, bool), drive: fn(&mut B, &mut Random)) -> String {
    let mut random = Random::new(20_250_101);
    let mut text = String::new();
    for cycle in 0..CYCLES {
        drive(block, &mut random);
        // Every so often a reset, which stays for two cycles.
        let reset_n = cycle % 100 >= 2;
        clock(block, false, reset_n);
        settle(block);
        text.push_str(&port_values(block));
        text.push('\n');
        clock(block, true, reset_n);
        settle(block);
    }
    text
}

/// A self-checking bench for the ports: applies a line, compares, clocks.
fn bench(top: &str, ports: &[Port]) -> String {
    let side = |direction| ports.iter().filter(move |p| p.direction == direction && p.name != "clk_i");
    let width = |direction| side(direction).map(|p| p.width).sum::<usize>();
    let names = |direction| side(direction).map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    let (inputs, outputs) = (width(Direction::Input), width(Direction::Output));
    let declare = |kind: &str, direction| {
        side(direction).map(|p| format!("    {kind} [{}:0] {};\n", p.width - 1, p.name)).collect::<String>()
    };
    let connect: Vec<String> = ports.iter().map(|p| format!(".{0}({0})", p.name)).collect();
    format!(
        "`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
{}{}    reg [{}:0] line [0:{}];
    reg [{}:0] expected;
    integer i;
    {top} dut ({});
    initial begin
        $readmemh(\"vectors.mem\", line);
        for (i = 0; i < {CYCLES}; i = i + 1) begin
            {{{}, expected}} = line[i];
            #1;
            if ({{{}}} !== expected) begin
                $display(\"FAIL line %0d: %b instead of %b\", i + 1, {{{}}}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display(\"PASS %0d\", i);
    end
endmodule
",
        declare("reg ", Direction::Input),
        declare("wire", Direction::Output),
        inputs + outputs - 1,
        CYCLES - 1,
        outputs - 1,
        connect.join(", "),
        names(Direction::Input),
        names(Direction::Output),
        names(Direction::Output),
    )
}

fn expect_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expect").join(name)
}

fn compare(name: &str, emitted: &Emitted, vectors: &str) {
    let mut files: BTreeMap<String, String> =
        emitted.modules.iter().map(|module| (module.file(), module.text.clone())).collect();
    files.insert("bench.v".into(), bench(&format!("axp_{name}"), &emitted.ports));
    files.insert("vectors.mem".into(), vectors.to_owned());
    let dir = expect_folder(name);
    if std::env::var_os("AXP_UPDATE").is_some() {
        _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        files.iter().for_each(|(file, text)| std::fs::write(dir.join(file), text).unwrap());
    }
    let found: BTreeMap<String, String> = std::fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}; run with AXP_UPDATE=1", dir.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    for (file, text) in &files {
        let known = found.get(file).unwrap_or_else(|| panic!("{file} is new; run with AXP_UPDATE=1"));
        assert!(known == text, "{file} changed; run with AXP_UPDATE=1 and look at it. Now it is:\n{text}");
    }
    assert_eq!(files.len(), found.len(), "{} has files that are not written any more", dir.display());
}

fn check<B: Block>(name: &str, mut block: B, clock: fn(&mut B, bool, bool), drive: fn(&mut B, &mut Random)) {
    let emitted = emit(&block, &format!("axp_{name}"), &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let vectors = vectors(&mut block, clock, drive);
    compare(name, &emitted, &vectors);
}

/// For blocks without a clock.
fn unclocked<B>(_: &mut B, _: bool, _: bool) {}

#[test]
fn expressions_have_exact_widths() {
    check("exact", connected(), unclocked, blocks::exact::Exact::drive);
}

#[test]
fn random_expressions_keep_their_value() {
    check("random", connected(), unclocked, blocks::random::Random::drive);
}

#[test]
fn state_machines_become_cases() {
    let clock = |block: &mut blocks::states::States, clock: bool, reset_n: bool| {
        block.clk_i.next = clock.into();
        block.rst_ni.next = reset_n;
    };
    check("states", connected(), clock, blocks::states::States::drive);
}

#[test]
fn arrays_and_loops_are_unrolled() {
    check("lanes", connected(), unclocked, blocks::lanes::Lanes::drive);
}

#[test]
fn statements_keep_their_order_where_it_matters() {
    check("order", connected(), unclocked, blocks::order::Order::drive);
}

#[test]
fn structs_and_interfaces_are_flattened() {
    check("fields", connected(), unclocked, blocks::fields::Fields::drive);
}

#[test]
fn a_shared_cell_is_written_once_and_before_its_users() {
    let mut gate = ClockGate::new();
    gate.connect_all();
    let lanes = vec![("", 8)];
    let mut bank =
        RegisterBank::new(BankShape { kind: "axp_bank", doc: "a bank", reset: None, body: BankBody::Gated, lanes });
    bank.connect_all();
    let emitted = emit(&bank, "axp_bank", &["one line".to_owned()], &[&gate]).unwrap();
    let names: Vec<&str> = emitted.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, ["axp_clock_gate", "axp_bank"]);
    assert_eq!(emitted.modules[1].children, ["axp_clock_gate"]);
    assert!(emitted.modules.iter().all(|module| module.primitive));
    assert!(emitted.modules[1].text.contains("\n// one line\n") && !emitted.modules[0].text.contains("one line"));
}
