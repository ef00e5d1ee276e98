//! All contenders on one library, at one clock period, on the same layers.

use super::contender::{Baseline, Contender};
use super::error::EnergyError;
use super::figures::Figures;
use super::gates::{self, Gates};
use super::opinion::SecondOpinion;
use super::run;
use super::window::LayerWindow;
use crate::synth::liberty::CellLibrary;
use crate::synth::power;
use crate::synth::recipe::Recipe;
use axp_spec::PeConfig;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many netlists are simulated at the same time.
const JOBS: usize = 2;

/// How to compare.
pub struct Options<'a> {
    /// Clock period in ns; the least that is possible, in whole ns, if there is none.
    pub clock_ns: Option<f64>,
    /// Recipes of the netlists; those that suit the size of each if there are none. Whoever keeps
    /// figures by content has to tell those of other recipes apart.
    pub recipes: Option<&'a [Recipe]>,
    /// Folder of the netlists that were made before.
    pub cache: Option<&'a Path>,
    /// Hears what is going on, from any thread.
    pub progress: &'a (dyn Fn(Phase<'_>) + Sync),
    /// Ends everything once it is true.
    pub cancel: &'a AtomicBool,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase<'a> {
    /// This netlist is being made.
    Synthesis(&'a str),
    /// This netlist is being proven equivalent to its Verilog.
    Proof(&'a str),
    /// So many MACs of all contenders have been simulated.
    Simulation {
        /// Done.
        macs: u64,
        /// To do.
        of: u64,
    },
}

/// A baseline, and what the design saves against it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct BaselineFigures {
    /// What the design's energy a MAC is below this one's, in percent of it; negative
    /// where the design needs more.
    pub saving_percent: f64,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The figures of a design on a library.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Name of the library.
    pub library: String,
    /// SHA-256 of its text.
    pub library_sha256: String,
    /// Wire capacitance a fan-out in fF.
    pub wire_load_ff: f64,
    /// Clock period of all in ns.
    pub period_ns: f64,
    /// What the design saves against the plain binary32 MAC, in percent; absent
    /// if that is not among the baselines.
    pub saving_percent: Option<f64>,
    /// The design.
    #[serde(flatten)]
    pub design: Figures,
    /// The baselines.
    pub baselines: Vec<BaselineFigures>,
}

/// Measures `design` and `baselines` on the windows of its layers, without those that need a
/// fixed-point sum of the design's if it has none.
///
/// # Errors
/// [`EnergyError`]; among others a clock period shorter than the longest path.
pub fn compare(
    design: &Contender,
    baselines: &[Baseline],
    windows: &[LayerWindow],
    library: &CellLibrary,
    options: &Options<'_>,
) -> Result<Comparison, EnergyError> {
    let beside = baselines.iter().filter_map(|baseline| baseline.beside(&design.config));
    let contenders: Vec<Contender> = std::iter::once(design.clone()).chain(beside).collect();
    for config in contenders.iter().map(|contender| &contender.config) {
        windows.iter().enumerate().try_for_each(|(number, window)| window.check(number, config))?;
    }
    // Contenders of one configuration share a netlist.
    let mut gates: HashMap<PeConfig, Gates> = HashMap::new();
    for Contender { name, config, .. } in &contenders {
        if !gates.contains_key(config) {
            (options.progress)(Phase::Synthesis(name));
            let mut made = Gates::make(name, config, library, options.recipes, options.cache, options.cancel)?;
            (options.progress)(Phase::Proof(name));
            made.check(name, library, options.cache, options.cancel)?;
            gates.insert(config.clone(), made);
        }
    }
    let period_ns = period(&contenders, &gates, library, options.clock_ns)?;
    let mut figures = measure_all(&contenders, &gates, period_ns, windows, library, options)?.into_iter();
    // There is a figure for each contender, the design's is the first.
    let Some(own) = figures.next() else { return Err(EnergyError::Cancelled) };
    let baselines: Vec<BaselineFigures> = figures
        .map(|figures| BaselineFigures { saving_percent: saving(own.pj_per_mac, figures.pj_per_mac), figures })
        .collect();
    let plain = baselines.iter().find(|baseline| baseline.figures.name == Baseline::Plain.name());
    Ok(Comparison {
        library: library.name.clone(),
        library_sha256: library.sha256.clone(),
        wire_load_ff: library.wire_load(),
        period_ns,
        saving_percent: plain.map(|plain| plain.saving_percent),
        design: own,
        baselines,
    })
}

/// How much less `own` is than `other`, in percent of it.
fn saving(own: f64, other: f64) -> f64 {
    100.0 * (1.0 - own / other)
}

/// The clock period of all in ns: what was asked for, or the slowest longest path
/// rounded up to a whole ns.
fn period(
    contenders: &[Contender],
    gates: &HashMap<PeConfig, Gates>,
    library: &CellLibrary,
    asked_ns: Option<f64>,
) -> Result<f64, EnergyError> {
    let longest = |contender: &Contender| gates.get(&contender.config).map_or(0.0, |gates| gates.longest_ns);
    let Some(slowest) = contenders.iter().max_by(|a, b| longest(a).total_cmp(&longest(b))) else {
        return Ok(asked_ns.unwrap_or_default());
    };
    let least_ns = longest(slowest).ceil().max(1.0);
    match asked_ns {
        Some(period_ns) if period_ns < least_ns => Err(EnergyError::Clock {
            period_ns,
            least_ns,
            library: library.name.clone(),
            slowest: slowest.name.clone(),
        }),
        Some(period_ns) => Ok(period_ns),
        None => Ok(least_ns),
    }
}

/// Simulates all contenders, [`JOBS`] at a time.
fn measure_all(
    contenders: &[Contender],
    gates: &HashMap<PeConfig, Gates>,
    period_ns: f64,
    windows: &[LayerWindow],
    library: &CellLibrary,
    options: &Options<'_>,
) -> Result<Vec<Figures>, EnergyError> {
    let of = contenders.len() as u64 * windows.iter().map(LayerWindow::window_macs).sum::<u64>();
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let progress = |macs: u64| {
        let macs = done.fetch_add(macs, Ordering::Relaxed) + macs;
        (options.progress)(Phase::Simulation { macs, of });
    };
    let name = contenders.first().map_or(String::new(), |contender| contender.name.clone());
    let reads_activity =
        power::is_available(options.cancel).map_err(|source| EnergyError::Synth { contender: name, source })?;
    let one = |contender: &Contender| {
        // Each contender's netlist has been made.
        let Some(gates) = gates.get(&contender.config) else { return Err(EnergyError::Cancelled) };
        let program = gates.program(&contender.name, library, period_ns)?;
        let (measured, activity) = run::run(contender, gates, &program, period_ns, windows, &progress, options.cancel)?;
        let mut figures = Figures::of(&contender.name, contender.zero_skip, gates, &measured, windows);
        if reads_activity {
            let netlist = (&program.circuit, gates::around(library));
            let opinion = SecondOpinion::ask(&contender.name, netlist, &activity, &measured, library, options.cancel)?;
            figures.second_opinion = Some(opinion);
        }
        Ok(figures)
    };
    let results: Mutex<BTreeMap<usize, Result<Figures, EnergyError>>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(contender) = contenders.get(index) else { break };
                    let result = one(contender);
                    if result.is_err() {
                        // The others would only take time.
                        next.store(contenders.len(), Ordering::Relaxed);
                    }
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
