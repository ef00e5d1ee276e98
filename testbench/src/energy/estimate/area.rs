//! The area of a processing element without a netlist, from its sizes.

use super::component::Size;
use super::fit::{Equation, Sample, solve};
use super::table::{AreaRow, EnergyTable};
use axp_spec::{Accumulator, PeConfig};
use std::collections::BTreeMap;

/// Names and sizes of what a configuration's area goes with.
fn terms(config: &PeConfig) -> Vec<(&'static str, f64)> {
    let size = Size::of(config);
    let sum = match config.accumulator {
        Accumulator::Float => vec![("float_sum", 1.0)],
        Accumulator::Fixed { width, .. } => vec![("fixed_sum", 1.0), ("fixed_sum_bit", f64::from(width))],
    };
    let grid = config.grid_memory().is_some();
    let memory = match config.is_frozen() {
        true if grid => vec![("compared_bit", size.compared_bits), ("grid_bit", size.grid_bits)],
        true => vec![("frozen_bit", size.stored_bits), ("column", size.columns)],
        false => vec![("register_bit", size.register_bits), ("clock_gate", size.gates)],
    };
    [("multiplier", 1.0)].into_iter().chain(sum).chain(memory).collect()
}

/// The row of a library, the best fit in shares of each area without negative terms; none
/// of no samples.
pub(super) fn fit(library: &str, library_sha256: &str, samples: &[Sample]) -> Option<AreaRow> {
    let equation = |sample: &Sample| Equation {
        terms: terms(&sample.config),
        measured: sample.figures.ge,
        total: sample.figures.ge,
    };
    let equations: Vec<Equation> =
        samples.iter().filter(|sample| sample.config.operands.is_none()).map(equation).collect();
    if equations.is_empty() {
        return None;
    }
    let ge = solve(&equations);
    let error = |equation: &Equation| {
        (total(&equation.terms, &|name| ge.get(name).copied()).unwrap_or(0.0) / equation.measured - 1.0).powi(2)
    };
    let rms = (equations.iter().map(error).sum::<f64>() / equations.len() as f64).sqrt();
    Some(AreaRow {
        library: library.to_owned(),
        library_sha256: library_sha256.to_owned(),
        ge: ge.into_iter().map(|(name, ge)| (name.to_owned(), ge)).collect::<BTreeMap<_, _>>(),
        designs: equations.len(),
        error_percent: super::fit::round(100.0 * rms),
    })
}

fn total(terms: &[(&str, f64)], of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
    terms.iter().map(|(name, size)| Some(of(name)? * size)).sum()
}

impl EnergyTable {
    /// The area of a configuration on the library with this hash, in gate equivalents. None
    /// where the table does not cover it.
    pub fn area_ge(&self, library_sha256: &str, config: &PeConfig) -> Option<f64> {
        let row = self.areas.iter().find(|row| row.library_sha256 == library_sha256)?;
        if !super::activity::is_covered(config) {
            return None;
        }
        total(&terms(config), &|name| row.ge.get(name).copied())
    }
}
