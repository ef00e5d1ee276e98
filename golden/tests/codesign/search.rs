//! The search on a bundled network.

use axp_golden::codesign::candidate::{FillRule, LayerChoice};
use axp_golden::codesign::energy::Unknown;
use axp_golden::codesign::search::{SearchControl, SearchOptions, SearchResult, sample_set, search, within_bound};
use axp_golden::codesign::sweep::{Measure, SweepOptions, key_sweep};
use axp_golden::codesign::trial_log::TrialLog;
use axp_golden::codesign::trials::Trials;
use axp_golden::infer::{Control, Engine, EngineError, evaluate_baseline};
use axp_golden::net::{ImportOptions, Network, Samples};
use axp_spec::Design;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

pub fn digits() -> (Network, Samples) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits");
    let network =
        Network::from_onnx(&std::fs::read(folder.join("model.onnx")).unwrap(), &ImportOptions::default()).unwrap();
    let samples = Samples::read(&folder.join("x_calib.npy"), network.input_shape()).unwrap();
    (network, samples)
}

pub fn options() -> SearchOptions {
    SearchOptions {
        rows: 128,
        max_loss_pp: 1.0,
        seed: 5,
        zero_skip: false,
        frozen: false,
        feedback: true,
        channel_scales: true,
        model_sha256: "00".into(),
        tools: BTreeMap::new(),
    }
}

fn run(network: &Network, samples: &Samples, options: &SearchOptions) -> SearchResult {
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    search(network, samples, options, &Unknown, &mut TrialLog::none(), &control).unwrap()
}

#[test]
fn finds_the_same_good_design_twice() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..128).collect::<Vec<_>>());
    let steps = Mutex::new(Vec::new());
    let progress = |step: usize, of: usize, what: &str| steps.lock().unwrap().push((step, of, what.to_owned()));
    let control = SearchControl { progress: &progress, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    let found = search(&network, &samples, &options(), &Unknown, &mut TrialLog::none(), &control).unwrap();
    let again = run(&network, &samples, &options());
    assert_eq!((&found.design, &found.trials, found.chosen), (&again.design, &again.trials, again.chosen));

    let steps = steps.into_inner().unwrap();
    assert!(steps.len() > found.trials.len(), "one step a trial, and the profile");
    assert!(steps.iter().enumerate().all(|(i, (step, of, _))| *step == (i + 1).min(*of)), "{steps:?}");

    // The design is whole, and does on the samples what its trial says.
    let design = Design::from_json(&found.design.to_json()).unwrap();
    assert_eq!(design, found.design);
    assert_eq!(design.provenance.calibration, sample_set(&samples));
    let control = Control { progress: &|_| {}, cancel: &AtomicBool::new(false) };
    let engine = Engine::from_design(&network, &design).unwrap();
    let evaluation = engine.evaluate(&samples, None, &control).unwrap();
    let baseline = evaluate_baseline(&network, &samples, None, &control).unwrap();
    let same = baseline.predictions.iter().zip(&evaluation.predictions).filter(|(a, b)| a == b).count();
    let trial = &found.trials[found.chosen];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-10;
    assert!(near(evaluation.total().nonzero_hit_rate(), trial.nonzero_hit_rate));
    assert!(near(evaluation.total().hit_rate(), trial.hit_rate));
    assert!(near(same as f64 / samples.len() as f64, trial.agreement.top1));

    // It is the best of those within the bound, and worth having.
    assert!(trial.feasible && within_bound(&trial.agreement, 1.0));
    let feasible = found.trials.iter().filter(|trial| trial.feasible);
    assert!(feasible.map(|trial| trial.nonzero_hit_rate).all(|rate| rate <= trial.nonzero_hit_rate));
    assert!(trial.nonzero_hit_rate > 0.85, "{trial:?}");
    assert!(found.trials.iter().any(|trial| !trial.feasible), "the bound was never reached");
    assert!(design.layers.iter().all(|layer| layer.am.rows.len() <= 128));
    assert!(design.layers.iter().any(|layer| layer.codebook.len() < layer.assignment.len()));
}

#[test]
fn a_bound_of_nothing_keeps_the_network() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..24).collect::<Vec<_>>());
    let found = run(&network, &samples, &SearchOptions { max_loss_pp: -1.0, rows: 3, ..options() });
    let trial = &found.trials[found.chosen];
    assert_eq!((trial.clusters, trial.agreement.top1), (None, 1.0));
    for (layer, design) in network.layers().iter().zip(&found.design.layers) {
        let kept: Vec<u32> = design.weights().iter().map(|w| w.to_bits()).collect();
        assert_eq!(kept, layer.weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>());
        assert_eq!(design.bias.iter().map(|b| b.value()).collect::<Vec<_>>(), layer.bias);
    }
}

#[test]
fn error_feedback_is_an_option_of_every_search() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..48).collect::<Vec<_>>());
    let divergence = |feedback| {
        let cancel = AtomicBool::new(false);
        let options = SearchOptions { feedback, ..options() };
        let setting = axp_golden::codesign::columns::Setting::from(&options);
        let trials = Trials::new(&network, &samples, &[8], setting, &cancel).unwrap();
        let fill = FillRule::Frequency;
        let choice = LayerChoice { clusters: Some(8), key_fraction_bits: 2, rows: 16, fill };
        let filled = trials.fill(&vec![choice; trials.layers()]);
        trials.measure(&filled).unwrap().trial.agreement.divergence
    };
    let [with, without] = [true, false].map(divergence);
    assert!(with < without, "{with} {without}");
}

#[test]
fn stops_when_told() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..24).collect::<Vec<_>>());
    let cancel = AtomicBool::new(false);
    for stop_at in [1, 2, 4] {
        cancel.store(false, Ordering::Relaxed);
        let progress = |step: usize, _: usize, _: &str| cancel.store(step >= stop_at, Ordering::Relaxed);
        let control = SearchControl { progress: &progress, improved: &|_| {}, cancel: &cancel };
        let result = search(&network, &samples, &options(), &Unknown, &mut TrialLog::none(), &control);
        assert!(matches!(result, Err(EngineError::Cancelled)), "{stop_at}");
    }
}

#[test]
fn the_sweep_shows_what_partial_matching_is_worth() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..64).collect::<Vec<_>>());
    let options = SweepOptions { clusters: 16, rows: 64, seed: 1, zero_skip: false };
    let measure = Measure { samples: &samples, labels: None };
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    let points = key_sweep(&network, &samples, &measure, &options, &control).unwrap();
    assert!(points.iter().map(|point| point.key_fraction_bits).eq(0..=23));
    // Wider keys hit less often: exactly so on the samples that filled the rows.
    let float_inputs_drift = 0.02;
    assert!(points.windows(2).all(|p| p[1].nonzero_hit_rate <= p[0].nonzero_hit_rate + float_inputs_drift));
    assert!(points[0].nonzero_hit_rate > 3.0 * points[23].nonzero_hit_rate, "{points:?}");
    assert!(points.iter().all(|point| point.rows <= 64 && point.accuracy.is_none() && point.agreement.samples == 64));
}
