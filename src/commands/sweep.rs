//! The rows of a sweep: kept one by one, joined into a table, the best ones marked.

use crate::exit::Failure;
use crate::input;
use crate::staging::write_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One design of a sweep.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of the task that the design is of.
    pub task: usize,
    /// Name of its PE.
    pub design: String,
    /// Organisation of the memory.
    pub memory: String,
    /// `programmable` or `frozen`.
    pub content: String,
    /// `value` or `index`.
    pub weight: String,
    /// `float` or `fixed`.
    pub accumulator: String,
    /// Bits of the sum.
    pub sum_bits: u32,
    /// Bits of a stored product.
    pub product_bits: u32,
    /// Products in the memory.
    pub products: usize,
    /// Most weight values of a layer.
    pub weight_values: usize,
    /// Layers that keep their weights and have no rows.
    pub exact_layers: usize,
    /// Share of MACs served by the memory.
    pub hit_rate: f64,
    /// Of those whose activation is not ±0.
    pub nonzero_hit_rate: f64,
    /// Share of calibration samples with the float net's class.
    pub agreement: f64,
    /// Accuracy that it should cost, on calibration samples without labels, in percentage points.
    pub expected_loss_pp: f64,
    /// What it costs on the evaluation samples, where there are any; agreement without labels.
    pub loss_pp: Option<f64>,
    /// Its paired standard error.
    pub loss_error_pp: Option<f64>,
    /// Sums of the evaluation that left the range of the accumulator.
    pub overflows: Option<u64>,
    /// What it should use, in pJ a MAC.
    pub pj_per_mac: Option<f64>,
    /// What it should need, in gate equivalents.
    pub area_ge: Option<f64>,
    /// Whether no other design is at least as good in energy, expected loss and area, and better
    /// in one of them.
    pub front: bool,
}

/// What a sweep is of: rows of different sweeps are not mixed.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Head {
    sweep: String,
    tasks: usize,
    part: usize,
    of: usize,
}

/// The rows of one part of a sweep, in a file that grows a line a task.
pub struct Part {
    path: PathBuf,
    file: File,
    done: BTreeMap<usize, Vec<Row>>,
}

fn part_path(folder: &Path, part: usize, of: usize) -> PathBuf {
    folder.join(format!("part-{part}-of-{of}.jsonl"))
}

impl Part {
    /// Goes on with a part, or begins it.
    ///
    /// # Errors
    /// The file system refuses, or the folder has rows of another sweep.
    pub fn open(folder: &Path, sweep: &str, tasks: usize, part: usize, of: usize) -> Result<Self, Failure> {
        let path = part_path(folder, part, of);
        let failed = |error: std::io::Error| Failure::io("write", &path, &error);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        // A last line that was cut off is written over.
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let head = Head { sweep: sweep.to_owned(), tasks, part, of };
        if whole == 0 {
            write_line(&mut file, &head).map_err(failed)?;
            return Ok(Self { path, file, done: BTreeMap::new() });
        }
        let done = parse(&text[..whole], &head, &path)?;
        Ok(Self { path, file, done })
    }

    /// Whether a task was done before.
    pub fn has(&self, task: usize) -> bool {
        self.done.contains_key(&task)
    }

    /// Keeps the rows of a task.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn add(&mut self, task: usize, rows: Vec<Row>) -> Result<(), Failure> {
        write_line(&mut self.file, &rows).map_err(|error| Failure::io("write", &self.path, &error))?;
        self.done.insert(task, rows);
        Ok(())
    }
}

fn write_line(file: &mut File, line: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string(line)? + "\n";
    // One write, so that a line is there or not.
    file.write_all(text.as_bytes())?;
    file.flush()
}

fn parse(text: &str, head: &Head, path: &Path) -> Result<BTreeMap<usize, Vec<Row>>, Failure> {
    let other = || {
        Failure::input(
            format!(
                "{} is of another sweep: of another model, other samples, options or version of axp",
                path.display()
            ),
            "choose another folder with --out, or delete this one",
        )
    };
    let mut lines = text.lines();
    let found: Head = lines.next().and_then(|line| serde_json::from_str(line).ok()).ok_or_else(other)?;
    if found != *head {
        return Err(other());
    }
    let rows = lines.map(|line| serde_json::from_str::<Vec<Row>>(line).map_err(|_| other()));
    let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
    Ok(rows.into_iter().filter_map(|rows| Some((rows.first()?.task, rows))).collect())
}

/// All rows in the order of the tasks, the front marked; none while a part is not complete.
///
/// # Errors
/// A part cannot be read, or is of another sweep.
pub fn join(folder: &Path, sweep: &str, tasks: usize, of: usize) -> Result<Option<Vec<Row>>, Failure> {
    let mut all = BTreeMap::new();
    for part in 1..=of {
        let path = part_path(folder, part, of);
        if !path.is_file() {
            return Ok(None);
        }
        let text = input::read_text(&path)?;
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        all.extend(parse(&text[..whole], &Head { sweep: sweep.to_owned(), tasks, part, of }, &path)?);
    }
    if all.len() < tasks {
        return Ok(None);
    }
    let mut rows: Vec<Row> = all.into_values().flatten().collect();
    mark_front(&mut rows);
    Ok(Some(rows))
}

fn mark_front(rows: &mut [Row]) {
    let costs: Vec<Option<[f64; 3]>> =
        rows.iter().map(|row| Some([row.pj_per_mac?, row.expected_loss_pp, row.area_ge.unwrap_or(0.0)])).collect();
    let beats = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).all(|(a, b)| a <= b) && a != b;
    for (row, own) in rows.iter_mut().zip(&costs) {
        row.front = own.as_ref().is_some_and(|own| !costs.iter().flatten().any(|other| beats(other, own)));
    }
}

/// Writes the table as CSV and as JSON.
///
/// # Errors
/// The file system refuses.
pub fn write(folder: &Path, rows: &[Row]) -> Result<(), Failure> {
    let table = || -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().try_for_each(|row| writer.serialize(row))?;
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let table =
        table().map_err(|error| Failure::check(format!("the table cannot be written: {error}"), "report it"))?;
    write_file(&folder.join("sweep.csv"), &table)?;
    // Plain structures with string keys: they cannot fail to serialise.
    write_file(&folder.join("sweep.json"), &(serde_json::to_string_pretty(rows).unwrap_or_default() + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(task: usize, cost: [f64; 3]) -> Row {
        Row {
            task,
            design: "axp_pe, \"quoted\"".to_owned(),
            memory: "pair".to_owned(),
            content: "frozen".to_owned(),
            weight: "value".to_owned(),
            accumulator: "float".to_owned(),
            sum_bits: 32,
            product_bits: 32,
            products: 4,
            weight_values: 8,
            exact_layers: 0,
            hit_rate: 1.0,
            nonzero_hit_rate: 1.0 / 3.0,
            agreement: 0.5,
            expected_loss_pp: cost[1],
            loss_pp: None,
            loss_error_pp: None,
            overflows: None,
            pj_per_mac: Some(cost[0]),
            area_ge: Some(cost[2]),
            front: false,
        }
    }

    #[test]
    fn the_front_has_what_nothing_beats() {
        let costs =
            [[1.0, 1.0, 5.0], [1.0, 2.0, 5.0], [2.0, 0.5, 5.0], [2.0, 2.0, 4.0], [3.0, 3.0, 4.0], [1.0, 1.0, 5.0]];
        let mut rows: Vec<Row> = costs.into_iter().enumerate().map(|(task, cost)| row(task, cost)).collect();
        rows.push(Row { pj_per_mac: None, ..row(6, [0.0; 3]) });
        mark_front(&mut rows);
        let front: Vec<bool> = rows.iter().map(|row| row.front).collect();
        assert_eq!(front, [true, false, true, true, false, true, false]);
    }

    #[test]
    fn parts_join_to_the_same_table_whatever_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let (one, three) = (folder.path().join("one"), folder.path().join("three"));
        let rows = |task: usize| vec![row(task, [task as f64, 1.0 / (task + 1) as f64, 0.1]); 2];
        let mut whole = Part::open(&one, "a", 7, 1, 1).ok().unwrap();
        (0..7).for_each(|task| whole.add(task, rows(task)).ok().unwrap());
        for part in 1..=3 {
            assert!(matches!(join(&three, "a", 7, 3), Ok(None)));
            for task in (0..7).filter(|task| task % 3 == part - 1) {
                // Killed in the middle of a line each time.
                let mut file = Part::open(&three, "a", 7, part, 3).ok().unwrap();
                assert!(!file.has(task));
                file.add(task, rows(task)).ok().unwrap();
                file.file.write_all(b"[{\"task\":").unwrap();
            }
        }
        let joined = join(&three, "a", 7, 3).ok().unwrap().unwrap();
        assert_eq!(joined, join(&one, "a", 7, 1).ok().unwrap().unwrap());
        assert_eq!(joined.len(), 14);
        for folder in [&one, &three] {
            write(folder, &joined).ok().unwrap();
        }
        let text = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
        for name in ["sweep.csv", "sweep.json"] {
            assert_eq!(text(&one, name), text(&three, name));
        }
        assert!(text(&one, "sweep.csv").lines().count() == 15);
        // Another sweep is not gone on with.
        assert!(Part::open(&one, "b", 7, 1, 1).is_err() && join(&one, "b", 7, 1).is_err());
    }
}
