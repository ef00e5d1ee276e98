//! A simulator that stays alive and hands outputs back, stimulus by stimulus.

use crate::process::ProcessError;
use crate::simulator::{Mode, Session, Simulator, SimulatorError};
use crate::vectors::{Layout, MAX_FRAME};
use std::io::{Read, Write};
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Bytes that follow the outputs of a cycle: the mask of unknown outputs.
const MASK_BYTES: usize = 4;

/// A running simulator in `emit` mode. Its state lives on between runs, so one
/// process serves any number of test cases, each starting with a reset.
pub struct Exchange {
    session: Option<Session>,
    pipe: ChildStdin,
    /// What the simulator has written, in pieces; closed at its end.
    answers: Receiver<Vec<u8>>,
    layout: Layout,
}

impl Exchange {
    /// Starts the simulator.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(simulator: &Simulator) -> Result<Self, SimulatorError> {
        let mut session = simulator.start(Mode::Emit)?;
        let stdin = session.group.child.stdin.take();
        let stdout = session.group.child.stdout.take();
        let (Some(pipe), Some(mut stdout)) = (stdin, stdout) else {
            return Err(session.broken("its pipes are missing"));
        };
        let (sender, answers) = channel();
        // Read beside the writer: neither side can then block the other.
        thread::spawn(move || {
            let mut piece = vec![0; 1 << 16];
            while let Ok(count @ 1..) = stdout.read(&mut piece) {
                if sender.send(piece[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { session: Some(session), pipe, answers, layout: simulator.layout.clone() })
    }

    /// Runs whole records; `each` gets the number of the cycle in this run and
    /// its outputs, in the layout of the vectors.
    ///
    /// # Errors
    /// The simulator died, or an output was X or Z in a cycle whose record
    /// asks for comparison.
    pub fn run(&mut self, records: &[u8], mut each: impl FnMut(usize, &[u8])) -> Result<(), SimulatorError> {
        let record_bytes = self.layout.record_bytes();
        let answer_bytes = self.layout.output_bytes + MASK_BYTES;
        for (frame_index, frame) in records.chunks(MAX_FRAME * record_bytes).enumerate() {
            let count = frame.len() / record_bytes;
            // A frame holds at most MAX_FRAME records.
            let sent = self.pipe.write_all(&(count as u32).to_le_bytes()).and_then(|()| self.pipe.write_all(frame));
            let answer = match sent {
                Ok(()) => self.receive(count * answer_bytes)?,
                Err(_) => return Err(self.broken("it takes no more vectors")),
            };
            for (index, (record, outputs)) in frame.chunks(record_bytes).zip(answer.chunks(answer_bytes)).enumerate() {
                let cycle = frame_index * MAX_FRAME + index;
                let (outputs, mask) = outputs.split_at(self.layout.output_bytes);
                if record[0] & 1 == 1
                    && let Some(bit) =
                        mask.iter().flat_map(|byte| (0..8).map(move |b| byte >> b & 1)).position(|b| b == 1)
                {
                    let signal = self.layout.outputs.get(bit).map_or("?", |field| field.name.as_str()).to_owned();
                    return Err(SimulatorError::Unknown { cycle: cycle as u64, signal });
                }
                each(cycle, outputs);
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: usize) -> Result<Vec<u8>, SimulatorError> {
        let mut answer = Vec::with_capacity(bytes);
        while answer.len() < bytes {
            match self.answers.recv() {
                Ok(piece) => answer.extend_from_slice(&piece),
                Err(_) => return Err(self.broken("it ended before its answer")),
            }
        }
        if answer.len() > bytes {
            return Err(self.broken("it answered more than was asked"));
        }
        Ok(answer)
    }

    fn broken(&mut self, what: &str) -> SimulatorError {
        match self.session.take() {
            Some(session) => session.broken(what),
            None => SimulatorError::Process(ProcessError::Pipe {
                program: "the simulator".into(),
                source: std::io::ErrorKind::NotConnected.into(),
            }),
        }
    }
}
