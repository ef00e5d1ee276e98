//! `axp generate`: the Verilog package of one PE configuration.

use super::lint;
use crate::args::GenerateOptions;
use crate::exit::{Failure, Outcome};
use crate::input;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::staging::Staging;
use axp_hdl::{Rtl, package};
use axp_spec::PeConfig;
use axp_testbench::dut::Dut;

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &GenerateOptions, cancel: &Cancel) -> Outcome {
    let path = &options.config;
    let config: PeConfig = serde_json::from_str(&input::read_text(path)?).map_err(|error| {
        Failure::input(
            format!("{} is not a PE configuration: {error}", path.display()),
            format!("a configuration looks like this:\n{}", example()),
        )
    })?;
    let staging = Staging::begin(&options.out, options.force)?;
    let stages = Stages::new();
    let rtl = rtl(&config, &stages)?;
    for file in package::files(&rtl) {
        staging.write(&file.name, file.text)?;
    }
    if !options.no_lint {
        lint::check(&lint::run(&Dut::of(&rtl), &stages, cancel)?)?;
    }
    if requested(cancel) {
        return Err(Failure::Interrupted);
    }
    staging.finish()?;
    println!("{}: {} modules in {}", rtl.top, rtl.modules.len(), options.out.display());
    Ok(())
}

/// Generates the Verilog of a configuration, as a stage of a command.
///
/// # Errors
/// The configuration cannot be built.
pub fn rtl(config: &PeConfig, stages: &Stages) -> Result<Rtl, Failure> {
    let stage = stages.start("verilog", 0);
    let rtl = axp_hdl::generate(config)
        .map_err(|error| Failure::input(error, format!("a configuration looks like this:\n{}", example())))?;
    let lines: usize = rtl.modules.iter().map(|m| m.text.lines().count()).sum();
    stage.done(format!("{}: {} modules, {lines} lines", rtl.top, rtl.modules.len()));
    Ok(rtl)
}

fn example() -> String {
    // A plain structure with string keys: it cannot fail to serialise.
    serde_json::to_string_pretty(&PeConfig::pair("my_pe", 32)).unwrap_or_default()
}
