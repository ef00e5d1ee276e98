//! The netlist that Yosys makes of a unit, with a model of every cell, in the place of the RTL.
//!
//! The cell models are what Yosys reads from the `function` attributes of the
//! Liberty file; the mapping is ABC's, which reads the same file by itself. The
//! full adders of a multiplier's tree become the library's own cells.

use super::UnitError;
use crate::dut::{Body, Dut, Source};
use crate::process::Invocation;
use crate::simulator::SimulatorError;
use crate::tools::Tool;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// How the modules are named that hold a row of full adders: a width follows.
const FULL_ADDERS: &str = "axp_full_adders_w";

/// A cell library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The Liberty file, not compressed.
    pub liberty: PathBuf,
    /// The full-adder cell, where there is one.
    pub full_adder: Option<FullAdder>,
}

/// A full-adder cell: its name, and those of its pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullAdder {
    /// The cell.
    pub cell: &'static str,
    /// Its three inputs.
    pub inputs: [&'static str; 3],
    /// The sum output.
    pub sum: &'static str,
    /// The carry output.
    pub carry: &'static str,
}

impl Library {
    /// The osu018 cells.
    pub fn osu018(liberty: &Path) -> Self {
        let full_adder = FullAdder { cell: "FAX1", inputs: ["A", "B", "C"], sum: "YS", carry: "YC" };
        Self { liberty: liberty.to_owned(), full_adder: Some(full_adder) }
    }

    /// Modules for `techmap` that hold the adder cells, one for each row of
    /// full adders in the design.
    fn adders(&self, dut: &Dut) -> String {
        let Some(FullAdder { cell, inputs: [a, b, c], sum, carry }) = self.full_adder else {
            return String::new();
        };
        let names = dut.sources.iter().filter_map(|source| source.file.strip_suffix(".v"));
        let widths = names.filter_map(|name| name.strip_prefix(FULL_ADDERS)?.parse::<usize>().ok());
        let rows = widths.map(|width| {
            let top = width.saturating_sub(1);
            format!(
                "module {FULL_ADDERS}{width} (input [{top}:0] a_i, b_i, c_i, output [{top}:0] sum_o, carry_o);
  {cell} cells [{top}:0] (.{a}(a_i), .{b}(b_i), .{c}(c_i), .{sum}(sum_o), .{carry}(carry_o));
endmodule
"
            )
        });
        rows.collect()
    }
}

/// The design as gates of a library: the same top module with the same ports.
///
/// # Errors
/// Yosys is missing or refuses the design or the library, a file cannot be read
/// or written, or the run was cancelled.
pub fn netlist_of(dut: &Dut, body: Body, library: &Library, cancel: &AtomicBool) -> Result<Dut, UnitError> {
    let yosys = Tool::Yosys.find().map_err(SimulatorError::from)?;
    let folder = tempfile::tempdir().map_err(|source| SimulatorError::file(&std::env::temp_dir(), source))?;
    let path = |name: &str| folder.path().join(name);
    dut.write(folder.path()).map_err(|(path, source)| SimulatorError::File { path, source })?;
    // Under a name of ours: the library's may hold anything.
    fs::copy(&library.liberty, path("AxpCells.lib"))
        .map_err(|source| SimulatorError::file(&library.liberty, source))?;
    for (name, text) in [("AxpAdders.v", &library.adders(dut)), ("AxpGates.ys", &script(dut, body))] {
        fs::write(path(name), text).map_err(|source| SimulatorError::file(&path(name), source))?;
    }
    Invocation::new(&yosys)
        .directory(folder.path())
        .args(["-q", "-s", "AxpGates.ys"])
        .cancel(cancel)
        .run()
        .map_err(SimulatorError::from)?;
    let sources = ["AxpNetlist.v", "AxpCells.v"].map(|name| {
        let text = fs::read_to_string(path(name)).map_err(|source| SimulatorError::file(&path(name), source))?;
        Ok::<_, SimulatorError>(Source { file: name.to_owned(), text })
    });
    let [netlist, cells] = sources;
    Ok(Dut { sources: vec![netlist?, cells?], ..dut.clone() })
}

/// Every name in it is one of ours.
fn script(dut: &Dut, body: Body) -> String {
    let define = body.define().map(|name| format!("-D{name}=1 ")).unwrap_or_default();
    let files: Vec<&str> = dut.sources.iter().map(|source| source.file.as_str()).collect();
    let files = files.join(" ");
    let top = &dut.top;
    // The adders are replaced before the hierarchy is flattened; `-mapped`
    // fails on anything that has not become a cell of the library.
    format!(
        "read_liberty -lib AxpCells.lib
read_verilog {define}{files}
hierarchy -check -top {top}
techmap -map AxpAdders.v
synth -flatten -top {top}
dfflibmap -liberty AxpCells.lib
abc -liberty AxpCells.lib
opt_clean -purge
check -assert -mapped
write_verilog -noattr AxpNetlist.v
design -reset
read_liberty -ignore_miss_func AxpCells.lib
write_verilog -noattr AxpCells.v
"
    )
}
