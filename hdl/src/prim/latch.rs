//! Latch banks: words that are written seldom, in transparent latches.
//!
//! The latches are open in the first half of the cycle behind the clock edge that writes
//! them, and take what a register of the memory holds since that edge, which all rows
//! share. With `AXP_CE` defined they are flip-flops that take the word at the edge.
//!
//! Latches that open at an edge at which flip-flops sample are a race where nothing takes
//! time: the flip-flops must see what was stored before. An event-driven simulator
//! updates by nonblocking assignments after all have sampled. Verilator evaluates a latch
//! as logic, before them; so it gets flip-flops on the gated clock, which change as the
//! latches do.

use super::ClockGate;
use super::bank::{RegisterBank, held_port, lane_ports};
use rust_hdl::prelude::Verilog;

const LATCHED: &str = "\
`ifdef AXP_CE
wire unused_inputs = &{1'b0, test_en_i, {held}};
always @(posedge clk_i) begin
{enabled}end
`else
wire clk_gated;
{gate} u_clock_gate (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .clk_o(clk_gated));
`ifdef VERILATOR
wire unused_inputs = &{1'b0, {held}};
always @(posedge clk_gated) begin
{loaded}end
`else
wire unused_inputs = &{1'b0, {inputs}};
always @* if (clk_gated) begin
{open}end
`endif
`endif
";

/// The inside of a bank of latches.
///
/// ```text
/// clk_i      _/‾\_/‾\_/‾\_/‾\_
/// en_i       _/‾‾‾\___________
/// d_i        ==X a X b X c X d =
/// d_held_i   ==0==X a ========   the memory's register
/// clk_gated  _____/‾\_________   open
/// q_o        ==0==X a ========
/// ```
pub(super) fn body(bank: &RegisterBank) -> Verilog {
    let lanes = &bank.shape().lanes;
    let list = |names: Vec<String>| names.join(", ");
    let held = list(lanes.iter().map(|(lane, _)| held_port(lane)).collect());
    let inputs = list(lanes.iter().map(|(lane, _)| lane_ports(lane).0).collect());
    let open = |(lane, _): &(&str, u32)| format!("    {} <= {};\n", lane_ports(lane).1, held_port(lane));
    let open: String = lanes.iter().map(open).collect();
    let text = LATCHED.replace("{enabled}", &bank.load(true)).replace("{loaded}", &bank.load(false));
    let text = text.replace("{held}", &held).replace("{inputs}", &inputs).replace("{open}", &open);
    Verilog::Custom(text.replace("{gate}", ClockGate::MODULE))
}
