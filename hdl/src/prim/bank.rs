//! Register banks: one primitive, with a clock gate or without, with a reset or without.
//!
//! With `AXP_CE` defined, a gated bank is flip-flops with a clock enable (FPGA,
//! formal, and what rust-hdl's simulation does). Without it, each bank has one
//! `axp_clock_gate` and plain flip-flops on the gated clock, so that a bank that
//! keeps its value costs no clock energy. Where a memory holds what it writes, the
//! words can be latches on that clock.

use super::{ClockGate, latch};
use crate::annotate;
use crate::circuit::wire::Wire;
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

const PLAIN: &str = "\
always @({edge}) begin
{load}end
";

const GATED: &str = "\
`ifdef AXP_CE
wire unused_test_en = test_en_i;
always @({edge}) begin
{load}end
`else
wire clk_gated;
{gate} u_clock_gate (.clk_i(clk_i), .en_i({wake}), .test_en_i(test_en_i), .clk_o(clk_gated));
always @({gated_edge}) begin
{gated_load}end
`endif
";

/// What keeps the words of a bank while they are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankBody {
    /// Flip-flops with a clock enable.
    Enabled,
    /// Flip-flops behind a clock gate.
    Gated,
    /// Transparent latches behind a clock gate, see the module `latch`; without a
    /// reset.
    Latched,
}

/// What a bank is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankShape {
    /// What the module is called, before its widths.
    pub kind: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// Reset to zero, or none: then something else tells whether the value counts.
    pub reset: Option<ResetStyle>,
    /// What keeps the words while they are not written.
    pub body: BankBody,
    /// The words behind one enable: their names in front of `_i` and `_o`, and
    /// their widths. A bank of one word has `d_i` and `q_o`.
    pub lanes: Vec<(&'static str, u32)>,
}

/// Words of any width, 1 to 128 bits each, behind one enable; a
/// [`Circuit`](crate::circuit::Circuit) simulates them. Latency: one clock edge.
///
/// Ports `clk_i`, `rst_ni` (with a reset), `test_en_i` (with a clock gate),
/// `en_i`, an input and an output a lane; of latches a second input a lane, which
/// carries from the clock edge on what the first had before it.
///
/// ```text
/// clk_i  _/‾\_/‾\_/‾\_/‾\_
/// en_i   _/‾‾‾\___________
/// d_i    ==X a X b X c X d =
/// q_o    ==0==X a ========
/// ```
#[derive(Clone, Debug)]
pub struct RegisterBank {
    shape: BankShape,
    ports: Vec<Wire>,
}

/// How a kind of reset appears in module names: `arst` or `srst`.
pub const fn style_name(reset: ResetStyle) -> &'static str {
    match reset {
        ResetStyle::Async => "arst",
        ResetStyle::Sync => "srst",
    }
}

impl RegisterBank {
    /// A bank. Without a reset, what it holds before its first clock is unknown
    /// in hardware, and 0 in rust-hdl.
    pub fn new(shape: BankShape) -> Self {
        let style = shape.reset.map_or(String::new(), |reset| format!("_{}", style_name(reset)));
        let mut widths: Vec<u32> = shape.lanes.iter().map(|(_, width)| *width).collect();
        widths.dedup();
        let widths: String = widths.iter().map(|width| format!("_w{width}")).collect();
        let name = format!("{}{style}{widths}", shape.kind);
        let input = |name: &str, width, doc: &str| wire(name, width, AtomKind::InputParameter, doc);
        let mut ports = vec![Wire::new(
            "clk_i",
            1,
            AtomKind::InputParameter,
            vec![annotate::module_text(&name, shape.doc), annotate::doc_text("clock, rising edge")],
        )];
        if shape.reset.is_some() {
            ports.push(input("rst_ni", 1, "reset to zero, active low"));
        }
        if shape.body != BankBody::Enabled {
            ports.push(input("test_en_i", 1, "test enable of the clock gate"));
        }
        ports.push(input("en_i", 1, "take the inputs at the clock edge"));
        for (lane, width) in &shape.lanes {
            let (input_name, output_name) = lane_ports(lane);
            ports.push(input(&input_name, *width, &format!("next {}", lane_doc(lane))));
            if shape.body == BankBody::Latched {
                ports.push(input(&held_port(lane), *width, "the same, held while the latches are open"));
            }
            let doc = format!("stored {}", lane_doc(lane));
            ports.push(wire(&output_name, *width, AtomKind::OutputParameter, &doc));
        }
        assert!(shape.body != BankBody::Latched || shape.reset.is_none(), "{name}: latches with a reset");
        Self { shape, ports }
    }

    /// Names of the input and the output of each word.
    pub(crate) fn words(&self) -> impl Iterator<Item = (String, String)> {
        self.shape.lanes.iter().map(|(lane, _)| lane_ports(lane))
    }

    /// What it is made of.
    pub fn shape(&self) -> &BankShape {
        &self.shape
    }

    /// Ports and their widths in one direction.
    pub(crate) fn ports(&self, kind: AtomKind) -> Vec<(String, u32)> {
        let of_kind = self.ports.iter().filter(|port| port.kind == kind);
        of_kind.map(|port| (port.name.clone(), port.width)).collect()
    }

    pub(crate) fn drive_inputs(&mut self) {
        self.ports.iter_mut().filter(|port| port.kind == AtomKind::InputParameter).for_each(Logic::connect);
    }

    /// The statements inside a clocked process; `enabled` if an enable decides.
    pub(super) fn load(&self, enabled: bool) -> String {
        let assign = |indent: &str, zero: bool| -> String {
            let lanes = self.shape.lanes.iter().map(|(lane, width)| {
                let (input, output) = lane_ports(lane);
                let value = if zero { format!("{width}'d0") } else { input };
                format!("{indent}{output} <= {value};\n")
            });
            lanes.collect()
        };
        let block = |test: &str, zero: bool| format!("    {test} begin\n{}    end\n", assign("        ", zero));
        match (self.shape.reset.is_some(), enabled) {
            (false, false) => assign("    ", false),
            (false, true) => block("if (en_i)", false),
            (true, false) => block("if (!rst_ni)", true) + &block("else", false),
            (true, true) => block("if (!rst_ni)", true) + &block("else if (en_i)", false),
        }
    }
}

fn wire(name: &str, width: u32, kind: AtomKind, doc: &str) -> Wire {
    Wire::new(name, width, kind, vec![annotate::doc_text(doc)])
}

/// Names of a lane's ports.
pub(super) fn lane_ports(lane: &str) -> (String, String) {
    if lane.is_empty() { ("d_i".into(), "q_o".into()) } else { (format!("{lane}_i"), format!("{lane}_o")) }
}

/// Name of a lane's second input, where there are latches.
pub(super) fn held_port(lane: &str) -> String {
    if lane.is_empty() { "d_held_i".into() } else { format!("{lane}_held_i") }
}

fn lane_doc(lane: &str) -> &str {
    if lane.is_empty() { "value" } else { lane }
}

impl Logic for RegisterBank {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.ports.iter_mut().filter(|port| port.kind == AtomKind::OutputParameter).for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let edge = |clock: &str| match self.shape.reset {
            Some(ResetStyle::Async) => format!("posedge {clock} or negedge rst_ni"),
            _ => format!("posedge {clock}"),
        };
        if self.shape.body == BankBody::Latched {
            return latch::body(self);
        }
        // A reset that the clock samples needs that clock.
        let wake = if self.shape.reset == Some(ResetStyle::Sync) { "en_i | ~rst_ni" } else { "en_i" };
        let text = if self.shape.body == BankBody::Gated { GATED } else { PLAIN };
        let text = text.replace("{edge}", &edge("clk_i")).replace("{load}", &self.load(true));
        let text = text.replace("{gated_edge}", &edge("clk_gated")).replace("{gated_load}", &self.load(false));
        Verilog::Custom(text.replace("{wake}", wake).replace("{gate}", ClockGate::MODULE))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let names = |kind| self.ports(kind).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let mut inputs = names(AtomKind::InputParameter);
        inputs.retain(|name| name != "clk_i" && name != "rst_ni" && name != "test_en_i");
        vec![TimingInfo {
            name: self.shape.kind.into(),
            clock: "clk_i".into(),
            inputs,
            outputs: names(AtomKind::OutputParameter),
        }]
    }
}

impl Block for RegisterBank {
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
