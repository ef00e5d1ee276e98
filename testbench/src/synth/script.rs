//! The Yosys scripts: from Verilog to generic gates with adder cells, and from there to a netlist.

use super::liberty::{Adder, CellLibrary};
use std::fmt::Write;

/// Stem of the modules that are rows of full adders, one a bit.
const FULL_ADDERS: &str = "axp_full_adders_w";

/// The clock gate's module: `clk_i`, `en_i`, `test_en_i`, `clk_o`.
const CLOCK_GATE: &str = "axp_clock_gate";

/// A single full adder and a single half adder.
const ONE_BIT: [(&str, usize); 2] = [("axp_full_adder", 3), ("axp_half_adder", 2)];

/// Port names of the inputs of adder modules.
const INPUTS: [&str; 3] = ["a_i", "b_i", "c_i"];

/// Modules among these that stand for adder cells: name, inputs, bits.
fn adders<'a>(modules: &[&'a str]) -> Vec<(&'a str, usize, usize)> {
    let one = |name: &str| ONE_BIT.iter().find(|(adder, _)| *adder == name).map(|(_, inputs)| (*inputs, 1));
    let row = |name: &str| name.strip_prefix(FULL_ADDERS)?.parse().ok().map(|bits: usize| (3, bits));
    let mut found: Vec<_> =
        modules.iter().filter_map(|name| one(name).or_else(|| row(name)).map(|(i, bits)| (*name, i, bits))).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A techmap file that turns adder modules into the library's cells, and the
/// modules it replaces. Where the library has no such cell, the module stays
/// what its own text says: plain logic.
pub fn adder_map<'a>(library: &CellLibrary, modules: &[&'a str]) -> (String, Vec<&'a str>) {
    let mut text = String::new();
    let mut mapped = Vec::new();
    for (name, inputs, bits) in adders(modules) {
        let cell = if inputs == 3 { &library.roles.full_adder } else { &library.roles.half_adder };
        if let Some(cell) = cell {
            text += &adder_module(name, inputs, bits, cell);
            mapped.push(name);
        }
    }
    (text, mapped)
}

fn adder_module(name: &str, inputs: usize, bits: usize, cell: &Adder) -> String {
    let ports = INPUTS[..inputs].join(", ");
    let (range, high) = if bits == 1 { (String::new(), None) } else { (format!("[{}:0] ", bits - 1), Some(bits)) };
    let mut text = format!(
        "(* techmap_celltype = \"{name}\" *)\nmodule map_{name} (input {range}{ports}, output {range}sum_o, carry_o);\n"
    );
    for bit in 0..bits {
        let index = high.map_or(String::new(), |_| format!("[{bit}]"));
        let _ = write!(text, "  {} adder{bit} (", cell.cell);
        for (pin, port) in cell.inputs.iter().zip(INPUTS) {
            let _ = write!(text, ".{pin}({port}{index}), ");
        }
        let _ = writeln!(text, ".{}(sum_o{index}), .{}(carry_o{index}));", cell.sum, cell.carry);
    }
    text + "endmodule\n"
}

/// A techmap file that turns Yosys' latches into the library's; empty where
/// the library has none.
pub fn latch_map(library: &CellLibrary) -> String {
    let Some(latch) = &library.roles.latch else { return String::new() };
    let mut text = String::new();
    for (kind, active_high) in [("P", true), ("N", false)] {
        let enable = if active_high == latch.active_high { "E" } else { "~E" };
        let _ = write!(
            text,
            "(* techmap_celltype = \"$_DLATCH_{kind}_\" *)\nmodule map_latch_{kind} (input E, D, output Q);\n  \
             {} latch (.{}(D), .{}({enable}), .{}(Q));\nendmodule\n",
            latch.cell, latch.data, latch.enable, latch.output
        );
    }
    text
}

/// A techmap file that turns each clock gate into cells of its own, so that no
/// rewriting shares or changes them; empty where a cell is missing.
pub fn gate_map(library: &CellLibrary) -> String {
    let roles = &library.roles;
    let (Some(latch), Some(and), Some(inverter)) = (&roles.latch, &roles.strong_and, &roles.inverter) else {
        return String::new();
    };
    let enable = if latch.active_high {
        format!("  {} inverter (.{}(clk_i), .{}(enable));\n", inverter.cell, inverter.inputs[0], inverter.output)
    } else {
        "  assign enable = clk_i;\n".to_owned()
    };
    format!(
        "(* techmap_celltype = \"{CLOCK_GATE}\" *)\nmodule map_clock_gate (input clk_i, en_i, test_en_i, output clk_o);\n  \
         wire enable, open;\n{enable}  {} latch (.{}(en_i | test_en_i), .{}(enable), .{}(open));\n  \
         {} gate (.{}(clk_i), .{}(open), .{}(clk_o));\nendmodule\n",
        latch.cell, latch.data, latch.enable, latch.output, and.cell, and.inputs[0], and.inputs[1], and.output
    )
}

/// What the way from Verilog files to generic gates depends on.
#[derive(Clone, Debug)]
pub struct Front<'a> {
    /// Name of the top module.
    pub top: &'a str,
    /// Techmap text of adder modules, see [`adder_map`].
    pub adders: String,
    /// The modules that it replaces.
    pub mapped: Vec<&'a str>,
    /// Techmap text of latches, see [`latch_map`].
    pub latches: String,
    /// Techmap text of clock gates, where parts are mapped apart, see [`gate_map`].
    pub gates: String,
}

impl<'a> Front<'a> {
    /// The way of a module with these others inside it on this library; `apart` if it is a
    /// part, or has parts.
    pub fn of(top: &'a str, modules: &[&'a str], apart: bool, library: &CellLibrary) -> Self {
        let (adders, mapped) = adder_map(library, modules);
        let gated = apart && modules.contains(&CLOCK_GATE);
        Self {
            top,
            adders,
            mapped,
            latches: latch_map(library),
            gates: if gated { gate_map(library) } else { String::new() },
        }
    }

    /// From Verilog files to `generic.il`: generic gates, adder cells and
    /// flip-flops of the library in one flat module. Of the files in `heads` only
    /// the ports are read: their modules stay instances.
    pub fn script(&self, files: &[String], heads: &[String]) -> String {
        let Self { top, mapped, .. } = self;
        let mut script = String::new();
        for file in files {
            let _ = writeln!(script, "read_verilog -defer {file}");
        }
        for file in heads {
            let _ = writeln!(script, "read_verilog -lib {file}");
        }
        script += "read_liberty -lib cells.lib\n";
        let _ = writeln!(script, "hierarchy -check -top {top}");
        if !mapped.is_empty() {
            // Kept out of the flattening and of every rewriting, so that each
            // full adder of the tree becomes one cell.
            let _ = writeln!(script, "setattr -mod -set keep_hierarchy 1 {}", mapped.join(" "));
        }
        if !self.gates.is_empty() {
            let _ = writeln!(script, "setattr -mod -set keep_hierarchy 1 {CLOCK_GATE}");
        }
        // Without -norom, Yosys 0.23 turns a `case` into a ROM behind its register.
        script += "proc -norom\nflatten\nopt\nwreduce\npeepopt\nopt_clean\nalumacc\nshare\nopt\nopt -full\n";
        script += "techmap\nopt\n";
        if !mapped.is_empty() {
            let _ = writeln!(script, "techmap -map adders.v\nhierarchy -check -top {top}\nflatten");
        }
        if !self.gates.is_empty() {
            let _ = writeln!(script, "techmap -map gates.v\nhierarchy -check -top {top}\nflatten");
        }
        script += "opt -fast\ndfflibmap -liberty cells.lib\n";
        if !self.latches.is_empty() {
            script += "techmap -map latches.v\n";
        }
        script += "simplemap\nopt\nopt_clean -purge\nwrite_ilang generic.il\n";
        script
    }
}

/// From `generic.il` to gates of the library with this ABC script.
fn map(top: &str) -> String {
    format!(
        "read_liberty -lib ../cells.lib\nread_ilang ../generic.il\nhierarchy -check -top {top}\n\
         abc -liberty ../cells.lib -constr ../limits.txt -script recipe.abc\nopt_clean\n"
    )
}

/// From one flat module of gates to `netlist.v`.
fn finish(library: &CellLibrary) -> String {
    let mut script = String::new();
    if let (Some(high), Some(low)) = (&library.roles.tie_high, &library.roles.tie_low) {
        let _ = writeln!(script, "hilomap -hicell {} {} -locell {} {}", high.cell, high.output, low.cell, low.output);
    }
    script += "splitnets\nopt_clean -purge\ncheck -assert\n";
    script += "tee -q -o cells.json stat -json\n";
    script += "write_verilog -noattr -noexpr -nohex -nodec netlist.v\n";
    script
}

/// From `generic.il` to `netlist.v` with this ABC script.
pub fn back(top: &str, library: &CellLibrary) -> String {
    map(top) + &finish(library)
}

/// From `generic.il` to `part.v` with this ABC script: one module with its inner parts as instances.
pub fn part(name: &str) -> String {
    map(name)
        + "rename -enumerate\ntee -q -o cells.json stat -json\nwrite_verilog -noattr -noexpr -nohex -nodec part.v\n"
}

/// From the modules of `parts.v` to `netlist.v`, flat: cells are named after the instance they are in.
pub fn assemble(top: &str, library: &CellLibrary) -> String {
    format!(
        "read_liberty -lib ../cells.lib\nread_verilog parts.v\nhierarchy -check -top {top}\nflatten\n{}",
        finish(library)
    )
}

/// What ABC is told about the world around the module: inputs come from the
/// smallest buffer.
pub fn limits(library: &CellLibrary) -> String {
    library.roles.buffer.as_ref().map_or(String::new(), |buffer| format!("set_driving_cell {}\n", buffer.cell))
}
