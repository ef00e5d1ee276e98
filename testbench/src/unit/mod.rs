//! Arithmetic units on streams of cases: one bench for generated Verilog and for synthesised gates.
//!
//! [`ports`] finds operands, result and flags in a port list; [`verilated`]
//! compiles a unit with a C++ main made for these ports, and [`stream`] sends
//! it millions of cases. [`icarus`] runs fewer of them in four-state simulation.
//! [`gates`] puts a netlist in the place of the RTL, with the same ports.
//! [`proof`] compares either with the golden model.

pub mod gates;
pub mod icarus;
pub mod ports;
pub mod proof;
pub mod stream;
pub mod verilated;

use crate::simulator::SimulatorError;
use crate::synth::SynthError;
use std::fmt;
use thiserror::Error;

/// The operands of one case: encodings in the low bits, zeros above. `b` is 0
/// for a unit with one operand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Case {
    /// First or only operand.
    pub a: u64,
    /// Second operand.
    pub b: u64,
}

/// What a unit answers to one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The encoding, in the low bits.
    pub result: u64,
    /// Invalid, infinite, overflow, underflow, inexact, from bit 4 down.
    pub flags: u8,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X} {:X}", self.a, self.b)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X} {:02X}", self.result, self.flags)
    }
}

/// Why a unit gave no answers.
#[derive(Error, Debug)]
pub enum UnitError {
    /// A simulator or a tool failed, or was cancelled.
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    /// There is no netlist.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// The ports are not those of an arithmetic unit.
    #[error("{module} has not the ports of an arithmetic unit: {what}")]
    Ports {
        /// The top module.
        module: String,
        /// What is missing or unknown.
        what: String,
    },
    /// An output is X or Z.
    #[error("case {index} ({case}): the result is unknown: {found}")]
    Unknown {
        /// Number of the case, from 0.
        index: usize,
        /// The case.
        case: Case,
        /// Result and flags with unknown digits.
        found: String,
    },
}
