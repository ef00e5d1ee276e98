//! Energy a MAC of a processing element, on gates, with a network's own layers.
//!
//! ```text
//! contender   which processing elements are compared
//! window      what is streamed of each layer, and the range of fixed-point sums
//! encoding    operands as each processing element is given them
//! gates       Verilog → netlist, parts apart, longest path, proofs
//! stream      rows, then one pair a cycle without stalls, golden model beside
//! run         one netlist on all layers → energies
//! mix         what a hit, a miss and a zero use, out of a stream that mixes them
//! figures     what is stated, by part, kind, class and layer
//! opinion     what OpenSTA's report_power says of the same activity
//! compare     all contenders on one library at one clock period
//! waterfall   where the saving comes from
//! estimate    the energy without a netlist, from a table of components
//! cache       comparisons that were made before
//! ```
//!
//! Each module of a netlist is proven equivalent to its Verilog
//! ([`crate::equivalence::netlist`]); what is refuted ends everything, and the figures say
//! what is not decided. Every output of every cycle is compared with [`axp_golden::pe::CyclePe`]; a
//! difference, or too few pins with activity data, and no figure is stated.

pub mod cache;
pub mod compare;
pub mod contender;
pub mod encoding;
pub mod error;
pub mod estimate;
pub mod figures;
pub mod gates;
pub mod mix;
pub mod opinion;
pub mod run;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod waterfall;
pub mod window;

pub use compare::{Comparison, Options, Phase, compare};
pub use contender::{Baseline, Contender, Range};
pub use error::EnergyError;
pub use opinion::SecondOpinion;
pub use window::LayerWindow;

/// Version of the way energy is measured: part of what results are kept under.
pub const METHOD: u32 = 5;

/// Least share of a netlist's pins with activity data, in percent.
pub const LEAST_ANNOTATED_PERCENT: f64 = 95.0;
