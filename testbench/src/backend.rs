//! Golden model, rust-hdl simulation, Verilator and Icarus behind one trait.

use crate::dut::{Body, Dut};
use crate::exchange::Exchange;
use crate::icarus;
use crate::pe_ports::PeVectors;
use crate::simulator::{Simulator, SimulatorError};
use crate::verilator;
use axp_golden::pe::CyclePe;
use axp_hdl::sim::PeSim;
use axp_hdl::{HdlError, Rtl};
use axp_spec::{PeConfig, PeInputs, PeOutputs};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// Something that behaves like a PE, cycle by cycle.
pub trait Backend {
    /// What it is, for messages.
    fn name(&self) -> &'static str;

    /// Resets the PE, whatever it was doing, then runs these cycles. Returns
    /// what it drove in each of them.
    ///
    /// # Errors
    /// The PE could not be run, or drove something unknown (X or Z).
    fn run(&mut self, stimulus: &[PeInputs]) -> Result<Vec<PeOutputs>, BackendError>;
}

/// Why a backend has no outputs to show.
#[derive(Error, Debug)]
pub enum BackendError {
    /// A simulator failed.
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    /// The hardware description could not be built.
    #[error(transparent)]
    Hdl(#[from] HdlError),
    /// The PE does not come out of reset as it should.
    #[error("{backend} drives {found:?} in reset")]
    Reset {
        /// The backend.
        backend: &'static str,
        /// What it drove.
        found: PeOutputs,
    },
}

/// The golden model.
#[derive(Debug)]
pub struct Golden {
    pe: CyclePe,
}

impl Golden {
    /// The golden PE of a configuration.
    pub fn new(config: &PeConfig) -> Self {
        Self { pe: CyclePe::new(config) }
    }
}

impl Backend for Golden {
    fn name(&self) -> &'static str {
        "golden"
    }

    fn run(&mut self, stimulus: &[PeInputs]) -> Result<Vec<PeOutputs>, BackendError> {
        self.pe.reset();
        Ok(stimulus.iter().map(|inputs| self.pe.step(inputs)).collect())
    }
}

/// rust-hdl's own simulation of the description that the Verilog is made from.
pub struct RustHdl {
    config: PeConfig,
}

impl RustHdl {
    /// The simulation of a configuration.
    pub fn new(config: &PeConfig) -> Self {
        Self { config: config.clone() }
    }
}

impl Backend for RustHdl {
    fn name(&self) -> &'static str {
        "rust-hdl"
    }

    fn run(&mut self, stimulus: &[PeInputs]) -> Result<Vec<PeOutputs>, BackendError> {
        let mut pe = PeSim::new(&self.config)?;
        Ok(stimulus.iter().map(|inputs| pe.step(inputs)).collect())
    }
}

/// The generated Verilog in a simulator that stays alive.
pub struct Simulated {
    name: &'static str,
    vectors: PeVectors,
    exchange: Exchange,
}

impl Simulated {
    /// Verilator on the generated Verilog.
    ///
    /// # Errors
    /// A missing tool, or Verilog that does not build.
    pub fn verilator(rtl: &Rtl, body: Body, cache: &Path) -> Result<Self, SimulatorError> {
        let dut = Dut::of(rtl);
        let simulator = verilator::build(&dut, body, false, cache, &AtomicBool::new(false))?;
        let name = if body == Body::Gated { "verilator" } else { "verilator (clock enable)" };
        Self::start(name, &dut, &simulator)
    }

    /// Icarus on the generated Verilog.
    ///
    /// # Errors
    /// A missing tool, or Verilog that does not build.
    pub fn icarus(rtl: &Rtl, body: Body, cache: &Path) -> Result<Self, SimulatorError> {
        let dut = Dut::of(rtl);
        let simulator = icarus::build(&dut, body, cache, &AtomicBool::new(false))?;
        let name = if body == Body::Gated { "icarus" } else { "icarus (clock enable)" };
        Self::start(name, &dut, &simulator)
    }

    /// A simulator that has been built for the ports of a PE.
    ///
    /// # Errors
    /// The ports are not those of a PE, or the simulator cannot be started.
    pub fn start(name: &'static str, dut: &Dut, simulator: &Simulator) -> Result<Self, SimulatorError> {
        Ok(Self { name, vectors: PeVectors::of(dut)?, exchange: Exchange::start(simulator)? })
    }
}

impl Backend for Simulated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, stimulus: &[PeInputs]) -> Result<Vec<PeOutputs>, BackendError> {
        let mut records = Vec::new();
        // The first inputs double as disturbance during the reset.
        self.vectors.push_reset(&mut records, &stimulus.first().copied().unwrap_or_default());
        let reset_cycles = records.len() / self.vectors.layout().record_bytes();
        for inputs in stimulus {
            self.vectors.push(&mut records, inputs, &PeOutputs::default());
        }
        let mut outputs = Vec::with_capacity(stimulus.len());
        let vectors = &self.vectors;
        self.exchange.run(&records, |_, part| outputs.push(vectors.outputs(part)))?;
        let run = outputs.split_off(reset_cycles);
        match outputs.last() {
            Some(found) if *found != PeVectors::IN_RESET => {
                Err(BackendError::Reset { backend: self.name, found: *found })
            }
            _ => Ok(run),
        }
    }
}
