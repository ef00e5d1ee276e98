//! The primitives' behaviour in rust-hdl: what their hand-written Verilog must do too.

use axp_hdl::circuit::Circuit;
use axp_hdl::prim::{BankBody, BankShape, ClockGate};
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

/// One bank on its own, its ports passed through.
fn bank(reset: Option<ResetStyle>, body: BankBody, lanes: Vec<(&'static str, u32)>) -> Circuit {
    let mut c = Circuit::new("axp_test", "a bank");
    c.clock();
    if let Some(reset) = reset {
        c.reset(reset);
    }
    c.test_enable();
    let enable = c.input("en_i", 1, "enable");
    let ports: Vec<(String, String)> = lanes
        .iter()
        .map(|(lane, _)| match *lane {
            "" => ("d_i".into(), "q_o".into()),
            lane => (format!("{lane}_i"), format!("{lane}_o")),
        })
        .collect();
    let inputs: Vec<_> =
        lanes.iter().zip(&ports).map(|((_, width), (port, _))| (port, c.input(port, *width, "word"))).collect();
    let words: Vec<_> = inputs.iter().map(|(port, value)| (port.as_str(), value)).collect();
    let shape = BankShape { kind: "axp_bank", doc: "a bank", reset, body, lanes };
    let bank = c.bank("bank", shape, &words, &enable);
    for (_, output) in &ports {
        let stored = bank.port(output);
        c.output(output, stored, "stored word");
    }
    if reset.is_some() {
        c.drive("rst_ni", 1);
    }
    c
}

/// One clock period with the inputs as they are: rise, then fall.
fn clock(c: &mut Circuit) {
    c.settle();
    for level in [1, 0] {
        c.drive("clk_i", level);
        c.settle();
    }
}

#[test]
fn a_register_keeps_loads_and_resets() {
    let styles = [ResetStyle::Async, ResetStyle::Sync].into_iter();
    let all = styles.flat_map(|reset| [BankBody::Enabled, BankBody::Gated].map(|body| (reset, body)));
    for (reset, body) in all {
        let mut c = bank(Some(reset), body, vec![("", 8)]);
        c.drive("en_i", 1);
        c.drive("d_i", 5);
        c.settle();
        assert_eq!(c.read("q_o"), 0, "nothing is loaded before the edge");
        clock(&mut c);
        assert_eq!(c.read("q_o"), 5);
        c.drive("en_i", 0);
        c.drive("d_i", 6);
        clock(&mut c);
        assert_eq!(c.read("q_o"), 5, "kept without the enable");
        c.drive("rst_ni", 0);
        c.settle();
        let asynchronous = if reset == ResetStyle::Async { 0 } else { 5 };
        assert_eq!(c.read("q_o"), asynchronous, "{reset:?} before the edge");
        c.drive("en_i", 1);
        clock(&mut c);
        assert_eq!(c.read("q_o"), 0, "reset is stronger than the enable");
    }
}

#[test]
fn a_bank_loads_all_lanes_with_the_enable_alone() {
    let mut c = bank(None, BankBody::Gated, vec![("key", 64), ("care", 64), ("product", 8)]);
    for (enable, value, kept) in [(1, 1, 1), (0, 2, 1), (1, 3, 3)] {
        c.drive("en_i", enable);
        for (port, offset) in [("key_i", 0), ("care_i", 10), ("product_i", 20)] {
            c.drive(port, value + offset);
        }
        clock(&mut c);
        assert_eq!(["key_o", "care_o", "product_o"].map(|port| c.read(port)), [kept, kept + 10, kept + 20]);
    }
}

/// What the register of the memory holds is of no account where a bank of latches is
/// flip-flops: in simulation.
#[test]
fn a_bank_of_latches_takes_its_inputs_at_the_edge() {
    let shape =
        BankShape { kind: "axp_latches", doc: "latches", reset: None, body: BankBody::Latched, lanes: vec![("a", 8)] };
    let mut c = Circuit::new("axp_test", "latches");
    c.clock();
    c.test_enable();
    let [enable, a, held] = [("en_i", 1), ("a_i", 8), ("a_held_i", 8)].map(|(port, width)| c.input(port, width, "in"));
    let stored = c.bank("bank", shape, &[("a_i", &a), ("a_held_i", &held)], &enable).port("a_o");
    c.output("a_o", stored, "stored");
    for (enable, value, kept) in [(1, 1, 1), (0, 2, 1), (1, 3, 3)] {
        c.drive("en_i", enable);
        c.drive("a_i", value);
        c.drive("a_held_i", 77);
        clock(&mut c);
        assert_eq!(c.read("a_o"), kept);
    }
}

#[test]
fn a_branch_of_the_clock_is_the_clock() {
    let mut c = Circuit::new("axp_test", "a register on a branch");
    c.clock();
    c.reset(ResetStyle::Sync);
    c.test_enable();
    let [enable, value] = [("en_i", 1), ("d_i", 8)].map(|(port, width)| c.input(port, width, "in"));
    c.clock_branch("branch", &enable);
    let stored = c.gated_register("word", &value, &enable);
    c.output("q_o", stored, "stored");
    c.drive("rst_ni", 1);
    for (enable, value, kept) in [(1, 5, 5), (0, 6, 5), (1, 7, 7)] {
        c.drive("en_i", enable);
        c.drive("d_i", value);
        clock(&mut c);
        assert_eq!(c.read("q_o"), kept);
    }
    c.drive("en_i", 0);
    c.drive("rst_ni", 0);
    clock(&mut c);
    assert_eq!(c.read("q_o"), 0);
}

#[test]
fn the_clock_gate_passes_whole_pulses_only() {
    let mut gate = ClockGate::new();
    fn settle(block: &mut dyn Block) {
        for _ in 0..100 {
            block.update_all();
            if !block.has_changed() {
                return;
            }
        }
        panic!("the block does not settle");
    }
    let mut pulse = |enable: bool, test: bool, late: bool| {
        gate.en_i.next = enable;
        gate.test_en_i.next = test;
        settle(&mut gate);
        gate.clk_i.next = true.into();
        settle(&mut gate);
        let high = gate.clk_o.val().clk;
        // A change of the enable while the clock is high must not show.
        gate.en_i.next = late;
        settle(&mut gate);
        assert_eq!(gate.clk_o.val().clk, high, "the pulse was cut or begun late");
        gate.clk_i.next = false.into();
        settle(&mut gate);
        assert!(!gate.clk_o.val().clk);
        high
    };
    assert!(pulse(true, false, false));
    assert!(!pulse(false, false, true));
    assert!(pulse(false, true, false));
    assert!(!pulse(false, false, false));
}
