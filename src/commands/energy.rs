//! `axp energy`: what a built design uses a MAC, and what it saves against plain MACs.

use super::energy_report::{self, Library};
use super::estimate;
use super::measure::Measured;
use super::synth;
use crate::args::EnergyOptions;
use crate::exit::{Failure, Outcome};
use crate::interrupt::Cancel;
use crate::plot;
use crate::progress::Stages;
use crate::staging::write_file;
use axp_testbench::energy::Baseline;

/// Runs the command.
///
/// # Errors
/// See [`Failure`]: a clock that is too fast is wrong input; figures that are not
/// to be trusted are a failed check.
pub fn run(options: &EnergyOptions, cancel: &Cancel) -> Outcome {
    let table = estimate::table(options.table.as_deref())?;
    let libraries = synth::libraries(&options.measure.liberty)?;
    let measured = Measured::open(&options.design, &options.measure, cancel)?;
    let layers = measured.activities(&measured.design)?;
    let baselines = &options.baselines.0[..];
    let apart = |baseline: &&Baseline| baseline.beside(&measured.design.config).is_none();
    if let (Some(baseline), true) = (baselines.iter().find(apart), baselines != Baseline::ALL) {
        let what =
            format!("{} has a sum as wide as the design's, and the design has no fixed-point sum", baseline.name());
        return Err(Failure::input(what, "leave it out of --baselines"));
    }
    let stages = Stages::new();
    let mut rows = Vec::new();
    for library in &libraries {
        let comparison = measured.compare(baselines, library, options.clock, &stages, cancel)?;
        let estimate = table.estimate(&library.sha256, &measured.design.config, &layers);
        rows.push(Library::new(comparison, estimate));
    }
    if let (Some(path), Some(first)) = (&options.plot, rows.first()) {
        let svg = plot::energy(&first.comparison, &first.waterfall)
            .map_err(|error| Failure::input(format!("the plot cannot be drawn: {error}"), "leave --plot out"))?;
        write_file(path, &svg)?;
    }
    let name = &measured.design.config.name;
    if options.json {
        println!("{}", energy_report::json(name, &rows));
    } else {
        print!("{}", energy_report::table(name, &rows));
    }
    Ok(())
}
