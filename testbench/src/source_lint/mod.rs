//! A lint over rust-hdl kernels, for what rust-hdl translates wrongly without a word.
//!
//! `#[hdl_gen]` derives Verilog from the *tokens* of a kernel. Some constructs
//! compile, simulate as Rust means them, and come out as Verilog that means
//! something else. A few of them (inclusive ranges, match guards) are gone from
//! rust-hdl's syntax tree already, so that no back-end and no proof against
//! rust-hdl's own text can notice. This lint reads the Rust source and refuses
//! them all; each [`Rule`] is one construct.

mod kernel;
mod rule;
mod types;
mod value;

use serde::Serialize;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use rule::Rule;
use types::Types;

/// A construct that must not stand in a kernel.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The source file, as it was given.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// Which construct.
    pub rule: Rule,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, column, rule } = self;
        write!(f, "{}:{line}:{column}: {}; {}", file.display(), rule.what(), rule.instead())
    }
}

/// What a run has seen.
#[derive(Serialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceReport {
    /// Kernels that were read.
    pub kernels: usize,
    /// What was found in them, by file and line.
    pub findings: Vec<Finding>,
}

/// Why sources could not be checked.
#[derive(Error, Debug)]
pub enum SourceLintError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A file is not Rust.
    #[error("cannot parse {} at line {line}: {what}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What the parser says.
        what: String,
    },
}

/// Checks every kernel in the `.rs` files below `folder`.
///
/// # Errors
/// A file that cannot be read, or is not Rust.
pub fn lint_folder(folder: &Path) -> Result<SourceReport, SourceLintError> {
    let mut sources = Vec::new();
    collect(folder, &mut sources)?;
    sources.sort();
    let mut files = Vec::new();
    for path in sources {
        let text =
            std::fs::read_to_string(&path).map_err(|source| SourceLintError::Read { path: path.clone(), source })?;
        files.push((path, text));
    }
    lint_sources(&files)
}

/// Checks every kernel in these files, given with their names.
///
/// # Errors
/// A text that is not Rust.
pub fn lint_sources(files: &[(PathBuf, String)]) -> Result<SourceReport, SourceLintError> {
    let mut parsed = Vec::new();
    for (path, text) in files {
        let file = syn::parse_file(text).map_err(|error| SourceLintError::Parse {
            path: path.clone(),
            line: error.span().start().line,
            what: error.to_string(),
        })?;
        parsed.push((path, file));
    }
    let types = Types::of(parsed.iter().map(|(_, file)| file));
    let mut report = SourceReport::default();
    for (path, file) in &parsed {
        kernel::check_file(path, file, &types, &mut report);
    }
    Ok(report)
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) -> Result<(), SourceLintError> {
    let failed = |source| SourceLintError::Read { path: folder.to_path_buf(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
    Ok(())
}
