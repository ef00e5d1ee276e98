//! Proofs by Yosys that our Verilog means what the rust-hdl description means.
//!
//! rust-hdl translates a description to Verilog by itself. That text cannot be
//! used as a product, but it says what the description means, independently of
//! our back-end. [`prove`] shows for each module that both texts are
//! equivalent; [`prove_gating`] shows that the two bodies of a gated register
//! bank are.
//!
//! A module is proven with its children as black boxes of the same name: their
//! inputs are proven equal, their outputs taken as equal, and each child is
//! proven in its own turn. This keeps every proof small, and it keeps the
//! multiplier out of all proofs but its own.

mod gating;
mod stock;

use crate::process::{Invocation, ProcessError, tail};
use crate::tools::{MissingTool, Tool};
use axp_hdl::{Module, Rtl};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use thiserror::Error;

pub use gating::{GatingProof, prove_gating};
use stock::Stock;

/// A module whose two texts were proven equivalent.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct ModuleProof {
    /// The module.
    pub module: String,
    /// Instances of it in the design. rust-hdl writes each as a module of its
    /// own; all those texts were found to be the same.
    pub instances: usize,
    /// Signal bits (`$equiv` cells) that were proven.
    pub cells: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Why there is no proof.
#[derive(Error, Debug)]
pub enum EquivalenceError {
    /// Yosys is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// Yosys could not be run, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// rust-hdl's text does not contain what it must.
    #[error("module {module}: {what} in rust-hdl's own Verilog")]
    Stock {
        /// Our module.
        module: String,
        /// What is wrong.
        what: String,
    },
    /// Yosys found a difference, or could not decide. The end of its log says where.
    #[error("module {module} is not proven equivalent:\n{log}")]
    NotProven {
        /// Our module.
        module: String,
        /// The end of Yosys' log.
        log: String,
    },
}

/// Proves every module of `rtl` equivalent to rust-hdl's own text, in compile order.
///
/// # Errors
/// The first module that is not proven, or what kept Yosys from running.
pub fn prove(rtl: &Rtl, cancel: &AtomicBool) -> Result<Vec<ModuleProof>, EquivalenceError> {
    rtl.modules.iter().map(|module| prove_module(rtl, module, cancel)).collect()
}

/// Proves one module of `rtl`.
///
/// # Errors
/// The module is not proven, or Yosys could not be run.
pub fn prove_module(rtl: &Rtl, module: &Module, cancel: &AtomicBool) -> Result<ModuleProof, EquivalenceError> {
    let begin = Instant::now();
    let stock = Stock::of(rtl).definition(module)?;
    let boxes = stock::black_boxes(rtl, module);
    let folder = Folder::new()?;
    folder.write("boxes.v", &boxes)?;
    folder.write("gold.v", &stock)?;
    folder.write("gate.v", &module.text)?;
    let run = |clean: &str| folder.yosys(&script(&module.name, clean), &module.name, cancel);
    let log = CLEAN.iter().map(|clean| run(clean)).find(|log| !matches!(log, Err(EquivalenceError::NotProven { .. })));
    let log = log.unwrap_or_else(|| run(CLEAN[0]))?;
    // `equiv_status -assert` has passed; what it counted is in its last lines.
    match proven_cells(&log) {
        Some(cells) if cells > 0 => Ok(ModuleProof {
            module: module.name.clone(),
            instances: module.stock_names.len(),
            cells,
            seconds: begin.elapsed().as_secs_f64(),
        }),
        _ => Err(EquivalenceError::NotProven { module: module.name.clone(), log: tail(&log) }),
    }
}

/// What tidies both sides before they are matched net by net. Matching stumbles
/// where outputs and inner nets are one net after it (Yosys 0.23), so what the
/// one leaves unproven is tried with the next. Each is sound by itself.
const CLEAN: [&str; 2] = ["opt -full", "opt"];

/// The names in it are those of our own modules: letters, digits and `_`.
fn script(module: &str, clean: &str) -> String {
    let side = |name: &str| {
        format!(
            "read_verilog -DAXP_CE=1 boxes.v {name}.v
hierarchy -check -top {module}
proc
flatten
memory -nomap
memory_map
{clean}
rename -top {name}
design -stash {name}
"
        )
    };
    format!(
        "{}{}design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
read_verilog boxes.v
async2sync
equiv_make gold gate equiv
hierarchy -top equiv
equiv_struct
equiv_simple -short
equiv_simple
equiv_induct
equiv_status -assert
",
        side("gold"),
        side("gate")
    )
}

/// The count in `Of those cells 12 are proven and 0 are unproven.`
fn proven_cells(log: &str) -> Option<usize> {
    let line = log.lines().rev().find(|line| line.contains("Of those cells"))?;
    line.split_whitespace().find_map(|word| word.parse().ok())
}

/// A folder for one run of Yosys, gone afterwards.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Result<Self, EquivalenceError> {
        let made = tempfile::tempdir();
        made.map(Self).map_err(|source| EquivalenceError::Write { path: std::env::temp_dir(), source })
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> Result<(), EquivalenceError> {
        let path = self.path().join(name);
        std::fs::write(&path, text).map_err(|source| EquivalenceError::Write { path, source })
    }

    /// Runs a script that must succeed, and hands back its log.
    fn yosys(&self, script: &str, module: &str, cancel: &AtomicBool) -> Result<String, EquivalenceError> {
        self.write("proof.ys", script)?;
        let run = Invocation::new(&Tool::Yosys.find()?).directory(self.path()).cancel(cancel).arg("proof.ys");
        let (status, captured) = run.run_unchecked()?;
        let log = captured.stdout + &captured.stderr;
        match status.success() {
            true => Ok(log),
            false => Err(EquivalenceError::NotProven { module: module.to_owned(), log: tail(&log) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_last_status() {
        let log = "  Of those cells 3 are proven and 9 are unproven.\nx\n  Of those cells 12 are proven and 0 are unproven.\n";
        assert_eq!(proven_cells(log), Some(12));
        assert_eq!(proven_cells("nothing"), None);
    }
}
