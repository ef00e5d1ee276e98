//! What case by case comes out, against Yosys' SAT, on random expressions and on tables.

use super::cut::cut;
use super::decide::{self, decide};
use super::expand::{Expansion, expand};
use super::json::{Bit, Design, Module};
use crate::equivalence::folder::Folder;
use crate::tools::Tool;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static RUN: AtomicBool = AtomicBool::new(false);

/// Modules as words and as gates that ABC has rewritten.
fn both(verilog: &str) -> (Design, Design) {
    let folder = Folder::new().unwrap();
    folder.write("m.v", verilog).unwrap();
    let script = "read_verilog m.v\nproc -norom\nopt_clean\nwrite_json words.json\n\
                  techmap\nopt\nabc -g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT,MUX\nopt_clean\nwrite_json gates.json\n";
    folder.must(script, "m", &RUN).unwrap_or_else(|error| panic!("{error}"));
    let read = |file| serde_json::from_str(&folder.read(file).unwrap()).unwrap();
    (read("words.json"), read("gates.json"))
}

/// What Yosys says about two modules of gates.
fn yosys(gold: &Module, gate: &Module) -> decide::Verdict {
    let cut = cut(gold, gate, &BTreeMap::new()).unwrap();
    decide(&cut, Duration::from_secs(60), &RUN).unwrap_or_else(|error| panic!("{error}"))
}

/// The module with its `number`th gate, counted round, as another one; none if there is no such gate.
fn broken(gates: &Module, number: usize) -> Option<Module> {
    let mut module = gates.clone();
    let with_two = |kind: &str| !["$_MUX_", "$_NOT_", "$_BUF_"].contains(&kind);
    let count = module.cells.values().filter(|cell| with_two(&cell.kind)).count();
    let cell = module.cells.values_mut().filter(|cell| with_two(&cell.kind)).nth(number % count.max(1))?;
    cell.kind = if cell.kind == "$_AND_" { "$_ORNOT_" } else { "$_AND_" }.to_owned();
    Some(module)
}

/// An expression of the inputs `a`, `b`, `c` and `s`.
fn expression() -> impl Strategy<Value = String> {
    let word = prop_oneof![Just("a"), Just("b"), Just("c"), Just("s"), Just("4'b0101"), Just("1'b1")];
    word.prop_map(str::to_owned).prop_recursive(5, 24, 3, |inner| {
        let two = prop::sample::select(vec!["&", "|", "^", "~^", "==", "!=", "&&", "||"]);
        let one = prop::sample::select(vec!["~", "!", "&", "|", "^", "~^"]);
        prop_oneof![
            (inner.clone(), two, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (one, inner.clone()).prop_map(|(operator, a)| format!("({operator} {a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(s, a, b)| format!("({s} ? {a} : {b})")),
        ]
    })
}

fn module(name: &str, y: &str) -> String {
    format!(
        "module {name} (input wire [3:0] a, input wire [4:0] b, input wire [5:0] c, input wire s, output wire [5:0] y);\n  \
         assign y = {y};\nendmodule\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    /// With `x` in it, the same holds for 0 and for 1 instead: equal to both or to neither, and never different from one.
    #[test]
    fn what_is_undefined_is_anything(list in prop::collection::vec((expression(), expression(), expression()), 24)) {
        if Tool::Yosys.find().is_err() {
            eprintln!("SKIPPED: yosys is missing (apt-get install yosys)");
            return Ok(());
        }
        let mut verilog = String::new();
        for (index, (a, b, s)) in list.iter().enumerate() {
            for value in ["x", "0", "1"] {
                let hidden = format!("({s} ? ({a} ^ 1'b{value}) : {b})");
                let y = if index % 2 == 0 { hidden } else { format!("({s} ? {a} : {hidden})") };
                verilog += &module(&format!("m{index}_{value}"), &y);
            }
        }
        let (words, gates) = both(&verilog);
        let (mut equal, mut open) = (0, 0);
        for (index, expressions) in list.iter().enumerate() {
            let [gold, low, high] = ["x", "0", "1"].map(|value| format!("m{index}_{value}"));
            let found = ["0", "1"].map(|value| expand(&words.modules[&gold], &gates.modules[&format!("m{index}_{value}")], &RUN));
            let same = matches!(yosys(&gates.modules[&low], &gates.modules[&high]), decide::Verdict::Equal(6));
            match found {
                [Some(Expansion::Equal(6)), Some(Expansion::Equal(6))] if same => equal += 1,
                [None, None] => open += 1,
                other => prop_assert!(false, "{:?}: {:?}, {}", expressions, other, same),
            }
        }
        prop_assert!(equal > 0 && open > 0, "{} {}", equal, open);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn expressions_are_their_gates_and_not_others(list in prop::collection::vec((expression(), any::<usize>()), 24)) {
        if Tool::Yosys.find().is_err() {
            eprintln!("SKIPPED: yosys is missing (apt-get install yosys)");
            return Ok(());
        }
        let verilog = list.iter().enumerate().fold(String::new(), |text, (index, (y, _))| text + &module(&format!("m{index}"), y));
        let (words, gates) = both(&verilog);
        for (index, (y, number)) in list.iter().enumerate() {
            let name = format!("m{index}");
            let (gold, gate) = (&words.modules[&name], &gates.modules[&name]);
            prop_assert_eq!(expand(gold, gate, &RUN), Some(Expansion::Equal(6)), "{}", y);
            let Some(broken) = broken(gate, *number) else { continue };
            match (expand(gold, &broken, &RUN), yosys(gate, &broken)) {
                (Some(Expansion::Equal(6)), decide::Verdict::Equal(6)) => {}
                (Some(Expansion::Different(signals, case)), decide::Verdict::Different(..)) => {
                    prop_assert!(!signals.is_empty() && signals.iter().all(|name| name.starts_with("y[")), "{:?}", signals);
                    prop_assert!(case.lines().all(|line| line.ends_with(" = 0") || line.ends_with(" = 1")), "{}", case);
                }
                other => prop_assert!(false, "{}: {:?}", y, other),
            }
        }
    }
}

/// A table of 14 inputs by nested conditions, as a frozen memory is written: the first word that fits, and
/// nothing is assigned on the way to it.
fn table(words: usize) -> String {
    let mut text =
        "module m (input wire [6:0] a, input wire [6:0] b, output reg [7:0] y);\n  always @* begin\n".to_owned();
    for word in 0..words {
        let value = word * 37 % 251;
        let _ =
            writeln!(text, "    if (a == {word} && (b[6:2] ^ {}) == 0) begin y = {value}; end else begin", word % 32);
    }
    text + "    y = 0;\n" + &"    end\n".repeat(words) + "  end\nendmodule\n"
}

#[test]
fn a_table_is_proven_and_one_wrong_word_is_found() {
    if Tool::Yosys.find().is_err() {
        eprintln!("SKIPPED: yosys is missing (apt-get install yosys)");
        return;
    }
    let (words, gates) = both(&table(24));
    let (gold, gate) = (&words.modules["m"], &gates.modules["m"]);
    assert_eq!(expand(gold, gate, &RUN), Some(Expansion::Equal(8)));
    // One bit in one word: word 21 is 21 * 37 % 251 = 24.
    let (other, _) = both(&table(24).replace("y = 24;", "y = 28;"));
    let Some(Expansion::Different(signals, case)) = expand(&other.modules["m"], gate, &RUN) else { panic!() };
    assert_eq!(signals, ["y[2]"]);
    // 21 = 0010101.
    for bit in ["a[0] = 1", "a[1] = 0", "a[4] = 1", "a[6] = 0", "b[2] = 1", "b[3] = 0", "b[6] = 1"] {
        assert!(case.lines().any(|line| line == bit), "{case}");
    }
}

#[test]
fn a_case_names_all_inputs_that_differing_outputs_follow() {
    if Tool::Yosys.find().is_err() {
        eprintln!("SKIPPED: yosys is missing (apt-get install yosys)");
        return;
    }
    let of = |y: &str| {
        both(&format!("module m (input wire a, b, c, output wire [2:0] y);\n  assign y = {y};\nendmodule\n")).0.modules
            ["m"]
            .clone()
    };
    // Outputs of no common input: one case is found, and the other outputs differ in it too.
    let Some(Expansion::Different(signals, case)) = expand(&of("{c, b, a}"), &of("{c, ~b, ~a}"), &RUN) else {
        panic!()
    };
    assert_eq!(signals, ["y[0]", "y[1]"]);
    let names: Vec<&str> = case.lines().filter_map(|line| line.split(" = ").next()).collect();
    assert_eq!(names, ["a[0]", "b[0]"]);
}

#[test]
fn what_is_not_for_case_by_case_is_left() {
    if Tool::Yosys.find().is_err() {
        eprintln!("SKIPPED: yosys is missing (apt-get install yosys)");
        return;
    }
    let of = |body: &str| {
        let text = format!("module m (input wire clk, input wire [63:0] a, output wire y);\n{body}\nendmodule\n");
        both(&text).0.modules["m"].clone()
    };
    let constant = of("assign y = 1'b1;");
    let undefined = of("assign y = a[0] ? 1'bx : 1'b1;");
    assert_eq!(expand(&undefined, &constant, &RUN), None);
    assert_eq!(expand(&constant, &undefined, &RUN), None);
    // Undefined, but never shown.
    let hidden = of("wire x = a[0] ? 1'bx : 1'b1; assign y = a[0] ? 1'b1 : x;");
    assert_eq!(expand(&hidden, &constant, &RUN), Some(Expansion::Equal(1)));
    // More inputs than can be looked at, in other words.
    let (wide, other) = (of("assign y = &a;"), of("assign y = !(|(~a));"));
    assert_eq!(expand(&wide, &wide, &RUN), Some(Expansion::Equal(1)));
    assert_eq!(expand(&wide, &other, &RUN), Some(Expansion::Equal(1)));
    assert_eq!(expand(&of("assign y = ^a;"), &of("assign y = ~(^{a[0], ~a[63:1]});"), &RUN), None);
    // Registers, arithmetic, signs, other ports.
    for body in ["reg q; always @(posedge clk) q <= a[0]; assign y = q;", "assign y = a[3:0] + a[7:4] == 5;"] {
        assert_eq!(expand(&of(body), &of(body), &RUN), None, "{body}");
    }
    let signed = of("wire signed [1:0] n = a[1:0]; wire signed [3:0] m = a[5:2]; assign y = n == m;");
    assert_eq!(expand(&signed, &signed, &RUN), None);
    let mut without = constant.clone();
    without.ports.remove("a");
    assert_eq!(expand(&constant, &without, &RUN), None);
    without.ports.get_mut("y").unwrap().bits.push(Bit::ZERO);
    assert_eq!(expand(&without, &without, &RUN), Some(Expansion::Equal(2)));
    without.ports.remove("y");
    assert_eq!(expand(&without, &without, &RUN), None);
    // Loops, two drivers, none.
    let and = |a, b, y| serde_json::json!({"type": "$_AND_", "connections": {"A": [a], "B": [b], "Y": [y]}});
    let wired = |cells: &[(u64, u64, u64)]| {
        let cells: BTreeMap<String, _> =
            cells.iter().enumerate().map(|(index, (a, b, y))| (index.to_string(), and(*a, *b, *y))).collect();
        let ports =
            serde_json::json!({"a": {"direction": "input", "bits": [2, 3]}, "y": {"direction": "output", "bits": [4]}});
        serde_json::from_value::<Module>(serde_json::json!({"ports": ports, "cells": cells})).unwrap()
    };
    let good = wired(&[(2, 5, 4), (2, 3, 5)]);
    assert_eq!(expand(&good, &wired(&[(2, 3, 4)]), &RUN), Some(Expansion::Equal(1)));
    for wrong in [
        wired(&[(2, 5, 4), (4, 3, 5)]),
        wired(&[(2, 3, 4), (2, 2, 4)]),
        wired(&[(2, 6, 4)]),
        wired(&[(3, 3, 2), (2, 3, 4)]),
    ] {
        assert_eq!(expand(&good, &wrong, &RUN), None);
    }
    // A net that nothing drives and that others share, and a port of both directions.
    for (from, to) in [("[4]", "[\"z\"]"), ("\"output\"", "\"inout\"")] {
        let text = serde_json::to_string(&good).unwrap();
        let other = serde_json::from_str::<Module>(&text.replace(from, to)).unwrap();
        assert_eq!(expand(&other, &good, &RUN), None, "{to}");
        assert_eq!(expand(&other, &other, &RUN), None, "{to}");
    }
    assert_eq!(expand(&good, &good, &AtomicBool::new(true)), Some(Expansion::Equal(1)));
    assert_eq!(expand(&good, &wired(&[(2, 2, 4)]), &AtomicBool::new(true)), None);
}
