//! Proofs that a netlist of library cells is its Verilog, module by module.
//!
//! ```text
//! export   both texts as cells of words or as single-bit gates, by Yosys; cells as the library says
//! json     these cells
//! expand   modules without registers and instances, case by case
//! words    their operators and gates as a graph
//! aig      this graph
//! states   registers and latches, and which of them are one
//! cut      both sides without them, one step of an induction over time
//! decide   ABC and SAT on the two sides
//! flat     the netlist that is simulated has the same cells and wires
//! kept     what was proven before
//! ```
//!
//! A module is one whose bounds synthesis has kept, or the top; others are inside it.
//! Modules inside that are proven on their own are cut out: what they are given is
//! proven equal, what they show is taken as equal.

mod aig;
mod cut;
mod decide;
mod expand;
#[cfg(test)]
mod expand_tests;
mod export;
mod flat;
mod json;
mod kept;
mod states;
#[cfg(test)]
mod tests;
mod words;

use super::EquivalenceError;
use crate::gates::netlist::FlatNetlist;
use crate::parallel;
use crate::process::ProcessError;
use crate::synth::liberty::CellLibrary;
use crate::tools::{MissingTool, ToolError};
use axp_hdl::Rtl;
use decide::Verdict;
use expand::Expansion;
use export::{Exported, Gold, Sides};
pub use kept::methods;
use kept::{Kept, Proof};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use thiserror::Error;

/// How it is known that a module of a netlist does what its Verilog says.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was proven equivalent.
    Proven,
    /// There is no proof: it was simulated with the rest of the netlist, no more.
    Simulated,
}

/// What was found out about a module of a netlist.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct NetlistCheck {
    /// The module.
    pub module: String,
    /// Instances of it in the netlist.
    pub instances: usize,
    /// How it is known to do what its Verilog says.
    pub how: How,
    /// Bits that were proven equal: outputs, and what registers and modules inside are given.
    pub bits: usize,
    /// How long the proof took when it was made.
    pub seconds: f64,
    /// Why there is no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a netlist is not what it should be, or why nobody knows.
#[derive(Error, Debug)]
pub enum NetlistError {
    /// A module does something else than its Verilog.
    #[error("the netlist of module {module} is not its Verilog: {signals}\n{log}")]
    Refuted {
        /// The module.
        module: String,
        /// The signals that differ.
        signals: String,
        /// The end of Yosys' log, or the inputs of a case in which they differ.
        log: String,
    },
    /// The simulated netlist is not the proven one.
    #[error("the flat netlist differs from the one with parts at {place}")]
    Flat {
        /// A cell or a port.
        place: String,
    },
    /// Something cannot be read, or is not there.
    #[error("the netlist cannot be proven: {what}")]
    Unreadable {
        /// What.
        what: String,
    },
    /// Yosys could not be run, or was cancelled.
    #[error(transparent)]
    Yosys(#[from] EquivalenceError),
    /// Yosys is not installed, or says no version.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file of the cache could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl NetlistError {
    /// Whether the user cancelled.
    pub const fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Yosys(EquivalenceError::Process(ProcessError::Cancelled { .. }))
                | Self::Tool(ToolError::Process(ProcessError::Cancelled { .. }))
        )
    }

    /// Whether the netlist is wrong.
    pub const fn is_failed_check(&self) -> bool {
        matches!(self, Self::Refuted { .. } | Self::Flat { .. })
    }

    /// The tool that is not installed, if that is why.
    pub const fn missing(&self) -> Option<&MissingTool> {
        match self {
            Self::Yosys(EquivalenceError::Missing(missing)) | Self::Tool(ToolError::Missing(missing)) => Some(missing),
            _ => None,
        }
    }
}

/// A netlist, once with its parts and once flat.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// Verilog with the modules whose bounds were kept.
    pub hierarchy: &'a str,
    /// What is simulated.
    pub flat: &'a FlatNetlist,
}

/// How to prove.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// The folder of proofs that were made before.
    pub cache: Option<&'a Path>,
    /// How long SAT may take for one module; what is tried case by case has a limit of its own.
    pub time: Duration,
    /// Ends everything once it is true.
    pub cancel: &'a AtomicBool,
}

/// How long SAT may take for one module where nobody says.
pub const TIME: Duration = Duration::from_secs(60);

/// Proves the modules of a netlist equivalent to their Verilog, several at a time. The
/// result has them in the order of the netlist; one that is not decided in time
/// is [`How::Simulated`].
///
/// # Errors
/// [`NetlistError`]: the first module that was refuted, or what kept Yosys from running.
pub fn check_netlist(
    rtl: &Rtl,
    texts: Texts<'_>,
    library: &CellLibrary,
    limits: Limits<'_>,
) -> Result<Vec<NetlistCheck>, NetlistError> {
    let modules = modules(texts.hierarchy);
    let names: Vec<String> = modules.iter().map(|(name, _)| name.clone()).collect();
    let unknown = names.iter().find(|name| !rtl.modules.iter().any(|module| module.name == **name));
    if let Some(name) = unknown {
        return Err(NetlistError::Unreadable { what: format!("the Verilog has no module {name}") });
    }
    let kept = Kept::of(library, limits.cache)?;
    let keys: BTreeMap<&str, String> =
        modules.iter().map(|(name, text)| (name.as_str(), kept.key(rtl, name, text, &names))).collect();
    let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
    for (name, key) in &keys {
        if let Some(proof) = kept.find(key)? {
            outcomes.insert(name, Ok(proof));
        }
    }
    let keep = |name: &str, proof: Proof| keys.get(name).map_or(Ok(()), |key| kept.keep(key, proof));
    let open = |outcomes: &BTreeMap<&str, Outcome>, name: &&String| !outcomes.contains_key(name.as_str());
    let tables = names.iter().filter(|name| open(&outcomes, name) && is_table(rtl, name)).cloned().collect::<Vec<_>>();
    for (name, proof) in tables_proven(rtl, texts.hierarchy, (&names, &tables), library, limits)? {
        keep(name, proof)?;
        outcomes.insert(name, Ok(proof));
    }
    let wanted: Vec<String> = names.iter().filter(|name| open(&outcomes, name)).cloned().collect();
    let Exported { sides, hierarchy } =
        export::export(rtl, texts.hierarchy, (&names, &wanted), Gold::Gates, library, limits.cancel)?;
    let results = parallel::all(&sides.iter().collect::<Vec<_>>(), |(name, sides)| {
        let outcome = prove(name, sides, limits)?;
        if let Ok(proof) = &outcome {
            keep(name, *proof)?;
        }
        Ok::<_, NetlistError>(outcome)
    })?;
    let instances = flat::instances(texts.flat, &hierarchy, &names, library)?;
    for ((name, _), outcome) in keys.iter().filter(|(name, _)| sides.contains_key(**name)).zip(results) {
        outcomes.insert(name, outcome);
    }
    let check = |name: &String| {
        let instances = instances.get(name).copied().unwrap_or(0);
        let (how, bits, seconds, reason) = match outcomes.remove(name.as_str())? {
            Ok(proof) => (How::Proven, proof.bits, proof.seconds, None),
            Err((reason, seconds)) => (How::Simulated, 0, seconds, Some(reason)),
        };
        Some(NetlistCheck { module: name.clone(), instances, how, bits, seconds, reason })
    };
    Ok(names.iter().filter_map(check).collect())
}

/// A proof, or why there is none and how long that took to find out.
type Outcome = Result<Proof, (String, f64)>;

/// Whether a module may be a table in logic: it has no register at an edge, and nothing inside. Latches and loops are
/// found where a graph is made of it.
fn is_table(rtl: &Rtl, name: &str) -> bool {
    let module = rtl.modules.iter().find(|module| module.name == name);
    module.is_some_and(|module| module.children.is_empty() && !module.text.contains("edge "))
}

/// Those of these modules that were proven case by case.
fn tables_proven<'a>(
    rtl: &Rtl,
    hierarchy: &str,
    (names, tables): (&[String], &'a [String]),
    library: &CellLibrary,
    limits: Limits<'_>,
) -> Result<Vec<(&'a str, Proof)>, NetlistError> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let sides = export::export(rtl, hierarchy, (names, tables), Gold::Words, library, limits.cancel)?.sides;
    let proofs = parallel::all(tables, |name| {
        let begin = Instant::now();
        let expansion = sides.get(name).and_then(|sides| expand::expand(&sides.gold, &sides.gate, limits.cancel));
        match expansion {
            Some(Expansion::Equal(bits)) => Ok(Some(Proof { bits, seconds: begin.elapsed().as_secs_f64() })),
            Some(Expansion::Different(signals, case)) => {
                Err(NetlistError::Refuted { module: name.clone(), signals: signals.join(", "), log: case })
            }
            None => Ok(None),
        }
    })?;
    Ok(tables.iter().zip(proofs).filter_map(|(name, proof)| Some((name.as_str(), proof?))).collect())
}

fn prove(name: &str, sides: &Sides, limits: Limits<'_>) -> Result<Outcome, NetlistError> {
    let begin = Instant::now();
    let seconds = || begin.elapsed().as_secs_f64();
    let cut = match cut::cut(&sides.gold, &sides.gate, &sides.boxes) {
        Ok(cut) => cut,
        Err(cell) => return Ok(Err((format!("there is no model of {cell}"), seconds()))),
    };
    Ok(match decide::decide(&cut, limits.time, limits.cancel)? {
        Verdict::Equal(bits) => Ok(Proof { bits, seconds: seconds() }),
        Verdict::Undecided => Err((format!("not decided in {} s", limits.time.as_secs()), seconds())),
        // What such a register shows was taken to be anything.
        Verdict::Different(..) if !cut.alone.is_empty() => {
            Err((format!("registers without a counterpart: {}", cut.alone.join(", ")), seconds()))
        }
        Verdict::Different(signals, log) => {
            let signals = if signals.is_empty() { "ports or wiring differ".to_owned() } else { signals.join(", ") };
            return Err(NetlistError::Refuted { module: name.to_owned(), signals, log });
        }
    })
}

/// The modules of a netlist, each with its text.
fn modules(verilog: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in verilog.lines() {
        if let Some(head) = line.strip_prefix("module ") {
            let name = head.split(['(', ' ', ';']).next().unwrap_or(head);
            found.push((name.to_owned(), String::new()));
        }
        if let Some((_, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}
