//! A folder for one run of Yosys, gone afterwards.

use super::EquivalenceError;
use crate::process::{Invocation, ProcessError, tail};
use crate::tools::Tool;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often a run with a limit is looked after.
const POLL: Duration = Duration::from_millis(20);

/// The files that one script reads.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Result<Self, EquivalenceError> {
        let made = tempfile::tempdir();
        made.map(Self).map_err(|source| EquivalenceError::Write { path: std::env::temp_dir(), source })
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> Result<(), EquivalenceError> {
        let path = self.path().join(name);
        std::fs::write(&path, text).map_err(|source| EquivalenceError::Write { path, source })
    }

    pub fn read(&self, name: &str) -> Result<String, EquivalenceError> {
        let path = self.path().join(name);
        std::fs::read_to_string(&path).map_err(|source| EquivalenceError::Read { path, source })
    }

    /// Runs a script; says whether it went through, and hands back its log.
    pub fn run(&self, script: &str, cancel: &AtomicBool) -> Result<(bool, String), EquivalenceError> {
        self.write("proof.ys", script)?;
        // As a log file, its output is written line by line. Otherwise a script
        // that fails loses what is still in the buffer: the counterexample.
        let arguments = ["-q", "-L", "/dev/stdout", "proof.ys"];
        let run = Invocation::new(&Tool::Yosys.find()?).directory(self.path()).cancel(cancel).args(arguments);
        let (status, captured) = run.run_unchecked()?;
        Ok((status.success(), captured.stderr + &captured.stdout))
    }

    /// Runs a script, and ends it when time is up: then there is no result.
    pub fn run_within(
        &self,
        script: &str,
        time: Duration,
        cancel: &AtomicBool,
    ) -> Result<Option<(bool, String)>, EquivalenceError> {
        let (begin, end) = (Instant::now(), AtomicBool::new(false));
        let result = thread::scope(|scope| {
            let (done, wait) = channel::<()>();
            let end = &end;
            scope.spawn(move || {
                while wait.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                    if cancel.load(Ordering::Relaxed) || begin.elapsed() > time {
                        end.store(true, Ordering::Relaxed);
                    }
                }
            });
            let result = self.run(script, end);
            drop(done);
            result
        });
        match result {
            Err(EquivalenceError::Process(ProcessError::Cancelled { .. })) if !cancel.load(Ordering::Relaxed) => {
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Runs a script that must go through, and hands back its log.
    pub fn must(&self, script: &str, module: &str, cancel: &AtomicBool) -> Result<String, EquivalenceError> {
        match self.run(script, cancel)? {
            (true, log) => Ok(log),
            (false, log) => Err(EquivalenceError::NotProven { module: module.to_owned(), log: tail(&log) }),
        }
    }
}
