//! The main job on the bundled digits, and what can be done with its folder.

use crate::runner::{Runner, bundled, entries};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn layer_names(report: &Value) -> Vec<String> {
    report["layers"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap().to_owned()).collect()
}

/// One build serves all checks of its folder: it is the slow part.
#[test]
fn the_bundled_digits_go_the_whole_way() {
    let runner = Runner::new();
    let built = runner.run(&["build", "--out", "out"]);
    assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
    assert_eq!(runner.entries(), ["out"]);
    assert_eq!(
        entries(&runner.path("out")),
        ["design.json", "model.onnx", "replay.npy", "report.html", "report.json", "rtl"]
    );
    report_carries_what_the_issue_names(&runner.json("out/report.json"));
    the_same_build_gives_the_same_design(&runner);
    verify_finds_no_mismatch_on_either_simulator(&runner);
    eval_repeats_the_reports_figures(&runner);
    a_changed_verilog_is_caught_with_a_waveform(&runner);
    folders_are_replaced_only_by_force(&runner);
}

fn report_carries_what_the_issue_names(report: &Value) {
    let accuracy = &report["accuracy"];
    assert!(accuracy["baseline"].as_f64().unwrap() > 0.9);
    assert!(accuracy["axp"].as_f64().unwrap() > 0.9);
    assert!(accuracy["loss_pp"].as_f64().unwrap() <= 1.0);
    assert_eq!(accuracy["samples"], 500);
    assert_eq!(layer_names(report), ["conv1", "conv2", "dense"]);
    let mut macs = 0;
    for layer in report["layers"].as_array().unwrap() {
        assert_eq!(layer["mapped"], true);
        assert!(layer["hit_rate"]["all"].as_f64().unwrap() > 0.0);
        assert!((0.0..=1.0).contains(&layer["hit_rate"]["nonzero"].as_f64().unwrap()));
        assert!((0.0..=1.0).contains(&layer["zero_rate"].as_f64().unwrap()));
        macs += layer["macs"].as_u64().unwrap();
    }
    assert_eq!(macs, 102_384);
    let equivalence = &report["equivalence"];
    assert!(equivalence["simulator"].as_str().unwrap().contains("Verilator"));
    assert!(equivalence["cycles"].as_u64().unwrap() >= 1_000_000);
    assert_eq!(equivalence["mismatches"], 0);
    let layers = equivalence["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    for layer in layers {
        assert!(layer["outputs"].as_u64().unwrap() >= 64, "{layer}");
        assert_eq!(layer["mismatches"], 0);
    }
    let outputs: u64 = layers.iter().map(|l| l["outputs"].as_u64().unwrap()).sum();
    assert_eq!(equivalence["outputs"].as_u64().unwrap(), outputs);
    assert!(report["lint"].as_array().unwrap().iter().all(|l| l["warnings"] == 0));
}

fn the_same_build_gives_the_same_design(runner: &Runner) {
    let again = runner.run(&["build", "--bundled", "digits", "--out", "again", "--outputs", "1", "--macs", "1"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let read = |folder: &str| fs::read_to_string(runner.path(folder).join("design.json")).unwrap();
    assert_eq!(read("out"), read("again"));
    fs::remove_dir_all(runner.path("again")).unwrap();
}

fn verify_finds_no_mismatch_on_either_simulator(runner: &Runner) {
    let all = runner.run(&["verify", "out"]);
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    assert_eq!(all.stdout.matches(" 0 mismatches").count(), 3, "{}", all.stdout);
    let one = runner.run(&[
        "verify",
        "out",
        "--layer",
        "dense",
        "--simulator",
        "icarus",
        "--outputs",
        "10",
        "--macs",
        "1000",
    ]);
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    assert!(one.stdout.contains("dense") && !one.stdout.contains("conv1"), "{}", one.stdout);
    runner.refused(&["verify", "out", "--layer", "nope"], &["no layer \"nope\"", "\"conv1\"", "\"dense\""]);
}

fn eval_repeats_the_reports_figures(runner: &Runner) {
    let (x, y) = (bundled("digits", "x_test.npy"), bundled("digits", "y_test.npy"));
    let eval = runner.run(&["eval", "out", "--data", &x, "--labels", &y, "--json"]);
    assert_eq!(eval.code, Some(0), "{}", eval.stderr);
    let found: Value = serde_json::from_str(&eval.stdout).unwrap();
    let report = runner.json("out/report.json");
    assert_eq!(found["accuracy"], report["accuracy"]);
    assert_eq!(found["layers"], report["layers"]);
    let unlabelled = runner.run(&["eval", "out", "--data", &x]);
    assert!(unlabelled.stdout.contains("agreement with the float net"), "{}", unlabelled.stdout);
}

fn a_changed_verilog_is_caught_with_a_waveform(runner: &Runner) {
    let rtl = runner.path("out/rtl");
    let top = entries(&rtl).into_iter().find(|name| name.starts_with("axp_pe_pair") && name.ends_with(".v")).unwrap();
    let text = fs::read_to_string(rtl.join(&top)).unwrap();
    let broken = text.replace("assign skip = zero_skip_i & zero;", "assign skip = zero;");
    let broken = broken.replace("assign next_product = s1_multiplied ?", "assign next_product = ~s1_multiplied ?");
    assert_eq!(broken.matches("assign skip = zero;").count() + broken.matches("= ~s1_multiplied ?").count(), 2);
    fs::write(rtl.join(&top), broken).unwrap();
    let verify = runner.run(&["verify", "out", "--outputs", "4", "--macs", "1000"]);
    assert_eq!(verify.code, Some(1), "{}\n{}", verify.stdout, verify.stderr);
    assert!(verify.stderr.contains("differ") && verify.stderr.contains("out_data_o"), "{}", verify.stderr);
    let waves = entries(&runner.path("out/waves"));
    assert!(waves.iter().any(|name| name.ends_with(".vcd")), "{waves:?}");
    fs::write(rtl.join(&top), text).unwrap();
    assert_eq!(runner.run(&["verify", "out", "--outputs", "4", "--macs", "1000"]).code, Some(0));
}

fn folders_are_replaced_only_by_force(runner: &Runner) {
    runner.refused(&["build", "--out", "out"], &["out is there already", "--force"]);
    runner.refused(&["build", "--out", "out/report.json", "--force"], &["is a file, not a folder"]);
}

#[test]
fn a_missed_bound_is_reported_and_fails_the_run() {
    // Calibrated on constant samples, the search cannot see what it breaks.
    let runner = Runner::new();
    let calib = runner.write("flat.npy", &flat_digits());
    let (model, x, y) =
        (bundled("digits", "model.onnx"), bundled("digits", "x_test.npy"), bundled("digits", "y_test.npy"));
    let arguments =
        ["build", &model, "--calib", &calib, "--eval", &x, &y, "--out", "out", "--outputs", "1", "--macs", "1"];
    let built = runner.run(&[&arguments[..], &["--max-loss", "0.0"]].concat());
    let report = runner.json("out/report.json");
    let kept = report["accuracy"]["within_bound"].as_bool().unwrap();
    let loss = report["accuracy"]["loss_pp"].as_f64().unwrap();
    assert_eq!(kept, loss <= 1e-9, "{loss}");
    assert_eq!(built.code, Some(if kept { 0 } else { 1 }), "{}", built.stderr);
    assert_eq!(built.stderr.contains("percentage points of accuracy"), !kept, "{}", built.stderr);
}

/// 32 grey images: every pixel 8.
fn flat_digits() -> Vec<u8> {
    axp_golden::net::Samples::new(vec![1, 8, 8], vec![8.0; 32 * 64]).unwrap().to_npy()
}

#[test]
fn generate_writes_a_package_and_names_what_is_wrong_with_a_configuration() {
    let runner = Runner::new();
    let config = |name: &str, rows: &str| {
        format!(
            r#"{{"name":"{name}","format":"binary32","am":{{"organisation":"pair","content":"programmable","rows":{rows}}},"accumulator":"float"}}"#
        )
    };
    runner.write("pe.json", config("my_pe", "5").as_bytes());
    let generated = runner.run(&["generate", "--config", "pe.json", "--out", "rtl"]);
    assert_eq!(generated.code, Some(0), "{}", generated.stderr);
    let files = entries(&runner.path("rtl"));
    for expected in
        ["my_pe.v", "my_pe.f", "my_pe.core", "manifest.json", "axp_fp_mul_fp32_rne_noflags.v", "axp_clock_gate.v"]
    {
        assert!(files.iter().any(|name| name == expected), "{expected} in {files:?}");
    }
    let narrow = r#","multiplier":"booth","multiplier_stages":2,"adder_stages":1}"#;
    let narrow = config("my_bf16", "5").replace("binary32", "bfloat16").trim_end_matches('}').to_owned() + narrow;
    runner.write("narrow.json", narrow.as_bytes());
    let generated = runner.run(&["generate", "--config", "narrow.json", "--out", "narrow"]);
    assert_eq!(generated.code, Some(0), "{}", generated.stderr);
    let manifest = runner.json("narrow/manifest.json");
    assert_eq!((&manifest["latency_cycles"], &manifest["config"]["format"]), (&8.into(), &"bfloat16".into()));
    runner.write("deep.json", narrow.replace("stages\":2", "stages\":3").as_bytes());
    runner.refused(
        &["generate", "--config", "deep.json", "--out", "bad"],
        &["3 pipeline cuts in the multiplier", "0 to 2"],
    );
    for (name, rows, words) in [
        ("module", "5", "Verilog keyword"),
        ("../x", "5", "cannot name a configuration"),
        ("a", "0", "0 rows"),
        ("a", "4096", "4096 rows"),
        ("a", "\\\"x\\\"", "not a PE configuration"),
    ] {
        runner.write("bad.json", config(name, rows).as_bytes());
        runner.refused(&["generate", "--config", "bad.json", "--out", "bad"], &[words]);
    }
    runner.refused(&["generate", "--config", "missing.json", "--out", "bad"], &["cannot read missing.json"]);
    runner.refused(&["generate", "--config", "pe.json", "--out", "rtl"], &["--force"]);
}

/// A memory with columns and fixed-point sums, on the Verilog.
#[test]
fn a_factored_memory_goes_the_whole_way() {
    let runner = Runner::new();
    let fixed = ["--memory", "factored", "--accumulator", "fixed", "--accumulator-bits", "24"];
    let options = [&fixed[..], &["--zero-skip", "--macs", "50000", "--seeds", "2"]].concat();
    let built = runner.run(&[&["build", "--out", "out"], &options[..]].concat());
    assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
    assert!(built.stdout.contains("overflows: 0 sums left the range of the 24-bit accumulator"), "{}", built.stdout);
    let report = runner.json("out/report.json");
    assert!(report["pe"]["name"].as_str().unwrap().starts_with("axp_pe_factored_c"), "{report}");
    assert_eq!(report["equivalence"]["mismatches"], 0);
    assert!(report["choice"]["estimated_pj_per_mac"].as_f64().unwrap() > 10.0);
    let subsets = &report["subsets"];
    let losses: Vec<f64> =
        subsets["designs"].as_array().unwrap().iter().map(|design| design["loss_pp"].as_f64().unwrap()).collect();
    assert_eq!(losses.len(), 2);
    assert!((subsets["mean_pp"].as_f64().unwrap() - (losses[0] + losses[1]) / 2.0).abs() < 1e-9);
    assert!(built.stdout.contains("lost, 2 calibration subsets"), "{}", built.stdout);
    let interval: Vec<f64> = serde_json::from_value(report["accuracy"]["loss_interval_pp"].clone()).unwrap();
    assert!(interval[0] < interval[1], "{interval:?}");
    assert!(report["hit_rate"]["nonzero"].as_f64().unwrap() > 0.99);
    assert!(report["accuracy"]["loss_pp"].as_f64().unwrap() <= 1.0);
    let verified = runner.run(&["verify", "out", "--macs", "1000", "--layer", "conv2"]);
    assert_eq!(verified.code, Some(0), "{}\n{}", verified.stdout, verified.stderr);

    // What does not fit the PE is named.
    let path = runner.path("out/design.json");
    let whole = runner.json("out/design.json");
    let refused = |change: &dyn Fn(&mut Value), message: &str| {
        let mut design = whole.clone();
        change(&mut design);
        fs::write(&path, design.to_string()).unwrap();
        let found = runner.run(&["verify", "out"]);
        let text = found.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(found.code == Some(2) && text.contains(message), "{message}: {:?} {text}", found.code);
    };
    // A layer without rows is all misses, on the Verilog as in inference.
    let mut exact = whole.clone();
    exact["layers"][0]["am"] = Value::Array(Vec::new());
    fs::write(&path, exact.to_string()).unwrap();
    let verified = runner.run(&["verify", "out", "--macs", "1000", "--layer", "conv1"]);
    assert_eq!(verified.code, Some(0), "{}\n{}", verified.stdout, verified.stderr);
    refused(&|design| design["layers"][0]["range"] = 256.into(), "is no exponent field");
    refused(&|design| design["layers"][0]["am"][0]["product"] = "0000ffff".into(), "product ffff has more than 9 bits");
    refused(&|design| design["layers"][1]["magnitudes"] = vec!["3f800000"].into(), "1 weight magnitudes");
    let codebook = |design: &mut Value| design["layers"][0]["codebook"][0] = "3f812345".into();
    refused(&codebook, "for which none of the");
}

/// Columns of one significand, and channels that are scaled.
#[test]
fn shared_significands_and_scaled_channels_go_the_whole_way() {
    let runner = Runner::new();
    let fixed = ["--memory", "factored", "--accumulator", "fixed", "--accumulator-bits", "16", "--channel-scales"];
    // By index 32 columns of two significands, then by value: a column is a significand.
    let shared = &["--size", "32x2", "--fractions", "2", "--index", "--frozen"][..];
    let cases = [
        (shared, "axp_pe_factored_c32s2_m2_fixed16_ix_frozen", 8_usize, 128_usize),
        (&["--size", "3x2"], "axp_pe_factored_c3_m2_fixed16", 12, 12),
        (&["--size", "4x2", "--index"], "axp_pe_factored_c4_m2_fixed16_ix", 16, 16),
    ];
    for (options, name, products, rows) in cases {
        let tail = ["--macs", "20000", "--force", "--zero-skip"];
        let built = runner.run(&[&["build", "--out", "out"], &fixed[..], options, &tail].concat());
        assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
        let (report, design) = (runner.json("out/report.json"), runner.json("out/design.json"));
        assert_eq!(report["pe"]["name"], name);
        assert_eq!(report["equivalence"]["mismatches"], 0);
        assert_eq!(report["choice"]["products"], products);
        assert_eq!(report["choice"]["rows"], rows);
        assert!(report["accuracy"]["loss_pp"].as_f64().unwrap() <= 1.0);
        let scaled = design["layers"].as_array().unwrap().iter().any(|layer| layer.get("channel_exponents").is_some());
        // A codebook of sixteen powers has nothing to gain.
        assert_eq!(scaled, name.ends_with("c4_m2_fixed16_ix"), "{name}");
        let found: BTreeSet<String> = design["layers"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|layer| {
                let codebook: Vec<String> = serde_json::from_value(layer["codebook"].clone()).unwrap();
                codebook
                    .into_iter()
                    .map(|bits| format!("{:06x}", u32::from_str_radix(&bits, 16).unwrap() & 0x007F_FFFF))
            })
            .collect();
        assert!(name.ends_with("_ix") || found.len() <= products / 4 * design["layers"].as_array().unwrap().len());
    }
    for (options, message) in [
        (&["--size", "9x2", "--fractions", "2", "--index"][..], "divides the number of columns"),
        (&["--fractions", "2", "--index"], "--size"),
        (&["--size", "8x2", "--fractions", "2"], "--index"),
    ] {
        runner.refused(&[&["build", "--out", "bad"], &fixed[..], options].concat(), &[message]);
    }
}

/// The same with binary32 sums, whose products are short unless they are asked to be long.
#[test]
fn short_products_beside_binary32_sums_go_the_whole_way() {
    let runner = Runner::new();
    let options = ["--memory", "factored", "--size", "8x3", "--index", "--frozen", "--macs", "20000"];
    for (product_bits, tail) in [(None, "_p6_ix_frozen"), (Some("12"), "_p12_ix_frozen")] {
        let bits = product_bits.map_or(Vec::new(), |bits| vec!["--product-bits", bits]);
        let built = runner.run(&[&["build", "--out", "out", "--force"], &options[..], &bits].concat());
        assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
        let report = runner.json("out/report.json");
        assert!(report["pe"]["name"].as_str().unwrap().ends_with(tail), "{report}");
        assert_eq!(report["equivalence"]["mismatches"], 0);
        assert!(report["accuracy"]["loss_pp"].as_f64().unwrap() <= 1.0);
    }
    // As a configuration of its own.
    let config = |bits: u32| {
        let memory = format!(
            r#"{{"organisation": {{"factored": {{"columns": 4, "mantissa_bits": 2}}}}, "content": "programmable",
                "rows": 16, "product_bits": {bits}}}"#
        );
        format!(
            r#"{{"name": "short", "format": "binary32", "accumulator": "float", "reset": "async", "am": {memory}}}"#
        )
    };
    runner.write("pe.json", config(9).as_bytes());
    let generated = runner.run(&["generate", "--config", "pe.json", "--out", "rtl"]);
    assert_eq!(generated.code, Some(0), "{}", generated.stderr);
    let manifest = runner.json("rtl/manifest.json");
    assert!(manifest.to_string().contains("\"product_bits\":9"), "{manifest}");
    runner.write("pe.json", config(25).as_bytes());
    runner.refused(&["generate", "--config", "pe.json", "--out", "bad"], &["products of 25 bits", "2 to 24"]);
}

#[test]
fn memories_that_do_not_go_with_their_accumulator_are_refused() {
    let runner = Runner::new();
    for options in [&["--accumulator", "fixed"][..], &["--index"], &["--memory", "grid", "--product-bits", "9"]] {
        let found = runner.run(&[&["build", "--out", "out"], options].concat());
        assert_eq!(found.code, Some(2), "{options:?}: {}", found.stderr);
        assert!(runner.entries().is_empty(), "{options:?}");
    }
}

/// Rows in latches: the same results from another memory.
#[test]
fn rows_can_be_kept_in_latches() {
    let runner = Runner::new();
    let factored = ["--memory", "factored", "--size", "4x2", "--index", "--accumulator", "fixed"];
    let options = ["build", "--out", "out", "--latches", "--accumulator-bits", "12", "--macs", "20000", "--zero-skip"];
    let built = runner.run(&[&options[..], &factored].concat());
    assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
    let (report, design) = (runner.json("out/report.json"), runner.json("out/design.json"));
    assert_eq!(report["pe"]["name"], "axp_pe_factored_c4_m2_fixed12_ix_latch");
    assert_eq!(design["pe"]["am"]["storage"], "latches");
    assert_eq!(report["equivalence"]["mismatches"], 0);
    assert!(report["equivalence"]["outputs"].as_u64().unwrap() > 0);
    let mut modules = fs::read_dir(runner.path("out/rtl")).unwrap().map(|file| file.unwrap().path());
    assert!(modules.any(|path| fs::read_to_string(path).unwrap().contains("always @* if (clk_gated)")));
    let frozen = runner.run(&[&["build", "--out", "other", "--latches", "--frozen"], &factored[..]].concat());
    assert_eq!(frozen.code, Some(2));
    assert!(frozen.stderr.contains("--frozen"), "{}", frozen.stderr);
}
