//! OpenSTA's `report_power` with the activity of a simulation: a second opinion on energies.
//!
//! It takes an OpenSTA with `read_saif`; Debian's reads no activity.

use super::SynthError;
use super::liberty::CellLibrary;
use super::sta::{self, Surroundings};
use crate::process::{Invocation, tail};
use crate::tools::Tool;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Begins the line that answers whether activity is read.
const ANSWER: &str = "axp: reads SAIF:";

/// Power of a netlist in W.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Power {
    /// Inside the cells, by the library's power tables.
    pub internal: f64,
    /// Charging wires and pins.
    pub switching: f64,
    /// Without transitions.
    pub leakage: f64,
}

/// A simulated netlist.
#[derive(Clone, Copy, Debug)]
pub struct Simulated<'a> {
    /// Its Verilog, and the name of its module.
    pub verilog: &'a str,
    /// The module's name, and that of the instance in the SAIF file.
    pub top: &'a str,
    /// What its nets did.
    pub saif: &'a str,
    /// Clock period in ns.
    pub period_ns: f64,
    /// Slew of clock edges in ns.
    pub clock_slew_ns: f64,
}

/// Whether OpenSTA is here and reads activity.
///
/// # Errors
/// It cannot be run, or the run is cancelled.
pub fn is_available(cancel: &AtomicBool) -> Result<bool, SynthError> {
    let Ok(program) = Tool::Sta.find() else { return Ok(false) };
    let folder = tempfile::tempdir().map_err(|source| SynthError::file(&std::env::temp_dir(), source))?;
    let script = format!("puts \"{ANSWER} [llength [info commands read_saif]]\"\n");
    let output = run(&program, folder.path(), "ask.tcl", &script, cancel)?;
    Ok(output.lines().any(|line| line.trim() == format!("{ANSWER} 1")))
}

/// What OpenSTA reports.
///
/// # Errors
/// OpenSTA is missing, fails, or reports no power; or the run is cancelled.
pub fn report(
    simulated: &Simulated<'_>,
    library: &CellLibrary,
    around: Surroundings<'_>,
    cancel: &AtomicBool,
) -> Result<Power, SynthError> {
    let folder = tempfile::tempdir().map_err(|source| SynthError::file(&std::env::temp_dir(), source))?;
    let files =
        [("cells.lib", library.text.as_str()), ("netlist.v", simulated.verilog), ("activity.saif", simulated.saif)];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(|source| SynthError::file(&path, source))?;
    }
    let script = commands(simulated, library, around);
    let output = run(&Tool::Sta.find()?, folder.path(), "power.tcl", &script, cancel)?;
    parse(&output).ok_or_else(|| SynthError::Report { tool: "sta", output: tail(&output) })
}

/// Runs a script, and gives all that it printed.
fn run(program: &Path, folder: &Path, name: &str, script: &str, cancel: &AtomicBool) -> Result<String, SynthError> {
    let path = folder.join(name);
    fs::write(&path, script).map_err(|source| SynthError::file(&path, source))?;
    let output = Invocation::new(program).directory(folder).args(["-exit", "-no_splash", name]).cancel(cancel).run()?;
    Ok(output.stdout + &output.stderr)
}

fn commands(simulated: &Simulated<'_>, library: &CellLibrary, around: Surroundings<'_>) -> String {
    let Simulated { top, period_ns, clock_slew_ns, .. } = simulated;
    let mut text = sta::design(Path::new("cells.lib"), "netlist.v", top, library, around, *period_ns);
    if around.clock.is_some() {
        let _ = writeln!(text, "set_clock_transition {clock_slew_ns} [get_clocks axp]");
    }
    text += &sta::loads(library, around);
    let _ = writeln!(text, "read_saif -scope {top} activity.saif\nreport_power -digits 8");
    text
}

/// The row of all groups together.
fn parse(report: &str) -> Option<Power> {
    let row = report.lines().find_map(|line| line.trim().strip_prefix("Total "))?;
    let mut numbers = row.split_whitespace().map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok().filter(|power| power.is_finite());
    Some(Power { internal: next()?, switching: next()?, leakage: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_report_is_read() {
        let report = "Annotated 9 pin activities.\n\
            Group                    Internal    Switching      Leakage        Total\n\
            \x20                           Power        Power        Power        Power (Watts)\n\
            --------------------------------------------------------------------\n\
            Sequential           3.0200e-04   2.0900e-05   2.9200e-10   3.2300e-04  56.2%\n\
            Total                4.3700e-04   1.3700e-04   9.9100e-10   5.7400e-04 100.0%\n\
            \x20                       76.1%        23.9%         0.0%\n";
        let power = Power { internal: 4.37e-4, switching: 1.37e-4, leakage: 9.91e-10 };
        assert_eq!(parse(report), Some(power));
        for damaged in ["", "Total", "Total nan 1 2 3\n", "Total 1.0 2.0\n", &report.replace("Total ", "All ")] {
            assert_eq!(parse(damaged), None, "{damaged}");
        }
    }
}
