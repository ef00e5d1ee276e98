//! One file a command; each wires libraries together and prints.

pub mod build;
mod codesign;
pub mod energy;
mod energy_report;
pub mod energy_table;
mod estimate;
pub mod eval;
mod evaluation;
pub mod explore;
mod folder;
pub mod fpu;
mod fpu_text;
pub mod generate;
pub mod keys;
mod lint;
mod measure;
mod replay;
mod replay_plan;
mod subsets;
mod sweep;
pub mod synth;
mod synth_report;
pub mod verify;

pub use sweep::Row as SweepRow;
