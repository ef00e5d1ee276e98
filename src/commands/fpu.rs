//! `axp fpu`: the cases of a stream through an arithmetic unit, golden or Verilated.

use super::fpu_text::CaseText;
use super::replay::cache_folder;
use crate::args::{FpuChoice, FpuOptions};
use crate::exit::{Failure, Outcome};
use crate::interrupt::{Cancel, requested};
use axp_golden::float;
use axp_spec::{FixedFormat, FpuConfig, FpuOperation};
use axp_testbench::dut::{Body, Dut};
use axp_testbench::unit::verilated::{self, UnitProgram};
use axp_testbench::unit::{Answer, Case, UnitError, stream};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Most bytes of one read, and the longest line.
const PIECE: usize = 1 << 18;

/// How often a wait for input looks for Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// Runs the command.
///
/// # Errors
/// See [`Failure`]; a line without a case is wrong input.
pub fn run(options: &FpuOptions, cancel: &Cancel) -> Outcome {
    let config = configuration(options)?;
    let unit = if options.rtl { Some(verilate(&config, cancel)?) } else { None };
    let closed = AtomicBool::new(false);
    let input = Input::open(options.file.as_deref(), cancel, &closed)?;
    let ended = match unit {
        None => golden(&config, input),
        Some(unit) => rtl(&config, &unit, input, &closed),
    };
    match ended {
        Ok(()) | Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(_)) if requested(cancel) => Err(Failure::Interrupted),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

/// Why there are no more lines to write.
enum Ended {
    /// Whoever read them has gone, as `head` does.
    Closed,
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<UnitError> for Ended {
    fn from(error: UnitError) -> Self {
        Self::Failed(unit_failure(&error))
    }
}

fn configuration(options: &FpuOptions) -> Result<FpuConfig, Failure> {
    let fixed = || match (options.width, options.last_bit) {
        (Some(width), Some(last_bit)) => Ok(FixedFormat { width, last_bit }),
        _ => Err(Failure::input(
            "a conversion needs the fixed-point format",
            "add --width BITS and --last-bit EXPONENT: 32-bit integers are --width 32 --last-bit 0",
        )),
    };
    let operation = match options.operation {
        FpuChoice::Mul => FpuOperation::Mul,
        FpuChoice::Add => FpuOperation::Add,
        FpuChoice::ToFixed => FpuOperation::ToFixed(fixed()?),
        FpuChoice::FromFixed => FpuOperation::FromFixed(fixed()?),
    };
    if operation.operands() == 2 && (options.width.is_some() || options.last_bit.is_some()) {
        return Err(Failure::input(
            "mul and add take no fixed-point format",
            "--width and --last-bit belong to to-fixed and from-fixed",
        ));
    }
    let config = FpuConfig {
        multiplier: options.multiplier.into(),
        stages: options.stages,
        ..FpuConfig::new(operation, options.format, options.rounding.into())
    };
    config.validate().map_err(|error| Failure::input(error, "see axp fpu --help for the ranges"))?;
    Ok(config)
}

fn verilate(config: &FpuConfig, cancel: &Cancel) -> Result<UnitProgram, Failure> {
    let rtl = axp_hdl::fpu::generate(config).map_err(|error| Failure::input(error, "please report it"))?;
    verilated::build(&Dut::of(&rtl), Body::Gated, &cache_folder(), cancel).map_err(|error| match error {
        _ if requested(cancel) => Failure::Interrupted,
        other => unit_failure(&other),
    })
}

fn unit_failure(error: &UnitError) -> Failure {
    Failure::input(error, "--rtl needs Verilator, g++ and make; without it the golden model answers")
}

fn golden(config: &FpuConfig, mut input: Input<'_>) -> Result<(), Ended> {
    let mut text = CaseText::of(config);
    let (mut cases, mut answers, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(piece) = input.next()? {
        cases.clear();
        answers.clear();
        let read = text.read(&piece, &mut cases);
        answers.extend(cases.iter().map(|case: &Case| {
            let outcome = float::evaluate(config, case.a, case.b);
            Answer { result: outcome.bits, flags: outcome.flags.bits() }
        }));
        print(&text, &cases, &answers, &mut lines)?;
        read.map_err(|error| input.faulty(&error))?;
    }
    Ok(())
}

fn rtl(config: &FpuConfig, unit: &UnitProgram, mut input: Input<'_>, closed: &AtomicBool) -> Result<(), Ended> {
    let output = CaseText::of(config);
    let mut text = output.clone();
    let mut lines = Vec::new();
    stream::stream(
        unit,
        |cases| {
            // A piece of blank lines is no end of the stream.
            while cases.is_empty()
                && let Some(piece) = input.next()?
            {
                text.read(&piece, cases).map_err(|error| input.faulty(&error))?;
            }
            Ok(())
        },
        |cases, answers| {
            print(&output, cases, answers, &mut lines).inspect_err(|_| closed.store(true, Ordering::Relaxed))
        },
    )
}

fn print(text: &CaseText, cases: &[Case], answers: &[Answer], lines: &mut Vec<u8>) -> Result<(), Ended> {
    lines.clear();
    text.write(cases, answers, lines);
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ended::Closed,
        _ => Failure::input(format!("cannot write the results: {error}"), "check the disk and the pipe").into(),
    })
}

/// The input in pieces of whole lines, read beside everything else so that
/// Ctrl-C ends a wait for it.
struct Input<'a> {
    name: String,
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// The beginning of a line whose end has not come yet.
    open: Vec<u8>,
    cancel: &'a AtomicBool,
    closed: &'a AtomicBool,
}

impl<'a> Input<'a> {
    /// Opens a file, or standard input. `closed` ends the input early.
    fn open(file: Option<&Path>, cancel: &'a AtomicBool, closed: &'a AtomicBool) -> Result<Self, Failure> {
        let mut source: Box<dyn Read + Send> = match file {
            Some(path) => Box::new(File::open(path).map_err(|error| Failure::io("read", path, &error))?),
            None => Box::new(io::stdin()),
        };
        let name = file.map_or("standard input".to_owned(), |path| path.display().to_string());
        let (sender, pieces) = sync_channel(2);
        thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = source.read(&mut piece).map(|count| {
                    piece.truncate(count);
                    piece
                });
                let last = !matches!(&read, Ok(piece) if !piece.is_empty());
                if sender.send(read).is_err() || last {
                    break;
                }
            }
        });
        Ok(Self { name, pieces, open: Vec::new(), cancel, closed })
    }

    /// The next whole lines; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Ended> {
        loop {
            if requested(self.cancel) {
                return Err(Failure::Interrupted.into());
            }
            if self.closed.load(Ordering::Relaxed) {
                return Err(Ended::Closed);
            }
            let piece = match self.pieces.recv_timeout(POLL) {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Ok(Err(error)) => {
                    return Err(Failure::input(format!("cannot read {}: {error}", self.name), "check the path").into());
                }
                Ok(Ok(piece)) => piece,
            };
            if piece.is_empty() {
                let last = std::mem::take(&mut self.open);
                return Ok((!last.is_empty()).then_some(last));
            }
            let mut lines = std::mem::take(&mut self.open);
            lines.extend_from_slice(&piece);
            match lines.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => {
                    self.open = lines.split_off(end + 1);
                    return Ok(Some(lines));
                }
                None if lines.len() > PIECE => {
                    let message = format!("{}: a line has more than {PIECE} bytes", self.name);
                    return Err(Failure::input(message, "give one case a line").into());
                }
                None => self.open = lines,
            }
        }
    }

    fn faulty(&self, error: &super::fpu_text::LineError) -> Ended {
        let help =
            "a line holds the operands as hexadecimal numbers with blanks between them; more columns are ignored";
        Failure::input(format!("{}, {error}", self.name), help).into()
    }
}
