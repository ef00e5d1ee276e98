//! One file a command; each wires libraries together and prints.

pub mod build;
mod codesign;
pub mod energy;
mod energy_report;
pub mod energy_table;
pub mod eval;
mod evaluation;
mod folder;
pub mod fpu;
mod fpu_text;
pub mod generate;
pub mod keys;
mod lint;
mod measure;
mod replay;
mod replay_plan;
pub mod synth;
mod synth_report;
pub mod verify;
