//! The energy table: what a component uses on a library.

use super::component::Component;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The table that comes with the program.
const BUNDLED: &str = include_str!("../../../data/energy.json");

/// Energies of components, a row a component and library.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct EnergyTable {
    /// The rows.
    pub rows: Vec<Row>,
    /// Areas, a row a library.
    #[serde(default)]
    pub areas: Vec<AreaRow>,
}

/// What areas go with on a library.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AreaRow {
    /// Name of the library.
    pub library: String,
    /// SHA-256 of its text.
    pub library_sha256: String,
    /// Gate equivalents by the name of what they go with.
    pub ge: BTreeMap<String, f64>,
    /// Designs that the row was fitted to.
    pub designs: usize,
    /// Root mean square of what they differ from it, in percent.
    pub error_percent: f64,
}

/// What a component uses on a library.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Name of the library.
    pub library: String,
    /// SHA-256 of its text.
    pub library_sha256: String,
    /// The component.
    pub component: Component,
    /// Energies in pJ by the name of what they go with, see [`Component::terms`].
    pub pj: BTreeMap<String, f64>,
    /// Measured layers that the row was fitted to.
    pub layers: usize,
    /// Root mean square of what they differ from it, in percent of the energy of the
    /// whole processing element.
    pub error_percent: f64,
}

impl EnergyTable {
    /// The table that comes with the program, made by `scripts/energy_table.sh`.
    ///
    /// # Errors
    /// It does not parse, which a test excludes.
    pub fn bundled() -> Result<Self, serde_json::Error> {
        Self::from_json(BUNDLED)
    }

    /// A table from its JSON.
    ///
    /// # Errors
    /// The text is no table.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The rows as JSON.
    pub fn to_json(&self) -> String {
        // Plain structures with string keys: they cannot fail to serialise.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The row of a component on the library with this hash.
    pub(super) fn row(&self, library_sha256: &str, component: Component) -> Option<&Row> {
        self.rows.iter().find(|row| row.component == component && row.library_sha256 == library_sha256)
    }
}
