//! Output register and skid register.

use crate::circuit::{Circuit, literal};
use crate::prim::style_name;
use axp_spec::ResetStyle;

/// Offers results under `valid`/`ready`, and holds one more when the receiver
/// stops, so that `run_o` can be a register.
///
/// A result that arrives while the output register is occupied and not taken
/// goes to the skid register; then `run_o` is low and whatever produces results
/// must stand still. When the output is taken, the skid register moves up and
/// production goes on. `out_data_o` holds its value while `out_valid_o` is low,
/// and is 0 after reset. Latency: one clock edge. No register is enabled unless a
/// result arrives, is on offer or waits.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | |
/// | `result_valid_i`, `result_i` | 1, W | a result arrives; only while `run_o` is high |
/// | `run_o` | 1 | results may arrive |
/// | `out_valid_o`, `out_ready_i`, `out_data_o` | 1, 1, W | the result on offer, or the last one |
///
/// ```text
/// clk_i           _/‾\_/‾\_/‾\_/‾\_/‾\_
/// result_valid_i  _/‾‾‾‾‾‾‾\___________   a, then b
/// out_valid_o     _____/‾‾‾‾‾‾‾‾‾‾‾\___
/// out_data_o      =====X a     X b =====
/// out_ready_i     _________/‾‾‾‾‾‾‾\___
/// run_o           ‾‾‾‾‾‾‾‾‾\___/‾‾‾‾‾‾‾   b waits in the skid register
/// ```
pub fn output_buffer(width: u32, reset: ResetStyle) -> Circuit {
    let name = format!("axp_output_buffer_{}_w{width}", style_name(reset));
    let mut c = Circuit::new(&name, "valid/ready output register with a skid register");
    c.clock();
    c.reset(reset);
    c.test_enable();
    let arrives = c.input("result_valid_i", 1, "a result arrives; only while run_o is high");
    let result = c.input("result_i", width, "the result");
    let ready = c.input("out_ready_i", 1, "the receiver takes what is on offer");

    let valid = c.forward("occupied", 1, "a result is on offer");
    let skid_valid = c.forward("skid_occupied", 1, "a result waits behind it");
    let free = c.net("free", ready | !&valid, "the output register is empty or being taken");
    let to_skid = c.net("to_skid", &arrives & !&free, "an arriving result finds the output register occupied");
    let to_output = c.net("to_output", &free & (&skid_valid | &arrives), "a result enters the output register");
    // The output register empties or fills whenever it is free and something is there.
    let some = c.net("some", &arrives | &valid | &skid_valid, "there is a result");
    let moves = c.net("output_moves", &free & some, "the output register fills or empties");
    let stored = c.reset_register("valid", &to_output, &moves);
    c.define(&valid, stored);
    // The skid register fills when it must and empties when it can.
    let moves = c.net("skid_moves", &to_skid | (&free & &skid_valid), "the skid register fills or empties");
    let stored = c.reset_register("skid_valid", &to_skid, &moves);
    c.define(&skid_valid, stored);
    // What is on the way to a result stays out of the registers, whose inputs cost energy too.
    let result = c.choose("arriving", &[(&arrives, &result)], &literal(0, width), "the result if one arrives");
    let skid = c.register("skid", &result, &to_skid);
    let next = c.choose("next", &[(&skid_valid, &skid)], &result, "what enters the output register");
    let data = c.reset_register("data", &next, &to_output);

    c.output("run_o", !&skid_valid, "results may arrive; a register");
    c.output("out_valid_o", valid, "a result is on offer");
    c.output("out_data_o", data, "the result on offer, or the last one; 0 after reset");
    c
}
