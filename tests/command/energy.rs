//! `axp energy`: figures that add up, what it refuses, and what it remembers.

use crate::runner::{Runner, bundled};
use axp_testbench::tools::Tool;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where Debian puts the default library.
const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// Those that an energy table is made from.
const BASELINES: &str = "fp32,fp32_zero_skip,fp32_fixed,fp32_fixed_zero_skip";

/// Builds the bundled digits with a memory of a few rows, so that synthesis is quick.
fn small_design(runner: &Runner) {
    let built =
        runner.run(&["build", "--out", "out", "--rows", "4", "--max-loss", "100", "--outputs", "1", "--macs", "1"]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
}

#[test]
fn a_small_design_is_measured_once() {
    if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
        eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
        return;
    }
    let runner = Runner::new();
    small_design(&runner);
    let arguments = ["energy", "out", "--macs", "512", "--baselines", BASELINES, "--json"];
    let measured = runner.run(&arguments);
    assert_eq!(measured.code, Some(0), "{}", measured.stderr);
    let report: Value = serde_json::from_str(&measured.stdout).unwrap();
    figures_add_up(&report);

    // Nothing is measured the second time, as what the stage says at its end tells.
    let again = runner.run(&arguments);
    assert!(!again.stderr.contains("pJ a MAC on"), "{}", again.stderr);
    assert_eq!((again.code, again.stdout), (Some(0), measured.stdout));

    let table = runner.run(&arguments[..6]);
    assert!(table.stdout.contains("fp32_zero_skip") && table.stdout.contains("saving"), "{}", table.stdout);
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 80), "{}", table.stdout);

    a_newer_opensta_is_asked(&runner, &arguments);
    a_plot_is_drawn(&runner, &arguments[..6]);
    a_table_estimates_what_it_was_made_from(&runner, &arguments);

    // The netlists are there: a clock that none of them can follow ends at once.
    runner.refused(&[&arguments[..], &["--clock", "2ns"]].concat(), &["too short", "--clock"]);
    ctrl_c_ends_it(&runner);
    assert_eq!(runner.entries(), ["out"]);
}

/// Stands for an OpenSTA that reads activity, of which no package is at hand: it answers as that would, and hands
/// everything else to the real one.
const NEWER_OPENSTA: &str = r#"#!/bin/sh
for last; do :; done
case "$last" in
  *.tcl)
    if grep -q 'info commands read_saif' "$last"; then
      echo 'axp: reads SAIF: 1'
      exit
    elif grep -q '^read_saif -scope axp_simulated activity.saif$' "$last"; then
      grep -q '^module axp_simulated ' netlist.v && grep -q '^(INSTANCE axp_simulated$' activity.saif || exit 1
      echo 'Total 1.0e-03 2.0e-03 3.0e-06 3.003e-03 100.0%'
      exit
    fi ;;
esac
exec "$REAL_STA" "$@"
"#;

fn a_newer_opensta_is_asked(runner: &Runner, arguments: &[&str]) {
    use std::os::unix::fs::PermissionsExt;
    let folder = runner.path("out/bin");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("sta");
    std::fs::write(&program, NEWER_OPENSTA).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let run = |arguments: &[&str]| {
        let mut command = runner.command(arguments);
        let output = command.env("PATH", &path).env("REAL_STA", Tool::Sta.find().unwrap()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let report: Value = serde_json::from_str(&run(arguments)).unwrap();
    let period = report["period_ns"].as_f64().unwrap();
    let baselines = report["baselines"].as_array().unwrap();
    for figures in std::iter::once(&report).chain(baselines) {
        let opinion = &figures["second_opinion"];
        let watts = |name: &str| opinion["report_power"][name].as_f64().unwrap() / period / 1000.0;
        let found = ["internal", "switching", "leakage"].map(watts);
        assert!(
            found.iter().zip([1e-3, 2e-3, 3e-6]).all(|(found, said)| (found / said - 1.0).abs() < 1e-9),
            "{found:?}"
        );
        // All cycles, and not only those that are counted: reset and lead-in use less.
        let own: f64 = opinion["axp"].as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum();
        let counted = figures["pj_per_mac"].as_f64().unwrap();
        assert!(own > 0.5 * counted && own < 1.5 * counted, "{own} {counted}");
    }
    let text = run(&arguments[..6]);
    assert!(text.contains("report_power with the same activity"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}

fn a_plot_is_drawn(runner: &Runner, arguments: &[&str]) {
    let drawn = runner.run(&[arguments, &["--plot", "out/energy.svg"]].concat());
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    let svg = std::fs::read_to_string(runner.path("out/energy.svg")).unwrap();
    for text in ["design", "fp32_fixed_zero_skip", "multiplier", "zero skip", "associative memory"] {
        assert!(svg.contains(text), "{text}");
    }
    runner.refused(&[arguments, &["--plot", "absent/energy.svg"]].concat(), &["absent/energy.svg", "check the path"]);
}

fn a_table_estimates_what_it_was_made_from(runner: &Runner, arguments: &[&str]) {
    let made = runner.run(&["energy-table", "out", "--macs", "512", "--out", "out/energy.json"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(!made.stderr.contains("pJ a MAC on"), "the comparison was kept: {}", made.stderr);
    let error = |table: &[&str]| {
        let found = runner.run(&[arguments, table].concat());
        let report: Value = serde_json::from_str(&found.stdout).unwrap();
        let (estimate, measured) = (&report["estimate"], report["pj_per_mac"].as_f64().unwrap());
        let off = 100.0 * (estimate["pj_per_mac"].as_f64().unwrap() / measured - 1.0);
        assert!((off - estimate["error_percent"].as_f64().unwrap()).abs() < 1e-6, "{estimate}");
        off
    };
    let (own, bundled) = (error(&["--table", "out/energy.json"]), error(&[]));
    assert!(own.abs() < 5.0 && bundled.abs() < 20.0, "{own} {bundled}");
    rows_of_other_libraries_are_kept(runner);
    std::fs::write(runner.path("out/energy.json"), "{}").unwrap();
    runner.refused(&[arguments, &["--table", "out/energy.json"]].concat(), &["is no energy table", "energy-table"]);
}

fn rows_of_other_libraries_are_kept(runner: &Runner) {
    let path = runner.path("out/energy.json");
    let made: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut wide = made.clone();
    let mut other = made["rows"][0].clone();
    other["library_sha256"] = "of another library".into();
    wide["rows"].as_array_mut().unwrap().insert(0, other.clone());
    // What is measured again takes the place of what was there.
    wide["rows"][1]["layers"] = 0.into();
    std::fs::write(&path, wide.to_string()).unwrap();
    let table = ["energy-table", "out", "--macs", "512", "--out", "out/energy.json"];
    let run = |arguments: &[&str]| {
        let ended = runner.run(arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap()
    };
    let kept = run(&[&table[..], &["--keep"]].concat());
    assert_eq!(kept["rows"][0], other);
    assert_eq!(kept["rows"].as_array().unwrap()[1..], made["rows"].as_array().unwrap()[..]);
    assert_eq!(kept["areas"], made["areas"]);
    assert_eq!(run(&table), made);
}

fn ctrl_c_ends_it(runner: &Runner) {
    let mut child = runner
        .command(&["energy", "out", "--macs", "131072", "--baselines", "fp32"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success(), "so many MACs take longer");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

fn figures_add_up(report: &Value) {
    let number = |value: &Value| value.as_f64().filter(|x| x.is_finite()).unwrap_or_else(|| panic!("{value}"));
    let baselines = report["baselines"].as_array().unwrap();
    let designs: Vec<&Value> = std::iter::once(report).chain(baselines).collect();
    assert_eq!(designs.len(), 5);
    for design in &designs {
        let total = number(&design["pj_per_mac"]);
        let split: f64 = design["split"].as_object().unwrap().values().map(number).sum();
        assert!((split - total).abs() < 1e-9 * total && total > 1.0, "{design}");
        assert_eq!(design["split"]["leakage"], design["leakage_pj"]);
        assert!(number(&design["annotated_percent"]) >= 95.0);
        let layers = design["layers"].as_array().unwrap();
        let macs: f64 = layers.iter().map(|layer| number(&layer["macs"])).sum();
        let sum: f64 = layers
            .iter()
            .map(|layer| number(&layer["pj_per_mac"]) * number(&layer["macs"]) + number(&layer["reload_pj"]))
            .sum();
        assert_eq!((layers.len(), macs), (3, 102_384.0));
        assert!((sum / macs - total).abs() < 1e-9 * total, "{design}");
        assert!(layers.iter().all(|layer| layer["window_macs"].as_u64().unwrap() >= 512));
    }
    let saving = 100.0 * (1.0 - number(&report["pj_per_mac"]) / number(&designs[1]["pj_per_mac"]));
    assert!((number(&report["saving_percent"]) - saving).abs() < 1e-9);
    assert!(number(&designs[2]["pj_per_mac"]) < number(&designs[1]["pj_per_mac"]));
    assert_eq!(report["library"], "osu018_stdcells");
    assert_eq!(report["libraries"].as_array().unwrap().len(), 1);
    let period = number(&report["period_ns"]);
    assert!(designs.iter().all(|design| number(&design["longest_path_ns"]) <= period), "{period}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let runner = Runner::new();
    runner.refused(&["energy", "nothing"], &["not a folder that `axp build` wrote"]);
    std::fs::create_dir(runner.path("empty")).unwrap();
    runner.refused(&["energy", "empty"], &["design.json"]);
    runner.refused(&["energy", "empty", "--macs", "100"], &["512"]);
    runner.refused(&["energy", "empty", "--clock", "fast"], &["number of ns"]);
    runner.refused(&["energy", "empty", "--baselines", "int4"], &["fp32_zero_skip"]);
    if Path::new(OSU018).is_file() {
        small_design(&runner);
        // The design's sum is a binary32 one.
        runner.refused(&["energy", "out", "--baselines", "fp32,bf16_same"], &["bf16_same", "leave it out"]);
        let model = bundled("digits", "model.onnx");
        runner.refused(&["energy", "out", "--liberty", &model], &["Liberty"]);
    }
}
