//! Why no energy is stated.

use crate::process::ProcessError;
use crate::synth::SynthError;
use crate::tools::MissingTool;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no figure.
#[derive(Error, Debug)]
pub enum GatesError {
    /// A tool is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// A tool could not be run, failed, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// There is no netlist.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// A file of the run could not be written or read.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The library says nothing that energy can be computed from.
    #[error("library {library}: {what}")]
    Library {
        /// Name of the library.
        library: String,
        /// What is missing.
        what: String,
    },
    /// A cell that cannot be simulated.
    #[error("cell {cell}: {what}")]
    Cell {
        /// Name of the cell.
        cell: String,
        /// Why not.
        what: String,
    },
    /// The netlist is not one flat module of library cells.
    #[error("the netlist of {top} cannot be used: {what}")]
    Netlist {
        /// The top module.
        top: String,
        /// What is wrong.
        what: String,
    },
    /// A path takes longer than the clock period.
    #[error("the longest path takes {longest_ns:.3} ns, the clock period is {period_ns:.3} ns")]
    TooSlow {
        /// Longest path in ns.
        longest_ns: f64,
        /// Clock period in ns.
        period_ns: f64,
    },
    /// The netlist was timed for another clock.
    #[error("timed for a period of {timed_ns} ns and simulated with {simulated_ns} ns")]
    Period {
        /// Period of the timing analysis in ns.
        timed_ns: f64,
        /// Period of the simulation in ns.
        simulated_ns: f64,
    },
    /// Stimulus and netlist do not fit together.
    #[error("stimulus: {0}")]
    Stimulus(String),
    /// An output is not what it should be.
    #[error("cycle {cycle}: {port} is {found:x}, not {expected:x}")]
    Mismatch {
        /// Number of the cycle, from 0.
        cycle: u64,
        /// The output.
        port: String,
        /// What the netlist gives.
        found: u64,
        /// What it should give.
        expected: u64,
    },
    /// An output that is compared depends on what was never initialised.
    #[error("cycle {cycle}: {port} is not known")]
    Unknown {
        /// Number of the cycle, from 0.
        cycle: u64,
        /// The output.
        port: String,
    },
    /// Signals were still on their way at the end of a cycle.
    #[error("cycle {cycle}: net {net} has not settled to what its cells compute without delays")]
    Unsettled {
        /// Number of the cycle, from 0.
        cycle: u64,
        /// The net.
        net: String,
    },
    /// Too much of the netlist saw no activity data.
    #[error("{percent:.1} % of the netlist's pins saw activity data, {least} % is the least")]
    Annotation {
        /// Share of the pins in percent.
        percent: f64,
        /// Least share in percent.
        least: f64,
    },
}
