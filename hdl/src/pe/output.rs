//! Output register and skid register.

use crate::annotate;
use crate::prim::{GatedRegister, Register, style_name};
use crate::quiet::inputs;
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

/// Offers results under `valid`/`ready`, and holds one more when the receiver
/// stops, so that `run_o` can be a register.
///
/// A result that arrives while the output register is occupied and not taken
/// goes to the skid register; then `run_o` is low and whatever produces results
/// must stand still. When the output is taken, the skid register moves up and
/// production goes on. `out_data_o` holds its value while `out_valid_o` is low,
/// and is 0 after reset. Latency: one clock edge.
///
/// ```text
/// clk_i           _/‾\_/‾\_/‾\_/‾\_/‾\_
/// result_valid_i  _/‾‾‾‾‾‾‾\___________   a, then b
/// out_valid_o     _____/‾‾‾‾‾‾‾‾‾‾‾\___
/// out_data_o      =====X a     X b =====
/// out_ready_i     _________/‾‾‾‾‾‾‾\___
/// run_o           ‾‾‾‾‾‾‾‾‾\___/‾‾‾‾‾‾‾   b waits in the skid register
/// ```
#[derive(LogicBlock)]
pub struct OutputBuffer<const W: usize> {
    /// Clock, rising edge.
    pub clk_i: Signal<In, Clock>,
    /// Reset, active low.
    pub rst_ni: Signal<In, Bit>,
    /// Test enable of the clock gate.
    pub test_en_i: Signal<In, Bit>,
    /// A result arrives; only while `run_o` is high.
    pub result_valid_i: Signal<In, Bit>,
    /// The result.
    pub result_i: Signal<In, Bits<W>>,
    /// Results may arrive.
    pub run_o: Signal<Out, Bit>,
    /// A result is offered.
    pub out_valid_o: Signal<Out, Bit>,
    /// The receiver takes it.
    pub out_ready_i: Signal<In, Bit>,
    /// The result on offer, or the last one.
    pub out_data_o: Signal<Out, Bits<W>>,
    valid: Register<Bit>,
    data: Register<Bits<W>>,
    skid_valid: Register<Bit>,
    skid: GatedRegister<W>,
    free: Signal<Local, Bit>,
    to_skid: Signal<Local, Bit>,
    to_output: Signal<Local, Bit>,
}

inputs!([const W: usize] OutputBuffer<W>: clk_i, rst_ni, test_en_i, result_valid_i, result_i, out_ready_i);

impl<const W: usize> OutputBuffer<W> {
    /// An empty buffer.
    pub fn new(reset: ResetStyle) -> Self {
        let mut block = Self {
            clk_i: annotate::signal("clock, rising edge"),
            rst_ni: annotate::signal("reset, active low"),
            test_en_i: annotate::signal("test enable of the clock gate"),
            result_valid_i: annotate::signal("a result arrives; only while run_o is high"),
            result_i: annotate::signal("the result"),
            run_o: annotate::signal("results may arrive; a register"),
            out_valid_o: annotate::signal("a result is offered"),
            out_ready_i: annotate::signal("the receiver takes it"),
            out_data_o: annotate::signal("the result on offer, or the last one; 0 after reset"),
            valid: Register::new(reset),
            data: Register::new(reset),
            skid_valid: Register::new(reset),
            skid: GatedRegister::new(),
            free: annotate::signal("the output register is empty or being taken"),
            to_skid: annotate::signal("an arriving result finds the output register occupied"),
            to_output: annotate::signal("a result enters the output register"),
        };
        let name = format!("axp_output_buffer_{}_w{W}", style_name(reset));
        annotate::module(&mut block.clk_i, &name, "valid/ready output register with a skid register");
        block
    }
}

impl<const W: usize> Logic for OutputBuffer<W> {
    #[hdl_gen]
    fn update(&mut self) {
        self.valid.clk_i.next = self.clk_i.val();
        self.valid.rst_ni.next = self.rst_ni.val();
        self.data.clk_i.next = self.clk_i.val();
        self.data.rst_ni.next = self.rst_ni.val();
        self.skid_valid.clk_i.next = self.clk_i.val();
        self.skid_valid.rst_ni.next = self.rst_ni.val();
        self.skid.clk_i.next = self.clk_i.val();
        self.skid.test_en_i.next = self.test_en_i.val();

        self.free.next = self.out_ready_i.val() | !self.valid.q_o.val();
        self.to_skid.next = self.result_valid_i.val() & !self.free.val();
        self.to_output.next = self.free.val() & (self.skid_valid.q_o.val() | self.result_valid_i.val());
        // The output register empties or fills whenever it is free.
        self.valid.en_i.next = self.free.val();
        self.valid.d_i.next = self.to_output.val();
        self.data.en_i.next = self.to_output.val();
        if self.skid_valid.q_o.val() {
            self.data.d_i.next = self.skid.q_o.val();
        } else {
            self.data.d_i.next = self.result_i.val();
        }
        // The skid register fills when it must and empties when it can.
        self.skid_valid.en_i.next = self.to_skid.val() | self.free.val();
        self.skid_valid.d_i.next = self.to_skid.val();
        self.skid.en_i.next = self.to_skid.val();
        self.skid.d_i.next = self.result_i.val();

        self.run_o.next = !self.skid_valid.q_o.val();
        self.out_valid_o.next = self.valid.q_o.val();
        self.out_data_o.next = self.data.q_o.val();
    }
}
