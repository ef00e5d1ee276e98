//! Lint of the Verilog: Verilator `-Wall`, Icarus `-Wall`, Yosys `check -assert`; zero warnings.

use crate::dut::{Body, Dut};
use crate::process::{Invocation, ProcessError, tail};
use crate::tools::{MissingTool, Tool};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// What one linter said about one body of the design.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct LintPass {
    /// The tool.
    pub tool: Tool,
    /// Body of the gated registers.
    pub body: Body,
    /// Everything it complained about; empty when clean.
    pub messages: String,
}

/// Why a lint run gave no verdict, or a bad one.
#[derive(Error, Debug)]
pub enum LintError {
    /// A tool is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// A tool could not be run, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// Runs every linter on both bodies. All of them run, whatever the first says;
/// the design is clean if every pass has no messages.
///
/// # Errors
/// A missing tool, a folder that cannot be written, or a cancelled run.
pub fn lint(dut: &Dut, cancel: &AtomicBool) -> Result<Vec<LintPass>, LintError> {
    let folder = tempfile::tempdir().map_err(|source| LintError::Write { path: std::env::temp_dir(), source })?;
    dut.write(folder.path()).map_err(|(path, source)| LintError::Write { path, source })?;
    let mut passes = Vec::new();
    for body in [Body::Gated, Body::ClockEnable] {
        for tool in [Tool::Verilator, Tool::Iverilog, Tool::Yosys] {
            passes.push(LintPass { tool, body, messages: pass(tool, body, dut, folder.path(), cancel)? });
        }
    }
    Ok(passes)
}

fn pass(tool: Tool, body: Body, dut: &Dut, folder: &Path, cancel: &AtomicBool) -> Result<String, LintError> {
    let files = dut.sources.iter().map(|source| source.file.as_str());
    let run = Invocation::new(&tool.find()?).directory(folder).cancel(cancel);
    let run = match tool {
        Tool::Verilator => run
            .args(["--lint-only", "-Wall", "--top-module", &dut.top])
            .args(body.define().map(|name| format!("+define+{name}=1")))
            .args(files),
        Tool::Iverilog => run
            .args(["-Wall", "-g2005", "-t", "null", "-s", &dut.top])
            .args(body.define().map(|name| format!("-D{name}=1")))
            .args(files),
        _ => run.args(["-q", "-p", &yosys_script(body, dut)]),
    };
    // All three are silent when there is nothing to say: warnings count as
    // much as errors do, whatever the exit code.
    let (status, captured) = run.run_unchecked()?;
    let said = format!("{}{}", captured.stdout, captured.stderr);
    Ok(match (said.trim().is_empty(), status.success()) {
        (true, true) => String::new(),
        (true, false) => format!("{tool} failed ({status})"),
        (false, _) => tail(&said),
    })
}

/// The files and the top are names of our own modules: letters, digits and `_`.
fn yosys_script(body: Body, dut: &Dut) -> String {
    let define = body.define().map(|name| format!("-D{name}=1 ")).unwrap_or_default();
    let files: Vec<&str> = dut.sources.iter().map(|source| source.file.as_str()).collect();
    // Without `proc`'s clean-up, which hides loops between assignments.
    format!("read_verilog {define}{}; hierarchy -check -top {}; proc -noopt; check -assert", files.join(" "), dut.top)
}
