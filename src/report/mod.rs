//! What `axp build` found, as data: the contents of `report.json`, and the page
//! and the terminal summary that show the same to a person.

pub mod html;
mod narrow;
mod pe_text;
pub mod summary;

pub use narrow::NarrowAccuracy;
pub use pe_text::describe;

use axp_spec::PeConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout of `report.json`.
pub const SCHEMA: u32 = 1;

/// Everything one `axp build` found.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Report {
    /// Layout version, [`SCHEMA`].
    pub schema: u32,
    /// Version of axp.
    pub axp_version: String,
    /// The network.
    pub model: Model,
    /// Accuracy on the evaluation samples.
    pub accuracy: Accuracy,
    /// Which samples the accuracy and the rates were measured on.
    pub evaluated_on: String,
    /// The processing element.
    pub pe: PeConfig,
    /// State of the PE's zero-skip bit.
    pub zero_skip: bool,
    /// What plain multiply-accumulates of narrower operands make of the same samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrow: Vec<NarrowAccuracy>,
    /// The same search on subsets of the calibration samples, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsets: Option<Subsets>,
    /// What the search chose.
    pub choice: Choice,
    /// Hit rates of the whole net, weighted by MACs.
    pub hit_rate: HitRate,
    /// Share of MACs whose activation is ±0, whole net.
    pub zero_rate: f64,
    /// MACs of one inference on mapped layers.
    pub macs: u64,
    /// Sums of the evaluation that left the range of a fixed-point accumulator, or met
    /// a NaN.
    #[serde(default)]
    pub overflows: u64,
    /// Every multiply-accumulate layer, mapped or not.
    pub layers: Vec<Layer>,
    /// The replay of the layers on the Verilog.
    pub equivalence: Equivalence,
    /// What each lint tool said of the Verilog.
    pub lint: Vec<Lint>,
    /// Every configuration that the search tried.
    pub search: Vec<Candidate>,
    /// Versions of the tools used.
    pub tools: BTreeMap<String, String>,
    /// Wall-clock seconds a stage took.
    pub seconds: BTreeMap<String, f64>,
}

/// The network.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Model {
    /// File name, or the bundled network's name. Data.
    pub name: String,
    /// SHA-256 of the ONNX file.
    pub sha256: String,
    /// Shape of one sample.
    pub input_shape: Vec<usize>,
    /// Calibration samples used.
    pub calibration_samples: usize,
}

/// What accuracy means: with labels, top-1; without, agreement with the float net.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of samples whose top-1 class is the label.
    Top1,
    /// Share of samples whose top-1 class is the float net's.
    Agreement,
}

/// Accuracy of the float net and of the net on the PE, same samples.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Accuracy {
    /// What the figures mean.
    pub measure: Measure,
    /// The float net, 0 to 1.
    pub baseline: f64,
    /// The net on the PE, 0 to 1.
    pub axp: f64,
    /// Percentage points lost; negative if the net on the PE is better.
    pub loss_pp: f64,
    /// Paired standard error of the loss, in percentage points.
    pub loss_standard_error_pp: f64,
    /// Confidence interval of the loss, 95 %, in percentage points: Bonett and Price's for
    /// paired proportions.
    #[serde(default)]
    pub loss_interval_pp: [f64; 2],
    /// Samples evaluated.
    pub samples: usize,
    /// Most that may be lost, in percentage points.
    pub max_loss_pp: f64,
    /// Whether the bound was kept.
    pub within_bound: bool,
    /// Share of samples where both nets give the same class, 0 to 1.
    pub agreement: f64,
}

impl Accuracy {
    /// Compares predictions with labels, or with each other without labels.
    pub fn measure(float: &[usize], axp: &[usize], labels: Option<&[usize]>, max_loss_pp: f64) -> Self {
        let n = float.len().max(1) as f64;
        let right = |predicted: &[usize], truth: &[usize]| -> Vec<f64> {
            predicted.iter().zip(truth).map(|(p, t)| f64::from(u8::from(p == t))).collect()
        };
        let truth = labels.unwrap_or(float);
        let (before, after) = (right(float, truth), right(axp, truth));
        let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
        let lost: Vec<f64> = before.iter().zip(&after).map(|(b, a)| b - a).collect();
        let loss = mean(&lost);
        let variance = lost.iter().map(|x| (x - loss).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let loss_pp = 100.0 * loss;
        let count = |sign: f64| lost.iter().filter(|x| **x == sign).count();
        Self {
            measure: if labels.is_some() { Measure::Top1 } else { Measure::Agreement },
            baseline: mean(&before),
            axp: mean(&after),
            loss_pp,
            loss_standard_error_pp: 100.0 * (variance / n).sqrt(),
            loss_interval_pp: paired_interval(count(1.0), count(-1.0), lost.len()).map(|share| 100.0 * share),
            samples: float.len(),
            max_loss_pp,
            // A loss of exactly the bound, up to rounding of the mean, keeps it.
            within_bound: loss_pp <= max_loss_pp + 1e-9,
            agreement: mean(&right(axp, float)),
        }
    }
}

/// The 95 % confidence interval of the difference of two paired proportions, of which `lost`
/// samples of `n` speak for one and `won` for the other: Bonett and Price, "Adjusted Wald
/// confidence interval for a difference of binomial proportions based on paired data",
/// Journal of Educational and Behavioral Statistics 37(4), 2012.
fn paired_interval(lost: usize, won: usize, n: usize) -> [f64; 2] {
    /// The normal distribution's 97.5 % quantile.
    const QUANTILE: f64 = 1.959_963_985;
    let share = |count: usize| (count as f64 + 1.0) / (n as f64 + 2.0);
    let (lost, won) = (share(lost), share(won));
    let (difference, both) = (lost - won, lost + won);
    let error = ((both - difference * difference) / (n as f64 + 2.0)).sqrt();
    [difference - QUANTILE * error, difference + QUANTILE * error]
}

/// The loss of designs that were made on subsets of the calibration samples.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Subsets {
    /// Mean of the losses, in percentage points.
    pub mean_pp: f64,
    /// The least and the greatest of them.
    pub range_pp: [f64; 2],
    /// One entry a subset.
    pub designs: Vec<SubsetDesign>,
}

/// A design that was made on a subset of the calibration samples.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct SubsetDesign {
    /// Name of its PE.
    pub name: String,
    /// Calibration samples it was made on.
    pub samples: usize,
    /// What it loses on the evaluation samples, in percentage points.
    pub loss_pp: f64,
    /// Share of nonzero MACs served by the associative memory.
    pub nonzero_hit_rate: f64,
}

impl Subsets {
    /// Sums the designs up; none of none.
    pub fn new(designs: Vec<SubsetDesign>) -> Option<Self> {
        let losses = || designs.iter().map(|design| design.loss_pp);
        let mean_pp = losses().sum::<f64>() / designs.len() as f64;
        let range_pp = [losses().reduce(f64::min)?, losses().reduce(f64::max)?];
        Some(Self { mean_pp, range_pp, designs })
    }
}

/// Share of MACs served by the associative memory, 0 to 1.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, Default)]
pub struct HitRate {
    /// Of all MACs.
    pub all: f64,
    /// Of those whose activation is not ±0.
    pub nonzero: f64,
}

/// What the search chose.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Choice {
    /// Most weight values in any layer.
    pub clusters: usize,
    /// Most top fraction bits of the activation compared in any layer (23: all).
    pub key_fraction_bits: u32,
    /// Most rows used in any layer.
    pub rows: usize,
    /// Most rows of a layer with a product of their own.
    #[serde(default)]
    pub products: usize,
    /// Agreement with the float net on the calibration samples, 0 to 1.
    pub calibration_agreement: f64,
    /// Layers that keep their own weights and have no rows.
    #[serde(default)]
    pub exact_layers: usize,
    /// What it should use, as the energy table has it, in pJ a MAC.
    #[serde(default)]
    pub estimated_pj_per_mac: Option<f64>,
    /// The cell library that this is for.
    #[serde(default)]
    pub library: String,
}

/// One multiply-accumulate layer.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Layer {
    /// ONNX node name. Data.
    pub name: String,
    /// ONNX operator.
    pub op: String,
    /// Whether it runs on the PE.
    pub mapped: bool,
    /// Why it does not, where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// MACs of one inference; not counted for a layer that is not mapped.
    pub macs: Option<u64>,
    /// Share served by the associative memory.
    pub hit_rate: HitRate,
    /// Share of MACs whose activation is ±0, padding included.
    pub zero_rate: f64,
    /// Weight values used.
    pub clusters: usize,
    /// Rows used.
    pub rows: usize,
    /// Top fraction bits of the activation compared (23: all).
    pub key_fraction_bits: u32,
    /// Sums of the evaluation during which a fixed-point accumulator saturated, or
    /// met a NaN.
    #[serde(default)]
    pub overflows: u64,
}

/// The replay of real layers on the Verilog, all layers together.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Equivalence {
    /// Simulator and version.
    pub simulator: String,
    /// Clock cycles in which every output was compared.
    pub cycles: u64,
    /// MACs replayed.
    pub macs: u64,
    /// Complete sums compared with the tensor elements of the inference.
    pub outputs: u64,
    /// Differences found.
    pub mismatches: u64,
    /// The same for each mapped layer.
    pub layers: Vec<LayerEquivalence>,
    /// The first difference, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_mismatch: Option<String>,
}

/// The replay of one layer.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct LayerEquivalence {
    /// ONNX node name. Data.
    pub name: String,
    /// Simulator and version.
    pub simulator: String,
    /// Clock cycles compared.
    pub cycles: u64,
    /// MACs replayed.
    pub macs: u64,
    /// Complete sums compared.
    pub outputs: u64,
    /// Differences found.
    pub mismatches: u64,
}

/// One lint tool's verdict.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Lint {
    /// Tool and options.
    pub tool: String,
    /// Warnings and errors.
    pub warnings: usize,
}

/// One configuration that the search tried.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Candidate {
    /// What would be built.
    #[serde(default)]
    pub name: String,
    /// Layers that keep their own weights and have no rows.
    #[serde(default)]
    pub exact_layers: usize,
    /// What it should use, as the energy table has it, in pJ a MAC.
    #[serde(default)]
    pub estimated_pj_per_mac: Option<f64>,
    /// Weight values a layer (`null`: unclustered).
    pub clusters: Option<usize>,
    /// Top fraction bits compared (23: all).
    pub key_fraction_bits: u32,
    /// How rows were chosen.
    pub fill: String,
    /// Rows a layer, at most.
    pub rows: usize,
    /// Accuracy it is expected to cost, by the float net's own probabilities, in
    /// percentage points.
    pub expected_loss_pp: f64,
    /// Agreement with the float net on the calibration samples, 0 to 1.
    pub agreement: f64,
    /// Share of nonzero MACs served by the associative memory, calibration samples.
    pub nonzero_hit_rate: f64,
    /// Whether it kept the bound.
    pub within_bound: bool,
    /// Whether it is the one that was built.
    pub chosen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_paired_and_signed() {
        let labels = [0, 1, 2, 3];
        let float = [0, 1, 2, 0];
        let axp = [0, 1, 0, 3];
        let a = Accuracy::measure(&float, &axp, Some(&labels), 1.0);
        assert_eq!((a.baseline, a.axp, a.loss_pp, a.agreement), (0.75, 0.75, 0.0, 0.5));
        assert!(a.within_bound && a.loss_standard_error_pp > 0.0);
        let a = Accuracy::measure(&float, &axp, None, 1.0);
        assert_eq!((a.measure, a.baseline, a.axp, a.loss_pp), (Measure::Agreement, 1.0, 0.5, 50.0));
        assert!(!a.within_bound);
    }

    #[test]
    fn the_interval_is_that_of_bonett_and_price() {
        let [low, high] = paired_interval(59, 6, 100);
        let difference = 53.0 / 102.0;
        assert!((low + high - 2.0 * difference).abs() < 1e-12 && low < 0.53 && high > 0.53, "{low} {high}");
        let error = ((67.0 / 102.0 - difference * difference) / 102.0_f64).sqrt();
        assert!((high - difference - 1.959_963_985 * error).abs() < 1e-12);
        // Nothing differs, and yet something might.
        let [low, high] = paired_interval(0, 0, 400);
        assert!(low < 0.0 && high > 0.0 && high < 0.01);
    }

    #[test]
    fn the_bound_includes_itself() {
        let float = vec![0; 100];
        let mut axp = float.clone();
        axp[7] = 1;
        assert!(Accuracy::measure(&float, &axp, None, 1.0).within_bound);
        axp[8] = 1;
        assert!(!Accuracy::measure(&float, &axp, None, 1.0).within_bound);
    }
}
