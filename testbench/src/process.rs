//! Running a tool: argument vectors, captured output, and an end when the user cancels.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use thiserror::Error;

/// How often a running tool is asked whether it has finished.
const POLL: Duration = Duration::from_millis(5);

/// Last characters of a failed tool's output that an error message shows.
const SHOWN_OUTPUT: usize = 2000;

/// One run of a tool. There is never a shell between the arguments and it.
#[derive(Debug)]
pub struct Invocation<'a> {
    command: Command,
    cancel: Option<&'a AtomicBool>,
}

/// What a tool that succeeded printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Why a tool did not succeed.
#[derive(Error, Debug)]
pub enum ProcessError {
    /// The program could not be started.
    #[error("cannot run {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The connection to the running program broke.
    #[error("lost the connection to {program}: {source}")]
    Pipe {
        /// The program.
        program: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The program ended with an error.
    #[error("{program} failed ({status}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// Exit code or signal.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// The user cancelled.
    #[error("cancelled while {program} was running")]
    Cancelled {
        /// The program.
        program: String,
    },
}

impl<'a> Invocation<'a> {
    /// A run of the program at this path, with the C locale and no input.
    pub fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        // A group of its own: what the tool starts (make, the compiler) can
        // be ended together with it.
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        Self { command, cancel: None }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds several arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs in this directory.
    pub fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Ends the program, and all that it started, once the flag is set.
    pub fn cancel(mut self, flag: &'a AtomicBool) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// [`ProcessError`]; an exit code other than 0 is `Failed`.
    pub fn run(self) -> Result<Captured, ProcessError> {
        let program = program_name(&self.command);
        let (status, captured) = self.run_unchecked()?;
        if status.success() {
            return Ok(captured);
        }
        Err(ProcessError::Failed { program, status, output: tail(&format!("{}{}", captured.stdout, captured.stderr)) })
    }

    /// Runs to the end and hands back the exit status whatever it is.
    ///
    /// # Errors
    /// The program could not be started or watched, or the run was cancelled.
    pub fn run_unchecked(mut self) -> Result<(ExitStatus, Captured), ProcessError> {
        let program = program_name(&self.command);
        let child = self.command.spawn().map_err(|source| ProcessError::Start { program: program.clone(), source })?;
        let mut group = Group { child, program };
        let stdout = drain(group.child.stdout.take());
        let stderr = drain(group.child.stderr.take());
        let status = group.wait(self.cancel)?;
        Ok((status, Captured { stdout: collect(stdout), stderr: collect(stderr) }))
    }

    /// Starts the program with a pipe to its standard input.
    ///
    /// # Errors
    /// The program could not be started.
    pub fn start(mut self) -> Result<Group, ProcessError> {
        let program = program_name(&self.command);
        self.command.stdin(Stdio::piped());
        match self.command.spawn() {
            Ok(child) => Ok(Group { child, program }),
            Err(source) => Err(ProcessError::Start { program, source }),
        }
    }
}

/// A running program and all that it started; ended when dropped.
#[derive(Debug)]
pub struct Group {
    /// The program itself.
    pub child: Child,
    /// Its name, for messages.
    pub program: String,
}

impl Group {
    /// Waits for the end, or ends the group once the flag is set.
    ///
    /// # Errors
    /// The system lost the child, or the run was cancelled.
    pub fn wait(&mut self, cancel: Option<&AtomicBool>) -> Result<ExitStatus, ProcessError> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if cancel.is_some_and(|flag| flag.load(Ordering::Relaxed)) => {
                    self.kill();
                    return Err(ProcessError::Cancelled { program: self.program.clone() });
                }
                Ok(None) => thread::sleep(POLL),
                Err(source) => return Err(ProcessError::Pipe { program: self.program.clone(), source }),
            }
        }
    }

    /// Ends the program and all that it started. Harmless after its end.
    pub fn kill(&mut self) {
        // Only while the child is not yet reaped: its id is not reused before.
        if let Ok(None) = self.child.try_wait() {
            if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
                // The group may be gone already, which is what is wanted.
                let _ = kill_process_group(id, Signal::KILL);
            }
            let _ = self.child.wait();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a stream to its end beside the main thread, so that no pipe fills up.
pub fn drain<R: Read + Send + 'static>(stream: Option<R>) -> Option<JoinHandle<Vec<u8>>> {
    stream.map(|mut stream| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is still worth showing.
            let _ = stream.read_to_end(&mut bytes);
            bytes
        })
    })
}

/// The text that [`drain`] has read.
pub fn collect(stream: Option<JoinHandle<Vec<u8>>>) -> String {
    let bytes = stream.and_then(|thread| thread.join().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The end of a text, short enough for an error message.
pub fn tail(text: &str) -> String {
    let text = text.trim_end();
    let start = text.char_indices().rev().nth(SHOWN_OUTPUT).map_or(0, |(index, _)| index);
    text[start..].to_owned()
}

fn program_name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell() -> Invocation<'static> {
        Invocation::new(Path::new("/bin/sh")).arg("-c")
    }

    #[test]
    fn both_streams_are_captured_even_when_large() {
        let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; echo abc >&2; i=$((i+1)); done";
        let captured = shell().arg(script).run().unwrap();
        assert_eq!(captured.stdout.lines().count(), 20_000);
        assert_eq!(captured.stderr.lines().count(), 20_000);
    }

    #[test]
    fn a_failure_carries_what_the_program_said() {
        let error = shell().arg("echo the reason >&2; exit 3").run().unwrap_err().to_string();
        assert!(error.starts_with("sh failed (exit status: 3)") && error.contains("the reason"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = Invocation::new(Path::new("/nonexistent/tool")).run().unwrap_err();
        assert!(error.to_string().starts_with("cannot run tool: "), "{error}");
    }

    #[test]
    fn cancelling_ends_the_program_and_its_children() {
        let flag = AtomicBool::new(false);
        let begin = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                flag.store(true, Ordering::Relaxed);
            });
            // The inner sleep holds the pipes open: the run can only end
            // early if it dies too.
            let error = shell().arg("sleep 30; true").cancel(&flag).run().unwrap_err();
            assert!(matches!(error, ProcessError::Cancelled { .. }), "{error}");
        });
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
