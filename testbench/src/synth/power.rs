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

/// Energy of a netlist in pJ a cycle.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct CycleEnergy {
    /// Inside the cells, by the library's power tables.
    pub internal: f64,
    /// Charging wires and pins.
    pub switching: f64,
    /// Without transitions.
    pub leakage: f64,
}

impl CycleEnergy {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.internal + self.switching + self.leakage
    }
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
) -> Result<CycleEnergy, SynthError> {
    let folder = tempfile::tempdir().map_err(|source| SynthError::file(&std::env::temp_dir(), source))?;
    let files =
        [("cells.lib", library.text.as_str()), ("netlist.v", simulated.verilog), ("activity.saif", simulated.saif)];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(|source| SynthError::file(&path, source))?;
    }
    let script = commands(simulated, library, around);
    let output = run(&Tool::Sta.find()?, folder.path(), "power.tcl", &script, cancel)?;
    parse(&output, simulated.period_ns).ok_or_else(|| SynthError::Report { tool: "sta", output: tail(&output) })
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

/// The row of all groups together, which is in W; the period is in ns.
fn parse(report: &str, period_ns: f64) -> Option<CycleEnergy> {
    let row = report.lines().find_map(|line| line.trim().strip_prefix("Total "))?;
    let mut numbers = row.split_whitespace().map(str::parse::<f64>);
    // 1 W during 1 ns is 1000 pJ.
    let mut next = || numbers.next()?.ok().filter(|watts| watts.is_finite()).map(|watts| watts * period_ns * 1000.0);
    Some(CycleEnergy { internal: next()?, switching: next()?, leakage: next()? })
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
        let found = parse(report, 20.0).unwrap();
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-9;
        assert!(
            near(found.internal, 8.74) && near(found.switching, 2.74) && near(found.leakage, 1.982e-5),
            "{found:?}"
        );
        assert!(near(found.total(), 11.480_019_82), "{found:?}");
        for damaged in ["", "Total", "Total nan 1 2 3\n", "Total 1.0 2.0\n", &report.replace("Total ", "All ")] {
            assert_eq!(parse(damaged, 20.0), None, "{damaged}");
        }
    }
}
