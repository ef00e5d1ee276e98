//! Proofs by Yosys that our Verilog means what the rust-hdl description means.
//!
//! rust-hdl translates a description to Verilog by itself. That text cannot be
//! used as a product, but it says what the description means, independently of
//! our back-end. [`prove`] shows for each module that both texts are
//! equivalent; [`prove_gating`] shows that the two bodies of a gated register
//! bank are, on the clock and on a branch of it.
//!
//! [`netlist`] shows that gates on a cell library are our text.
//!
//! A module is proven with its children as black boxes of the same name: their
//! inputs are proven equal, their outputs taken as equal, and each child is
//! proven in its own turn. This keeps every proof small, and it keeps the
//! multiplier out of all proofs but its own.
//!
//! A module without registers is one SAT problem, which ends with a proof or a
//! counterexample; one with registers is proven net by net, by induction. What
//! was proven in this process is not proven again.

mod branch;
mod folder;
mod gating;
mod miter;
pub mod netlist;
mod nets;
mod obligation;
mod proven;
mod stock;
mod wrapper;

use crate::parallel;
use crate::process::{ProcessError, tail};
use crate::tools::MissingTool;
use axp_hdl::{Module, Rtl};
use miter::Verdict;
use obligation::Obligation;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use thiserror::Error;

pub use gating::{Clocking, GatingProof, prove_gating};
use stock::Stock;

/// A module whose two texts were proven equivalent.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct ModuleProof {
    /// The module.
    pub module: String,
    /// Instances of it in the design. rust-hdl writes each as a module of its
    /// own; all those texts were found to be the same.
    pub instances: usize,
    /// Bits that were proven equal: of outputs and inputs of children in a module
    /// without registers, of all nets of the same name in one with registers.
    pub cells: usize,
    /// How long it took; next to nothing if the same texts were proven before.
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
    /// A file that Yosys wrote could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
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

/// Proves every module of `rtl` equivalent to rust-hdl's own text, in compile
/// order, on all cores.
///
/// # Errors
/// The first module that is not proven, or what kept Yosys from running.
pub fn prove(rtl: &Rtl, cancel: &AtomicBool) -> Result<Vec<ModuleProof>, EquivalenceError> {
    let stock = Stock::of(rtl);
    parallel::all(&rtl.modules, |module| prove_against(&stock, rtl, module, cancel))
}

/// Proves one module of `rtl`.
///
/// # Errors
/// The module is not proven, or Yosys could not be run.
pub fn prove_module(rtl: &Rtl, module: &Module, cancel: &AtomicBool) -> Result<ModuleProof, EquivalenceError> {
    prove_against(&Stock::of(rtl), rtl, module, cancel)
}

fn prove_against(
    stock: &Stock,
    rtl: &Rtl,
    module: &Module,
    cancel: &AtomicBool,
) -> Result<ModuleProof, EquivalenceError> {
    let begin = Instant::now();
    let obligation = Obligation::of(rtl, stock, module)?;
    let cells = proven::once(&obligation, || decide(&obligation, SAT_TIME, cancel))?;
    Ok(ModuleProof {
        module: module.name.clone(),
        instances: module.stock_names.len(),
        cells,
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// How long SAT may take over a whole module before it is tried net by net.
const SAT_TIME: Duration = Duration::from_secs(60);

/// The bits that were proven.
fn decide(obligation: &Obligation, sat_time: Duration, cancel: &AtomicBool) -> Result<usize, EquivalenceError> {
    match miter::compare(obligation, sat_time, cancel)? {
        Verdict::Equal(bits) => Ok(bits),
        Verdict::Different(log) => Err(EquivalenceError::NotProven { module: obligation.module.clone(), log }),
        Verdict::Undecided => nets::prove(obligation, cancel),
    }
}

/// The count of a proof. One that has compared nothing has proven nothing.
fn counted(bits: Option<usize>, module: &str, log: &str) -> Result<usize, EquivalenceError> {
    let nothing = || EquivalenceError::NotProven { module: module.to_owned(), log: tail(log) };
    bits.filter(|bits| *bits > 0).ok_or_else(nothing)
}

#[cfg(test)]
mod tests;
