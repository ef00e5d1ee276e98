//! Lint of generated Verilog, as a stage of a command.

use crate::exit::Failure;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::report::Lint;
use axp_testbench::dut::{Body, Dut};
use axp_testbench::lint::{LintError, LintPass, lint};

/// Runs every linter on both bodies of the gated registers.
///
/// # Errors
/// A missing tool, a folder that cannot be written, or Ctrl-C. Warnings are no
/// error here: they come back with the verdicts.
pub fn run(dut: &Dut, stages: &Stages, cancel: &Cancel) -> Result<Vec<LintPass>, Failure> {
    let stage = stages.start("lint", 0);
    stage.say("verilator -Wall, iverilog -Wall, yosys check");
    let passes = lint(dut, cancel).map_err(|error| failure(&error, cancel))?;
    let warnings = passes.iter().filter(|p| !p.messages.is_empty()).count();
    stage.done(match warnings {
        0 => "no warnings from Verilator, Icarus and Yosys".to_owned(),
        _ => format!("{warnings} of {} runs gave warnings", passes.len()),
    });
    Ok(passes)
}

/// The verdicts as rows of a report.
pub fn rows(passes: &[LintPass]) -> Vec<Lint> {
    passes
        .iter()
        .map(|pass| Lint {
            tool: match pass.body {
                Body::Gated => pass.tool.program().to_owned(),
                Body::ClockEnable => format!("{} (AXP_CE)", pass.tool.program()),
            },
            warnings: pass.messages.lines().filter(|line| !line.trim().is_empty()).count(),
        })
        .collect()
}

/// The first warning as a failed check, if there is one.
pub fn check(passes: &[LintPass]) -> Result<(), Failure> {
    match passes.iter().find(|pass| !pass.messages.is_empty()) {
        None => Ok(()),
        Some(pass) => Err(Failure::check(
            format!("{} is not content with the generated Verilog:\n{}", pass.tool.program(), pass.messages.trim_end()),
            "this is a defect of axp or a tool version it was not tried with; please report it",
        )),
    }
}

fn failure(error: &LintError, cancel: &Cancel) -> Failure {
    match error {
        _ if requested(cancel) => Failure::Interrupted,
        LintError::Missing(missing) => {
            Failure::input(missing, "./scripts/test.sh and ./scripts/demo.sh install what is missing")
        }
        other => Failure::input(other, "check that the tool runs, and that the temporary folder has space"),
    }
}
