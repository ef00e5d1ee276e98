//! Why there is no netlist.

use crate::process::ProcessError;
use crate::tools::{MissingTool, ToolError};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is no netlist.
#[derive(Error, Debug)]
pub enum SynthError {
    /// A tool is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// A tool could not be run, failed, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A file of the run could not be written or read.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A tool ended well and its report has not what is expected.
    #[error("{tool} gave no result that can be read:\n{output}")]
    Report {
        /// The program.
        tool: &'static str,
        /// The end of what it said.
        output: String,
    },
    /// The netlist has a cell that the library has not: something was not mapped.
    #[error("the netlist has cells that {library} does not have: {cells}")]
    Unmapped {
        /// Name of the library.
        library: String,
        /// Their types.
        cells: String,
    },
}

impl SynthError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

impl From<ToolError> for SynthError {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Missing(missing) => Self::Missing(missing),
            ToolError::Process(process) => Self::Process(process),
            ToolError::NoVersion { tool } => Self::Report { tool, output: String::new() },
        }
    }
}
