//! The netlist that was measured, with a model of every cell, in the place of the RTL.
//!
//! The netlist is the one whose area and delay [`synth`](crate::synth) reports.
//! Its cells are modelled by what Yosys reads from the `function` attributes of
//! the Liberty file; ABC, which chose them, reads the same file by itself.

use super::UnitError;
use crate::dut::{Dut, Source};
use crate::process::Invocation;
use crate::simulator::SimulatorError;
use crate::synth::liberty::CellLibrary;
use crate::synth::{Design, Goal, synthesise};
use crate::tools::Tool;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Control inputs of a pipelined unit: they reach clock gates only.
const CONTROL: [&str; 2] = ["test_en_i", "en_i"];

/// The design as gates of a library: the same top module with the same ports.
/// Netlists that were made before are taken from `cache`.
///
/// # Errors
/// A tool is missing or refuses the design or the library, a file cannot be read
/// or written, or the run was cancelled.
pub fn netlist_of(
    dut: &Dut,
    library: &CellLibrary,
    goal: Goal,
    cache: Option<&Path>,
    cancel: &AtomicBool,
) -> Result<Dut, UnitError> {
    let modules: Vec<(&str, &str)> =
        dut.sources.iter().map(|source| (source.file.trim_end_matches(".v"), source.text.as_str())).collect();
    let clocked = dut.ports.iter().any(|port| port.name == dut.clock);
    let design = Design {
        top: &dut.top,
        modules: &modules,
        clock: clocked.then_some(dut.clock.as_str()),
        control: if clocked { &CONTROL } else { &[] },
    };
    let netlist = synthesise(&design, library, goal, cache, cancel)?;
    let sources = vec![
        Source { file: "AxpNetlist.v".into(), text: netlist.verilog },
        Source { file: "AxpCells.v".into(), text: models(library, cancel)? },
    ];
    Ok(Dut { sources, ..dut.clone() })
}

/// Verilog modules that behave as the library's cells do. Cells without a
/// function, such as antennas, are left out.
fn models(library: &CellLibrary, cancel: &AtomicBool) -> Result<String, SimulatorError> {
    let yosys = Tool::Yosys.find()?;
    let folder = tempfile::tempdir().map_err(|source| SimulatorError::file(&std::env::temp_dir(), source))?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("cells.lib"), &library.text).map_err(|source| SimulatorError::file(&path("cells.lib"), source))?;
    let script = "read_liberty -ignore_miss_func cells.lib; write_verilog -noattr cells.v";
    Invocation::new(&yosys).directory(folder.path()).args(["-q", "-p", script]).cancel(cancel).run()?;
    fs::read_to_string(path("cells.v")).map_err(|source| SimulatorError::file(&path("cells.v"), source))
}
