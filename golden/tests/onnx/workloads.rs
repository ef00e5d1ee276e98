//! Real networks, where they are at hand: the float baseline has the accuracy
//! that the workload states, and an empty AM changes no prediction.

use axp_golden::infer::{Control, Engine, evaluate_baseline};
use axp_golden::net::{ImportOptions, Network, Samples, samples::read_labels};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// The folder of a workload; `None`, said aloud, where it is absent.
fn workload(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/workloads").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no workload {name} in ../shared/workloads");
    None
}

fn check(name: &str, layers: usize, mmacs: f64) {
    let Some(folder) = workload(name) else { return };
    let network =
        Network::from_onnx(&std::fs::read(folder.join("model.onnx")).unwrap(), &ImportOptions::default()).unwrap();
    assert_eq!(network.layers().len(), layers, "{:?}", network.unmapped());
    assert!(network.unmapped().is_empty(), "{:?}", network.unmapped());
    let macs: u64 = network.layers().iter().map(|layer| layer.geometry.macs()).sum();
    assert!((macs as f64 / 1e6 / mmacs - 1.0).abs() < 0.005, "{macs} MACs");

    let samples = Samples::read(&folder.join("x_test.npy"), network.input_shape()).unwrap();
    let labels = read_labels(&folder.join("y_test.npy"), samples.len(), network.classes()).unwrap();
    let meta: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("meta.json")).unwrap()).unwrap();
    let control = Control { progress: &|_| {}, cancel: &AtomicBool::new(false) };
    let baseline = evaluate_baseline(&network, &samples, Some(&labels), &control).unwrap();
    let stated = meta["baseline_accuracy"].as_f64().unwrap();
    assert!((baseline.accuracy.unwrap() - stated).abs() < 1e-9, "{:?}, stated {stated}", baseline.accuracy);

    let engine = Engine::exact(&network, false);
    let exact = engine.evaluate(&samples, Some(&labels), &control).unwrap();
    assert_eq!(exact.predictions, baseline.predictions);
    let total = exact.total();
    assert_eq!((total.macs, total.hits), (macs * samples.len() as u64, 0));
    for index in 0..5 {
        let (ours, theirs) =
            (engine.run(samples.get(index)).unwrap().output, network.baseline(samples.get(index)).unwrap());
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "sample {index}: {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn keyword_spotting() {
    check("kws_dscnn", 10, 2.657);
}

#[test]
fn fashion() {
    check("fashion_lenet5", 5, 0.417);
}

#[test]
fn spoken_digits() {
    check("fsdd_tdnnf", 11, 2.82);
}
