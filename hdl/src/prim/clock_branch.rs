//! Clock branch: the clock of registers that rest together.
//!
//! A register bank's own clock gate has a clock pin that moves in every cycle. Where
//! many banks rest most of the time, one gate above theirs lets the clock reach them
//! only in cycles in which one of them may load (hierarchical clock gating).

use super::ClockGate;
use crate::annotate;
use crate::circuit::wire::Wire;
use rust_hdl::prelude::*;

const BRANCH: &str = "\
`ifdef AXP_CE
wire unused_enables = en_i & test_en_i;
assign clk_o = clk_i;
`else
{gate} u_clock_gate (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .clk_o(clk_o));
`endif
";

/// A part of the clock tree that rests while nothing on it can change.
///
/// With `AXP_CE` defined, the branch is the clock itself, as it is in rust-hdl's
/// simulation: the banks on it have their own enables. Without, it is a clock gate.
/// Both mean the same if `en_i` is high whenever the enable of a bank on the branch is,
/// and while a reset is low that the clock samples; `test_en_i` opens all gates on it.
///
/// ```text
/// clk_i  _/‾\_/‾\_/‾\_
/// en_i   ___/‾‾‾\_____
/// clk_o  _____/‾\_____   without AXP_CE
/// ```
#[derive(Clone, Debug)]
pub struct ClockBranch {
    ports: [Wire; 4],
}

impl ClockBranch {
    /// Name of the Verilog module.
    pub const MODULE: &'static str = "axp_clock_branch";

    /// A branch; every one is the same.
    pub fn new() -> Self {
        let wire = |name: &str, kind, doc: &str| Wire::new(name, 1, kind, vec![annotate::doc_text(doc)]);
        let input = |name: &str, doc: &str| wire(name, AtomKind::InputParameter, doc);
        let note = annotate::module_text(Self::MODULE, "clock of registers that rest together");
        let clock = vec![note, annotate::doc_text("free-running clock, rising edge")];
        Self {
            ports: [
                Wire::new("clk_i", 1, AtomKind::InputParameter, clock),
                input("test_en_i", "test enable of the clock gate"),
                input("en_i", "a register on the branch may load at the next clock edge"),
                wire("clk_o", AtomKind::OutputParameter, "clock of the branch"),
            ],
        }
    }

    /// Ports and their widths in one direction.
    pub(crate) fn ports(&self, kind: AtomKind) -> Vec<(String, u32)> {
        let of_kind = self.ports.iter().filter(|port| port.kind == kind);
        of_kind.map(|port| (port.name.clone(), port.width)).collect()
    }

    pub(crate) fn drive_inputs(&mut self) {
        self.ports.iter_mut().filter(|port| port.kind == AtomKind::InputParameter).for_each(Logic::connect);
    }
}

impl Default for ClockBranch {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for ClockBranch {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.ports.iter_mut().filter(|port| port.kind == AtomKind::OutputParameter).for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper { code: BRANCH.replace("{gate}", ClockGate::MODULE), cores: String::new() })
    }
}

impl Block for ClockBranch {
    fn connect_all(&mut self) {
        self.connect();
    }

    fn update_all(&mut self) {}

    fn has_changed(&self) -> bool {
        false
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.ports.iter().for_each(|port| port.accept(&port.name, probe));
        probe.visit_end_scope(name, self);
    }
}
