//! Netlists that were made before, by all that they depend on.

use super::liberty::CellLibrary;
use super::recipe::Recipe;
use super::script::{self, Front};
use super::{Design, Goal, Netlist, SynthError, sta, surroundings, text_hash};
use crate::atomic;
use crate::tools::Tool;
use axp_spec::design::sha256_hex;
use std::fs;
use std::path::Path;

/// A hash of everything that a netlist depends on.
pub(super) fn key(
    design: &Design<'_>,
    front: &Front<'_>,
    library: &CellLibrary,
    goal: Goal,
    points: &[(Recipe, u32)],
) -> Result<String, SynthError> {
    let recipes: Vec<String> = points.iter().map(|(recipe, target)| recipe.script(*target)).collect();
    let mut parts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        text_hash(design),
        library.sha256.clone(),
        Tool::Yosys.version()?,
        Tool::Sta.version()?,
        // As with latches, whether or not there are any: the library's hash tells.
        Front { latches: String::from("latches"), ..front.clone() }.script(&[]),
        script::back(design.top, library, !front.parts.is_empty()),
        script::limits(library),
        front.adders.clone(),
        recipes.concat(),
        sta::commands(Path::new("cells.lib"), "netlist.v", design.top, library, surroundings(design, goal)),
        goal.period.to_string(),
    ];
    if !front.gates.is_empty() {
        parts.push(front.gates.clone());
    }
    Ok(sha256_hex(parts.join("\n\0").as_bytes())[..24].to_owned())
}

/// The netlist in this file. One that is not what it should be is made again.
pub(super) fn kept(path: &Path) -> Option<Netlist> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Moves the result to its place when it is complete.
pub(super) fn keep(path: &Path, netlist: &Netlist) -> Result<(), SynthError> {
    let text = serde_json::to_string(netlist).map_err(|error| SynthError::file(path, error.into()))?;
    atomic::write(path, &text).map_err(|error| SynthError::file(path, error))
}
