//! The search for a memory with columns: the least energy that keeps the accuracy.
//!
//! ```text
//! sizes     memories from the smallest on, each with its sums from the widest on; what covers
//!           one that is good enough, or is covered by one that is not, is left out
//! exact     in a memory that is not good enough, the layers that harm most keep their weights
//! less      layers of the best one make do with half of their columns, coarser rows, shorter products
//! ```
//!
//! A recipe is judged on calibration samples that it was not made from (`folds`). Every trial is kept in a log by everything that it depends on, so that a search that was
//! stopped takes from there what it had found and goes on.

use super::super::energy::EnergyModel;
use super::super::search::{SearchControl, SearchOptions, SearchResult, provenance};
use super::super::trial_log::{self, TrialLog};
use super::super::trials::Trial;
use super::folds::{self, Folds};
use super::pe::{ColumnOptions, Kind, within_bound};
use super::recipe::{LayerColumns, Recipe};
use super::trials::{ColumnTrials, Measured, Setting};
use crate::infer::EngineError;
use crate::net::{Network, Samples};
use axp_spec::Design;

/// Sizes in which layers are made exact.
const SIZES_WITH_EXACT: usize = 3;
/// Runs with more and more exact layers in one size.
const EXACT_RUNS: usize = 4;
/// Share of the multiply-accumulates that may run exactly where anything else will do.
const MOST_EXACT: f64 = 0.05;
/// Share of the bound at which harm that is predicted should end.
const CAUTION: f64 = 0.8;
/// Gain of energy that is worth less of the memory in a layer.
const WORTHWHILE: f64 = 0.002;
/// In how many ways a layer can make do with less, see [`Recipe::less`].
const WAYS: usize = 3;

/// Finds a design for a network on a PE whose memory has columns.
///
/// Every layer gets a sign-symmetric codebook with at most a magnitude a column, and as many
/// rows as its magnitudes need, or keeps its weights and has no rows. Of what is within the
/// bound the design with the least energy is taken, as `energy` says it, or with the fewest
/// products where it does not know. Where nothing is within the bound, the one with the least
/// expected loss is taken, and its trial says so. `options.rows` and `options.frozen`
/// are of no account. The same samples, options and seed give the same design, whatever is in
/// the log.
///
/// # Errors
/// A failure of the network, a PE that cannot be built, a log that cannot be written,
/// [`EngineError::Cancelled`].
pub fn search(
    network: &Network,
    samples: &Samples,
    options: &SearchOptions,
    column: &ColumnOptions,
    energy: &dyn EnergyModel,
    log: &mut TrialLog,
    control: &SearchControl<'_>,
) -> Result<SearchResult, EngineError> {
    let kinds = column.kinds();
    for kind in &kinds {
        kind.pe(column.operand(), false).validate().map_err(axp_spec::DesignError::from)?;
    }
    let setting = Setting::from(options);
    let layers = network.layers().len();
    let all = column.size.is_none();
    // Without a choice there is nothing to judge.
    let divided = if kinds.len() > 1 { folds::divide(samples) } else { Vec::new() };
    let profile = layers * (1 + divided.len());
    let steps = profile + kinds.len() + if all { SIZES_WITH_EXACT * (layers + EXACT_RUNS) + WAYS * layers } else { 0 };
    let columns = columns_of(&kinds, column, all);
    let mut step = 0;
    let mut each = || {
        step = (step + 1).min(profile);
        (control.progress)(step, steps, "profile the calibration samples, cluster the weights");
    };
    let trials = ColumnTrials::new(network, samples, setting, &columns, control.cancel, |_| each())?;
    let folds = Folds::new(network, &divided, setting, &columns, control.cancel, each)?;
    let fingerprint = (
        (env!("CARGO_PKG_VERSION"), &options.model_sha256, samples.sha256()),
        (options.seed, options.zero_skip, options.feedback, options.channel_scales),
        (column.operand(), column.frozen, energy.name()),
    );
    let fingerprint = trial_log::key(&fingerprint);
    let mut search = Search {
        trials,
        folds,
        samples,
        options,
        column,
        energy,
        log,
        control,
        fingerprint,
        steps,
        step: profile,
        table: Vec::new(),
        best: None,
    };
    search.sizes(&kinds)?;
    if all {
        search.exact()?;
        search.less()?;
    }
    search.finish()
}

/// Codebooks that layers may have: those of the memories, and halves of them.
fn columns_of(kinds: &[Kind], column: &ColumnOptions, halves: bool) -> Vec<LayerColumns> {
    let mut columns: Vec<LayerColumns> = Vec::new();
    for kind in kinds {
        let whole = Recipe::whole(*kind, column.operand(), 1).layers[0];
        let half = if halves { whole.half() } else { None };
        for choice in [Some(whole), half].into_iter().flatten() {
            if !columns.contains(&choice) {
                columns.push(choice);
            }
        }
    }
    columns
}

/// What was tried.
struct Tried {
    recipe: Recipe,
    trial: Trial,
}

struct Search<'a, 'b> {
    trials: ColumnTrials<'a>,
    folds: Folds<'a>,
    samples: &'a Samples,
    options: &'a SearchOptions,
    column: &'a ColumnOptions,
    energy: &'a dyn EnergyModel,
    log: &'b mut TrialLog,
    control: &'a SearchControl<'a>,
    /// Everything that all trials depend on.
    fingerprint: String,
    steps: usize,
    step: usize,
    table: Vec<Tried>,
    /// The best so far: its place in the table, and its layers unless they come from the log.
    best: Option<(usize, Option<Measured>)>,
}

impl Search<'_, '_> {
    /// Memories from the smallest on, each with its sums from the widest on.
    fn sizes(&mut self, kinds: &[Kind]) -> Result<(), EngineError> {
        for kind in kinds {
            let good = |tried: &Tried| tried.trial.feasible && kind.covers(&tried.recipe.kind);
            let bad = |tried: &Tried| !tried.trial.feasible && tried.recipe.kind.covers(kind);
            if self.table.iter().any(|tried| good(tried) || bad(tried)) {
                self.step += 1;
                continue;
            }
            self.measure(Recipe::whole(*kind, self.column.operand(), self.trials.layers()))?;
        }
        Ok(())
    }

    /// Memories that are not good enough, with the layers exact that harm most.
    fn exact(&mut self) -> Result<(), EngineError> {
        if !self.column.may_be_exact() || self.trials.layers() < 2 {
            return Ok(());
        }
        let mut sizes: Vec<usize> = (0..self.table.len()).filter(|at| !self.table[*at].trial.feasible).collect();
        let loss = |at: &usize| self.table[*at].trial.agreement.expected_loss;
        sizes.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        for at in sizes.into_iter().take(SIZES_WITH_EXACT) {
            if self.is_cheaper(&self.table[at].trial, 1.0) {
                self.exact_in(at)?;
            }
        }
        Ok(())
    }

    /// The memory at this place of the table, with layers exact.
    fn exact_in(&mut self, at: usize) -> Result<(), EngineError> {
        let (whole, loss) = (self.table[at].recipe.clone(), self.table[at].trial.agreement.expected_loss);
        let harm = self.harm(&whole)?;
        let macs = self.trials.macs();
        let all: f64 = macs.iter().map(|macs| *macs as f64).sum();
        let share = |layer: usize| macs[layer] as f64 / all;
        let mut order: Vec<usize> = (0..harm.len()).collect();
        let worth = |layer: usize| harm[layer] / share(layer).max(f64::MIN_POSITIVE);
        order.sort_by(|a, b| worth(*b).total_cmp(&worth(*a)).then(a.cmp(b)));
        let limit = CAUTION * self.options.max_loss_pp / 300.0;
        let total: f64 = harm.iter().sum();
        let (mut recipe, mut left, mut exact, mut runs) = (whole, total, 0.0, 0);
        let layers = recipe.layers.len();
        for layer in order {
            let affordable = exact + share(layer) <= MOST_EXACT || self.best_trial().is_none();
            // A network that runs exactly is no design.
            if runs == EXACT_RUNS || !affordable || recipe.exact() + 1 == layers {
                break;
            }
            recipe.layers[layer] = LayerColumns::Exact;
            (left, exact) = (left - harm[layer], exact + share(layer));
            // Where nothing will do, the last one is tried all the same.
            if left * loss > limit * total && recipe.exact() + 1 < layers {
                continue;
            }
            runs += 1;
            if self.measure(recipe.clone())? || !self.is_cheaper(&self.table[self.table.len() - 1].trial, 1.0) {
                break;
            }
        }
        Ok(())
    }

    /// How much each layer alone disturbs the network's outputs, all others being exact.
    fn harm(&mut self, whole: &Recipe) -> Result<Vec<f64>, EngineError> {
        let layers = whole.layers.len();
        let mut harm = Vec::with_capacity(layers);
        for layer in 0..layers {
            let mut recipe = Recipe { layers: vec![LayerColumns::Exact; layers], ..whole.clone() };
            recipe.layers[layer] = whole.layers[layer];
            self.say(&format!("what layer {} of {layers} harms", layer + 1));
            harm.push(self.run(&recipe, false)?.0.agreement.divergence);
        }
        Ok(harm)
    }

    /// Layers of the best one with less, if that saves energy.
    fn less(&mut self) -> Result<(), EngineError> {
        let macs = self.trials.macs();
        let mut order: Vec<usize> = (0..macs.len()).collect();
        order.sort_by_key(|layer| std::cmp::Reverse(macs[*layer]));
        for layer in order {
            for way in 0..WAYS {
                let Some(best) = self.best.as_ref().map(|(at, _)| &self.table[*at]) else { return Ok(()) };
                if best.trial.pj_per_mac.is_none() {
                    return Ok(());
                }
                let recipe = best.recipe.less(layer).into_iter().nth(way).flatten();
                self.say(&format!("less of the memory in layer {} of {}", layer + 1, macs.len()));
                let Some(recipe) = recipe else { continue };
                // What it needs takes a fifth of the time that it takes to judge it.
                let (trial, _) = self.run(&recipe, false)?;
                if self.is_cheaper(&trial, 1.0 - WORTHWHILE) {
                    self.step -= 1;
                    self.measure(recipe)?;
                }
            }
        }
        Ok(())
    }

    fn best_trial(&self) -> Option<&Trial> {
        self.best.as_ref().map(|(at, _)| &self.table[*at].trial)
    }

    /// Whether a trial would need less than a share of the best one's energy.
    fn is_cheaper(&self, trial: &Trial, share: f64) -> bool {
        let Some(best) = self.best_trial() else { return true };
        match (trial.pj_per_mac, best.pj_per_mac) {
            (Some(own), Some(other)) => own < other * share,
            _ => trial.rows < best.rows,
        }
    }

    fn say(&mut self, what: &str) {
        self.step += 1;
        (self.control.progress)(self.step.min(self.steps), self.steps, what);
    }

    /// Measures a recipe; whether it is within the bound.
    fn measure(&mut self, recipe: Recipe) -> Result<bool, EngineError> {
        let name = recipe.kind.pe(self.column.operand(), self.column.frozen).name;
        self.say(&match recipe.exact() {
            0 => name,
            1 => format!("{name}, one layer exact"),
            exact => format!("{name}, {exact} layers exact"),
        });
        let (mut trial, measured) = self.run(&recipe, true)?;
        // Sizes are compared as they are. Less in a layer gains little energy: it must be worth
        // it, and must not use up what is left of the bound.
        let less = recipe.is_less(self.column.operand());
        let (share, bound) = if less { (1.0 - WORTHWHILE, 0.5) } else { (1.0, 1.0) };
        trial.feasible = within_bound(&trial.agreement, bound * self.options.max_loss_pp);
        let feasible = trial.feasible;
        let better = feasible && self.is_cheaper(&trial, share);
        if better && let Some(measured) = &measured {
            (self.control.improved)(&self.design(&recipe, measured));
        }
        self.table.push(Tried { recipe, trial });
        if better {
            self.best = Some((self.table.len() - 1, measured));
        }
        Ok(feasible)
    }

    /// A trial from the log, or else made now; `judged` on samples that it does not see, where
    /// there are enough.
    fn run(&mut self, recipe: &Recipe, judged: bool) -> Result<(Trial, Option<Measured>), EngineError> {
        let key = trial_log::key(&(&self.fingerprint, recipe, judged));
        if let Some(trial) = self.log.find(&key) {
            return Ok((trial.clone(), None));
        }
        let measured = self.trials.measure(recipe, self.column.operand())?;
        let pe = self.design(recipe, &measured).pe;
        let pj_per_mac = self.energy.pj_per_mac(&pe, self.options.zero_skip, &measured.loads);
        let judgement = if judged { self.folds.agreement(recipe, self.column.operand())? } else { None };
        let agreement = judgement.unwrap_or(measured.trial.agreement);
        let trial = trial_log::as_kept(Trial { name: pe.name, pj_per_mac, agreement, ..measured.trial.clone() });
        self.log.add(key, &trial)?;
        Ok((trial, Some(measured)))
    }

    fn design(&self, recipe: &Recipe, measured: &Measured) -> Design {
        let (weight, frozen) = (self.column.operand(), self.column.frozen);
        measured.design(recipe.kind, weight, frozen, self.options.zero_skip, provenance(self.samples, self.options))
    }

    fn finish(mut self) -> Result<SearchResult, EngineError> {
        let loss = |at: &usize| self.table[*at].trial.agreement.expected_loss;
        let least = (0..self.table.len()).min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap_or_default();
        let (chosen, measured) = self.best.take().unwrap_or((least, None));
        let recipe = self.table[chosen].recipe.clone();
        let measured = match measured {
            Some(measured) => measured,
            None => self.trials.measure(&recipe, self.column.operand())?,
        };
        let design = self.design(&recipe, &measured);
        Ok(SearchResult { design, trials: self.table.into_iter().map(|tried| tried.trial).collect(), chosen })
    }
}
