//! Generated Verilog as files that other tools can use.

pub mod header;
