//! The search for a design, as a stage of a command.

use super::evaluation;
use crate::args::BuildOptions;
use crate::exit::Failure;
use crate::input::Input;
use crate::interrupt::Cancel;
use crate::progress::Stages;
use crate::report::{Candidate, Choice};
use axp_golden::codesign::candidate::FillRule;
use axp_golden::codesign::ladder;
use axp_golden::codesign::search::{SearchControl, SearchOptions, search as find};
use axp_golden::codesign::trials::Rows;
use axp_spec::Design;
use axp_spec::design::sha256_hex;
use std::collections::BTreeMap;

/// A design and how it was found.
pub struct Found {
    /// The design.
    pub design: Design,
    /// What was chosen, in a few numbers.
    pub choice: Choice,
    /// Everything that was tried.
    pub candidates: Vec<Candidate>,
}

/// Chooses clusters, keys and rows on the calibration samples.
///
/// # Errors
/// The model cannot be run, or Ctrl-C.
pub fn search(
    options: &BuildOptions,
    input: &Input,
    tools: &BTreeMap<String, String>,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Found, Failure> {
    let stage = stages.start("search", 0);
    let wanted = SearchOptions {
        name: String::new(),
        rows: options.rows as usize,
        max_loss_pp: options.max_loss,
        seed: options.network.seed,
        zero_skip: options.zero_skip,
        model_sha256: sha256_hex(&input.onnx),
        tools: tools.clone(),
    };
    let progress = |step: usize, of: usize, what: &str| {
        stage.set(step.saturating_sub(1) as u64, of as u64);
        stage.say(what.to_owned());
    };
    let control = SearchControl { progress: &progress, cancel };
    let (network, samples) = (&input.network, &input.calibration);
    let result = match options.memory.columns()? {
        None => find(network, samples, &wanted, &control).map(|mut found| {
            found.design.pe.name = format!("axp_pe_pair_r{}", found.design.pe.rows());
            if options.memory.frozen {
                found.design.pe.name += "_frozen";
                found.design.freeze();
            }
            found
        }),
        Some(columns) => ladder::search(network, samples, &wanted, &columns, &control),
    }
    .map_err(|error| evaluation::failure(&error, cancel))?;
    let design = result.design;
    let candidates: Vec<Candidate> = result
        .trials
        .iter()
        .enumerate()
        .map(|(index, trial)| Candidate {
            clusters: trial.clusters,
            key_fraction_bits: trial.key_fraction_bits,
            fill: fill_rule(&trial.fill),
            rows: trial.rows,
            agreement: trial.agreement.top1,
            expected_loss_pp: 100.0 * trial.agreement.expected_loss,
            nonzero_hit_rate: trial.nonzero_hit_rate,
            within_bound: trial.feasible,
            chosen: index == result.chosen,
        })
        .collect();
    let choice = Choice {
        clusters: design.layers.iter().map(|layer| layer.codebook.len()).max().unwrap_or(0),
        key_fraction_bits: design.layers.iter().map(|layer| layer.key_fraction_bits).max().unwrap_or(0),
        rows: design.pe.rows(),
        calibration_agreement: candidates.get(result.chosen).map_or(1.0, |chosen| chosen.agreement),
    };
    stage.done(format!(
        "{} configurations tried; {}: {} weight values, {} rows, {:.2} % agreement on {} calibration samples",
        candidates.len(),
        design.pe.name,
        choice.clusters,
        choice.rows,
        100.0 * choice.calibration_agreement,
        input.calibration.len()
    ));
    Ok(Found { design, choice, candidates })
}

/// How rows were chosen, in two words.
fn fill_rule(rows: &Rows) -> String {
    match rows {
        Rows::Pairs(FillRule::Frequency) => "by frequency".to_owned(),
        Rows::Pairs(FillRule::Merged { error_price }) => format!("merged, price {error_price:.3}"),
        Rows::Significands => "significands".to_owned(),
        Rows::Patterns => "best prefixes".to_owned(),
    }
}
