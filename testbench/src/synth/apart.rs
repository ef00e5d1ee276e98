//! Modules whose bounds are kept: each is mapped by itself, from its own text alone.
//!
//! What ABC makes of a module depends on the order and the names of its gates, and these on
//! everything that Yosys has read before. So every part has a Yosys process of its own: with one
//! recipe the same module becomes the same gates in every design, and is mapped once.

use super::cache;
use super::recipe::Recipe;
use super::script::{self, Front};
use super::{Design, Netlist, Run, SynthError, best, cell_counts, read, write, yosys};
use crate::parallel;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Netlists that are put together at the same time.
const TOGETHER: usize = 2;

/// A module whose bounds are kept, or the top.
pub(super) struct Part<'a> {
    /// The module.
    pub name: &'a str,
    /// It and what is inside it, by name, so that no other order comes out in another design.
    pub own: Vec<(&'a str, &'a str)>,
    /// The parts it has instances of, by name.
    pub inner: Vec<(&'a str, &'a str)>,
}

/// What a recipe made of a part.
#[derive(Serialize, Deserialize, Clone)]
struct Mapped {
    verilog: String,
    /// Cells of the library and instances of inner parts, by name.
    cells: BTreeMap<String, usize>,
}

/// Names of modules that a module's text mentions outside of comments.
fn mentioned<'a>(text: &'a str, modules: &BTreeMap<&'a str, &'a str>) -> BTreeSet<&'a str> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    let words = code.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
    words.filter_map(|word| modules.get_key_value(word).map(|(name, _)| *name)).collect()
}

/// The parts that the top has in it, and the top itself, which is the last.
fn parts_of<'a>(design: &Design<'a>, kept: &[&str]) -> Vec<Part<'a>> {
    let modules: BTreeMap<&str, &str> = design.modules.iter().copied().collect();
    let (mut parts, mut open, mut seen) = (Vec::new(), vec![design.top], BTreeSet::new());
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        let (mut own, mut inner, mut inside) = (BTreeMap::new(), BTreeMap::new(), vec![name]);
        while let Some(module) = inside.pop() {
            let Some(text) = modules.get(module) else { continue };
            if module != name && kept.contains(&module) {
                inner.insert(module, *text);
            } else if own.insert(module, *text).is_none() {
                inside.extend(mentioned(text, &modules));
            }
        }
        open.extend(inner.keys());
        parts.push(Part { name, own: own.into_iter().collect(), inner: inner.into_iter().collect() });
    }
    parts.reverse();
    parts
}

/// Maps every part at every point, and puts netlists together from the smallest on until
/// one meets the period: the best of these.
pub(super) fn best_of(
    design: &Design<'_>,
    kept: &[&str],
    points: &[(Recipe, u32)],
    run: Run<'_>,
    cache: Option<&Path>,
) -> Result<Netlist, SynthError> {
    let parts = parts_of(design, kept);
    let mapped = map_all(&parts, points, run, cache)?;
    write(&run.folder.join("cells.lib"), &run.library.text)?;
    let mut order: Vec<usize> = (0..points.len()).collect();
    let areas: Vec<f64> = order.iter().map(|point| area(&parts, &mapped[*point], run)).collect();
    order.sort_by(|a, b| areas[*a].total_cmp(&areas[*b]));
    let mut netlists: Vec<Netlist> = Vec::new();
    for next in order.chunks(TOGETHER) {
        netlists.extend(parallel::all(next, |point| assemble(design, &mapped[*point], *point, &points[*point], run))?);
        if netlists.iter().any(|netlist| netlist.longest_path_ns <= run.goal.period) {
            break;
        }
    }
    Ok(best(netlists, run.goal.period))
}

/// What each point makes of each part, by point and then by part.
fn map_all(
    parts: &[Part<'_>],
    points: &[(Recipe, u32)],
    run: Run<'_>,
    cache: Option<&Path>,
) -> Result<Vec<Vec<Mapped>>, SynthError> {
    let mut fronts = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let names: Vec<&str> = part.own.iter().map(|(name, _)| *name).collect();
        fronts.push((part, Front::of(part.name, &names, true, run.library), run.folder.join(format!("part{index}"))));
    }
    let mut jobs = Vec::new();
    for (index, point) in points.iter().enumerate() {
        for (part, front, folder) in &fronts {
            let file = match cache {
                Some(cache) => {
                    Some(cache.join(format!("part-{}.json", cache::part_key(part, front, run.library, point)?)))
                }
                None => None,
            };
            let known = file.as_deref().and_then(cache::kept::<Mapped>);
            jobs.push(Job { part: part.name, point: index, folder, file, known });
        }
    }
    let missing: BTreeSet<&Path> = jobs.iter().filter(|job| job.known.is_none()).map(|job| job.folder).collect();
    let fronts: Vec<_> = fronts.iter().filter(|(_, _, folder)| missing.contains(folder.as_path())).collect();
    parallel::all(&fronts, |(part, front, folder)| {
        fs::create_dir(folder).map_err(|source| SynthError::file(folder, source))?;
        Run { folder, ..run }.prepare(front, &part.own, &part.inner)
    })?;
    let mapped = parallel::all(&jobs, |job| job.done(&points[job.point], run))?;
    Ok(mapped.chunks(parts.len()).map(<[Mapped]>::to_vec).collect())
}

/// One part at one point.
struct Job<'a> {
    part: &'a str,
    point: usize,
    folder: &'a Path,
    /// Where it is kept.
    file: Option<PathBuf>,
    known: Option<Mapped>,
}

impl Job<'_> {
    fn done(&self, point: &(Recipe, u32), run: Run<'_>) -> Result<Mapped, SynthError> {
        if let Some(mapped) = &self.known {
            return Ok(mapped.clone());
        }
        let folder = Run { folder: self.folder, ..run }.map(self.point, point, &script::part(self.part))?;
        let cells = cell_counts(&read(&folder.join("cells.json"))?, Some(self.part))?;
        let mapped = Mapped { verilog: read(&folder.join("part.v"))?, cells };
        if let Some(file) = &self.file {
            cache::keep(file, &mapped)?;
        }
        Ok(mapped)
    }
}

/// Area of the whole design in the library's unit; the top is the last part. What is no cell
/// of the library counts as nothing here, and is refused when its netlist is measured.
fn area(parts: &[Part<'_>], mapped: &[Mapped], run: Run<'_>) -> f64 {
    fn of(name: &str, cells: &BTreeMap<&str, &Mapped>, run: Run<'_>) -> f64 {
        let Some(mapped) = cells.get(name) else { return run.library.area(name).unwrap_or(0.0) };
        mapped.cells.iter().map(|(cell, count)| of(cell, cells, run) * *count as f64).sum()
    }
    let cells = parts.iter().map(|part| part.name).zip(mapped).collect();
    parts.last().map_or(0.0, |top| of(top.name, &cells, run))
}

/// The flat netlist of these parts, with its figures.
fn assemble(
    design: &Design<'_>,
    mapped: &[Mapped],
    index: usize,
    point: &(Recipe, u32),
    run: Run<'_>,
) -> Result<Netlist, SynthError> {
    let folder = run.folder.join(format!("try{index}"));
    fs::create_dir(&folder).map_err(|source| SynthError::file(&folder, source))?;
    let hierarchy: String = mapped.iter().map(|part| part.verilog.as_str()).collect();
    write(&folder.join("parts.v"), &hierarchy)?;
    write(&folder.join("assemble.ys"), &script::assemble(design.top, run.library))?;
    yosys(&folder, "assemble.ys", run.cancel)?;
    run.measure(design, &folder, point, hierarchy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::liberty::{CellLibrary, OSU018};
    use crate::synth::recipe::{self, RECIPES};
    use crate::synth::{Goal, synthesise_tried};
    use crate::tools::Tool;
    use std::sync::atomic::AtomicBool;

    /// |a - b| of two bytes, by way of a module of its own.
    const DISTANCE: &str = "module distance (input wire [7:0] a_i, b_i, output wire [7:0] y_o);
  wire [8:0] less;
  subtract minus (.a_i(a_i), .b_i(b_i), .y_o(less));
  assign y_o = less[8] ? ~less[7:0] + 8'd1 : less[7:0];
endmodule
";
    const SUBTRACT: &str = "module subtract (input wire [7:0] a_i, b_i, output wire [8:0] y_o);
  assign y_o = {1'b0, a_i} - {1'b0, b_i};
endmodule
";
    /// A part of two designs, whose modules have other names and another order.
    const ONE: &str = "module one (input wire [7:0] a_i, b_i, c_i, output wire [7:0] y_o);
  wire [7:0] ab;
  distance first (.a_i(a_i), .b_i(b_i), .y_o(ab));
  distance second (.a_i(ab), .b_i(c_i), .y_o(y_o));
endmodule
";
    const OTHER: &str = "module other (input wire clk_i, input wire [7:0] a_i, output reg [7:0] y_o);
  wire [7:0] change; // of a square, not of a cube
  wire [7:0] square;
  assign square = a_i * a_i;
  distance change_of (.a_i(square), .b_i(y_o), .y_o(change));
  always @(posedge clk_i) y_o <= change;
endmodule
";

    const ALL: [(&str, &str); 2] = [("subtract", SUBTRACT), ("distance", DISTANCE)];

    fn names<'a>(modules: &[(&'a str, &'a str)]) -> Vec<&'a str> {
        modules.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a_part_has_what_is_inside_it_and_the_heads_of_its_own_parts() {
        let modules = [ALL[0], ("one", ONE), ("cube", "module cube; endmodule"), ALL[1], ("other", OTHER)];
        let parts = |top, kept: &[&str]| {
            let design = Design { top, modules: &modules, clock: None, control: &[] };
            let parts = parts_of(&design, kept);
            parts.into_iter().map(|part| (part.name, names(&part.own), names(&part.inner))).collect::<Vec<_>>()
        };
        let distance = ("distance", vec!["distance", "subtract"], vec![]);
        let apart = [distance.clone(), ("one", vec!["one"], vec!["distance"])];
        assert_eq!(parts("one", &["distance"]), apart);
        let nested = [
            ("subtract", vec!["subtract"], vec![]),
            ("distance", vec!["distance"], vec!["subtract"]),
            ("one", vec!["one"], vec!["distance"]),
        ];
        assert_eq!(parts("one", &["subtract", "distance"]), nested);
        // A comment has no instances.
        assert_eq!(parts("other", &["distance", "cube"])[1], ("other", vec!["other"], vec!["distance"]));
        assert_eq!(parts("other", &["distance", "cube"])[0], distance);
    }

    #[test]
    fn a_part_becomes_the_same_gates_in_every_design_and_the_smallest_that_meets_the_period_wins() {
        if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
            eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
            return;
        }
        let library = CellLibrary::read(Path::new(OSU018)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let made = |top, modules: &[(&str, &str)], recipes: &[Recipe], period, cache| {
            let clock = (top == "other").then_some("clk_i");
            let design = Design { top, modules, clock, control: &[] };
            let goal = Goal { period, wire_load: 5.0 };
            synthesise_tried(&design, &["distance"], recipes, &library, goal, cache, &AtomicBool::new(false)).unwrap()
        };
        let cache = Some(folder.path());
        let one = made("one", &[ALL[0], ALL[1], ("one", ONE)], &RECIPES[..1], 20.0, cache);
        let part = |netlist: &Netlist| {
            let from = netlist.hierarchy.find("module distance").unwrap();
            netlist.hierarchy[from..].split_inclusive("endmodule").next().unwrap().to_owned()
        };
        // Without the cache, so that it is made again.
        let other = made("other", &[("other", OTHER), ALL[1], ALL[0]], &RECIPES[..1], 20.0, None);
        assert_eq!(part(&one), part(&other));
        assert!(one.verilog.contains("\\first._") && one.verilog.contains("\\second._"), "{}", one.verilog);
        assert!(other.flops == 8 && other.cells > 100, "{other:?}");
        // The top and the part at two targets each, and the netlist.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 * recipe::points(&RECIPES[..1], 20.0).len() + 1);

        let all: Vec<Netlist> = RECIPES
            .iter()
            .map(|recipe| made("one", &[ALL[0], ALL[1], ("one", ONE)], std::slice::from_ref(recipe), 20.0, cache))
            .collect();
        let smallest = all.iter().map(|netlist| netlist.area).fold(f64::INFINITY, f64::min);
        let fastest = all.iter().map(|netlist| netlist.longest_path_ns).fold(f64::INFINITY, f64::min);
        let chosen = made("one", &[ALL[0], ALL[1], ("one", ONE)], RECIPES, 20.0, cache);
        assert_eq!(chosen.area, smallest);
        let tight = made("one", &[ALL[0], ALL[1], ("one", ONE)], RECIPES, 0.5, cache);
        assert!(tight.longest_path_ns <= fastest && tight.area >= smallest, "{tight:?}");
    }
}
