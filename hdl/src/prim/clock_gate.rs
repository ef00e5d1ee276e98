//! Clock gate: the one latch of the design.

use crate::annotate;
use rust_hdl::prelude::*;

/// An integrated clock gate: a latch that is open while the clock is low, and
/// an AND. Replace the module `axp_clock_gate` by a library's cell where there
/// is one.
///
/// ```text
/// clk_i  _/‾\_/‾\_/‾\_
/// en_i   ___/‾‾‾\_____
/// clk_o  _____/‾\_____
/// ```
#[derive(LogicBlock)]
pub struct ClockGate {
    /// Free-running clock.
    pub clk_i: Signal<In, Clock>,
    /// Lets the next clock pulse through.
    pub en_i: Signal<In, Bit>,
    /// Lets all clock pulses through (scan test).
    pub test_en_i: Signal<In, Bit>,
    /// Gated clock.
    pub clk_o: Signal<Out, Clock>,
    _latched: bool,
}

const LATCH_AND: &str = "\
reg en_latched;
/* verilator lint_off LATCH */
always @* if (!clk_i) en_latched = en_i | test_en_i;
/* verilator lint_on LATCH */
assign clk_o = clk_i & en_latched;
";

impl ClockGate {
    /// Name of the Verilog module.
    pub const MODULE: &'static str = "axp_clock_gate";

    /// A clock gate; every one is the same.
    pub fn new() -> Self {
        let mut gate = Self {
            clk_i: annotate::signal("free-running clock"),
            en_i: annotate::signal("let the next clock pulse through"),
            test_en_i: annotate::signal("let every clock pulse through (scan test)"),
            clk_o: annotate::signal("gated clock"),
            _latched: false,
        };
        annotate::module(&mut gate.clk_i, Self::MODULE, "clock gate: latch and AND, replaceable by a library cell");
        gate
    }
}

impl Default for ClockGate {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for ClockGate {
    fn update(&mut self) {
        if !self.clk_i.val().clk {
            self._latched = self.en_i.val() | self.test_en_i.val();
        }
        self.clk_o.next = Clock { clk: self.clk_i.val().clk & self._latched };
    }

    fn connect(&mut self) {
        self.clk_o.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper { code: LATCH_AND.into(), cores: String::new() })
    }
}
