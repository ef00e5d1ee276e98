//! From Verilog to gates: area, cells and longest path on a Liberty library.
//!
//! [`liberty`] finds a library's cells by function, [`script`] writes the Yosys
//! scripts, [`recipe`] the ABC scripts, and [`sta`] measures the longest path. [`power`] asks OpenSTA about energy.
//! Several recipes are tried; of those that meet the period the smallest wins.
//! `apart` maps modules whose bounds are kept by themselves. [`cache`] keeps what was done. [`fpga`] places and routes for iCE40 and ECP5.

mod apart;
pub mod assigns;
pub mod cache;
mod error;
pub mod fpga;
pub mod function;
pub mod liberty;
pub mod power;
pub mod recipe;
pub mod script;
pub mod sta;
#[cfg(test)]
mod tests;

use crate::parallel;
use crate::process::Invocation;
use crate::tools::Tool;
use axp_spec::design::sha256_hex;
pub use error::SynthError;
use liberty::{CellLibrary, Corner};
use recipe::{RECIPES, Recipe};
use script::Front;
use serde::{Deserialize, Serialize};
use sta::{LongestPath, Surroundings};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A module to synthesise.
#[derive(Clone, Copy, Debug)]
pub struct Design<'a> {
    /// Name of the top module.
    pub top: &'a str,
    /// Every module, with the ones it instantiates: name and Verilog.
    pub modules: &'a [(&'a str, &'a str)],
    /// Name of the clock port, if there is one.
    pub clock: Option<&'a str>,
    /// Control inputs that only reach clock gates.
    pub control: &'a [&'a str],
}

/// What the search aims at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The longest path that is still good, in ns: of the netlists that meet
    /// it the smallest is kept; if none does, the fastest.
    pub period: f64,
    /// Wire capacitance a fan-out in fF.
    pub wire_load: f64,
}

/// A netlist and its figures.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Netlist {
    /// Sum of the cells' areas, in the library's unit.
    pub area: f64,
    /// The same in NAND2 equivalents: divided by the smallest two-input NAND.
    pub ge: f64,
    /// Flip-flops.
    pub flops: usize,
    /// Delay of the longest path in ns.
    pub longest_path_ns: f64,
    /// Instances of the library's full-adder cell.
    pub full_adders: usize,
    /// Instances of the library's half-adder cell.
    pub half_adders: usize,
    /// Instances of all cells.
    pub cells: usize,
    /// Instances by cell.
    pub cells_by_type: BTreeMap<String, usize>,
    /// The ABC recipe that made it, and its delay target in ps.
    pub recipe: String,
    /// The longest path.
    pub path: LongestPath,
    /// The netlist in Verilog.
    pub verilog: String,
    /// The same before its parts were flattened, without tie cells; empty if none were kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hierarchy: String,
}

/// Which library and tools a netlist was made with.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Origin {
    /// Name of the library.
    pub library: String,
    /// Its corner.
    pub corner: Corner,
    /// SHA-256 of its text.
    pub library_sha256: String,
    /// SHA-256 of the modules' texts.
    pub sha256: String,
    /// First line of each tool's version.
    pub tools: BTreeMap<&'static str, String>,
}

/// SHA-256 of the modules' names and texts, in their order.
pub fn text_hash(design: &Design<'_>) -> String {
    modules_hash(design.modules)
}

fn modules_hash(modules: &[(&str, &str)]) -> String {
    let mut bytes = Vec::new();
    for part in modules.iter().flat_map(|(name, text)| [*name, *text]) {
        // With their lengths, so that no two lists of parts look the same.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    sha256_hex(&bytes)
}

/// What the figures of this design on this library come from.
///
/// # Errors
/// A missing tool, or one without a version.
pub fn origin(design: &Design<'_>, library: &CellLibrary) -> Result<Origin, SynthError> {
    let mut tools = BTreeMap::new();
    for tool in [Tool::Yosys, Tool::Sta] {
        tools.insert(tool.program(), tool.version()?);
    }
    Ok(Origin {
        library: library.name.clone(),
        corner: library.corner.clone(),
        library_sha256: library.sha256.clone(),
        sha256: text_hash(design),
        tools,
    })
}

/// Synthesises with every recipe and keeps the best netlist, or takes it from
/// `cache` if the same was done before. The same inputs and tools give the same
/// netlist.
///
/// # Errors
/// [`SynthError`].
pub fn synthesise(
    design: &Design<'_>,
    library: &CellLibrary,
    goal: Goal,
    cache: Option<&Path>,
    cancel: &AtomicBool,
) -> Result<Netlist, SynthError> {
    synthesise_parts(design, &[], library, goal, cache, cancel)
}

/// The same, with the bounds of some modules kept: `parts` are names of modules
/// whose instances can be told apart in the flat netlist, where a cell of the
/// instance `adder` is named `adder.…`. Each part is mapped by itself: with one recipe it
/// becomes the same gates in every design. Each clock gate becomes one latch and one AND (and an inverter, where the
/// library's latch is open while its enable is high). Without parts it is
/// [`synthesise`].
///
/// # Errors
/// [`SynthError`].
pub fn synthesise_parts(
    design: &Design<'_>,
    parts: &[&str],
    library: &CellLibrary,
    goal: Goal,
    cache: Option<&Path>,
    cancel: &AtomicBool,
) -> Result<Netlist, SynthError> {
    synthesise_tried(design, parts, RECIPES, library, goal, cache, cancel)
}

/// The same with these recipes, of which there is at least one: for netlists so
/// large that trying all of them takes too long.
///
/// # Errors
/// [`SynthError`].
pub fn synthesise_tried(
    design: &Design<'_>,
    parts: &[&str],
    recipes: &[Recipe],
    library: &CellLibrary,
    goal: Goal,
    cache: Option<&Path>,
    cancel: &AtomicBool,
) -> Result<Netlist, SynthError> {
    let points = recipe::points(recipes, goal.period);
    let apart = !parts.is_empty();
    let names: Vec<&str> = design.modules.iter().map(|(name, _)| *name).collect();
    let front = Front::of(design.top, &names, apart, library);
    let kept = match cache {
        Some(folder) => {
            let key = cache::key(design, parts, &front, library, goal, &points)?;
            Some(folder.join(format!("synth-{key}.json")))
        }
        None => None,
    };
    if let Some(netlist) = kept.as_deref().and_then(cache::kept) {
        return Ok(netlist);
    }
    let folder = tempfile::tempdir().map_err(|source| SynthError::file(&std::env::temp_dir(), source))?;
    let run = Run { library, goal, folder: folder.path(), cancel };
    let netlist = if apart {
        apart::best_of(design, parts, &points, run, cache)?
    } else {
        run.prepare(&front, design.modules, &[])?;
        let points: Vec<_> = points.iter().enumerate().collect();
        best(parallel::all(&points, |(index, point)| run.attempt(design, *index, point))?, goal.period)
    };
    if let Some(path) = kept {
        cache::keep(&path, &netlist)?;
    }
    Ok(netlist)
}

/// One synthesis at work.
#[derive(Clone, Copy)]
struct Run<'a> {
    library: &'a CellLibrary,
    goal: Goal,
    /// Where its files are, or those of one of its parts.
    folder: &'a Path,
    cancel: &'a AtomicBool,
}

impl Run<'_> {
    /// Writes the inputs and runs everything up to ABC, which all recipes share. Of `heads`
    /// only the ports count.
    fn prepare(&self, front: &Front<'_>, modules: &[(&str, &str)], heads: &[(&str, &str)]) -> Result<(), SynthError> {
        let mut files = Vec::new();
        for (index, (_, text)) in modules.iter().chain(heads).enumerate() {
            let file = format!("module{index}.v");
            write(&self.folder.join(&file), text)?;
            files.push(file);
        }
        let (own, heads) = files.split_at(modules.len());
        for (file, text) in [
            ("cells.lib", &self.library.text),
            ("adders.v", &front.adders),
            ("latches.v", &front.latches),
            ("gates.v", &front.gates),
            ("front.ys", &front.script(own, heads)),
            ("limits.txt", &script::limits(self.library)),
        ] {
            write(&self.folder.join(file), text)?;
        }
        yosys(self.folder, "front.ys", self.cancel)
    }

    /// Maps what was prepared, as one flat module, with the recipe of this index.
    fn attempt(&self, design: &Design<'_>, index: usize, point: &(Recipe, u32)) -> Result<Netlist, SynthError> {
        let folder = self.map(index, point, &script::back(design.top, self.library))?;
        self.measure(design, &folder, point, String::new())
    }

    /// Runs a script that maps what was prepared, in a folder of its own, which is returned.
    fn map(&self, index: usize, (recipe, target): &(Recipe, u32), script: &str) -> Result<PathBuf, SynthError> {
        let folder = self.folder.join(format!("try{index}"));
        fs::create_dir(&folder).map_err(|source| SynthError::file(&folder, source))?;
        write(&folder.join("recipe.abc"), &recipe.script(*target))?;
        write(&folder.join("back.ys"), script)?;
        yosys(&folder, "back.ys", self.cancel)?;
        Ok(folder)
    }

    /// The figures of the flat netlist in this folder, beside which there is the library.
    fn measure(
        &self,
        design: &Design<'_>,
        folder: &Path,
        (recipe, target): &(Recipe, u32),
        hierarchy: String,
    ) -> Result<Netlist, SynthError> {
        let around = surroundings(design, self.goal);
        let verilog = assigns::single_bits(&read(&folder.join("netlist.v"))?);
        write(&folder.join("netlist.v"), &verilog)?;
        let cells = Path::new("../cells.lib");
        let path = sta::longest_path(folder, cells, "netlist.v", design.top, self.library, around, self.cancel)?;
        let counts = cell_counts(&read(&folder.join("cells.json"))?, None)?;
        figures(self.library, counts, path, (verilog, hierarchy), format!("{}@{target}", recipe.name))
    }
}

fn yosys(folder: &Path, script: &str, cancel: &AtomicBool) -> Result<(), SynthError> {
    Invocation::new(&Tool::Yosys.find()?).directory(folder).args(["-q", "-s", script]).cancel(cancel).run()?;
    Ok(())
}

const fn surroundings<'a>(design: &Design<'a>, goal: Goal) -> Surroundings<'a> {
    Surroundings { wire_load: goal.wire_load, clock: design.clock, control: design.control }
}

fn figures(
    library: &CellLibrary,
    counts: BTreeMap<String, usize>,
    path: LongestPath,
    (verilog, hierarchy): (String, String),
    recipe: String,
) -> Result<Netlist, SynthError> {
    let unmapped: Vec<_> = counts.keys().filter(|cell| library.area(cell).is_none()).cloned().collect();
    if !unmapped.is_empty() {
        return Err(SynthError::Unmapped { library: library.name.clone(), cells: unmapped.join(", ") });
    }
    let area: f64 = counts.iter().map(|(cell, count)| library.area(cell).unwrap_or(0.0) * *count as f64).sum();
    let count_of =
        |adder: &Option<liberty::Adder>| adder.as_ref().and_then(|adder| counts.get(&adder.cell)).copied().unwrap_or(0);
    Ok(Netlist {
        area,
        ge: area / library.unit_area(),
        flops: counts.iter().filter(|(cell, _)| library.is_flop(cell)).map(|(_, count)| count).sum(),
        longest_path_ns: path.ns,
        full_adders: count_of(&library.roles.full_adder),
        half_adders: count_of(&library.roles.half_adder),
        cells: counts.values().sum(),
        cells_by_type: counts,
        recipe,
        path,
        verilog,
        hierarchy,
    })
}

/// The smallest netlist that meets the period, or else the fastest, of at least one. The first
/// of equals, so that the choice is always the same.
fn best(netlists: Vec<Netlist>, period: f64) -> Netlist {
    let meets = netlists.iter().any(|netlist| netlist.longest_path_ns <= period);
    let good = netlists.into_iter().filter(|netlist| !meets || netlist.longest_path_ns <= period);
    let measure = |netlist: &Netlist| if meets { netlist.area } else { netlist.longest_path_ns };
    // There is a netlist for every point, and points is never empty.
    good.min_by(|a, b| measure(a).total_cmp(&measure(b))).unwrap_or_else(|| unreachable!("no recipe was tried"))
}

/// Cells by type of a module, or of the whole design, from `stat -json`.
fn cell_counts(text: &str, module: Option<&str>) -> Result<BTreeMap<String, usize>, SynthError> {
    let unreadable = || SynthError::Report { tool: "yosys", output: crate::process::tail(text) };
    // Yosys prints a line about its version before the object.
    let start = text.find('{').ok_or_else(unreadable)?;
    let report: serde_json::Value = serde_json::from_str(&text[start..]).map_err(|_| unreadable())?;
    let counted = module.map_or(&report["design"], |name| &report["modules"][format!("\\{name}")]);
    serde_json::from_value(counted["num_cells_by_type"].clone()).map_err(|_| unreadable())
}

fn write(path: &Path, text: &str) -> Result<(), SynthError> {
    fs::write(path, text).map_err(|source| SynthError::file(path, source))
}

fn read(path: &Path) -> Result<String, SynthError> {
    fs::read_to_string(path).map_err(|source| SynthError::file(path, source))
}
