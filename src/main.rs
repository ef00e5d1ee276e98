//! `axp`: from an ONNX ConvNet to verified Verilog. Wires the libraries together
//! and prints; what it prints about is decided in `golden`, `hdl` and `testbench`.

mod args;
mod commands;
mod exit;
mod input;
mod interrupt;
mod plot;
mod progress;
mod report;
mod staging;

use args::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let cancel = interrupt::install();
    exit::guarded(|| match &arguments.command {
        Command::Build(options) => commands::build::run(options, &cancel),
        Command::Explore(options) => commands::explore::run(options, &cancel),
        Command::Verify(options) => commands::verify::run(options, &cancel),
        Command::Generate(options) => commands::generate::run(options, &cancel),
        Command::Eval(options) => commands::eval::run(options, &cancel),
        Command::Keys(options) => commands::keys::run(options, &cancel),
        Command::Fpu(options) => commands::fpu::run(options, &cancel),
        Command::Synth(options) => commands::synth::run(options, &cancel),
        Command::Energy(options) => commands::energy::run(options, &cancel),
        Command::EnergyTable(options) => commands::energy_table::run(options, &cancel),
    })
}
