//! Where axp's golden model and hardware meet.
//!
//! [`tools`] and [`process`] run external programs; [`lint`] has Verilator,
//! Icarus and Yosys check the Verilog. [`vectors`] is the one layout of
//! stimulus and expected outputs that both simulators read; [`harness`] and
//! [`icarus`] generate the benches that read it. [`backend`] puts golden model,
//! rust-hdl simulation, Verilator and Icarus behind one trait, and [`replay`]
//! feeds the Verilog with real layers and compares every output of every cycle.
//! [`synth`] makes gates of it and measures area and longest path.
//! [`gates`] simulates netlists with delays and sums up the energy they use, and
//! [`energy`] does so for processing elements on the layers of a network.
//! [`mod@unit`] does the same for single arithmetic units, millions of cases at a
//! time, as RTL and as synthesised gates.

mod atomic;
pub mod backend;
pub mod compare;
pub mod dut;
pub mod energy;
pub mod equivalence;
pub mod exchange;
pub mod gates;
pub mod harness;
pub mod icarus;
pub mod lint;
mod parallel;
pub mod pe_ports;
pub mod process;
pub mod replay;
pub mod simulator;
pub mod synth;
pub mod tools;
pub mod unit;
pub mod vectors;
pub mod verilator;
pub mod waveform;
