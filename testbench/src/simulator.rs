//! A compiled simulator, its command line, and the two ways to talk to it.

use crate::process::{Group, Invocation, ProcessError, collect, drain, tail};
use crate::tools::{MissingTool, ToolError};
use crate::vectors::{Layout, LayoutError};
use serde::Serialize;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// Which simulator runs the design.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum SimulatorKind {
    /// Verilator: two-state, millions of cycles a second.
    #[default]
    Verilator,
    /// Icarus Verilog: four-state, finds X, thousands of cycles a second.
    Icarus,
}

impl fmt::Display for SimulatorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verilator => "verilator",
            Self::Icarus => "icarus",
        })
    }
}

/// A compiled simulator of one design.
#[derive(Clone, Debug)]
pub struct Simulator {
    /// Which simulator it is.
    pub kind: SimulatorKind,
    /// The layout of its vectors.
    pub layout: Layout,
    /// The program to run: the simulator itself, or `vvp`.
    pub program: PathBuf,
    /// The compiled design where `program` is an interpreter.
    pub image: Option<PathBuf>,
}

/// Cycles to write as a waveform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Folder of the file.
    pub folder: PathBuf,
    /// Name of the VCD file in it.
    pub file: String,
    /// First cycle.
    pub from: u64,
    /// Last cycle; the simulation ends after it.
    pub to: u64,
}

impl Window {
    /// Path of the file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.file)
    }
}

/// Why a simulation gave no answer.
#[derive(Error, Debug)]
pub enum SimulatorError {
    /// A tool is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// A tool failed, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A tool gave no version.
    #[error(transparent)]
    Tool(ToolError),
    /// The ports cannot be simulated.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A file could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The simulator did not do what the bench tells it to.
    #[error("the {simulator} simulation broke off: {what}")]
    Protocol {
        /// The simulator.
        simulator: SimulatorKind,
        /// What was seen instead.
        what: String,
    },
    /// An output is X or Z.
    #[error("cycle {cycle}: {signal} is unknown (X or Z)")]
    Unknown {
        /// Cycle, counted from the first one of the run.
        cycle: u64,
        /// The output.
        signal: String,
    },
}

impl From<ToolError> for SimulatorError {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Missing(missing) => Self::Missing(missing),
            ToolError::Process(process) => Self::Process(process),
            other @ ToolError::NoVersion { .. } => Self::Tool(other),
        }
    }
}

impl SimulatorError {
    /// Whether the user cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Process(ProcessError::Cancelled { .. }))
    }

    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// What a bench does with the outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode<'a> {
    /// Compares them, and writes a waveform of these cycles.
    Compare(Option<&'a Window>),
    /// Hands them back.
    Emit,
}

/// A simulator that is running.
pub(crate) struct Session {
    pub(crate) group: Group,
    pub(crate) kind: SimulatorKind,
    stderr: Option<std::thread::JoinHandle<Vec<u8>>>,
}

impl Simulator {
    pub(crate) fn start(&self, mode: Mode<'_>) -> Result<Session, SimulatorError> {
        let mut run = Invocation::new(&self.program);
        if let Some(image) = &self.image {
            // -n: a `$stop` ends the run instead of asking the user.
            run = run.arg("-n").arg(image);
        }
        if let Mode::Compare(Some(window)) = mode {
            run = run.directory(&window.folder);
        }
        Ok(Session::new(run.args(self.arguments(mode)).start()?, self.kind))
    }

    fn arguments(&self, mode: Mode<'_>) -> Vec<OsString> {
        let words: Vec<String> = match (self.kind, mode) {
            (SimulatorKind::Verilator, Mode::Emit) => vec!["emit".into()],
            (SimulatorKind::Icarus, Mode::Emit) => vec!["+emit".into()],
            (SimulatorKind::Verilator, Mode::Compare(None)) => vec!["compare".into()],
            (SimulatorKind::Icarus, Mode::Compare(None)) => vec!["+compare".into()],
            (SimulatorKind::Verilator, Mode::Compare(Some(window))) => {
                vec![
                    "compare".into(),
                    "--trace".into(),
                    window.file.clone(),
                    window.from.to_string(),
                    window.to.to_string(),
                ]
            }
            (SimulatorKind::Icarus, Mode::Compare(Some(window))) => {
                vec![
                    "+compare".into(),
                    format!("+trace={}", window.file),
                    format!("+from={}", window.from),
                    format!("+to={}", window.to),
                ]
            }
        };
        words.into_iter().map(OsString::from).collect()
    }
}

impl Session {
    /// Watches a simulator that has just been started.
    pub(crate) fn new(mut group: Group, kind: SimulatorKind) -> Self {
        let stderr = drain(group.child.stderr.take());
        Self { group, kind, stderr }
    }

    /// Ends the conversation and waits; the answer is the exit code.
    pub(crate) fn finish(mut self, cancel: Option<&AtomicBool>) -> Result<(Option<i32>, String), SimulatorError> {
        drop(self.group.child.stdin.take());
        let status = self.group.wait(cancel)?;
        Ok((status.code(), tail(&collect(self.stderr.take()))))
    }

    /// The error of a simulator that ended too early: what it said last.
    pub(crate) fn broken(mut self, what: impl Into<String>) -> SimulatorError {
        let what = what.into();
        let simulator = self.kind;
        self.group.kill();
        let said = tail(&collect(self.stderr.take()));
        let what = if said.is_empty() { what } else { format!("{what}; it said:\n{said}") };
        SimulatorError::Protocol { simulator, what }
    }
}
