//! What designs should use, for a search to choose by: the energy table on what their layers do.

use crate::exit::Failure;
use crate::input;
use axp_golden::codesign::energy::{EnergyModel, LayerLoad};
use axp_spec::PeConfig;
use axp_testbench::energy::estimate::{Activity, EnergyTable};
use axp_testbench::energy::{Contender, LayerWindow};
use std::path::Path;

/// An energy table, and the library of it that designs are estimated on.
pub struct TableModel {
    table: EnergyTable,
    library_sha256: String,
    name: String,
}

impl TableModel {
    /// The table in a file, or the one that comes with axp, and its first library.
    ///
    /// # Errors
    /// The file cannot be read, or is no table.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let table = table(path)?;
        let first = table.rows.first().ok_or_else(|| {
            Failure::input("the energy table has no rows", "`axp energy-table` writes tables of built designs")
        })?;
        let library_sha256 = first.library_sha256.clone();
        let name = axp_spec::design::sha256_hex(table.to_json().as_bytes());
        Ok(Self { table, library_sha256, name })
    }

    /// Area of a processing element in gate equivalents, if the table covers it.
    pub fn area_ge(&self, pe: &PeConfig) -> Option<f64> {
        self.table.area_ge(&self.library_sha256, pe)
    }

    /// Name of the library.
    pub fn library(&self) -> &str {
        self.table.rows.first().map_or("", |row| &row.library)
    }
}

impl EnergyModel for TableModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn pj_per_mac(&self, pe: &PeConfig, zero_skip: bool, layers: &[LayerLoad]) -> Option<f64> {
        let contender = Contender::design(pe, zero_skip);
        let activity = |(number, layer): (usize, &LayerLoad)| {
            let window = LayerWindow {
                name: layer.name.clone(),
                macs: layer.macs,
                memory: layer.memory.clone(),
                saturates: false,
                sums: layer.sums.clone(),
            };
            Some((layer.macs, Activity::of(&contender, &window, number).ok()?))
        };
        let activities: Vec<(u64, Activity)> = layers.iter().enumerate().map(activity).collect::<Option<_>>()?;
        Some(self.table.estimate(&self.library_sha256, pe, &activities)?.pj_per_mac)
    }
}

/// The table that estimates are made with.
///
/// # Errors
/// The file cannot be read, or is no table.
pub fn table(path: Option<&Path>) -> Result<EnergyTable, Failure> {
    let Some(path) = path else {
        return EnergyTable::bundled().map_err(|error| {
            Failure::check(
                format!("the energy table that comes with axp: {error}"),
                "axp has a defect; please report it",
            )
        });
    };
    EnergyTable::from_json(&input::read_text(path)?).map_err(|error| {
        Failure::input(format!("{} is no energy table: {error}", path.display()), "`axp energy-table` writes them")
    })
}
