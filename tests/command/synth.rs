//! `axp synth`: its table, its JSON, and what it refuses.

use crate::runner::Runner;
use std::path::Path;

/// Where Debian puts the default library.
const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

#[test]
fn a_small_unit_is_measured_and_the_figures_are_stable() {
    if !Path::new(OSU018).is_file() {
        eprintln!("SKIPPED: {OSU018} is missing (apt-get install qflow-tech-osu018)");
        return;
    }
    let runner = Runner::new();
    let arguments = ["synth", "--module", "fp_mul", "--format", "e4m3", "--json"];
    let run = || {
        let ended = runner.run(&arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap()
    };
    let found = run();
    assert_eq!(found["module"], "axp_fp_mul_e4m3_rne");
    assert_eq!((&found["library"], &found["flops"]), (&"osu018_stdcells".into(), &0.into()));
    let number = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key} in {found}"));
    assert!((number("area") / 24.0 - number("ge")).abs() < 1e-9);
    assert!(number("ge") > 100.0 && number("ge") < 1000.0, "{found}");
    assert!(number("longest_path_ns") > 1.0 && number("longest_path_ns") <= 13.5, "{found}");
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    assert!(found["tools"]["yosys"].as_str().unwrap().contains("Yosys"));
    assert_eq!(run(), found);

    let table = runner.run(&arguments[..5]);
    assert_eq!(table.code, Some(0));
    assert!(table.stdout.contains("osu018_stdcells") && table.stdout.contains("GE"), "{}", table.stdout);

    let both = ["--liberty", OSU018, "--liberty", OSU018];
    let ended = runner.run(&[&arguments[..], &both].concat());
    let several: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(several["libraries"].as_array().unwrap().len(), 2);
    assert_eq!(several["libraries"][1]["ge"], found["ge"]);
    assert_eq!(several["ge"], found["ge"]);
}

#[test]
fn what_cannot_be_synthesised_is_refused_with_the_reason() {
    let runner = Runner::new();
    let empty = runner.write("empty.lib", b"");
    let text = runner.write("text.lib", b"hello");
    let broken = runner.write("broken.lib.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let mul = ["synth", "--module", "fp_mul"];
    for (liberty, words) in [
        (empty.as_str(), "is empty"),
        (text.as_str(), "not a Liberty file"),
        (broken.as_str(), "damaged gzip file"),
        ("missing.lib", "check the path"),
    ] {
        runner.refused(&[&mul[..], &["--liberty", liberty]].concat(), &[words]);
    }
    runner.refused(&["synth", "--module", "fp_div"], &["fp_mul", "fp_add", "fp_to_fixed", "fixed_to_fp"]);
    runner.refused(&["synth"], &["--module"]);
    runner.refused(&["synth", "--module", "fp_to_fixed"], &["--width"]);
    runner.refused(&[&mul[..], &["--width", "8", "--last-bit", "0"]].concat(), &["fp_to_fixed"]);
    runner.refused(&[&mul[..], &["--stages", "3"]].concat(), &["at most 2"]);
    runner.refused(&[&mul[..], &["--format", "fp64"]].concat(), &["fp32"]);
    runner.refused(&[&mul[..], &["--period", "0"]].concat(), &["positive"]);
}
