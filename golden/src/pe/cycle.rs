//! The PE clock cycle by clock cycle, at its ports.
//!
//! ```text
//!  input bus                        latency - 1 edges           output
//!  zero? search, multiply, add ──▶ finished sums on their way ─┬▶ main ──▶ out_*
//!                                                              └▶ skid
//! ```
//!
//! The latency is a constant and no output depends on anything between, so the
//! model computes a pair when it is accepted, and delays what is finished. How
//! the hardware spreads the work over its stages is the hardware's business.

use super::accumulator::{Accumulator, Total};
use super::narrow::widened;
use super::numeric::Operand;
use crate::am::{Am, LoadError};
use axp_spec::{AmImage, LayerMemory, PeConfig, PeInputs, PeOutputs};
use std::collections::VecDeque;

/// A PE with its registers, stepped one clock cycle at a time.
///
/// # Timing
/// A pair that is accepted in cycle t (`valid` and `ready`) is looked up in
/// that very cycle; the result of a `last` is offered from t + latency on. This
/// does not depend on hit, miss or skip, and there is one pair a cycle. Here
/// are two sums, of three pairs and of one, a latency of 4, and a receiver that
/// is not ready in cycles 6 to 8:
///
/// ```text
/// cycle         0   1   2   3   4   5   6   7   8   9  10  11
/// in_valid      1   1   1   1   0   0   0   0   0   0   0   0
/// in_first      1   0   0   1   .   .   .   .   .   .   .   .
/// in_last       0   0   1   1   .   .   .   .   .   .   .   .
/// in_ready      1   1   1   1   1   1   1   0   0   0   1   1
/// out_valid     0   0   0   0   0   0   1   1   1   1   1   0
/// out_ready     1   1   1   1   1   1   0   0   0   1   1   1
/// out_data      0   0   0   0   0   0   A   A   A   A   B   B
/// ```
///
/// # Backpressure
/// Results leave through a main register with one skid register behind it. A
/// result that is ready while the main register is occupied, and not taken in
/// that cycle, goes to the skid register. While that is occupied `ready` is
/// low and no register of the pipe changes; it moves to the main register at
/// the end of the cycle in which the receiver takes the main one. So `ready`,
/// like every output, depends on registers only.
///
/// # Sums
/// `first` makes the accumulator count as +0, `last` offers the sum; both in
/// one transfer are a sum of one pair, and the next `first` may follow at once.
/// The accumulator is written on `last` too: pairs after a `last` that come
/// without a `first` continue the old sum. After reset it is +0.
///
/// # Rows
/// A row written at the end of cycle t is seen by pairs accepted from t+1 on.
/// Pairs already in the pipe keep what they found. Rows can be written in any
/// cycle, also while the pipe is frozen.
///
/// # Reset
/// A new PE is one after reset: rows invalid, pipe empty, accumulator and
/// `data` 0. `data` holds its last value while `valid` is low.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CyclePe {
    config: PeConfig,
    am: Am,
    accumulator: Accumulator,
    /// Finished sums on their way to the output, the next one first: one place
    /// for each clock edge between.
    pipe: VecDeque<Option<Total>>,
    main_valid: bool,
    main: Total,
    skid: Option<Total>,
}

impl CyclePe {
    /// A PE of `config` after reset.
    pub fn new(config: &PeConfig) -> Self {
        Self {
            config: config.clone(),
            am: Am::new(config),
            accumulator: Accumulator::new(config),
            pipe: vec![None; config.latency() as usize - 1].into(),
            main_valid: false,
            main: Total { data: 0, overflow: false, invalid: false },
            skid: None,
        }
    }

    /// Back to the state after reset: all rows invalid, everything else 0.
    pub fn reset(&mut self) {
        *self = Self::new(&self.config);
    }

    /// Replaces the content of the memory between two cycles, as writing every
    /// row through the row port would. Nothing else changes.
    ///
    /// # Errors
    /// [`LoadError`] if a row breaks a rule; the memory is then unchanged.
    pub fn load(&mut self, image: &AmImage) -> Result<(), LoadError> {
        self.am.load(image)
    }

    /// The same for all that a layer needs.
    ///
    /// # Errors
    /// As [`CyclePe::load`].
    pub fn load_layer(&mut self, layer: &LayerMemory) -> Result<(), LoadError> {
        self.am.load_layer(layer)
    }

    /// The memory as the next cycle's operands will find it.
    pub fn am(&self) -> &Am {
        &self.am
    }

    /// The outputs in the current cycle: registers only.
    pub fn outputs(&self) -> PeOutputs {
        let Total { data, overflow, invalid } = self.main;
        PeOutputs { ready: self.skid.is_none(), valid: self.main_valid, data, overflow, invalid }
    }

    /// One cycle: returns the outputs seen in it, then takes the clock edge
    /// that ends it.
    pub fn step(&mut self, inputs: &PeInputs) -> PeOutputs {
        let outputs = self.outputs();
        let taken = self.main_valid && inputs.out_ready;
        if let Some(waiting) = self.skid {
            if taken {
                self.main = waiting;
                self.skid = None;
            }
        } else {
            self.advance(inputs, taken);
        }
        // Last, so that this cycle's operands searched the old rows.
        if let Some(write) = &inputs.row {
            self.am.write(write);
        }
        if let Some(write) = &inputs.codebook {
            self.am.write_codebook(write);
        }
        if let Some(layer) = inputs.layer {
            self.am.select_layer(layer);
        }
        outputs
    }

    /// The clock edge of a pipe that is not frozen.
    fn advance(&mut self, inputs: &PeInputs, taken: bool) {
        self.main_valid &= !taken;
        if let Some(result) = self.pipe.pop_front().flatten() {
            self.offer(result);
        }
        let finished = if inputs.valid { self.accept(inputs) } else { None };
        self.pipe.push_back(finished);
    }

    /// Takes a pair, and says what its sum is if the pair ends it.
    fn accept(&mut self, inputs: &PeInputs) -> Option<Total> {
        let format = self.config.format;
        self.accumulator.set_range(&self.config, self.am.range().unwrap_or(inputs.range));
        if inputs.first {
            self.accumulator.clear();
        }
        let operand = Operand::decide(format, &self.am, inputs.zero_skip, widened(&self.config, inputs.into()));
        self.accumulator.take(format, operand);
        inputs.last.then(|| self.accumulator.total(format))
    }

    /// Puts a result into the main register, or behind one that waits there.
    fn offer(&mut self, result: Total) {
        if self.main_valid {
            self.skid = Some(result);
        } else {
            self.main_valid = true;
            self.main = result;
        }
    }
}
