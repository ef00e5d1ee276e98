//! Where a saving comes from: from the plain binary32 MAC to the design, a step at a time.

use super::compare::Comparison;
use super::contender::Baseline;
use serde::Serialize;

/// One step down.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Step {
    /// What is new in it.
    pub step: &'static str,
    /// Which processing element it is.
    pub name: String,
    /// pJ a MAC.
    pub pj_per_mac: f64,
    /// What it needs less than the step before, in percent of the plain MAC; negative
    /// where it needs more.
    pub step_percent: f64,
    /// What it needs less than the plain MAC, in percent of that.
    pub saving_percent: f64,
}

/// The baselines of the steps, the plainest first.
const STEPS: [(&str, Baseline); 5] = [
    ("plain binary32 MAC", Baseline::Plain),
    ("zero skip", Baseline::ZeroSkip),
    ("fixed-point accumulator", Baseline::FixedZeroSkip),
    ("bfloat16 operands", Baseline::Bf16FixedZeroSkip),
    ("sum of the design's width", Baseline::Bf16SameSumZeroSkip),
];

/// The steps from the plain MAC to the design; empty where that is not among the
/// baselines. Steps whose baseline is not there are left out. The design's own stands
/// at the end: it need not have all that is above it, and need not be the least.
pub fn waterfall(found: &Comparison) -> Vec<Step> {
    let energy = |baseline: Baseline| {
        let figures = found.baselines.iter().map(|baseline| &baseline.figures);
        figures.into_iter().find(|figures| figures.name == baseline.name()).map(|figures| figures.pj_per_mac)
    };
    let Some(plain) = energy(Baseline::Plain) else { return Vec::new() };
    let baselines = STEPS.iter().filter_map(|(step, baseline)| Some((*step, baseline.name(), energy(*baseline)?)));
    let design = ("associative memory", found.design.name.as_str(), found.design.pj_per_mac);
    let mut before = plain;
    let step = |(step, name, pj_per_mac): (&'static str, &str, f64)| {
        let percent = |less: f64| 100.0 * less / plain;
        let step_percent = percent(std::mem::replace(&mut before, pj_per_mac) - pj_per_mac);
        Step { step, name: name.to_owned(), pj_per_mac, step_percent, saving_percent: percent(plain - pj_per_mac) }
    };
    baselines.chain([design]).map(step).collect()
}
