//! What can go wrong between a configuration and a folder of Verilog.

use std::path::PathBuf;
use thiserror::Error;

/// Why no hardware was generated, or why it was not written.
#[derive(Error, Debug)]
pub enum HdlError {
    /// The configuration itself cannot be built.
    #[error(transparent)]
    Config(#[from] axp_spec::PeConfigError),
    /// The configuration of an arithmetic unit cannot be built.
    #[error(transparent)]
    FpuConfig(#[from] axp_spec::FpuConfigError),
    /// A description uses something that has no exact Verilog.
    #[error("module {module}: {what}")]
    Untranslatable {
        /// The Verilog module that was being written.
        module: String,
        /// What was found, and what to write instead.
        what: String,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The folder that should receive the package holds something already.
    #[error("{} is not empty: choose another folder, or ask for it to be replaced", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
}

impl HdlError {
    pub(crate) fn untranslatable(module: &str, what: impl Into<String>) -> Self {
        Self::Untranslatable { module: module.to_owned(), what: what.into() }
    }
}
