//! The search: clusters, key bits and rows with the highest hit rate within
//! the accuracy bound, label-free on calibration samples.
//!
//! Rows are filled for a target hit rate (the error price that reaches it
//! follows from the profile alone, without running the network), the biases are
//! corrected, and the agreement with the float network decides whether the
//! target was too high. First all layers get the same codebook size; sizes that
//! cannot beat the best configuration so far are left after one run. Then it is
//! measured how sensitive the network is to noise in each layer, and each layer
//! gets the codebook size and the rows that are worth most at one common price
//! of noise.

use super::agreement::Agreement;
use super::candidate::{FillRule, LayerChoice};
use super::columns::Setting;
use super::energy::EnergyModel;
use super::reference::PROFILE_BITS;
use super::trial_log::{self, TrialLog};
use super::trials::{Filled, Trial, Trials};
use crate::infer::EngineError;
use crate::net::{Network, Samples};
use axp_spec::design::SCHEMA;
use axp_spec::{Design, LayerDesign, PeConfig, Provenance, SampleSet};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Codebook sizes that all layers share, in the order in which they are tried.
const SHARED: [usize; 3] = [16, 32, 8];
/// Codebook sizes that each layer chooses from.
const OWN: [usize; 8] = [4, 8, 12, 16, 24, 32, 48, 64];
/// Key widths of the rows by frequency that are tried.
const FREQUENT_BITS: [u32; 2] = [1, 2];
/// Runs to narrow the hit rate of one shared codebook size down.
const NARROWING: usize = 3;
/// Runs to narrow it down once each layer has its own.
const NARROWING_OWN: usize = 7;
/// Smallest gain of hit rate worth a run.
const WORTHWHILE: f64 = 0.003;
/// Steps to find the error price of a hit rate.
const PRICE_STEPS: usize = 10;
/// Error prices between which hit rates are looked for.
const PRICES: (f64, f64) = (1e-2, 1e4);
/// Codebook size and error price at which sensitivities are measured.
const PROBE: (usize, f64) = (16, 3.0);

/// What the search is asked for.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    /// Most rows of the associative memory.
    pub rows: usize,
    /// Accuracy that may be lost, in percentage points.
    pub max_loss_pp: f64,
    /// Whether the rows of all layers are built into the PE.
    pub frozen: bool,
    /// Seed of every random choice.
    pub seed: u64,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
    /// Whether weights are rounded to codebooks with error feedback; without it, they get
    /// the nearest value of k-means.
    pub feedback: bool,
    /// See [`Setting::channel_scales`](super::columns::Setting::channel_scales); a `pair` memory has none.
    pub channel_scales: bool,
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
    /// Called with each design that is better than all before it.
    pub improved: &'a (dyn Fn(&Design) + Sync),
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
/// estimate must stay below an eighth of the bound, because rows, biases and
/// codebooks were fitted to the very samples that it is measured on, and the
/// search then picks the luckiest of many configurations (an estimate 4.5 times
/// too low was seen); the cost of the disagreements that did occur plus a
/// standard error must stay below half.
pub fn within_bound(agreement: &Agreement, max_loss_pp: f64) -> bool {
    let bound = max_loss_pp / 100.0;
    agreement.expected_loss <= bound / 8.0 && agreement.flip_loss + agreement.flip_loss_error <= bound / 2.0
}

/// Finds a design for a network.
///
/// Among the configurations within the bound the one with the highest nonzero
/// hit rate on the calibration samples wins; of equal ones that with fewer
/// rows, then with the smaller codebook. The network with its own weights and
/// rows for zeros alone is always within the bound. The same samples, options
/// and seed give the same design, whatever is in the log. What `energy` says is noted: the
/// hits are what counts here.
///
/// # Errors
/// A failure of the network, a log that cannot be written; [`EngineError::Cancelled`].
pub fn search(
    network: &Network,
    samples: &Samples,
    options: &SearchOptions,
    energy: &dyn EnergyModel,
    log: &mut TrialLog,
    control: &SearchControl<'_>,
) -> Result<SearchResult, EngineError> {
    let shared = SHARED.len() * (FREQUENT_BITS.len() + NARROWING);
    let steps = 2 + shared + network.layers().len() + NARROWING_OWN;
    (control.progress)(1, steps, "profile the calibration samples");
    let mut sizes: Vec<usize> = OWN.into_iter().chain(SHARED).chain([PROBE.0]).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut search = Search {
        trials: Trials::new(network, samples, &sizes, Setting::from(options), control.cancel)?,
        samples,
        options,
        energy,
        log,
        fingerprint: trial_log::key(&(
            (env!("CARGO_PKG_VERSION"), &options.model_sha256, samples.sha256()),
            (options.zero_skip, options.frozen, energy.name()),
        )),
        control,
        steps,
        step: 1,
        table: Vec::new(),
        best: None,
    };
    search.unclustered()?;
    for clusters in SHARED {
        search.shared(clusters)?;
    }
    search.own()?;
    search.finish()
}

struct Search<'a, 'b> {
    trials: Trials<'a>,
    samples: &'a Samples,
    options: &'a SearchOptions,
    energy: &'a dyn EnergyModel,
    log: &'b mut TrialLog,
    /// What all trials depend on.
    fingerprint: String,
    control: &'a SearchControl<'a>,
    steps: usize,
    step: usize,
    table: Vec<Trial>,
    /// The best configuration within the bound: its place in the table, and its layers
    /// unless they come from the log.
    best: Option<Best>,
}

struct Best {
    at: usize,
    filled: Filled,
    layers: Option<Vec<LayerDesign>>,
}

impl Search<'_, '_> {
    /// The fallback: nothing changes but where zeros are multiplied.
    fn unclustered(&mut self) -> Result<(), EngineError> {
        let filled = self.fill(None, 23, FillRule::Frequency);
        self.measure(filled, "weights as they are")?;
        Ok(())
    }

    /// Tries one codebook size for all layers.
    fn shared(&mut self, clusters: usize) -> Result<(), EngineError> {
        for bits in FREQUENT_BITS {
            let filled = self.fill(Some(clusters), bits, FillRule::Frequency);
            if filled.nonzero_hit_rate() > self.best_hit_rate() + WORTHWHILE {
                self.measure(filled, &format!("{clusters} clusters, {bits} fraction bits, rows by frequency"))?;
            }
        }
        let what = format!("{clusters} clusters");
        self.narrow(NARROWING, &what, |search, error_price| {
            search.fill(Some(clusters), PROFILE_BITS, FillRule::Merged { error_price })
        })
    }

    /// Gives each layer the codebook and rows that its sensitivity asks for.
    fn own(&mut self) -> Result<(), EngineError> {
        if self.best_hit_rate() + WORTHWHILE >= 1.0 {
            return Ok(());
        }
        let rows = self.options.rows;
        let choice = |clusters, error_price| LayerChoice {
            clusters,
            key_fraction_bits: PROFILE_BITS,
            rows,
            fill: FillRule::Merged { error_price },
        };
        let layers = self.trials.layers();
        let (control, steps, step) = (self.control, self.steps, self.step);
        self.trials.measure_sensitivity(&choice(Some(PROBE.0), PROBE.1), |layer| {
            let what = format!("sensitivity of layer {} of {layers}", layer + 1);
            (control.progress)((step + 1 + layer).min(steps), steps, &what);
        })?;
        self.step += layers;
        self.narrow(NARROWING_OWN, "each layer its own", |search, error_price| {
            let sizes = OWN.into_iter().map(Some).chain([None]);
            let choices: Vec<LayerChoice> = sizes.map(|clusters| choice(clusters, error_price)).collect();
            search.trials.fill_best(&choices, error_price)
        })
    }

    /// Looks for the highest hit rate within the bound that a family of
    /// configurations reaches, the error price being their only parameter.
    fn narrow(&mut self, runs: usize, what: &str, fill: impl Fn(&Self, f64) -> Filled) -> Result<(), EngineError> {
        let mut low = self.best_hit_rate();
        let mut high = fill(self, PRICES.0).nonzero_hit_rate();
        for run in 0..runs {
            if high < low + WORTHWHILE {
                break;
            }
            // The first run asks whether the family can do better at all.
            let beats = run == 0 && low > 0.0;
            let target = if beats { low + WORTHWHILE } else { low + (high - low) / 2.0 };
            let filled = self.for_hit_rate(target, &fill);
            let reached = filled.nonzero_hit_rate();
            if self.measure(filled, &format!("{what}, {:.1} % nonzero hits", 100.0 * reached))? {
                low = reached.max(target);
            } else if beats {
                break;
            } else {
                high = target;
            }
        }
        Ok(())
    }

    fn best_hit_rate(&self) -> f64 {
        self.best.as_ref().map_or(0.0, |best| self.table[best.at].nonzero_hit_rate)
    }

    fn fill(&self, clusters: Option<usize>, key_fraction_bits: u32, fill: FillRule) -> Filled {
        let choice = LayerChoice { clusters, key_fraction_bits, rows: self.options.rows, fill };
        self.trials.fill(&vec![choice; self.trials.layers()])
    }

    /// The configuration at the highest error price that still reaches a hit
    /// rate.
    fn for_hit_rate(&self, target: f64, fill: &impl Fn(&Self, f64) -> Filled) -> Filled {
        let (mut low, mut high) = (PRICES.0.ln(), PRICES.1.ln());
        let mut found = None;
        for _ in 0..PRICE_STEPS {
            let middle = (low + high) / 2.0;
            let filled = fill(self, middle.exp());
            if filled.nonzero_hit_rate() >= target {
                low = middle;
                found = Some(filled);
            } else {
                high = middle;
            }
        }
        found.unwrap_or_else(|| fill(self, low.exp()))
    }

    /// Runs a configuration; whether it stays within the bound.
    fn measure(&mut self, filled: Filled, what: &str) -> Result<bool, EngineError> {
        self.step += 1;
        (self.control.progress)(self.step.min(self.steps), self.steps, what);
        let key = trial_log::key(&(&self.fingerprint, self.trials.designs(&filled)));
        let (mut trial, layers) = match self.log.find(&key) {
            Some(trial) => (trial.clone(), None),
            None => {
                let measured = self.trials.measure(&filled)?;
                let pe = self.design(measured.layers.clone()).pe;
                let pj_per_mac = self.energy.pj_per_mac(&pe, self.options.zero_skip, &measured.loads);
                let trial = trial_log::as_kept(Trial { pj_per_mac, ..measured.trial });
                self.log.add(key, &trial)?;
                (trial, Some(measured.layers))
            }
        };
        trial.feasible = trial.clusters.is_none() || within_bound(&trial.agreement, self.options.max_loss_pp);
        let feasible = trial.feasible;
        if feasible && self.best.as_ref().is_none_or(|best| better(&trial, &self.table[best.at])) {
            if let Some(layers) = &layers {
                (self.control.improved)(&self.design(layers.clone()));
            }
            self.best = Some(Best { at: self.table.len(), filled, layers });
        }
        self.table.push(trial);
        Ok(feasible)
    }

    fn design(&self, layers: Vec<LayerDesign>) -> Design {
        pair_design(layers, self.samples, self.options)
    }

    fn finish(mut self) -> Result<SearchResult, EngineError> {
        let (chosen, layers) = match self.best.take() {
            Some(Best { at, layers: Some(layers), .. }) => (at, layers),
            Some(Best { at, filled, layers: None }) => (at, self.trials.measure(&filled)?.layers),
            None => (0, Vec::new()),
        };
        Ok(SearchResult { design: self.design(layers), trials: self.table, chosen })
    }
}

/// A design with a `pair` memory of as many rows as its layers use.
pub(super) fn pair_design(layers: Vec<LayerDesign>, samples: &Samples, options: &SearchOptions) -> Design {
    let rows = layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0).max(1);
    let frozen = if options.frozen { "_frozen" } else { "" };
    let mut design = Design {
        schema: SCHEMA,
        provenance: provenance(samples, options),
        pe: PeConfig::pair(&format!("axp_pe_pair_r{rows}{frozen}"), rows),
        zero_skip: options.zero_skip,
        layers,
    };
    if options.frozen {
        design.freeze();
    }
    design
}

/// Whether `a` wins over `b`, both within the bound.
fn better(a: &Trial, b: &Trial) -> bool {
    let size = |trial: &Trial| (trial.rows, trial.clusters.unwrap_or(usize::MAX));
    match a.nonzero_hit_rate.total_cmp(&b.nonzero_hit_rate) {
        std::cmp::Ordering::Equal => size(a) < size(b),
        order => order.is_gt(),
    }
}

/// Where a design comes from that is made of these samples with these options.
pub(super) fn provenance(samples: &Samples, options: &SearchOptions) -> Provenance {
    Provenance {
        axp_version: env!("CARGO_PKG_VERSION").to_owned(),
        model_sha256: options.model_sha256.clone(),
        calibration: sample_set(samples),
        seed: options.seed,
        max_loss_pp: options.max_loss_pp,
        tools: options.tools.clone(),
    }
}

/// The identity of a set of samples.
pub fn sample_set(samples: &Samples) -> SampleSet {
    SampleSet { sha256: samples.sha256(), samples: samples.len() }
}
