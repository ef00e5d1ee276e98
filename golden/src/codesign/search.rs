//! The search: clusters, key bits and rows with the highest hit rate within
//! the accuracy bound, label-free on calibration samples.
//!
//! For a codebook size K, rows are filled for a target hit rate (the error
//! price that reaches it follows from the profile alone, without running the
//! network), the biases are corrected, and the agreement with the float network
//! decides whether the target was too high. A K is left at once if it cannot
//! beat the best configuration so far, so most of them cost one run.

use super::agreement::Agreement;
use super::candidate::{FillRule, LayerChoice};
use super::reference::Reference;
use super::trials::{Filled, Measured, Trial, Trials};
use crate::infer::EngineError;
use crate::net::{Network, Samples};
use axp_spec::design::{SCHEMA, sha256_hex};
use axp_spec::{Design, PeConfig, Provenance, SampleSet};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Codebook sizes, in the order in which they are tried.
const CODEBOOKS: [usize; 10] = [16, 32, 8, 24, 12, 48, 64, 6, 4, 96];
/// Key widths of the rows by frequency that are tried.
const FREQUENT_BITS: [u32; 3] = [1, 2, 0];
/// Most fraction bits that merged rows compare.
const MERGED_BITS: u32 = 4;
/// Runs to narrow the hit rate of one codebook size down.
const NARROWING: usize = 4;
/// Smallest gain of hit rate worth a run.
const WORTHWHILE: f64 = 0.004;
/// Steps to find the error price of a hit rate.
const PRICE_STEPS: usize = 14;
/// Error prices between which hit rates are looked for.
const PRICES: (f64, f64) = (1e-2, 1e5);

/// What the search is asked for.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    /// Name of the PE's configuration.
    pub name: String,
    /// Most rows of the associative memory.
    pub rows: usize,
    /// Accuracy that may be lost, in percentage points.
    pub max_loss_pp: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
    /// SHA-256 of the ONNX file, in hex, for the design's provenance.
    pub model_sha256: String,
    /// Versions of the libraries and tools, for the design's provenance.
    pub tools: BTreeMap<String, String>,
}

/// How the search reports and stops.
#[derive(Clone, Copy)]
pub struct SearchControl<'a> {
    /// Called before each step with its number (from 1), the most steps there
    /// can be, and what is done.
    pub progress: &'a (dyn Fn(usize, usize, &str) + Sync),
    /// Stops the search once it is true.
    pub cancel: &'a AtomicBool,
}

/// What the search found.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// The design.
    pub design: Design,
    /// Every configuration that was tried, in order.
    pub trials: Vec<Trial>,
    /// Index of the chosen one.
    pub chosen: usize,
}

/// Whether the accuracy lost stays within a bound, as far as calibration
/// samples without labels can tell.
///
/// Top-1 disagreement bounds the loss from above but is far larger where the
/// float network itself is undecided, so what counts is the accuracy that the
/// disagreements cost by the float network's own probabilities. Its smoothed
/// estimate must stay below a quarter of the bound, because those
/// probabilities are not calibrated (an error of up to 2.5 times was seen) and
/// the search picks the luckiest of many configurations; the cost of the
/// disagreements that did occur plus a standard error must stay below half.
pub fn within_bound(agreement: &Agreement, max_loss_pp: f64) -> bool {
    let bound = max_loss_pp / 100.0;
    agreement.expected_loss <= bound / 4.0 && agreement.flip_loss + agreement.flip_loss_error <= bound / 2.0
}

/// Finds a design for a network.
///
/// Among the configurations within the bound the one with the highest nonzero
/// hit rate on the calibration samples wins; of equal ones that with fewer
/// rows, then with the smaller codebook. The network with its own weights and
/// rows for zeros alone is always within the bound. The same samples, options
/// and seed give the same design.
///
/// # Errors
/// A failure of the network; [`EngineError::Cancelled`].
pub fn search(
    network: &Network,
    samples: &Samples,
    options: &SearchOptions,
    control: &SearchControl<'_>,
) -> Result<SearchResult, EngineError> {
    let steps = 2 + CODEBOOKS.len() * (1 + NARROWING);
    (control.progress)(1, steps, "profile the calibration samples");
    let reference = Reference::collect(network, samples, control.cancel, |_, _, _| {})?;
    let mut search = Search {
        trials: Trials::new(network, samples, &reference, options.seed, options.zero_skip, control.cancel),
        options,
        control,
        steps,
        step: 1,
        table: Vec::new(),
        best: None,
    };
    search.unclustered()?;
    for clusters in CODEBOOKS {
        search.codebook(clusters)?;
    }
    Ok(search.finish(samples))
}

struct Search<'a> {
    trials: Trials<'a>,
    options: &'a SearchOptions,
    control: &'a SearchControl<'a>,
    steps: usize,
    step: usize,
    table: Vec<Trial>,
    /// The best configuration within the bound, with its place in the table.
    best: Option<(usize, Measured)>,
}

impl Search<'_> {
    /// The fallback: nothing changes but where zeros are multiplied.
    fn unclustered(&mut self) -> Result<(), EngineError> {
        let filled = self.fill(None, 23, FillRule::Frequency);
        self.measure(filled, "weights as they are")?;
        Ok(())
    }

    /// Tries a codebook size.
    fn codebook(&mut self, clusters: usize) -> Result<(), EngineError> {
        for bits in FREQUENT_BITS {
            let filled = self.fill(Some(clusters), bits, FillRule::Frequency);
            if filled.nonzero_hit_rate > self.best_hit_rate() + WORTHWHILE {
                self.measure(filled, &format!("{clusters} clusters, {bits} fraction bits, rows by frequency"))?;
            }
        }
        let most = self.merged(clusters, PRICES.0).nonzero_hit_rate;
        let mut high = most;
        let mut low = self.best_hit_rate();
        for run in 0..NARROWING {
            if high < low + WORTHWHILE {
                break;
            }
            // The first run asks whether this K can do better at all.
            let target = match run {
                0 if low > 0.0 => low + WORTHWHILE + (high - low) * 0.1,
                _ => low + (high - low) / 2.0,
            };
            let filled = self.for_hit_rate(clusters, target);
            let reached = filled.nonzero_hit_rate;
            let what = format!("{clusters} clusters, {:.1} % nonzero hits", 100.0 * reached);
            if self.measure(filled, &what)? {
                low = reached.max(target);
            } else if run == 0 && low > 0.0 {
                break;
            } else {
                high = target;
            }
        }
        Ok(())
    }

    fn best_hit_rate(&self) -> f64 {
        self.best.as_ref().map_or(0.0, |(_, best)| best.trial.nonzero_hit_rate)
    }

    fn fill(&mut self, clusters: Option<usize>, key_fraction_bits: u32, fill: FillRule) -> Filled {
        let choice = LayerChoice { clusters, key_fraction_bits, rows: self.options.rows, fill };
        self.trials.fill(vec![choice; self.trials.layers()])
    }

    fn merged(&mut self, clusters: usize, error_price: f64) -> Filled {
        self.fill(Some(clusters), MERGED_BITS, FillRule::Merged { error_price })
    }

    /// Merged rows at the highest error price that still reaches a hit rate.
    fn for_hit_rate(&mut self, clusters: usize, target: f64) -> Filled {
        let (mut low, mut high) = (PRICES.0.ln(), PRICES.1.ln());
        for _ in 0..PRICE_STEPS {
            let middle = (low + high) / 2.0;
            if self.merged(clusters, middle.exp()).nonzero_hit_rate >= target { low = middle } else { high = middle }
        }
        self.merged(clusters, low.exp())
    }

    /// Runs a configuration; whether it stays within the bound.
    fn measure(&mut self, filled: Filled, what: &str) -> Result<bool, EngineError> {
        self.step += 1;
        (self.control.progress)(self.step.min(self.steps), self.steps, what);
        let mut measured = self.trials.measure(filled)?;
        let unchanged = measured.trial.clusters.is_none();
        measured.trial.feasible = unchanged || within_bound(&measured.trial.agreement, self.options.max_loss_pp);
        self.table.push(measured.trial.clone());
        let feasible = measured.trial.feasible;
        if feasible && self.best.as_ref().is_none_or(|(_, best)| better(&measured.trial, &best.trial)) {
            self.best = Some((self.table.len() - 1, measured));
        }
        Ok(feasible)
    }

    fn finish(self, samples: &Samples) -> SearchResult {
        let options = self.options;
        let (chosen, layers) = self.best.map_or((0, Vec::new()), |(chosen, best)| (chosen, best.layers));
        let rows = layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0).max(1);
        let design = Design {
            schema: SCHEMA,
            provenance: Provenance {
                axp_version: env!("CARGO_PKG_VERSION").to_owned(),
                model_sha256: options.model_sha256.clone(),
                calibration: sample_set(samples),
                seed: options.seed,
                max_loss_pp: options.max_loss_pp,
                tools: options.tools.clone(),
            },
            pe: PeConfig::pair(&options.name, rows),
            zero_skip: options.zero_skip,
            layers,
        };
        SearchResult { design, trials: self.table, chosen }
    }
}

/// Whether `a` wins over `b`, both within the bound.
fn better(a: &Trial, b: &Trial) -> bool {
    let size = |trial: &Trial| (trial.rows, trial.clusters.unwrap_or(usize::MAX));
    match a.nonzero_hit_rate.total_cmp(&b.nonzero_hit_rate) {
        std::cmp::Ordering::Equal => size(a) < size(b),
        order => order.is_gt(),
    }
}

/// The identity of a set of samples.
pub fn sample_set(samples: &Samples) -> SampleSet {
    let bytes: Vec<u8> = samples.values().iter().flat_map(|value| value.to_le_bytes()).collect();
    SampleSet { sha256: sha256_hex(&bytes), samples: samples.len() }
}
