//! How a command ends: one clear message, and an exit code that scripts can use.

use miette::Report;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// Why a command did not succeed.
#[derive(Error, Debug)]
pub enum Failure {
    /// The user's input, the file system, or a missing tool. Exit code 2.
    #[error("{0}")]
    Input(Report),
    /// A check failed: a mismatch, a lint warning, a missed bound. Exit code 1.
    #[error("{0}")]
    Check(Report),
    /// Ctrl-C or a termination signal. Exit code 130.
    #[error("interrupted; nothing half-written was left behind")]
    Interrupted,
}

/// What every command returns.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A message about the user's input, with what to do about it.
    pub fn input(message: impl Display, help: impl Display) -> Self {
        Self::Input(miette::miette!(help = help.to_string(), "{message}"))
    }

    /// A message about a failed check, with what to do about it.
    pub fn check(message: impl Display, help: impl Display) -> Self {
        Self::Check(miette::miette!(help = help.to_string(), "{message}"))
    }

    /// A file or folder could not be read or written.
    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder that you may write to, or change its permissions"
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                "free some space, or choose another disk"
            }
            _ => "check the path and the disk",
        };
        Self::input(format!("cannot {what} {}: {error}", path.display()), help)
    }
}

/// Prints the failure, if any, and turns the outcome into an exit code.
fn report(outcome: Outcome) -> ExitCode {
    let (failure, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure @ Failure::Check(_)) => (failure, 1),
        Err(failure @ Failure::Input(_)) => (failure, 2),
        Err(failure @ Failure::Interrupted) => (failure, 130),
    };
    match failure {
        Failure::Check(report) | Failure::Input(report) => eprintln!("{report:?}"),
        Failure::Interrupted => eprintln!("axp: {failure}"),
    }
    ExitCode::from(code)
}

/// What the last panic said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs a command. A panic is a bug in axp, never the user's fault: it ends in
/// one line and exit code 101 instead of a backtrace (`AXP_BACKTRACE=1` brings
/// the backtrace back). A panic that a library catches and reports as an error
/// of its own prints nothing.
pub fn guarded(command: impl FnOnce() -> Outcome) -> ExitCode {
    if std::env::var_os("AXP_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|info| {
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string());
        }));
    }
    match std::panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(outcome) => report(outcome),
        Err(_) => {
            let said = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
            eprintln!("axp: internal error, please report it with the command that caused it: {said}");
            ExitCode::from(101)
        }
    }
}
