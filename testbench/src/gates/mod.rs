//! Energy of a gate netlist, from every transition that simulation with delays makes.
//!
//! ```text
//! synth::synthesise_parts   Verilog → flat netlist, parts told apart by instance names
//! netlist                   the netlist's cells, nets and ports
//! logic, arcs, table        what the Liberty library says of each cell
//! circuit                   both together: loads, clock network, order of evaluation
//! timing                    slews and delays at these loads, longest path
//! program                   delays and energies of every pin and state, as flat arrays
//! queue, simulator          events, inertial delays, energy of each transition
//! ternary                   the same without delays and with unknown values
//! engine                    cycles: stimulus, comparison, classes
//! account                   sums by part, kind and class
//! activity                  what the nets did, as SAIF and Verilog for other tools
//! specify                   the same delays as Verilog for Icarus, to check the simulator
//! ```
//!
//! A transition of a net uses half of C·V² (C: its wires and pins), and what the
//! library's power tables state for the arc that caused it, at the slew of that
//! pin and the load of the output; pins that change without effect use what is
//! stated at the pin. Leakage is taken once a cycle, in the state at its end.
//! The clock is ideal: no tree, edges of one slew, gated clocks without delay.

pub mod account;
pub mod activity;
pub mod arcs;
pub mod circuit;
pub mod engine;
pub mod error;
pub mod logic;
pub mod netlist;
pub mod program;
pub mod queue;
pub mod simulator;
pub mod specify;
pub mod table;
pub mod ternary;
#[cfg(test)]
mod tests;
pub mod timing;

pub use account::{Kind, Measurement};
pub use activity::NetActivity;
pub use engine::Engine;
pub use error::GatesError;
pub use program::{CLOCK_SLEW_NS, Conditions, Program};

use crate::synth::liberty::CellLibrary;
use circuit::Circuit;
use netlist::FlatNetlist;
use std::sync::atomic::AtomicBool;

/// Reads a netlist that synthesis wrote, and makes it ready for simulation.
///
/// # Errors
/// [`GatesError`]: cells that cannot be simulated, or a path longer than the period.
pub fn prepare(
    verilog: &str,
    top: &str,
    library: &CellLibrary,
    conditions: Conditions<'_>,
    cancel: &AtomicBool,
) -> Result<Program, GatesError> {
    let netlist = FlatNetlist::read(verilog, top, library, cancel)?;
    Program::of(Circuit::of(netlist, library, conditions.around)?, conditions)
}
