//! The search for a design, as a stage of a command.

use super::estimate::TableModel;
use super::evaluation;
use crate::args::BuildOptions;
use crate::exit::Failure;
use crate::input::Input;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::report::{Candidate, Choice};
use crate::staging::write_file;
use axp_golden::codesign::candidate::FillRule;
use axp_golden::codesign::columns;
use axp_golden::codesign::search::{SearchControl, SearchOptions, SearchResult, search as find};
use axp_golden::codesign::trial_log::TrialLog;
use axp_golden::codesign::trials::Rows;
use axp_golden::net::Samples;
use axp_spec::design::sha256_hex;
use axp_spec::{Design, PeConfig, Storage};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The best design so far, in the folder of a search.
const BEST: &str = "design.json";
/// What was tried so far, in the same folder.
const TRIALS: &str = "trials.jsonl";

/// A design and how it was found.
pub struct Found {
    /// The design.
    pub design: Design,
    /// What was chosen, in a few numbers.
    pub choice: Choice,
    /// Everything that was tried.
    pub candidates: Vec<Candidate>,
}

/// The folder beside an output folder in which a search keeps what it has found. It is there
/// while the command runs, and stays if a search is stopped.
pub struct SearchFolder {
    path: PathBuf,
    stays: AtomicBool,
}

impl SearchFolder {
    /// Makes the folder; without `resume`, what is in it is forgotten.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn begin(out: &Path, resume: bool) -> Result<Self, Failure> {
        let mut name = out.file_name().unwrap_or_default().to_os_string();
        name.push(".search");
        let folder = out.with_file_name(name);
        let failed = |error: std::io::Error| Failure::io("write", &folder, &error);
        fs::create_dir_all(&folder).map_err(failed)?;
        if !resume {
            for file in [BEST, TRIALS] {
                match fs::remove_file(folder.join(file)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
            }
        }
        Ok(Self { path: folder, stays: AtomicBool::new(false) })
    }

    /// Says what is kept of a search that was stopped, and keeps it.
    fn stopped(&self, tried: usize) {
        if tried == 0 {
            return;
        }
        self.stays.store(true, Ordering::Relaxed);
        let best = if self.path.join(BEST).is_file() {
            format!(", and the best design so far ({BEST})")
        } else {
            String::new()
        };
        let folder = self.path.display();
        eprintln!(
            "axp: {tried} trials of the search are kept in {folder}{best}; the same command with --resume goes on"
        );
    }
}

impl Drop for SearchFolder {
    fn drop(&mut self) {
        if !self.stays.load(Ordering::Relaxed) {
            // Best effort: what is left does no harm.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Chooses clusters, keys and rows on some samples.
///
/// # Errors
/// The model cannot be run, the folder cannot be written, or Ctrl-C.
pub fn search(
    options: &BuildOptions,
    input: &Input,
    samples: &Samples,
    tools: &BTreeMap<String, String>,
    folder: &SearchFolder,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Found, Failure> {
    let energy = TableModel::open(options.search.energy_table.as_deref())?;
    let stage = stages.start("search", 0);
    let wanted = SearchOptions {
        rows: options.rows as usize,
        frozen: options.memory.frozen,
        max_loss_pp: options.max_loss,
        seed: options.network.seed,
        zero_skip: options.zero_skip,
        feedback: options.search.feedback(),
        channel_scales: options.search.channel_scales,
        model_sha256: sha256_hex(&input.onnx),
        tools: tools.clone(),
    };
    let progress = |step: usize, of: usize, what: &str| {
        stage.set(step.saturating_sub(1) as u64, of as u64);
        stage.say(what.to_owned());
    };
    let refused = Mutex::new(None);
    let improved = |design: &Design| {
        if let Err(failure) = write_file(&folder.path.join(BEST), &design.to_json()) {
            refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(failure);
        }
    };
    let control = SearchControl { progress: &progress, improved: &improved, cancel };
    let fail = |error| evaluation::failure(&error, cancel);
    let mut log = TrialLog::open(&folder.path.join(TRIALS)).map_err(fail)?;
    let network = &input.network;
    let result = match options.memory.columns()? {
        None => find(network, samples, &wanted, &energy, &mut log, &control),
        Some(columns) => columns::search(network, samples, &wanted, &columns, &energy, &mut log, &control),
    };
    let result = result.map_err(|error| {
        if requested(cancel) {
            folder.stopped(log.len());
        }
        fail(error)
    })?;
    if let Some(failure) = refused.into_inner().unwrap_or_default() {
        return Err(failure);
    }
    let mut found = summed_up(result, energy.library());
    if options.memory.latches {
        in_latches(&mut found.design.pe);
    }
    let choice = &found.choice;
    let energy = choice.estimated_pj_per_mac.map_or(String::new(), |pj| format!(", about {pj:.1} pJ a MAC"));
    let exact = match choice.exact_layers {
        0 => String::new(),
        1 => ", one layer exact".to_owned(),
        several => format!(", {several} layers exact"),
    };
    stage.done(format!(
        "{} configurations tried; {}: {} weight values, {} rows{exact}, {:.2} % agreement on {} calibration samples{energy}",
        found.candidates.len(),
        found.design.pe.name,
        choice.clusters,
        choice.rows,
        100.0 * choice.calibration_agreement,
        samples.len()
    ));
    Ok(found)
}

/// The same PE with its rows in latches, under a name of its own.
fn in_latches(pe: &mut PeConfig) {
    if let Some(am) = &mut pe.am {
        am.storage = Storage::Latches;
        pe.name += "_latch";
    }
}

fn summed_up(result: SearchResult, library: &str) -> Found {
    let design = result.design;
    let candidates: Vec<Candidate> = result
        .trials
        .iter()
        .enumerate()
        .map(|(index, trial)| Candidate {
            name: trial.name.clone(),
            exact_layers: trial.exact,
            estimated_pj_per_mac: trial.pj_per_mac,
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
    let chosen = result.trials.get(result.chosen);
    let on_memory = || design.layers.iter().filter(|layer| !layer.am.rows.is_empty());
    let choice = Choice {
        clusters: on_memory().map(|layer| layer.codebook.len()).max().unwrap_or(0),
        key_fraction_bits: on_memory().map(|layer| layer.key_fraction_bits).max().unwrap_or(0),
        rows: design.pe.rows(),
        products: on_memory().map(|layer| layer.memory().different_rows(&design.pe)).max().unwrap_or(0),
        calibration_agreement: chosen.map_or(1.0, |chosen| chosen.agreement.top1),
        exact_layers: chosen.map_or(0, |chosen| chosen.exact),
        estimated_pj_per_mac: chosen.and_then(|chosen| chosen.pj_per_mac),
        library: library.to_owned(),
    };
    Found { design, choice, candidates }
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
