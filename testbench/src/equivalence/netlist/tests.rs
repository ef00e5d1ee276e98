//! Cuts and their proofs on modules of a few gates.

use super::cut::cut;
use super::decide::{Verdict, decide};
use super::json::{Cell, Module};
use super::*;
use serde_json::json;

/// Pins of a gate, and their nets.
type Pins<'a> = &'a [(&'a str, u64)];

/// A module with the inputs `clk` (net 2) and `d` (nets 3, 4), the output `y`, these cells, and
/// names of nets.
fn module(y: &[u64], cells: &[(&str, &str, Pins<'_>)], names: Pins<'_>) -> Module {
    let port = |direction: &str, bits: &[u64]| json!({"direction": direction, "bits": bits});
    let mut text = json!({
        "ports": {"clk": port("input", &[2]), "d": port("input", &[3, 4]), "y": port("output", y)},
        "cells": {}, "netnames": {},
    });
    for (name, kind, pins) in cells {
        let output = |pin: &str| ["Y", "Q", "q"].contains(&pin);
        let directions: BTreeMap<&str, &str> =
            pins.iter().map(|(pin, _)| (*pin, if output(pin) { "output" } else { "input" })).collect();
        let connections: BTreeMap<&str, [u64; 1]> = pins.iter().map(|(pin, net)| (*pin, [*net])).collect();
        text["cells"][name] = json!({"type": kind, "port_directions": directions, "connections": connections});
    }
    for (name, net) in names {
        text["netnames"][name] = json!({"bits": [net]});
    }
    serde_json::from_value(text).unwrap()
}

fn verdict(gold: &Module, gate: &Module, boxes: &BTreeMap<String, Module>) -> (Verdict, Vec<String>) {
    let cut = cut(gold, gate, boxes).unwrap();
    let verdict = decide(&cut, Duration::from_secs(20), &AtomicBool::new(false));
    (verdict.unwrap_or_else(|error| panic!("{error}")), cut.alone)
}

/// What differs, without the log.
fn different(gold: &Module, gate: &Module) -> Vec<String> {
    match verdict(gold, gate, &BTreeMap::new()) {
        (Verdict::Different(signals, _), alone) if alone.is_empty() => signals,
        other => panic!("{other:?}"),
    }
}

/// A register of one bit.
fn register() -> Module {
    module(&[5], &[("ff", "$_DFF_P_", &[("C", 2), ("D", 3), ("Q", 5)])], &[("q", 5)])
}

#[test]
fn a_register_is_what_it_is_given_and_when() {
    let gold = register();
    assert_eq!(verdict(&gold, &gold, &BTreeMap::new()).0, Verdict::Equal(5));
    let ff = |kind, pins: &[(&str, u64)]| module(&[5], &[("_1_", kind, pins)], &[("q", 5)]);
    assert_eq!(different(&gold, &ff("$_DFF_P_", &[("C", 2), ("D", 4), ("Q", 5)])), ["q[0].next"]);
    assert_eq!(different(&gold, &ff("$_DFF_P_", &[("C", 3), ("D", 3), ("Q", 5)])), ["q[0].clock"]);
    assert_eq!(different(&gold, &ff("$_DFF_N_", &[("C", 2), ("D", 3), ("Q", 5)])), ["q[0].clock"]);
    assert_eq!(different(&gold, &ff("$_DFF_PP0_", &[("C", 2), ("D", 3), ("R", 4), ("Q", 5)])), ["q[0].clear"]);
    assert_eq!(different(&gold, &ff("$_DFF_PN1_", &[("C", 2), ("D", 3), ("R", 4), ("Q", 5)])), ["q[0].set"]);
    // Set and reset that are never active are none.
    let mut both = ff("$_DFFSR_PNP_", &[("C", 2), ("D", 3), ("S", 4), ("R", 4), ("Q", 5)]);
    let pins = &mut both.cells.get_mut("_1_").unwrap().connections;
    pins.extend([("S", '1'), ("R", '0')].map(|(pin, bit)| (pin.to_owned(), vec![json::Bit::Constant(bit)])));
    assert_eq!(verdict(&gold, &both, &BTreeMap::new()).0, Verdict::Equal(5));
}

#[test]
fn a_register_may_store_the_complement() {
    let inverter = |name, input, output| (name, "$_NOT_", vec![("A", input), ("Y", output)]);
    let gate = |data: u64| {
        let (before, behind) = (inverter("a", 3, 6), inverter("b", 7, 5));
        let ff = [("C", 2), ("D", data), ("Q", 7)];
        let cells: [(&str, &str, Pins<'_>); 3] =
            [(before.0, before.1, &before.2), (behind.0, behind.1, &behind.2), ("ff", "$_DFF_P_", &ff)];
        module(&[5], &cells, &[("q", 5)])
    };
    assert_eq!(verdict(&register(), &gate(6), &BTreeMap::new()).0, Verdict::Equal(5));
    assert_eq!(different(&register(), &gate(3)), ["q[0].next"]);
}

#[test]
fn registers_that_are_always_equal_may_be_one() {
    let pins = |q| [("C", 2), ("D", 3), ("Q", q)];
    let (first, second) = (pins(5), pins(6));
    let gold = module(&[5, 6], &[("a", "$_DFF_P_", &first), ("b", "$_DFF_P_", &second)], &[("a", 5), ("b", 6)]);
    let gate = module(&[5, 5], &[("_1_", "$_DFF_P_", &first)], &[("a", 5), ("b", 5)]);
    assert!(matches!(verdict(&gold, &gate, &BTreeMap::new()).0, Verdict::Equal(_)));
    let other = [("C", 2), ("D", 4), ("Q", 6)];
    let gold = module(&[5, 6], &[("a", "$_DFF_P_", &first), ("b", "$_DFF_P_", &other)], &[("a", 5), ("b", 6)]);
    assert_eq!(different(&gold, &gate), ["b[0].next"]);
}

#[test]
fn a_latch_has_the_instance_it_is_in() {
    let latch = |kind, name| module(&[5], &[("l", kind, &[("E", 2), ("D", 3), ("Q", 5)])], &[(name, 5)]);
    let gold = latch("$_DLATCH_N_", "gate.en_latched");
    assert!(matches!(verdict(&gold, &latch("$_DLATCH_N_", "gate.open"), &BTreeMap::new()).0, Verdict::Equal(_)));
    assert_eq!(different(&gold, &latch("$_DLATCH_P_", "gate.open")), ["gate.open[0].clock"]);
    // Neither another instance nor a flip-flop is its counterpart.
    let (found, alone) = verdict(&gold, &latch("$_DLATCH_N_", "other.open"), &BTreeMap::new());
    assert!(matches!(found, Verdict::Different(..)) && alone == ["gate.en_latched", "other.open"], "{alone:?}");
    let flop = module(&[5], &[("f", "$_DFF_P_", &[("C", 2), ("D", 3), ("Q", 5)])], &[("gate.en_latched", 5)]);
    assert_eq!(verdict(&gold, &flop, &BTreeMap::new()).1.len(), 2);
}

#[test]
fn what_modules_inside_are_given_is_compared() {
    let head = json!({"ports": {"a": {"direction": "input", "bits": [2]}, "q": {"direction": "output", "bits": [3]}},
                      "cells": {}});
    let boxes = BTreeMap::from([("inner".to_owned(), serde_json::from_value::<Module>(head).unwrap())]);
    let outer = |name, input| module(&[5], &[(name, "inner", &[("a", input), ("q", 5)])], &[]);
    assert_eq!(verdict(&outer("u", 3), &outer("u", 3), &boxes).0, Verdict::Equal(2));
    let (Verdict::Different(signals, _), _) = verdict(&outer("u", 3), &outer("u", 4), &boxes) else { panic!() };
    assert_eq!(signals, ["u.inner.a"]);
    // Another instance: the ports of the cut differ.
    assert!(matches!(verdict(&outer("u", 3), &outer("v", 3), &boxes).0, Verdict::Different(..)));
    // A cell that is neither logic nor a known register nor a module inside.
    for kind in ["inner", "$_DFFE_PP_", "$mem_v2"] {
        let unknown = module(&[5], &[("c", kind, &[("a", 3)])], &[]);
        assert_eq!(cut(&module(&[5], &[], &[]), &unknown, &BTreeMap::new()).unwrap_err(), kind);
    }
}

#[test]
fn loops_and_nets_without_or_with_two_drivers_are_no_netlist() {
    let and = |name, a, b, y| (name, "$_AND_", [("A", a), ("B", b), ("Y", y)]);
    type And = (&'static str, &'static str, [(&'static str, u64); 3]);
    let of = |cells: &[And]| {
        let cells: Vec<(&str, &str, Pins<'_>)> = cells.iter().map(|(n, k, pins)| (*n, *k, pins.as_slice())).collect();
        module(&[5], &cells, &[])
    };
    let gold = of(&[and("a", 3, 4, 5)]);
    assert_eq!(verdict(&gold, &gold, &BTreeMap::new()).0, Verdict::Equal(1));
    for wrong in [
        of(&[and("a", 3, 5, 5)]),
        of(&[and("a", 3, 6, 5)]),
        of(&[and("a", 3, 4, 5), and("b", 3, 3, 5)]),
        of(&[and("a", 6, 4, 5), and("b", 5, 3, 6)]),
    ] {
        let (found, _) = verdict(&gold, &wrong, &BTreeMap::new());
        assert!(matches!(found, Verdict::Different(..)), "{found:?}");
    }
}

#[test]
fn a_netlist_is_cut_into_its_modules() {
    let text = "/* Generated */\n\nmodule a(x, y);\n  input x;\nendmodule\n\nmodule b();\nendmodule\n";
    let found = modules(text);
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(found[0].1.starts_with("module a(") && found[1].1 == "module b();\nendmodule\n");
    // A cell that is not there.
    assert!(Cell::default().pin("A").is_none());
}
