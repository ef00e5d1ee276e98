//! `axp fpu`: TestFloat's lines in and out, golden and Verilated, and everything
//! that can be wrong with them.

use crate::runner::{Ended, Runner, ended};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Runs `axp fpu` with this text on standard input.
fn fpu(runner: &Runner, arguments: &[&str], input: &str) -> Ended {
    let mut child = runner
        .command(&[&["fpu"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = thread::spawn(move || {
        // A command that refuses its options never reads.
        let _ = stdin.write_all(input.as_bytes());
    });
    let ended = ended(child.wait_with_output().unwrap());
    writer.join().unwrap();
    ended
}

fn answered(runner: &Runner, arguments: &[&str], input: &str) -> String {
    let ended = fpu(runner, arguments, input);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ended.stdout
}

/// Whether the Verilated runs can be made here. Says so where they cannot.
fn verilator() -> bool {
    let found = Command::new("verilator").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: no Verilator, nothing of --rtl is tested");
    }
    found
}

#[test]
fn lines_are_answered_as_ieee_754_has_it() {
    let runner = Runner::new();
    // 1/3 × 3; overflow; 0 × ∞; a signalling NaN; a subnormal halved; extra columns, blank lines.
    let input =
        "3eaaaaab 40400000\n7F7FFFFF 40000000 12345678 1F\r\n\n0 7f800000\n7FA00000 3F800000\n00000001 3F000000";
    let output = "3EAAAAAB 40400000 3F800000 01\n7F7FFFFF 40000000 7F800000 05\n00000000 7F800000 7FC00000 10\n\
                  7FA00000 3F800000 7FC00000 10\n00000001 3F000000 00000000 03\n";
    assert_eq!(answered(&runner, &["mul"], input), output);
    assert_eq!(
        answered(&runner, &["mul", "--rounding", "rtz"], "7F7FFFFF 40000000\n"),
        "7F7FFFFF 40000000 7F7FFFFF 05\n"
    );
    assert_eq!(answered(&runner, &["add", "--format", "fp16"], "3C00 BC00\n"), "3C00 BC00 0000 00\n");
    // 1.5 and -2.25 in eight bits of sixteenths; 200 is too much; back again.
    let sixteenths = ["--width", "8", "--last-bit", "-4"];
    let to = |input| answered(&runner, &[&["to-fixed"], &sixteenths[..]].concat(), input);
    assert_eq!(
        to("3FC00000\nC0100000\n43480000\n7FC00000\n"),
        "3FC00000 18 00\nC0100000 DC 00\n43480000 7F 05\n7FC00000 00 10\n"
    );
    let from = |input| answered(&runner, &[&["from-fixed"], &sixteenths[..]].concat(), input);
    assert_eq!(from("18\nDC\n"), "18 3FC00000 00\nDC C0100000 00\n");
    assert_eq!(answered(&runner, &["mul"], "\n\n"), "");
    runner.write("cases.txt", b"3F800000 3F800000\n");
    assert_eq!(answered(&runner, &["add", "cases.txt"], ""), "3F800000 3F800000 40000000 00\n");
}

#[test]
fn golden_and_verilated_answers_are_the_same_text() {
    if !verilator() {
        return;
    }
    let runner = Runner::new();
    let mut state = 1u64;
    let mut word = |bits: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 8 & (u64::MAX >> (64 - bits))
    };
    for (arguments, bits) in [
        (&["mul", "--format", "fp16"][..], 16),
        (&["add", "--format", "bf16", "--rounding", "rtz"], 16),
        (&["mul", "--format", "e5m2", "--multiplier", "booth", "--stages", "2"], 8),
        (&["from-fixed", "--format", "e4m3", "--width", "12", "--last-bit", "-6"], 12),
        (&["to-fixed", "--format", "e4m3", "--width", "12", "--last-bit", "-6"], 8),
    ] {
        let lines: String = (0..600).map(|_| format!("{:X} {:x}\n\n", word(bits), word(bits))).collect();
        let golden = answered(&runner, arguments, &lines);
        assert_eq!(golden.lines().count(), 600, "{arguments:?}");
        assert_eq!(answered(&runner, &[arguments, &["--rtl"]].concat(), &lines), golden, "{arguments:?}");
    }
}

#[test]
fn what_is_no_case_is_refused_with_its_line() {
    let runner = Runner::new();
    let refused = |arguments: &[&str], input: &str, words: &[&str]| {
        let ended = fpu(&runner, arguments, input);
        assert_eq!(ended.code, Some(2), "{arguments:?} {input:?}\n{}", ended.stderr);
        let flat = ended.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "{arguments:?} {input:?} should mention {word:?}:\n{}", ended.stderr);
        }
        ended.stdout
    };
    // What stands before the fault is answered.
    let before = refused(&["mul"], "0 0\n\n1\n2 2\n", &["line 3", "2 operands"]);
    assert_eq!(before, "00000000 00000000 00000000 00\n");
    refused(&["mul"], "0x0 0\n", &["line 1", "no hexadecimal number"]);
    refused(&["mul", "--format", "e4m3"], "100 0\n", &["line 1", "more than 8 bits"]);
    refused(&["mul"], &"1".repeat(600_000), &["line"]);
    refused(&["to-fixed"], "", &["--width", "--last-bit"]);
    refused(&["to-fixed", "--width", "65", "--last-bit", "0"], "", &["65 bits"]);
    refused(&["mul", "--width", "8"], "", &["no fixed-point format"]);
    refused(&["add", "--stages", "2"], "", &["2 pipeline cuts"]);
    refused(&["mul", "--format", "fp33"], "", &["fp33"]);
    refused(&["mul", "missing.txt"], "", &["missing.txt"]);
    if verilator() {
        let arguments = ["mul", "--format", "e5m2", "--rtl"];
        let before = refused(&arguments, "0 0\n\n1\n2 2\n", &["line 3", "2 operands"]);
        assert_eq!(before, "00 00 00 00\n");
    }
}

#[test]
fn without_verilator_the_missing_tool_is_named() {
    let runner = Runner::new();
    let mut command = runner.command(&["fpu", "mul", "--rtl"]);
    let ended = ended(command.env("PATH", runner.path("")).stdin(Stdio::null()).output().unwrap());
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("verilator"), "{}", ended.stderr);
}

/// `axp fpu … | head`: no message, no error.
#[test]
fn a_reader_that_leaves_ends_the_command_quietly() {
    let runner = Runner::new();
    let mut variants = vec![vec!["fpu", "mul"]];
    if verilator() {
        variants.push(vec!["fpu", "mul", "--format", "e5m2", "--rtl"]);
    }
    for arguments in variants {
        let mut child = runner
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let endless = thread::spawn(move || while stdin.write_all(&b"1 2\n".repeat(1000)).is_ok() {});
        let mut first = [0; 8];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let left = ended(child.wait_with_output().unwrap());
        endless.join().unwrap();
        assert_eq!((left.code, left.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// Ctrl-C while the command waits for input that never comes.
#[test]
fn ctrl_c_ends_a_wait_for_input() {
    let runner = Runner::new();
    let mut variants = vec![vec!["fpu", "mul"]];
    if verilator() {
        variants.push(vec!["fpu", "mul", "--format", "e5m2", "--rtl"]);
    }
    for arguments in variants {
        let mut child = runner
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The answer shows that the command is up, and that it answers line by line.
        stdin.write_all(b"0 0\n").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
        thread::sleep(Duration::from_millis(100));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{arguments:?}");
        drop(stdin);
    }
}
