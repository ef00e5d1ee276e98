//! Millions of cases through a unit: one thread sends, one takes the answers.

use super::verilated::{ANSWER_BYTES, MAX_FRAME, UnitProgram};
use super::{Answer, Case, UnitError};
use crate::process::Invocation;
use crate::simulator::{Session, SimulatorError, SimulatorKind};
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Blocks of cases that are on the way at most, sent and not yet answered.
const IN_FLIGHT: usize = 4;

/// Streams cases through a unit until there are no more.
///
/// `produce` appends the next block of cases, of any size; an empty block ends
/// the stream. It runs in a thread of its own. `consume` gets the same blocks
/// with their answers, in order. An error of either ends the stream; what was
/// produced before an error of `produce` is still consumed.
///
/// To be cancelled, let `produce` or `consume` fail: the program never waits for
/// anything but them.
///
/// # Errors
/// Those of `produce` and `consume`; the program could not be started, died, or
/// answered more than it was asked.
pub fn stream<E: From<UnitError> + Send>(
    unit: &UnitProgram,
    produce: impl FnMut(&mut Vec<Case>) -> Result<(), E> + Send,
    mut consume: impl FnMut(&[Case], &[Answer]) -> Result<(), E>,
) -> Result<(), E> {
    let run = |error: SimulatorError| E::from(UnitError::Simulator(error));
    let group = Invocation::new(&unit.program).start().map_err(|error| run(error.into()))?;
    let mut session = Session::new(group, SimulatorKind::Verilator);
    let (Some(input), Some(mut output)) = (session.group.child.stdin.take(), session.group.child.stdout.take()) else {
        return Err(run(session.broken("its pipes are missing")));
    };
    let (sender, blocks) = sync_channel::<Vec<Case>>(IN_FLIGHT);
    let operands = unit.ports.operands();
    let (taken, sent) = thread::scope(|scope| {
        let writer = scope.spawn(move || send(operands, input, sender, produce));
        let taken = take(&blocks, &mut output, &mut consume);
        if taken.is_err() {
            // The writer may stand before a full pipe: the end of the program
            // ends that, and the end of the channel everything else.
            session.group.kill();
        }
        drop(blocks);
        // A panic of `produce` goes on here.
        let sent = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (taken, sent)
    });
    match taken {
        Err(Taken::Consumer(error)) => return Err(error),
        Err(Taken::Program(what)) => return Err(run(session.broken(what))),
        Ok(()) => sent?,
    }
    let mut rest = [0];
    if matches!(output.read(&mut rest), Ok(1)) {
        return Err(run(session.broken("it answered more than was asked")));
    }
    match session.finish(None).map_err(run)? {
        (Some(0), _) => Ok(()),
        (code, said) => Err(run(SimulatorError::Protocol {
            simulator: SimulatorKind::Verilator,
            what: format!("it ended with {code:?}: {said}"),
        })),
    }
}

/// Answers of a unit to these cases, in order.
///
/// # Errors
/// See [`stream`].
pub fn answers(unit: &UnitProgram, cases: &[Case]) -> Result<Vec<Answer>, UnitError> {
    let mut found = Vec::with_capacity(cases.len());
    let mut blocks = cases.chunks(MAX_FRAME);
    stream(
        unit,
        |block| {
            block.extend_from_slice(blocks.next().unwrap_or_default());
            Ok::<(), UnitError>(())
        },
        |_, answers| {
            found.extend_from_slice(answers);
            Ok(())
        },
    )?;
    Ok(found)
}

/// Why no more answers are taken.
enum Taken<E> {
    Consumer(E),
    Program(&'static str),
}

fn send<E>(
    operands: usize,
    mut pipe: impl Write,
    blocks: SyncSender<Vec<Case>>,
    mut produce: impl FnMut(&mut Vec<Case>) -> Result<(), E>,
) -> Result<(), E> {
    let mut bytes = Vec::new();
    loop {
        let mut block = Vec::new();
        // Also what came before an error is a block to be answered.
        let produced = produce(&mut block);
        if block.is_empty() {
            return produced;
        }
        bytes.clear();
        for frame in block.chunks(MAX_FRAME) {
            // At most MAX_FRAME.
            bytes.extend_from_slice(&(frame.len() as u32).to_le_bytes());
            for case in frame {
                bytes.extend_from_slice(&case.a.to_le_bytes());
                if operands == 2 {
                    bytes.extend_from_slice(&case.b.to_le_bytes());
                }
            }
        }
        // Announced first: the answers may fill the pipe before the last case
        // is written. A reader that has gone knows why, and so does the one
        // that finds the answers missing because the program died.
        if blocks.send(block).is_err() || pipe.write_all(&bytes).is_err() {
            return Ok(());
        }
        produced?;
    }
}

fn take<E>(
    blocks: &Receiver<Vec<Case>>,
    output: &mut impl Read,
    consume: &mut impl FnMut(&[Case], &[Answer]) -> Result<(), E>,
) -> Result<(), Taken<E>> {
    let mut bytes = Vec::new();
    let mut answers = Vec::new();
    while let Ok(block) = blocks.recv() {
        bytes.resize(block.len() * ANSWER_BYTES, 0);
        output.read_exact(&mut bytes).map_err(|_| Taken::Program("it ended before its answers"))?;
        answers.clear();
        answers.extend(bytes.chunks_exact(ANSWER_BYTES).map(answer));
        consume(&block, &answers).map_err(Taken::Consumer)?;
    }
    Ok(())
}

fn answer(bytes: &[u8]) -> Answer {
    let result = bytes[..8].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Answer { result, flags: bytes[8] }
}
