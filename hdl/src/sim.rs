//! The rust-hdl simulation of a PE, cycle by cycle.

use crate::HdlError;
use crate::pe::{self, PeBlock};
use axp_spec::{PeConfig, PeInputs, PeOutputs};

/// Simulates rust-hdl's description of a PE.
///
/// The threaded `Simulation` of rust-hdl is not used: a cycle is inputs, settle,
/// read the outputs, clock up, settle, clock down, settle. Inputs settle before
/// the clock rises, because rust-hdl captures what changes together with the
/// clock as the *new* value.
pub struct PeSim {
    pe: Box<dyn PeBlock>,
}

/// Passes after which a description that still changes has a combinational loop:
/// far more than the deepest path through the hierarchy needs.
const SETTLE_LIMIT: usize = 1000;

impl PeSim {
    /// A PE that has been reset.
    ///
    /// # Errors
    /// [`HdlError::Config`] if the configuration is not valid.
    pub fn new(config: &PeConfig) -> Result<Self, HdlError> {
        let mut sim = Self { pe: pe::build(config)? };
        sim.pe.drive(&PeInputs::default());
        sim.clock(false, false);
        sim.clock(true, false);
        sim.clock(false, false);
        sim.clock(false, true);
        Ok(sim)
    }

    /// Shows what the PE drives in a cycle with these inputs, then clocks it.
    pub fn step(&mut self, inputs: &PeInputs) -> PeOutputs {
        self.pe.drive(inputs);
        self.settle();
        let outputs = self.pe.outputs();
        self.clock(true, true);
        self.clock(false, true);
        outputs
    }

    fn clock(&mut self, level: bool, reset_n: bool) {
        self.pe.drive_clock(level, reset_n);
        self.settle();
    }

    fn settle(&mut self) {
        for _ in 0..SETTLE_LIMIT {
            self.pe.update_all();
            if !self.pe.has_changed() {
                return;
            }
        }
        unreachable!("the description has a combinational loop, which its own tests exclude");
    }
}
