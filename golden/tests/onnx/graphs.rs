//! The importer against the small graphs in `tests/graphs`, each with what is
//! expected of it (see `index.json` there).

use axp_golden::infer::Engine;
use axp_golden::net::{ImportOptions, NetError, Network};
use serde_json::Value;
use std::path::PathBuf;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/graphs")
}

fn index() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("index.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn import(graph: &Value) -> Result<Network, NetError> {
    let bytes = std::fs::read(folder().join(text(graph, "file"))).unwrap();
    let input_shape = graph["options"]["input_shape"].is_array().then(|| sizes(&graph["options"]["input_shape"]));
    Network::from_onnx(&bytes, &ImportOptions { input_shape, folder: None })
}

/// What differs from the expectation.
fn check(graph: &Value, tolerance: f32) -> Result<(), String> {
    let network = import(graph).map_err(|e| e.to_string())?;
    let shape = sizes(&graph["input_shape"]);
    if network.input_shape() != &shape[1..] {
        return Err(format!("input shape {:?}", network.input_shape()));
    }
    let undecided: Vec<&str> = graph["undecided"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    let mapped: Vec<_> = network.layers().iter().filter(|l| !undecided.contains(&l.name.as_str())).collect();
    let expected = graph["mapped"].as_array().unwrap();
    if mapped.len() != expected.len() {
        return Err(format!("mapped {:?}", mapped.iter().map(|l| &l.name).collect::<Vec<_>>()));
    }
    // As they run, which need not be as they are written.
    let at = |expected: &Value| expected["name"].as_str().and_then(|name| mapped.iter().position(|l| l.name == name));
    for (number, expected) in expected.iter().enumerate() {
        let layer = mapped[at(expected).unwrap_or(number)];
        let name = expected["name"].as_str().is_none_or(|name| name == layer.name);
        let op = format!("{:?}", layer.op) == text(expected, "op");
        let shape = layer.weight_shape == sizes(&expected["weight_shape"]);
        let bias = expected["bias"].as_bool().is_none_or(|bias| layer.bias.is_empty() != bias);
        let macs = layer.geometry.macs() == expected["macs"].as_u64().unwrap();
        if !(name && op && shape && bias && macs) {
            return Err(format!("layer {layer:?}\n  where {expected} was expected"));
        }
    }
    let mut names: Vec<&str> = network.layers().iter().map(|l| l.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != network.layers().len() || names.contains(&"") {
        return Err(format!("names {names:?}"));
    }
    let found: Vec<(&str, &str)> = network
        .unmapped()
        .iter()
        .map(|u| (u.name.as_str(), u.op.as_str()))
        .filter(|(name, _)| !undecided.contains(name))
        .collect();
    let expected = graph["unmapped"].as_array().unwrap();
    let matches = |(found, expected): (&(&str, &str), &Value)| {
        expected["name"].as_str().is_none_or(|name| name == found.0) && found.1 == text(expected, "op")
    };
    if found.len() != expected.len() || !found.iter().zip(expected).all(matches) {
        return Err(format!("unmapped {:?}", network.unmapped()));
    }
    let (input, expected) = (numbers(&graph["input"]), numbers(&graph["output"]));
    let mut stepper = network.start(&input).map_err(|e| e.to_string())?;
    for (number, layer) in network.layers().iter().enumerate() {
        if stepper.pending().map(|(pending, _)| pending) != Some(number) {
            return Err(format!("layer {number}, {:?}, does not run when it is its turn", layer.name));
        }
        let output = vec![0.5; layer.geometry.outputs()];
        stepper.resume(&output).map_err(|e| e.to_string())?;
    }
    let exact = graph["exact"].as_bool().unwrap();
    for zero_skip in [false, true] {
        let output = Engine::exact(&network, zero_skip).run(&input).map_err(|e| e.to_string())?.output;
        compare("axp", &output, &expected, if exact { 0.0 } else { tolerance })?;
    }
    let output = network.baseline(&input).map_err(|e| e.to_string())?;
    compare("tract", &output, &expected, if exact { 0.0 } else { tolerance })
}

fn compare(who: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), String> {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= tolerance * (1.0 + b.abs());
    if found.len() == expected.len() && found.iter().zip(expected).all(close) {
        return Ok(());
    }
    Err(format!("{who} computes {found:?}\n  where {expected:?} was expected"))
}

#[test]
fn every_usable_graph_is_mapped_and_computed_as_expected() {
    let index = index();
    let tolerance = index["tolerance"].as_f64().unwrap() as f32;
    let (mut checked, mut wrong) = (0, Vec::new());
    for graph in index["graphs"].as_array().unwrap().iter().filter(|graph| graph["errors"].is_null()) {
        checked += 1;
        if let Err(what) = check(graph, tolerance) {
            wrong.push(format!("{} ({}): {what}", text(graph, "file"), text(graph, "tests")));
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked >= 110, "only {checked} graphs");
}

#[test]
fn every_unusable_graph_is_refused_with_the_right_error() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for graph in index()["graphs"].as_array().unwrap().iter().filter(|graph| graph["errors"].is_array()) {
        checked += 1;
        let expected: Vec<&str> = graph["errors"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        let outcome = import(graph);
        let debug = outcome.as_ref().map_or_else(|e| format!("{e:?}"), |network| format!("{:?}", network.layers()));
        let variant: String = debug.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        let message = outcome.map_or_else(|e| e.to_string(), |_| "imported".into());
        println!("{}: {message}", text(graph, "file"));
        if !expected.contains(&variant.as_str()) || message.lines().count() != 1 || message.len() > 600 {
            wrong.push(format!("{} ({}): {expected:?} expected: {message}", text(graph, "file"), text(graph, "tests")));
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked >= 35, "only {checked} graphs");
}
