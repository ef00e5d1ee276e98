//! Memories with columns on a bundled network.

use crate::search::{digits, options};
use axp_golden::codesign::ladder::{ColumnMemory, ColumnOptions, search};
use axp_golden::codesign::search::{SearchControl, SearchOptions, SearchResult};
use axp_golden::codesign::trials::Rows;
use axp_golden::infer::{Control, Engine, EngineError};
use axp_golden::net::{Network, Samples};
use axp_spec::{Accumulator, Design, WeightOperand};
use std::sync::atomic::AtomicBool;

const FIXED: Accumulator = Accumulator::Fixed { width: 24, product_width: 9 };

fn run(network: &Network, samples: &Samples, options: &SearchOptions, column: ColumnOptions) -> SearchResult {
    let control = SearchControl { progress: &|_, _, _| {}, cancel: &AtomicBool::new(false) };
    search(network, samples, options, &column, &control).unwrap()
}

#[test]
fn every_kind_of_memory_keeps_the_accuracy() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..128).collect::<Vec<_>>());
    let grid = Accumulator::Fixed { width: 24, product_width: 18 };
    let (value, index) = (WeightOperand::Value, WeightOperand::Index);
    let kinds = [
        (ColumnMemory::Factored, value, FIXED, false, "_fixed24"),
        (ColumnMemory::Factored, index, FIXED, true, "_fixed24_ix_frozen"),
        (ColumnMemory::Factored, index, Accumulator::Float, false, "_p9_ix"),
        (ColumnMemory::Grid, index, grid, true, "_fixed24_ix_frozen"),
        (ColumnMemory::Grid, value, Accumulator::Float, false, "_ix"),
    ];
    for (memory, weight, accumulator, frozen, tail) in kinds {
        let product_bits = tail.starts_with("_p9").then_some(9);
        for zero_skip in [false, true] {
            let options = SearchOptions { zero_skip, ..options() };
            let found = run(
                &network,
                &samples,
                &options,
                ColumnOptions { memory, weight, accumulator, product_bits, frozen, size: None },
            );
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
            assert_eq!((total.hit_rate(), total.nonzero_hit_rate()), (trial.hit_rate, trial.nonzero_hit_rate));
            assert!(total.nonzero_hit_rate() > 0.99, "{} {total:?}", design.pe.name);
            assert_eq!((total.overflows, total.invalid), (0, 0), "{}", design.pe.name);
        }
    }
}

#[test]
fn the_same_samples_give_the_same_design() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..64).collect::<Vec<_>>());
    let column = ColumnOptions {
        memory: ColumnMemory::Factored,
        weight: WeightOperand::Value,
        accumulator: FIXED,
        product_bits: None,
        frozen: false,
        size: None,
    };
    let [found, again] = [0, 1].map(|_| run(&network, &samples, &options(), column));
    assert_eq!((&found.design, found.chosen), (&again.design, again.chosen));
    assert_eq!(found.trials, again.trials);
    assert!(found.trials[..found.chosen].iter().all(|trial| !trial.feasible), "the first within the bound is taken");
}

#[test]
fn a_size_that_is_asked_for_is_the_only_one() {
    let (network, samples) = digits();
    let samples = samples.select(&(0..16).collect::<Vec<_>>());
    for (memory, size, rows) in [(ColumnMemory::Factored, (32, 1), 64), (ColumnMemory::Grid, (5, 6), 30)] {
        let (weight, accumulator) = (WeightOperand::Index, Accumulator::Float);
        let column = ColumnOptions { memory, weight, accumulator, product_bits: None, frozen: false, size: Some(size) };
        let found = run(&network, &samples, &options(), column);
        assert_eq!((found.trials.len(), found.chosen, found.design.pe.rows()), (1, 0, rows));
    }
}

#[test]
fn a_pe_that_cannot_be_built_is_an_error() {
    let (network, samples) = digits();
    let samples = samples.select(&[0, 1]);
    let control = SearchControl { progress: &|_, _, _| {}, cancel: &AtomicBool::new(false) };
    let wide = Accumulator::Fixed { width: 24, product_width: 25 };
    let (memory, weight) = (ColumnMemory::Factored, WeightOperand::Value);
    let column = ColumnOptions { memory, weight, accumulator: wide, product_bits: None, frozen: false, size: None };
    let error = search(&network, &samples, &options(), &column, &control).unwrap_err();
    assert!(matches!(error, EngineError::Invalid(_)), "{error}");
}
