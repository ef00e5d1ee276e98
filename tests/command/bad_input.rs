//! What users get wrong: each time one clear message, exit code 2, and nothing
//! left behind.

use crate::runner::{Runner, bundled, graph};
use axp_golden::net::Samples;

#[test]
fn models_that_cannot_be_built_are_refused_with_the_reason() {
    let runner = Runner::new();
    let calib = runner.write_samples("calib.npy", &[1, 8, 8], 4);
    for (file, words) in [
        ("bad_empty.onnx", "empty"),
        ("bad_text.onnx", "not an ONNX file"),
        ("bad_truncated.onnx", "truncated"),
        ("bad_operator.onnx", "operator"),
        ("bad_no_mac_layer.onnx", "no layer that can run on a PE"),
        ("bad_length_open.onnx", "--input-shape"),
        ("bad_nan_weight.onnx", "NaN"),
        ("bad_infinite_bias.onnx", "inf"),
        ("bad_two_inputs.onnx", "2 inputs"),
        ("bad_only_integers.onnx", "export the float32 model"),
        ("bad_qlinear_add.onnx", "export the float32 model"),
        ("bad_only_recurrent.onnx", "recurrent"),
        ("bad_fixed_batch.onnx", "batch of 8"),
    ] {
        let model = graph(file);
        runner.refused(&["build", &model, "--calib", &calib, "--out", "out"], &[file, words]);
    }
    runner.refused(&["build", "missing.onnx", "--calib", &calib, "--out", "out"], &["missing.onnx", "check the path"]);
    runner.refused(&["build", ".", "--calib", &calib, "--out", "out"], &["cannot read ."]);
}

#[test]
fn samples_that_do_not_fit_are_refused_with_the_reason() {
    let runner = Runner::new();
    let model = bundled("digits", "model.onnx");
    let good = bundled("digits", "x_calib.npy");
    let integers = bundled("digits", "y_test.npy");
    let wrong_shape = runner.write_samples("wrong.npy", &[1, 9, 8], 2);
    let nan = Samples::new(vec![1, 8, 8], [vec![0.0; 100], vec![f32::NAN], vec![0.0; 27]].concat()).unwrap();
    let nan = runner.write("nan.npy", &nan.to_npy());
    let text = runner.write("text.npy", b"hello");
    let empty = runner.write("empty.npy", b"");
    for (calib, words) in [
        (wrong_shape.as_str(), ["wrong.npy", "[1, 8, 8]"]),
        (integers.as_str(), ["y_test.npy", "float32"]),
        (nan.as_str(), ["nan.npy", "sample 1"]),
        (text.as_str(), ["text.npy", "npy"]),
        (empty.as_str(), ["empty.npy", "npy"]),
        ("missing.npy", ["missing.npy", "cannot read"]),
    ] {
        runner.refused(&["build", &model, "--calib", calib, "--out", "out"], &words);
    }
    let build = |x: &str, y: &str, words: &[&str]| {
        runner.refused(&["build", &model, "--calib", &good, "--eval", x, y, "--out", "out"], words);
    };
    build(&good, &integers, &["y_test.npy", "samples"]);
    build(&good, &good, &["x_calib.npy", "integer"]);
    let keywords = bundled("keywords", "y_calib.npy");
    let ten = runner.write_samples("ten.npy", &[1, 8, 8], 200);
    // The keyword labels are valid for the digits too, where there are as many classes.
    let many = runner.run(&["build", &model, "--calib", &good, "--eval", &ten, &keywords, "--out", "x", "--help"]);
    assert_eq!(many.code, Some(0), "--help wins");
}

/// A .npy file of bytes.
fn npy_of_bytes(shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), bytes].concat()
}

#[test]
fn bytes_are_samples_if_their_scale_is_stated() {
    let runner = Runner::new();
    let model = bundled("digits", "model.onnx");
    let (x, y) = (bundled("digits", "x_test.npy"), bundled("digits", "y_test.npy"));
    let bytes: Vec<u8> = (0..40 * 64).map(|index: u32| (index * 7 % 17) as u8).collect();
    let bytes = runner.write("bytes.npy", &npy_of_bytes("(40, 1, 8, 8)", &bytes));
    let build = ["build", &model, "--calib", &bytes, "--out", "out"];
    runner.refused(&build, &["bytes.npy", "uint8", "--scale 1/255"]);
    for bad in ["0", "x", "1/0", "1,2,3"] {
        let found = runner.run(&[&build[..], &["--scale", bad]].concat());
        assert!(found.code == Some(2) && found.stderr.contains("write a scale"), "{bad}: {}", found.stderr);
    }
    let float = ["build", &model, "--calib", &x, "--eval", &x, &y, "--scale", "1/16", "--out", "out"];
    runner.refused(&float, &["x_test.npy", "leave it out"]);
    let options = ["--scale", "1/16", "--max-loss", "100", "--macs", "1000", "--outputs", "1"];
    let built = runner.run(&[&build[..], &options].concat());
    assert_eq!(built.code, Some(0), "{}\n{}", built.stdout, built.stderr);
    let eval = runner.run(&["eval", "out", "--data", &bytes, "--scale", "1/16", "--json"]);
    assert_eq!(eval.code, Some(0), "{}", eval.stderr);
    runner.refused(&["eval", "out", "--data", &bytes], &["bytes.npy", "uint8"]);
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let runner = Runner::new();
    let ended = runner.command(&["build", "--out", "out"]).env("PATH", runner.path("")).output().unwrap();
    let ended = crate::runner::ended(ended);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("apt-get install") && ended.stderr.contains("yosys") | ended.stderr.contains("verilator"),
        "{}",
        ended.stderr
    );
    assert!(runner.entries().is_empty(), "{:?}", runner.entries());
}

#[test]
fn folders_that_are_no_design_are_refused() {
    let runner = Runner::new();
    runner.refused(&["verify", "nowhere"], &["nowhere is not a folder that `axp build` wrote"]);
    std::fs::create_dir(runner.path("d")).unwrap();
    std::fs::write(runner.path("d/design.json"), "{\"schema\": 99}").unwrap();
    runner.refused(&["verify", "d"], &["design.json", "layout 99"]);
    std::fs::write(runner.path("d/design.json"), "{").unwrap();
    runner.refused(&["eval", "d", "--data", "x.npy"], &["design.json", "build the design again"]);
}

#[test]
fn a_place_that_cannot_be_written_is_refused() {
    let runner = Runner::new();
    // A device, not a folder: nobody can make a folder below it, root included.
    runner.refused(&["build", "--out", "/dev/null/out"], &["/dev/null"]);
    runner.refused(&["build", "--out", "out", "--max-loss", "nan"], &["percentage points"]);
    runner.refused(&["build", "--out", "out", "--rows", "0"], &["--rows"]);
    runner.refused(&["build", "model.onnx", "--out", "out"], &["--calib"]);
}
