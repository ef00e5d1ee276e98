//! Layer names are data: a model whose layers are called like paths, shell
//! words, Verilog and markup builds like any other.

use crate::runner::{Runner, entries, graph};
use std::fs;

#[test]
fn hostile_layer_names_reach_no_path_verilog_or_markup() {
    let runner = Runner::new();
    let model = graph("names_hostile.onnx");
    let calib = runner.write_samples("calib.npy", &[1, 2], 40);
    let arguments = ["build", &model, "--calib", &calib, "--out", "out", "--outputs", "2", "--macs", "1"];
    let built = runner.run(&arguments);
    assert!(matches!(built.code, Some(0 | 1)), "{}\n{}", built.stdout, built.stderr);
    assert_eq!(runner.entries(), ["calib.npy", "out"], "no name became a file");

    let report = runner.json("out/report.json");
    let names: Vec<&str> = report["layers"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    for name in ["../../etc/passwd", "</script><script>alert(1)</script>", "--help", "$(touch x); `touch y` | z &"] {
        assert!(names.contains(&name), "{name:?} in {names:?}");
    }
    let page = fs::read_to_string(runner.path("out/report.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains("<!-- -->"), "markup got through");
    assert!(page.contains("&lt;script&gt;") && page.contains("&amp;lt;b&amp;gt;"));
    for file in entries(&runner.path("out/rtl")) {
        let text = fs::read_to_string(runner.path("out/rtl").join(&file)).unwrap();
        for word in ["passwd", "script>", "touch x", "ünïcöde"] {
            assert!(!text.contains(word), "{word} in {file}");
        }
    }
    // Every one of them can be asked for by name.
    for name in ["--help", "../../etc/passwd", "line\nbreak\r\ttab"] {
        let verified = runner.run(&["verify", "out", &format!("--layer={name}"), "--outputs", "2", "--macs", "1"]);
        assert_eq!(verified.code, Some(0), "{name:?}: {}", verified.stderr);
        assert_eq!(verified.stdout.lines().count(), 1, "{}", verified.stdout);
    }
}

#[test]
fn a_layer_of_one_multiplication_goes_the_whole_way() {
    for (file, shape) in [("one_mac_conv.onnx", &[1, 1, 1][..]), ("one_mac_gemm.onnx", &[1])] {
        let runner = Runner::new();
        let calib = runner.write_samples("calib.npy", shape, 100);
        let built = runner.run(&["build", &graph(file), "--calib", &calib, "--out", "out"]);
        assert_eq!(built.code, Some(0), "{file}: {}", built.stderr);
        let equivalence = &runner.json("out/report.json")["equivalence"];
        assert_eq!((&equivalence["mismatches"], &equivalence["outputs"]), (&0.into(), &100.into()), "{file}");
    }
}
