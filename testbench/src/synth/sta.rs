//! The longest path of a netlist by OpenSTA, wires counted by their fan-out.

use super::SynthError;
use super::liberty::CellLibrary;
use crate::process::Invocation;
use crate::tools::Tool;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Clock period of the analysis in ns: long enough that slack is positive, and
/// short enough that single precision keeps 0.1 ps.
const PERIOD: f64 = 1000.0;

/// Tcl that shuts the latches of clock gates: those found on the way back from clock
/// pins, through logic.
const CLOCK_GATES: &str = "\
set pins [all_registers -clock_pins]
for {set i 0} {$i < [llength $pins]} {incr i} {
  foreach net [get_nets -quiet -of_objects [lindex $pins $i]] {
    set name [get_property $net full_name]
    if {[info exists clocking($name)]} continue
    set clocking($name) 1
    foreach driver [get_pins -quiet -of_objects $net] {
      if {[get_property $driver direction] ne {output}} continue
      foreach cell [get_cells -of_objects $driver] {
        if {[get_property $cell ref_name] eq $latch} {
          set_disable_timing $cell
          continue
        }
        foreach pin [get_pins -of_objects $cell] {
          if {[get_property $pin direction] eq {input}} { lappend pins $pin }
        }
      }
    }
  }
}
";

/// The slowest path of a module.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct LongestPath {
    /// Its delay in ns, the setup time of a flip-flop at its end included.
    pub ns: f64,
    /// The pins that it goes through, and the cells they belong to; ports have
    /// `in` or `out` for a cell.
    pub pins: Vec<(String, String)>,
}

/// What surrounds the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings<'a> {
    /// Wire capacitance a fan-out, in fF.
    pub wire_load: f64,
    /// Name of the clock port, if the module has one.
    pub clock: Option<&'a str>,
    /// Control inputs whose paths do not count: they end at clock gates.
    pub control: &'a [&'a str],
}

/// Measures the longest path of the netlist in `folder`, from inputs or
/// flip-flops to outputs or flip-flops. Inputs come from the library's smallest
/// buffer, outputs drive one of its flip-flops' data pin.
///
/// # Errors
/// OpenSTA is missing or fails, reports no path, or the run is cancelled.
pub fn longest_path(
    folder: &Path,
    liberty: &Path,
    netlist: &str,
    top: &str,
    library: &CellLibrary,
    around: Surroundings<'_>,
    cancel: &AtomicBool,
) -> Result<LongestPath, SynthError> {
    let script = folder.join("path.tcl");
    let text = commands(liberty, netlist, top, library, around);
    fs::write(&script, text).map_err(|source| SynthError::file(&script, source))?;
    let output = Invocation::new(&Tool::Sta.find()?)
        .directory(folder)
        .args(["-exit", "-no_splash", "path.tcl"])
        .cancel(cancel)
        .run()?;
    parse(&output.stdout).ok_or_else(|| SynthError::Report {
        tool: "sta",
        output: crate::process::tail(&format!("{}{}", output.stdout, output.stderr)),
    })
}

/// The Tcl script of the analysis.
pub(super) fn commands(
    liberty: &Path,
    netlist: &str,
    top: &str,
    library: &CellLibrary,
    around: Surroundings<'_>,
) -> String {
    let mut text = design(liberty, netlist, top, library, around, PERIOD);
    for control in around.control {
        let _ = writeln!(text, "set_false_path -from [get_ports {{{control}}}]");
    }
    if let (Some(latch), true) = (&library.roles.latch, around.clock.is_some()) {
        // A clock gate's latch opens on the falling edge: its half-period path
        // is no path of data. Latches that hold data begin and continue paths.
        let _ = writeln!(text, "set latch {}", latch.cell);
        text += CLOCK_GATES;
    }
    text += &loads(library, around);
    text += "report_checks -path_delay max -format full -digits 6";
    if around.clock.is_some() {
        // Resets, clock gates and their latches have checks of their own, which
        // are reported before the paths of data and end at other edges.
        text += " -to [concat [all_registers -edge_triggered -data_pins] [all_outputs]]";
    }
    text + "\n"
}

/// Reads a netlist, and says when its inputs change and what drives them; the period is in ns.
pub(super) fn design(
    liberty: &Path,
    netlist: &str,
    top: &str,
    library: &CellLibrary,
    around: Surroundings<'_>,
    period: f64,
) -> String {
    let mut text = format!(
        "read_liberty {{{}}}\nset_cmd_units -time ns -capacitance fF\nread_verilog {{{netlist}}}\nlink_design {top}\n",
        liberty.display()
    );
    let _ = match around.clock {
        Some(clock) => writeln!(text, "create_clock -name axp -period {period} [get_ports {{{clock}}}]"),
        None => writeln!(text, "create_clock -name axp -period {period}"),
    };
    let clock = around.clock.unwrap_or_default();
    let _ = writeln!(
        text,
        "set data {{}}\nforeach port [all_inputs] {{ if {{[get_property $port full_name] ne \"{clock}\"}} \
         {{ lappend data $port }} }}\nset_input_delay 0 -clock axp $data\nset_output_delay 0 -clock axp [all_outputs]"
    );
    if let Some(buffer) = &library.roles.buffer {
        let _ = writeln!(text, "set_driving_cell -lib_cell {} -pin {} $data", buffer.cell, buffer.output);
    }
    text
}

/// What nets and outputs are loaded with.
pub(super) fn loads(library: &CellLibrary, around: Surroundings<'_>) -> String {
    // A fan-out is a pin that the net drives: all its pins but the driver.
    let mut text = format!(
        "foreach net [get_nets *] {{\n  set count [expr [llength [get_pins -quiet -of_objects $net]] - 1]\n  \
         if {{$count > 0}} {{ set_load -wire_load [expr {} * $count] $net }}\n}}\n",
        around.wire_load
    );
    if let Some(load) = library.roles.flop.as_ref().and_then(|flop| library.pin_capacitance(&flop.cell, &flop.data)) {
        let _ = writeln!(text, "set_load -pin_load {load} [all_outputs]");
    }
    text
}

/// The delay and the pins of a `report_checks` in full format: of the path with
/// the least slack, where it reports one a group.
fn parse(report: &str) -> Option<LongestPath> {
    let paths = report.split("Startpoint:").filter_map(parse_path);
    paths.reduce(|worst, path| if path.ns > worst.ns { path } else { worst })
}

fn parse_path(report: &str) -> Option<LongestPath> {
    let slack = report.lines().find(|line| line.contains("slack ("))?;
    let slack: f64 = slack.split_whitespace().next()?.parse().ok()?;
    let mut pins = Vec::new();
    for line in report.lines() {
        if line.contains("data arrival time") {
            break;
        }
        // `0.1126    7.4123 ^ _2482_/Y (NAND2X1)`: anything else is no pin.
        let mut words = line.split_whitespace().skip_while(|word| *word != "^" && *word != "v").skip(1);
        if let (Some(pin), Some(cell)) = (words.next(), words.next())
            && let Some(cell) = cell.strip_prefix('(').and_then(|cell| cell.strip_suffix(')'))
        {
            pins.push((pin.to_owned(), cell.to_owned()));
        }
    }
    (!pins.is_empty()).then_some(LongestPath { ns: PERIOD - slack, pins })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Startpoint: a_i (input port clocked by axp)\nPath Type: max\n\n\
        \x20   0.100000    0.100000 v a_i (in)\n    0.200000    0.300000 ^ _1_/Y (NAND2X1)\n\
        \x20   0.000000    0.300000 ^ y_o (out)\n              0.300000   data arrival time\n\n\
        \x20             -0.300000   data arrival time\n--------\n            999.700012   slack (MET)\n";

    #[test]
    fn a_report_is_read() {
        let path = parse(REPORT).expect("a path");
        assert!((path.ns - 0.3).abs() < 1e-4, "{path:?}");
        let pins: Vec<_> = path.pins.iter().map(|(pin, cell)| format!("{pin} {cell}")).collect();
        assert_eq!(pins, ["a_i in", "_1_/Y NAND2X1", "y_o out"]);
    }

    #[test]
    fn of_several_groups_the_slowest_path_counts() {
        let fast = REPORT.replace("999.700012", "999.900000").replace("_1_", "_2_");
        for text in [format!("{REPORT}{fast}"), format!("{fast}{REPORT}")] {
            let path = parse(&text).expect("a path");
            assert_eq!(path.pins[1].0, "_1_/Y", "{path:?}");
        }
    }

    #[test]
    fn a_report_without_a_path_is_no_path() {
        assert_eq!(parse("No paths found.\n"), None);
        assert_eq!(parse(""), None);
    }
}
