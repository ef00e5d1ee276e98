//! A Liberty cell library: read, unpacked, and searched for cells by what they compute.

use super::function::{self, Table};
use axp_spec::design::sha256_hex;
use flate2::read::MultiGzDecoder;
use liberty_db::cell::Cell;
use liberty_db::pin::Direction;
use liberty_db::units::CapacitiveLoadUnit;
use liberty_db::{DefaultCtx, Library};
use serde::Serialize;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{fs, str};
use thiserror::Error;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where Debian puts the library that is used when none is given.
pub const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// The Debian package that brings [`OSU018`].
pub const OSU018_PACKAGE: &str = "qflow-tech-osu018";

/// A cell library, and the cells that synthesis needs by name.
#[derive(Clone, Debug)]
pub struct CellLibrary {
    /// The library's own name.
    pub name: String,
    /// The conditions it was characterised at.
    pub corner: Corner,
    /// SHA-256 of the uncompressed text, in hex.
    pub sha256: String,
    /// The uncompressed text.
    pub text: String,
    /// The cells that synthesis asks for.
    pub roles: Roles,
    parsed: Library<DefaultCtx>,
}

/// Process, voltage, temperature, as far as the library tells.
#[derive(Serialize, Clone, Debug, Default, PartialEq)]
pub struct Corner {
    /// Process factor.
    pub process: Option<f64>,
    /// Supply in volts.
    pub voltage: Option<f64>,
    /// Temperature in degrees Celsius.
    pub temperature: Option<f64>,
}

/// Cells found by function; of several the one with the smallest area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Two-input NAND: the unit that areas are given in.
    pub nand2: String,
    /// The smallest buffer: what drives inputs in timing analysis.
    pub buffer: Option<Gate>,
    /// The smallest inverter.
    pub inverter: Option<Simple>,
    /// The two-input AND that may drive the largest load: a clock gate's.
    pub strong_and: Option<Simple>,
    /// Sum and carry of three bits.
    pub full_adder: Option<Adder>,
    /// Sum and carry of two bits.
    pub half_adder: Option<Adder>,
    /// A plain D flip-flop on the rising edge.
    pub flop: Option<Storage>,
    /// A plain latch.
    pub latch: Option<Storage>,
    /// A constant 1.
    pub tie_high: Option<Tie>,
    /// A constant 0.
    pub tie_low: Option<Tie>,
}

/// A cell with one input and one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Name of the cell.
    pub cell: String,
    /// Its output.
    pub output: String,
}

/// A cell with one output whose inputs are interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// Name of the cell.
    pub cell: String,
    /// Its inputs.
    pub inputs: Vec<String>,
    /// Its output.
    pub output: String,
}

/// A full or half adder. Its inputs are interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adder {
    /// Name of the cell.
    pub cell: String,
    /// Its inputs: three or two.
    pub inputs: Vec<String>,
    /// The pin of the exclusive or.
    pub sum: String,
    /// The pin of the majority, or of the and.
    pub carry: String,
}

/// A flip-flop or a latch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Name of the cell.
    pub cell: String,
    /// The data input.
    pub data: String,
    /// The clock or the enable.
    pub enable: String,
    /// Whether a latch is open while the enable is high.
    pub active_high: bool,
    /// The output.
    pub output: String,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Name of the cell.
    pub cell: String,
    /// Its output.
    pub output: String,
}

/// Why a library cannot be used.
#[derive(Error, Debug)]
pub enum LibertyError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The file is compressed and damaged.
    #[error("{} is a damaged gzip file: {source}", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// The file is no Liberty library.
    #[error("{} is not a Liberty file: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The library lacks a cell that figures are measured with.
    #[error("{} has no {what}", path.display())]
    Lacks {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
}

impl CellLibrary {
    /// Reads a Liberty file, plain or gzip-compressed.
    ///
    /// # Errors
    /// [`LibertyError`].
    pub fn read(path: &Path) -> Result<Self, LibertyError> {
        let bytes = fs::read(path).map_err(|source| LibertyError::Read { path: path.to_owned(), source })?;
        let bytes = if bytes.starts_with(&GZIP) {
            let mut unpacked = Vec::new();
            MultiGzDecoder::new(bytes.as_slice())
                .read_to_end(&mut unpacked)
                .map_err(|source| LibertyError::Gzip { path: path.to_owned(), source })?;
            unpacked
        } else {
            bytes
        };
        let wrong = |reason: &str| LibertyError::Syntax { path: path.to_owned(), reason: reason.to_owned() };
        let text = str::from_utf8(&bytes).map_err(|_| wrong("it is not text"))?;
        if text.trim().is_empty() {
            return Err(wrong("it is empty"));
        }
        let parsed =
            Library::<DefaultCtx>::parse_lib(text, None).map_err(|error| wrong(&first_line(&error.to_string())))?;
        if parsed.cell.is_empty() {
            return Err(wrong("it has no cells"));
        }
        let roles = Roles::of(&parsed);
        if roles.nand2.is_empty() {
            return Err(LibertyError::Lacks { path: path.to_owned(), what: "two-input NAND, the unit of area" });
        }
        Ok(Self {
            name: parsed.name.join(" "),
            corner: Corner {
                process: parsed.nom_process,
                voltage: parsed.nom_voltage,
                temperature: parsed.nom_temperature,
            },
            sha256: sha256_hex(text.as_bytes()),
            text: text.to_owned(),
            roles,
            parsed,
        })
    }

    /// Everything in the file: pins, capacitances, timing and power tables.
    pub const fn parsed(&self) -> &Library<DefaultCtx> {
        &self.parsed
    }

    /// Area of a cell in the library's unit; `None` if there is no such cell.
    pub fn area(&self, cell: &str) -> Option<f64> {
        self.parsed.cell.get(cell).map(|cell| cell.area.unwrap_or(0.0))
    }

    /// Area of the smallest two-input NAND.
    pub fn unit_area(&self) -> f64 {
        self.area(&self.roles.nand2).unwrap_or(f64::NAN)
    }

    /// Capacitance of a pin in fF; `None` if there is no such pin or no value.
    pub fn pin_capacitance(&self, cell: &str, pin: &str) -> Option<f64> {
        let pin = self.parsed.cell.get(cell)?.pin.iter().find(|candidate| candidate.name == pin)?;
        let unit = match &self.parsed.capacitive_load_unit {
            Some(CapacitiveLoadUnit::FF(femto)) => *femto,
            Some(CapacitiveLoadUnit::PF(pico)) => pico * 1e3,
            None => 1e3,
        };
        Some(pin.capacitance? * unit)
    }

    /// Whether the cell is a flip-flop.
    pub fn is_flop(&self, cell: &str) -> bool {
        self.parsed.cell.get(cell).is_some_and(|cell| !cell.ff.is_empty() || !cell.ff_bank.is_empty())
    }

    /// Whether the cell is a latch.
    pub fn is_latch(&self, cell: &str) -> bool {
        self.parsed.cell.get(cell).is_some_and(|cell| !cell.latch.is_empty() || !cell.latch_bank.is_empty())
    }

    /// Wire load of a fan-out in fF where the user gives none: 5 on osu018,
    /// whose process is the oldest, 3 elsewhere.
    pub fn wire_load(&self) -> f64 {
        if self.name.starts_with("osu018") { 5.0 } else { 3.0 }
    }
}

impl Roles {
    fn of(library: &Library<DefaultCtx>) -> Self {
        let mut cells: Vec<_> = library.cell.iter().filter(|cell| cell.dont_use != Some(true)).collect();
        // Names decide between equals, so that the choice does not depend on a hash.
        cells.sort_by(|a, b| a.area.unwrap_or(0.0).total_cmp(&b.area.unwrap_or(0.0)).then_with(|| a.name.cmp(&b.name)));
        let shapes: Vec<Shape> = cells.iter().filter_map(|cell| Shape::of(cell)).collect();
        let gate = |inputs: usize, bits: u64| {
            shapes.iter().find(|s| s.inputs.len() == inputs && s.outputs.len() == 1 && s.outputs[0].1.is(inputs, bits))
        };
        let largest_load = |s: &Shape| {
            let pins = library.cell.get(&s.cell).map(|cell| &cell.pin);
            pins.into_iter().flatten().filter_map(|pin| pin.max_capacitance).fold(0.0, f64::max)
        };
        let ands = shapes.iter().filter(|s| s.outputs.len() == 1 && s.outputs[0].1.is(2, 0b1000));
        let adder = |inputs: usize, sum: u64, carry: u64| {
            shapes.iter().find_map(|s| {
                let pin = |bits| s.outputs.iter().find(|(_, table)| table.is(inputs, bits)).map(|(pin, _)| pin.clone());
                (s.inputs.len() == inputs && s.outputs.len() == 2).then_some(())?;
                Some(Adder { cell: s.cell.clone(), inputs: s.inputs.clone(), sum: pin(sum)?, carry: pin(carry)? })
            })
        };
        let tie = |bits: u64| {
            shapes.iter().filter(|s| s.inputs.is_empty()).find_map(|s| {
                let (output, _) = s.outputs.iter().find(|(_, table)| table.is(0, bits))?;
                Some(Tie { cell: s.cell.clone(), output: output.clone() })
            })
        };
        Self {
            nand2: gate(2, 0b0111).map(|s| s.cell.clone()).unwrap_or_default(),
            buffer: gate(1, 0b10).map(|s| Gate { cell: s.cell.clone(), output: s.outputs[0].0.clone() }),
            inverter: gate(1, 0b01).map(Shape::simple),
            // The first of equals, which is the smallest.
            strong_and: ands.rev().max_by(|a, b| largest_load(a).total_cmp(&largest_load(b))).map(Shape::simple),
            full_adder: adder(3, 0b1001_0110, 0b1110_1000),
            half_adder: adder(2, 0b0110, 0b1000),
            flop: cells.iter().find_map(|cell| flop(cell)),
            latch: cells.iter().find_map(|cell| latch(cell)),
            tie_high: tie(1),
            tie_low: tie(0),
        }
    }
}

/// A combinational cell: inputs in a fixed order and the table of each output.
struct Shape {
    cell: String,
    inputs: Vec<String>,
    outputs: Vec<(String, Table)>,
}

impl Shape {
    fn of(cell: &Cell<DefaultCtx>) -> Option<Self> {
        let storage = !(cell.ff.is_empty() && cell.latch.is_empty() && cell.ff_bank.is_empty());
        if storage || cell.statetable.is_some() || cell.is_clock_gating_cell == Some(true) {
            return None;
        }
        let inputs = pins(cell, Direction::Input);
        let mut outputs = Vec::new();
        for pin in cell.pin.iter().filter(|pin| pin.direction == Some(Direction::Output)) {
            if pin.three_state.is_some() {
                return None;
            }
            outputs.push((pin.name.clone(), Table::of(&pin.function.as_ref()?.expr, &inputs)?));
        }
        outputs.sort_by(|a, b| a.0.cmp(&b.0));
        (!outputs.is_empty()).then(|| Self { cell: cell.name.clone(), inputs, outputs })
    }

    fn simple(&self) -> Simple {
        Simple { cell: self.cell.clone(), inputs: self.inputs.clone(), output: self.outputs[0].0.clone() }
    }
}

fn flop(cell: &Cell<DefaultCtx>) -> Option<Storage> {
    let ff = cell.ff.iter().next()?;
    if cell.ff.len() != 1 || ff.clear.is_some() || ff.preset.is_some() || pins(cell, Direction::Input).len() != 2 {
        return None;
    }
    let data = function::variable(&ff.next_state.as_ref()?.expr).filter(|(_, positive)| *positive)?.0;
    let clock = function::variable(&ff.clocked_on.as_ref()?.expr).filter(|(_, positive)| *positive)?.0;
    storage(cell, data, clock, true, &ff.variable1)
}

fn latch(cell: &Cell<DefaultCtx>) -> Option<Storage> {
    let latch = cell.latch.iter().next()?;
    if cell.latch.len() != 1 || latch.clear.is_some() || latch.preset.is_some() {
        return None;
    }
    if pins(cell, Direction::Input).len() != 2 || cell.clock_gating_integrated_cell.is_some() {
        return None;
    }
    let data = function::variable(&latch.data_in.as_ref()?.expr).filter(|(_, positive)| *positive)?.0;
    let (enable, active_high) = function::variable(&latch.enable.as_ref()?.expr)?;
    storage(cell, data, enable, active_high, &latch.variable1)
}

/// The cell with the output that shows the stored bit as it is.
fn storage(cell: &Cell<DefaultCtx>, data: String, enable: String, active_high: bool, state: &str) -> Option<Storage> {
    let output = cell.pin.iter().find(|pin| {
        let shown = pin.function.as_ref().and_then(|f| function::variable(&f.expr));
        pin.direction == Some(Direction::Output) && shown == Some((state.to_owned(), true))
    })?;
    Some(Storage { cell: cell.name.clone(), data, enable, active_high, output: output.name.clone() })
}

/// Names of the pins of one direction, in alphabetical order.
fn pins(cell: &Cell<DefaultCtx>, direction: Direction) -> Vec<String> {
    let mut names: Vec<_> =
        cell.pin.iter().filter(|pin| pin.direction == Some(direction)).map(|pin| pin.name.clone()).collect();
    names.sort();
    names
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown error").chars().take(160).collect()
}
