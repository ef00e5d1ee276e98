//! Netlists that were made before, by all that they depend on.

use super::apart::Part;
use super::liberty::CellLibrary;
use super::recipe::Recipe;
use super::script::{self, Front};
use super::{Design, Goal, SynthError, modules_hash, sta, surroundings, text_hash};
use crate::atomic;
use crate::tools::Tool;
use axp_spec::design::sha256_hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// A hash of everything that a netlist depends on.
pub(super) fn key(
    design: &Design<'_>,
    parts: &[&str],
    front: &Front<'_>,
    library: &CellLibrary,
    goal: Goal,
    points: &[(Recipe, u32)],
) -> Result<String, SynthError> {
    let recipes: Vec<String> = points.iter().map(|(recipe, target)| recipe.script(*target)).collect();
    let mut texts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        text_hash(design),
        library.sha256.clone(),
        Tool::Yosys.version()?,
        Tool::Sta.version()?,
        // As with latches, whether or not there are any: the library's hash tells.
        Front { latches: String::from("latches"), ..front.clone() }.script(&[], &[]),
        script::back(design.top, library),
        script::limits(library),
        front.adders.clone(),
        recipes.concat(),
        sta::commands(Path::new("cells.lib"), "netlist.v", design.top, library, surroundings(design, goal)),
        goal.period.to_string(),
    ];
    if !parts.is_empty() {
        texts.extend([
            parts.join(" "),
            front.gates.clone(),
            script::part(design.top),
            script::assemble(design.top, library),
        ]);
    }
    Ok(hash(&texts))
}

/// A hash of everything that the gates of a part depend on.
pub(super) fn part_key(
    part: &Part<'_>,
    front: &Front<'_>,
    library: &CellLibrary,
    (recipe, target): &(Recipe, u32),
) -> Result<String, SynthError> {
    let texts = [
        env!("CARGO_PKG_VERSION").to_owned(),
        part.name.to_owned(),
        modules_hash(&part.own),
        modules_hash(&part.inner),
        library.sha256.clone(),
        Tool::Yosys.version()?,
        front.script(&[], &[]),
        script::part(part.name),
        script::limits(library),
        front.adders.clone(),
        front.gates.clone(),
        recipe.script(*target),
    ];
    Ok(hash(&texts))
}

fn hash(texts: &[String]) -> String {
    sha256_hex(texts.join("\n\0").as_bytes())[..24].to_owned()
}

/// The netlist or part in this file. One that is not what it should be is made again.
pub(super) fn kept<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Moves the result to its place when it is complete.
pub(super) fn keep<T: Serialize>(path: &Path, made: &T) -> Result<(), SynthError> {
    let text = serde_json::to_string(made).map_err(|error| SynthError::file(path, error.into()))?;
    atomic::write(path, &text).map_err(|error| SynthError::file(path, error))
}
