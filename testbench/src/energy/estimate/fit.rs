//! A table of component energies out of measured processing elements.

use super::activity::{Activity, is_covered};
use super::area;
use super::component::Component;
use super::table::{EnergyTable, Row};
use crate::energy::figures::{Figures, Split};
use axp_spec::PeConfig;
use std::collections::BTreeMap;

/// A processing element that was measured on the layers of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its configuration.
    pub config: PeConfig,
    /// What was measured.
    pub figures: Figures,
    /// What its layers did, in their order.
    pub activities: Vec<Activity>,
}

/// What was measured, and the terms that should explain it.
pub(super) struct Equation {
    pub terms: Vec<(&'static str, f64)>,
    pub measured: f64,
    /// What the processing element has in all: errors count in shares of it.
    pub total: f64,
}

impl Component {
    fn equations(self, sample: &Sample) -> Vec<Equation> {
        let Sample { config, figures, activities } = sample;
        let total = figures.pj_per_mac;
        if !is_covered(config) || !Self::of(config).contains(&self) {
            return Vec::new();
        }
        let equation = |terms, mut split: Split| Equation { terms, measured: *self.place(&mut split), total };
        if self == Self::Reload {
            let macs = figures.layers.iter().map(|layer| layer.macs).sum();
            return vec![equation(Self::reload_terms(config, activities.len(), macs), figures.split)];
        }
        let layers = figures.layers.iter().zip(activities);
        layers.map(|(layer, activity)| equation(self.terms(config, activity), layer.split)).collect()
    }
}

/// The rows of a library, each the best fit in shares of the whole processing element's
/// energy, without negative energies; components that no sample has are left out.
pub fn fit(library: &str, library_sha256: &str, samples: &[Sample]) -> EnergyTable {
    let row = |component: Component| {
        let equations: Vec<Equation> = samples.iter().flat_map(|sample| component.equations(sample)).collect();
        if equations.is_empty() {
            return None;
        }
        let terms = solve(&equations);
        let error = |equation: &Equation| {
            let found: f64 = equation.terms.iter().map(|(name, size)| terms[name] * size).sum();
            ((found - equation.measured) / equation.total).powi(2)
        };
        let rms = (equations.iter().map(error).sum::<f64>() / equations.len() as f64).sqrt();
        Some(Row {
            library: library.to_owned(),
            library_sha256: library_sha256.to_owned(),
            component,
            pj: terms.into_iter().map(|(name, pj)| (name.to_owned(), pj)).collect(),
            layers: equations.len(),
            error_percent: round(100.0 * rms),
        })
    };
    EnergyTable {
        rows: Component::ALL.into_iter().filter_map(row).collect(),
        areas: area::fit(library, library_sha256, samples).into_iter().collect(),
    }
}

/// The non-negative sizes of terms that explain the equations best, by coordinate descent
/// on the normal equations: Franc, Hlaváč, Navara, "Sequential coordinate-wise algorithm
/// for the non-negative least squares problem", CAIP 2005.
pub(super) fn solve(equations: &[Equation]) -> BTreeMap<&'static str, f64> {
    /// Far more than it takes to settle the sixth digit.
    const ROUNDS: usize = 20_000;
    let mut names: Vec<&'static str> = Vec::new();
    for (name, _) in equations.iter().flat_map(|equation| &equation.terms) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let count = names.len();
    let (mut normal, mut right) = (vec![vec![0.0; count]; count], vec![0.0; count]);
    for equation in equations {
        let size = |name: &&str| equation.terms.iter().find(|term| term.0 == *name).map_or(0.0, |term| term.1);
        let sizes: Vec<f64> = names.iter().map(|name| size(name) / equation.total).collect();
        for (i, own) in sizes.iter().enumerate() {
            right[i] += own * equation.measured / equation.total;
            normal[i].iter_mut().zip(&sizes).for_each(|(sum, other)| *sum += own * other);
        }
    }
    let mut found = vec![0.0_f64; count];
    for _ in 0..ROUNDS {
        for i in 0..count {
            // A term that no equation has explains nothing.
            if normal[i][i] > 0.0 {
                let known: f64 = normal[i].iter().zip(&found).map(|(of, value)| of * value).sum();
                found[i] = (found[i] + (right[i] - known) / normal[i][i]).max(0.0);
            }
        }
    }
    names.into_iter().zip(found.into_iter().map(round)).collect()
}

/// To six significant digits, as it is written.
pub(super) fn round(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_data_gives_the_energies_back_and_none_is_negative() {
        let equation = |a: f64, b: f64, measured| Equation { terms: vec![("a", a), ("b", b)], measured, total: 10.0 };
        let sizes = [(1.0, 0.5), (1.0, 3.0), (1.0, 7.0), (1.0, 1.25)];
        let exact: Vec<Equation> = sizes.iter().map(|(a, b)| equation(*a, *b, 2.0 * a + 0.75 * b)).collect();
        assert_eq!(solve(&exact), BTreeMap::from([("a", 2.0), ("b", 0.75)]));
        let falling: Vec<Equation> = sizes.iter().map(|(a, b)| equation(*a, *b, 9.0 - b)).collect();
        let found = solve(&falling);
        assert!(found["b"] == 0.0 && found["a"] > 5.0 && found["a"] < 7.0, "{found:?}");
    }
}
