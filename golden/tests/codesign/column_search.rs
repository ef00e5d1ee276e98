//! Memories with columns on a bundled network.

use crate::search::{digits, options};
use axp_golden::codesign::columns::{ColumnMemory, ColumnOptions, Sum, search};
use axp_golden::codesign::energy::{EnergyModel, LayerLoad, Unknown};
use axp_golden::codesign::search::{SearchControl, SearchOptions, SearchResult};
use axp_golden::codesign::trial_log::TrialLog;
use axp_golden::codesign::trials::Rows;
use axp_golden::infer::{Control, Engine, EngineError};
use axp_golden::net::{Network, Samples};
use axp_spec::{Accumulator, Design, PeConfig, WeightOperand};
use std::sync::atomic::AtomicBool;

/// A factored memory that anything may be asked of.
fn factored(sums: &[Sum]) -> ColumnOptions {
    ColumnOptions {
        memory: ColumnMemory::Factored,
        weight: WeightOperand::Value,
        sums: sums.to_vec(),
        frozen: false,
        size: None,
        fractions: None,
    }
}

fn run(network: &Network, samples: &Samples, options: &SearchOptions, column: ColumnOptions) -> SearchResult {
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    search(network, samples, options, &column, &Unknown, &mut TrialLog::none(), &control).unwrap()
}

#[test]
fn every_kind_of_memory_keeps_the_accuracy() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..128).collect::<Vec<_>>());
    let (fixed, grid) = (Sum::fixed(24, 9), Sum::fixed(24, 18));
    let (value, index) = (WeightOperand::Value, WeightOperand::Index);
    let kinds = [
        (ColumnMemory::Factored, value, fixed, false, "_fixed24"),
        (ColumnMemory::Factored, index, fixed, true, "_fixed24_ix_frozen"),
        (ColumnMemory::Factored, index, Sum::float(Some(9)), false, "_p9_ix"),
        (ColumnMemory::Grid, index, grid, true, "_fixed24_ix_frozen"),
        (ColumnMemory::Grid, value, Sum::float(None), false, "_ix"),
    ];
    for (memory, weight, sum, frozen, tail) in kinds {
        for zero_skip in [false, true] {
            let options = SearchOptions { zero_skip, ..options() };
            let column = ColumnOptions { memory, weight, sums: vec![sum], frozen, size: None, fractions: None };
            let found = run(&network, &samples, &options, column);
            let design = Design::from_json(&found.design.to_json()).unwrap();
            assert_eq!(design, found.design);
            assert!(design.pe.name.ends_with(tail), "{}", design.pe.name);
            assert_eq!(design.pe.is_frozen(), frozen);
            let trial = &found.trials[found.chosen];
            assert!(trial.feasible, "{trial:?}");
            let expected = if memory == ColumnMemory::Grid { Rows::Patterns } else { Rows::Significands };
            assert_eq!(trial.fill, expected);
            // The design does on the samples what its trial says.
            let engine = Engine::from_design(&network, &design).unwrap();
            let control = Control { progress: &|_| {}, cancel: &AtomicBool::new(false) };
            let total = engine.evaluate(&samples, None, &control).unwrap().total();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-10;
            assert!(near(total.hit_rate(), trial.hit_rate) && near(total.nonzero_hit_rate(), trial.nonzero_hit_rate));
            assert!(total.nonzero_hit_rate() > 0.99, "{} {total:?}", design.pe.name);
            assert_eq!((total.overflows, total.invalid), (0, 0), "{}", design.pe.name);
        }
    }
}

#[test]
fn the_same_samples_give_the_same_design() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..64).collect::<Vec<_>>());
    let column = factored(&[Sum::fixed(24, 9), Sum::fixed(16, 6)]);
    let [found, again] = [0, 1].map(|_| run(&network, &samples, &options(), column.clone()));
    assert_eq!((&found.design, found.chosen), (&again.design, again.chosen));
    assert_eq!(found.trials, again.trials);
}

#[test]
fn a_size_that_is_asked_for_is_the_only_one() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..16).collect::<Vec<_>>());
    for (memory, size, rows) in [(ColumnMemory::Factored, (32, 1), 64), (ColumnMemory::Grid, (5, 6), 30)] {
        let (weight, sums) = (WeightOperand::Index, vec![Sum::float(None)]);
        let column = ColumnOptions { memory, weight, sums, frozen: false, size: Some(size), fractions: None };
        let found = run(&network, &samples, &options(), column);
        assert_eq!((found.trials.len(), found.chosen, found.design.pe.rows()), (1, 0, rows));
    }
}

#[test]
fn a_pe_that_cannot_be_built_is_an_error() {
    let (network, samples) = digits();
    let samples = samples.select(&[0, 1]);
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    let column = factored(&[Sum::fixed(24, 25)]);
    let error = search(&network, &samples, &options(), &column, &Unknown, &mut TrialLog::none(), &control).unwrap_err();
    assert!(matches!(error, EngineError::Invalid(_)), "{error}");
}

/// Misses are dear, wide sums and many rows are a little.
struct Simple;

impl EnergyModel for Simple {
    fn name(&self) -> &str {
        "simple"
    }

    fn pj_per_mac(&self, pe: &PeConfig, _: bool, layers: &[LayerLoad]) -> Option<f64> {
        let Accumulator::Fixed { width, .. } = pe.accumulator else { return None };
        let rows: usize = layers.iter().map(|layer| layer.memory.am.rows.len()).sum();
        let all: u64 = layers.iter().map(|layer| layer.macs).sum();
        let misses: u64 = layers.iter().filter(|layer| layer.memory.am.rows.is_empty()).map(|layer| layer.macs).sum();
        assert!(layers.iter().all(|layer| layer.sums.iter().map(Vec::len).sum::<usize>() > 0));
        Some(f64::from(width) + rows as f64 / 10.0 + pe.rows() as f64 / 10.0 + 100.0 * misses as f64 / all as f64)
    }
}

#[test]
fn the_least_energy_within_the_bound_is_taken() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..96).collect::<Vec<_>>());
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    let column = factored(&[Sum::fixed(24, 9), Sum::fixed(20, 8), Sum::fixed(16, 6)]);
    let found = search(&network, &samples, &options(), &column, &Simple, &mut TrialLog::none(), &control).unwrap();
    let chosen = &found.trials[found.chosen];
    assert!(chosen.feasible && chosen.pj_per_mac.is_some(), "{chosen:?}");
    for trial in found.trials.iter().filter(|trial| trial.feasible) {
        // But for a gain too small to be worth a smaller codebook.
        assert!(chosen.pj_per_mac.unwrap() * 0.998 <= trial.pj_per_mac.unwrap(), "{chosen:?} {trial:?}");
    }
    assert!(found.trials.iter().any(|trial| trial.mixed), "layers were given fewer columns of their own");
    // A stricter bound leaves fewer designs, and costs more.
    let strict = axp_golden::codesign::search::SearchOptions { max_loss_pp: 0.05, ..options() };
    let dear = search(&network, &samples, &strict, &column, &Simple, &mut TrialLog::none(), &control).unwrap();
    let dear = &dear.trials[dear.chosen];
    assert!(!dear.feasible || dear.pj_per_mac >= chosen.pj_per_mac, "{dear:?} {chosen:?}");
}

#[test]
fn a_layer_that_harms_runs_exactly() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..96).collect::<Vec<_>>());
    let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
    // No memory is good enough, and all layers exact are no design.
    let strict = axp_golden::codesign::search::SearchOptions { max_loss_pp: 0.000_01, ..options() };
    let column = factored(&[Sum::fixed(24, 9)]);
    let found = search(&network, &samples, &strict, &column, &Simple, &mut TrialLog::none(), &control).unwrap();
    let with_exact: Vec<_> = found.trials.iter().filter(|trial| trial.exact > 0).collect();
    assert!(!with_exact.is_empty() && with_exact.iter().all(|trial| trial.exact < network.layers().len()));
    let least = found.trials.iter().map(|trial| trial.agreement.expected_loss).fold(f64::INFINITY, f64::min);
    assert_eq!(found.trials[found.chosen].agreement.expected_loss, least);
    // What a design says of an exact layer, inference does.
    let engine = Engine::from_design(&network, &found.design).unwrap();
    let control = Control { progress: &|_| {}, cancel: &AtomicBool::new(false) };
    let stats = engine.evaluate(&samples, None, &control).unwrap().layers;
    for ((layer, design), stats) in network.layers().iter().zip(&found.design.layers).zip(stats) {
        if design.am.rows.is_empty() {
            assert_eq!(design.weights(), layer.weights);
            // A zero is a hit of every factored memory.
            assert!(stats.nonzero_hits * 100 < stats.macs, "{} {stats:?}", layer.name);
        }
    }
}

#[test]
fn a_search_that_was_stopped_goes_on() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..48).collect::<Vec<_>>());
    // By index more memories are tried.
    let sums = [Sum::fixed(24, 9), Sum::fixed(16, 6)];
    let column = ColumnOptions { weight: WeightOperand::Index, ..factored(&sums) };
    let whole = {
        let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &AtomicBool::new(false) };
        search(&network, &samples, &options(), &column, &Simple, &mut TrialLog::none(), &control).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    // Stopped again and again, a trial further each time.
    let mut kept = 0;
    for stop in 1.. {
        let mut log = TrialLog::open(&path).unwrap();
        assert!(log.len() >= kept);
        kept = log.len();
        let (cancel, seen) = (AtomicBool::new(false), std::sync::atomic::AtomicUsize::new(0));
        let progress = |_: usize, _: usize, _: &str| {
            let seen = seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            cancel.store(seen >= network.layers().len() + stop, std::sync::atomic::Ordering::SeqCst);
        };
        let control = SearchControl { progress: &progress, improved: &|_| {}, cancel: &cancel };
        match search(&network, &samples, &options(), &column, &Simple, &mut log, &control) {
            Err(EngineError::Cancelled) => continue,
            found => {
                let found = found.unwrap();
                assert!(stop > 2, "it was stopped before");
                assert_eq!((&found.design, found.chosen, &found.trials), (&whole.design, whole.chosen, &whole.trials));
                break;
            }
        }
    }
}
