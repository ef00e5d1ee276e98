//! Comparisons that were made before, by all that they depend on.

use super::compare::Comparison;
use super::contender::{Baseline, Contender};
use super::error::EnergyError;
use super::gates;
use super::window::LayerWindow;
use super::{LEAST_ANNOTATED_PERCENT, METHOD};
use crate::atomic;
use crate::equivalence::netlist;
use crate::synth::liberty::CellLibrary;
use crate::synth::{SynthError, power, text_hash};
use crate::tools::Tool;
use axp_spec::LayerMemory;
use axp_spec::design::sha256_hex;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The file below `folder` that the comparison of these inputs is kept in. Netlists
/// are covered by what they are made from: Verilog, library, recipes and tools.
///
/// # Errors
/// A configuration without Verilog, or a missing tool.
pub fn file(
    folder: &Path,
    design: &Contender,
    baselines: &[Baseline],
    windows: &[LayerWindow],
    library: &CellLibrary,
    clock_ns: Option<f64>,
) -> Result<PathBuf, EnergyError> {
    let tool = |tool: Tool| {
        let version = tool.version().map_err(SynthError::from);
        version.map_err(|source| EnergyError::Synth { contender: design.name.clone(), source })
    };
    let reads_activity = power::is_available(&AtomicBool::new(false))
        .map_err(|source| EnergyError::Synth { contender: design.name.clone(), source })?;
    let mut parts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        METHOD.to_string(),
        netlist::methods().join(" "),
        LEAST_ANNOTATED_PERCENT.to_string(),
        library.sha256.clone(),
        library.wire_load().to_string(),
        tool(Tool::Yosys)?,
        tool(Tool::Sta)?,
        reads_activity.to_string(),
        clock_ns.map_or(String::new(), |ns| ns.to_string()),
        windows_hash(windows),
    ];
    let contenders =
        std::iter::once(design.clone()).chain(baselines.iter().filter_map(|baseline| baseline.beside(&design.config)));
    for Contender { name, config, zero_skip, range } in contenders {
        let rtl = axp_hdl::generate(&config)?;
        let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
        let text = text_hash(&crate::synth::Design { top: &rtl.top, modules: &modules, clock: None, control: &[] });
        let recipes = gates::suitable(&config).iter().map(|recipe| recipe.script(1)).collect();
        parts.extend([name, format!("{zero_skip} {range:?}"), text, recipes]);
    }
    let key = sha256_hex(parts.join("\n\0").as_bytes());
    Ok(folder.join(format!("energy-{}.json", &key[..24])))
}

/// A hash of everything in the windows, with lengths, so that no two are alike.
fn windows_hash(windows: &[LayerWindow]) -> String {
    let mut bytes = Vec::new();
    let number = |bytes: &mut Vec<u8>, value: u64| bytes.extend_from_slice(&value.to_le_bytes());
    for LayerWindow { name, macs, memory: LayerMemory { range, magnitudes, am }, saturates, sums } in windows {
        let lengths = [name.len(), am.rows.len(), magnitudes.len(), sums.len()].map(|length| length as u64);
        for value in lengths.into_iter().chain([*macs, u64::from(*range), u64::from(*saturates)]) {
            number(&mut bytes, value);
        }
        bytes.extend_from_slice(name.as_bytes());
        for magnitude in magnitudes {
            number(&mut bytes, u64::from(magnitude.0));
        }
        for row in &am.rows {
            for value in [row.key, row.care, u64::from(row.product.0)] {
                number(&mut bytes, value);
            }
        }
        for sum in sums {
            number(&mut bytes, sum.len() as u64);
            for (weight, activation) in sum {
                number(&mut bytes, u64::from(*weight) << 32 | u64::from(*activation));
            }
        }
    }
    sha256_hex(&bytes)
}

/// The comparison in this file. One that is not what it should be is made again.
pub fn kept(path: &Path) -> Option<Comparison> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Moves a comparison to its place when it is complete.
///
/// # Errors
/// Whatever the file system answers.
pub fn keep(path: &Path, comparison: &Comparison) -> io::Result<()> {
    atomic::write(path, &serde_json::to_string(comparison)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::{AmImage, AmRow, Bits32};

    #[test]
    fn any_change_of_a_window_changes_its_hash() {
        let sums = vec![vec![(1, 2), (3, 4)]];
        let window = LayerWindow { name: "a".into(), macs: 9, sums, ..LayerWindow::default() };
        let memory = |change: fn(&mut LayerMemory)| {
            let mut changed = window.clone();
            change(&mut changed.memory);
            changed
        };
        let hash = |window: &LayerWindow| windows_hash(std::slice::from_ref(window));
        let own = hash(&window);
        for changed in [
            LayerWindow { name: "b".into(), ..window.clone() },
            LayerWindow { macs: 10, ..window.clone() },
            LayerWindow { saturates: true, ..window.clone() },
            memory(|memory| memory.range = 7),
            memory(|memory| memory.magnitudes = vec![Bits32(0)]),
            memory(|memory| memory.am = AmImage { rows: vec![AmRow { key: 0, care: 0, product: Bits32(0) }] }),
            LayerWindow { sums: vec![vec![(1, 2)], vec![(3, 4)]], ..window.clone() },
            LayerWindow { sums: vec![vec![(1, 2), (3, 5)]], ..window.clone() },
        ] {
            assert_ne!(hash(&changed), own, "{changed:?}");
        }
        assert_eq!(hash(&window.clone()), own);
    }

    #[test]
    fn a_damaged_file_is_no_comparison() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("energy-0.json");
        assert_eq!(kept(&path), None);
        fs::write(&path, "{\"library\":").unwrap();
        assert_eq!(kept(&path), None);
    }
}
