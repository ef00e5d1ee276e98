//! Streaming vectors to a simulator that compares them as it goes.

use crate::process::ProcessError;
use crate::simulator::{Mode, Simulator, SimulatorError, SimulatorKind, Window};
use crate::vectors::Layout;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Records of one frame. Two frames are on the way, one on either side of the
/// pipe, so that producer and simulator work at the same time.
const FRAME: usize = 4096;

/// One difference, as the simulator reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Cycle, counted from the first record of the stream.
    pub cycle: u64,
    /// The output.
    pub signal: String,
    /// What the vectors expect, in hex.
    pub expected: String,
    /// What the design drove, in hex; with `x` and `z` where it is unknown.
    pub actual: String,
}

/// What happened between two marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Cycles since the previous mark.
    pub cycles: u64,
    /// Cycles in which any output differed.
    pub mismatches: u64,
    /// The first difference.
    pub first: Option<Difference>,
}

/// Where the producer puts its records: frames, as `vectors` describes them.
pub struct FrameWriter<'a> {
    out: Box<dyn Write + 'a>,
    cancel: Option<&'a AtomicBool>,
    record_bytes: usize,
    /// The open frame, with room for its count.
    frame: Vec<u8>,
    cycles: u64,
}

/// Why the producer should stop.
#[derive(Debug)]
pub enum Stop {
    /// The simulator takes no more: it has seen what it needs, or it died.
    Closed,
    /// The user cancelled.
    Cancelled,
    /// The pipe broke.
    Pipe(io::Error),
    /// The producer has nothing to go on with; it keeps the reason.
    Abandoned,
}

impl<'a> FrameWriter<'a> {
    /// Writes frames of this layout to a simulator, or anywhere else, until
    /// the flag is set.
    pub fn new(out: impl Write + 'a, layout: &Layout, cancel: Option<&'a AtomicBool>) -> Self {
        Self { out: Box::new(out), cancel, record_bytes: layout.record_bytes(), frame: vec![0; 4], cycles: 0 }
    }

    /// Gives out the buffer; the caller appends whole records to it.
    ///
    /// # Errors
    /// [`Stop`], to be handed on.
    pub fn records(&mut self) -> Result<&mut Vec<u8>, Stop> {
        if self.frame.len() >= 4 + FRAME * self.record_bytes {
            self.flush()?;
        }
        Ok(&mut self.frame)
    }

    /// Ends a section: the simulator reports what it has seen since the last.
    ///
    /// # Errors
    /// [`Stop`], to be handed on.
    pub fn mark(&mut self) -> Result<(), Stop> {
        self.flush()?;
        self.write(&0u32.to_le_bytes())
    }

    /// Cycles written so far: the number of the next one.
    pub fn cycle(&self) -> u64 {
        self.cycles + ((self.frame.len() - 4) / self.record_bytes) as u64
    }

    /// Writes the open frame, if it holds anything.
    ///
    /// # Errors
    /// [`Stop`], to be handed on.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.cancel.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Stop::Cancelled);
        }
        let count = (self.frame.len() - 4) / self.record_bytes;
        if count == 0 {
            return Ok(());
        }
        debug_assert_eq!((self.frame.len() - 4) % self.record_bytes, 0, "records are whole");
        // At most FRAME plus what one call appended: far below u32::MAX.
        self.frame[..4].copy_from_slice(&(count as u32).to_le_bytes());
        let frame = std::mem::take(&mut self.frame);
        let written = self.write(&frame);
        self.frame = frame;
        self.frame.truncate(4);
        self.cycles += count as u64;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.out.write_all(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Closed,
            _ => Stop::Pipe(error),
        })
    }
}

/// Runs a simulator over the records that `produce` writes, a [`Section`] for
/// each mark. With a window it ends after the window's last cycle.
///
/// # Errors
/// A simulator that cannot be run, dies, or disagrees about the number of
/// cycles; [`ProcessError::Cancelled`] once the flag is set. Differences are no
/// error here.
pub fn compare<T>(
    simulator: &Simulator,
    window: Option<&Window>,
    cancel: Option<&AtomicBool>,
    produce: impl FnOnce(&mut FrameWriter<'_>, &Layout) -> Result<T, Stop>,
) -> Result<(Option<T>, Vec<Section>), SimulatorError> {
    let mut session = simulator.start(Mode::Compare(window))?;
    let stdin = session.group.child.stdin.take();
    let stdout = session.group.child.stdout.take();
    let (Some(pipe), Some(stdout)) = (stdin, stdout) else {
        return Err(session.broken("its pipes are missing"));
    };
    let lines = thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<String>>());
    let mut writer = FrameWriter::new(pipe, &simulator.layout, cancel);
    let produced = produce(&mut writer, &simulator.layout).and_then(|value| writer.flush().map(|()| value));
    let cycles = writer.cycles;
    drop(writer);
    let program = session.group.program.clone();
    let value = match produced {
        Ok(value) => Some(value),
        Err(Stop::Closed) => None,
        Err(Stop::Cancelled) => return Err(ProcessError::Cancelled { program }.into()),
        Err(Stop::Abandoned) => return Err(session.broken("there were no more vectors")),
        Err(Stop::Pipe(source)) => return Err(ProcessError::Pipe { program, source }.into()),
    };
    let (code, said) = session.finish(cancel)?;
    let lines = lines.join().unwrap_or_default();
    let kind = simulator.kind;
    let (sections, seen) = parse(kind, &lines).map_err(|what| SimulatorError::Protocol {
        simulator: kind,
        what: format!("{what} (exit {code:?})\n{said}"),
    })?;
    if window.is_none() && (value.is_none() || seen != cycles) {
        let what = format!("it ran {seen} cycles of at least {cycles} (exit {code:?})\n{said}");
        return Err(SimulatorError::Protocol { simulator: kind, what });
    }
    Ok((value, sections))
}

/// Reads the lines that `harness` documents. Returns the sections, with a last
/// one for what came after the last mark, and the cycles seen in all.
fn parse(kind: SimulatorKind, lines: &[String]) -> Result<(Vec<Section>, u64), String> {
    let mut sections = Vec::new();
    let mut open = Section::default();
    let mut marked = 0;
    let mut counted = 0;
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["mismatch", cycle, signal, expected, actual] => {
                let cycle = number(cycle)?;
                let difference = |cycle| Difference {
                    cycle,
                    signal: signal.to_owned(),
                    expected: expected.to_owned(),
                    actual: actual.to_owned(),
                };
                open.first.get_or_insert_with(|| difference(cycle));
            }
            ["mark", cycles, mismatches] => {
                let cycles = number(cycles)?;
                open.cycles = cycles.checked_sub(marked).ok_or("its cycle count went backwards")?;
                open.mismatches = number(mismatches)?;
                counted += open.mismatches;
                marked = cycles;
                sections.push(std::mem::take(&mut open));
            }
            ["done", cycles, mismatches] => {
                let cycles = number(cycles)?;
                open.cycles = cycles.checked_sub(marked).ok_or("its cycle count went backwards")?;
                open.mismatches = number(mismatches)?.checked_sub(counted).ok_or("its mismatch counts disagree")?;
                if open.cycles > 0 {
                    sections.push(open);
                }
                return Ok((sections, cycles));
            }
            // vvp announces the waveform file.
            ["VCD", ..] if kind == SimulatorKind::Icarus => {}
            _ => return Err(format!("it printed {line:?}")),
        }
    }
    Err("it ended without a summary".into())
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("it printed {word:?} for a number"))
}
