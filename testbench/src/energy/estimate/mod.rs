//! The energy of a processing element without a netlist, from a table of its components.
//!
//! ```text
//! activity    what happens while a layer runs: hits, misses, bits that change
//! component   what each component's energy goes with
//! table       pJ for each of these, by component and library: energy.json
//! area        gate equivalents, from sizes
//! fit         such a table out of processing elements that were measured
//! ```
//!
//! An estimate takes microseconds where a measurement takes minutes. The table is fitted to the
//! bundled networks; what it is off by on others stands beside every measurement.

mod activity;
mod area;
mod component;
mod fit;
mod float_addition;
mod table;
#[cfg(test)]
mod tests;

use super::figures::Split;
use axp_spec::PeConfig;
use serde::{Deserialize, Serialize};

pub use activity::Activity;
pub use component::Component;
pub use fit::{Sample, fit};
pub use table::{AreaRow, EnergyTable, Row};

/// What a processing element should use.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// pJ a MAC of one inference, writing the rows included.
    pub pj_per_mac: f64,
    /// The same by what it is used for.
    pub split: Split,
}

impl Estimate {
    /// What it is off by, in percent of what was measured.
    pub fn error_percent(&self, measured_pj: f64) -> f64 {
        100.0 * (self.pj_per_mac / measured_pj - 1.0)
    }
}

impl EnergyTable {
    /// The energy of a configuration on the library with this hash, from what its layers
    /// do and their MACs in one inference. None where the table lacks a component or a term, and
    /// for configurations that it does not cover: formats and narrow operands other than
    /// binary32, and pipeline cuts.
    pub fn estimate(&self, library_sha256: &str, config: &PeConfig, layers: &[(u64, Activity)]) -> Option<Estimate> {
        if !activity::is_covered(config) {
            return None;
        }
        let macs: u64 = layers.iter().map(|layer| layer.0).sum();
        let mut split = Split::default();
        for component in Component::of(config) {
            let row = self.row(library_sha256, component)?;
            // A table of other terms is of no use.
            let energy = |terms: Vec<(&str, f64)>| -> Option<f64> {
                terms.iter().map(|(name, size)| Some(row.pj.get(*name)? * size)).sum()
            };
            let pj = if component == Component::Reload {
                energy(Component::reload_terms(config, layers.len(), macs))?
            } else {
                let share = |own: u64| own as f64 / (macs as f64).max(1.0);
                let pj =
                    |(own, activity): &(u64, Activity)| Some(share(*own) * energy(component.terms(config, activity))?);
                layers.iter().map(pj).sum::<Option<f64>>()?
            };
            *component.place(&mut split) += pj;
        }
        Some(Estimate { pj_per_mac: split.total(), split })
    }
}
