//! The PE of the `pair` organisation: binary32, floating-point accumulator.

use super::{OutputBuffer, PeBlock};
use crate::am::PairAm;
use crate::annotate;
use crate::fpu::Binary32;
use crate::prim::{GatedOperands, GatedRegister, Register};
use crate::quiet::Quiet;
use axp_spec::{MultiplierStyle, PeConfig, PeInputs, PeOutputs};
use rust_hdl::prelude::*;

/// One multiply-accumulate a cycle, three cycles from `last` to the result.
///
/// ```text
///            stage 0 (bus)      │ stage 1            │ stage 2              │
///  weight ──┬─► search ─► hit ──┼─► stored product ──┤                      │
///  activ. ──┤                   │                    ├─► product ─► + ──────┼─► accumulator
///           └─► FPU operands ───┼─► multiplier ──────┤       first ? 0 : ───┼─◄ accumulator
///               (misses only)   │  (misses only)     │                      └─► output, skid
/// ```
///
/// | edge | clocked when | what |
/// |---|---|---|
/// | 1 | accepted, hit, not skipped | stored product |
/// | 1 | accepted, miss, not skipped | FPU operands |
/// | 2 | not skipped | product |
/// | 3 | any | accumulator; output buffer at `last` |
///
/// `in_ready_o` is low exactly while a result waits in the skid register; then
/// no register of the pipe changes. Rows can be written at any time.
///
/// ```text
/// clk_i        _/‾\_/‾\_/‾\_/‾\_/‾\_
/// in_valid_i   _/‾‾‾\_______________
/// in_last_i    _/‾‾‾\_______________
/// out_valid_o  _____________/‾‾‾\___
/// ```
#[derive(LogicBlock)]
pub struct PairPe<const A: usize, const N: usize> {
    /// Clock, rising edge.
    pub clk_i: Signal<In, Clock>,
    /// Reset, active low.
    pub rst_ni: Signal<In, Bit>,
    /// Test enable of the clock gates.
    pub test_en_i: Signal<In, Bit>,
    /// Activations of ±0 leave the accumulator untouched.
    pub zero_skip_i: Signal<In, Bit>,
    /// Writes a row at the clock edge.
    pub row_we_i: Signal<In, Bit>,
    /// Row to write.
    pub row_addr_i: Signal<In, Bits<A>>,
    /// Pattern, {weight, activation}.
    pub row_key_i: Signal<In, Bits<64>>,
    /// Compared bits of the pattern.
    pub row_care_i: Signal<In, Bits<64>>,
    /// Product to store.
    pub row_product_i: Signal<In, Bits<32>>,
    /// Whether the row can match from now on.
    pub row_valid_i: Signal<In, Bit>,
    /// An operand pair is offered.
    pub in_valid_i: Signal<In, Bit>,
    /// An operand pair is accepted.
    pub in_ready_o: Signal<Out, Bit>,
    /// The pair starts a sum.
    pub in_first_i: Signal<In, Bit>,
    /// The pair ends a sum.
    pub in_last_i: Signal<In, Bit>,
    /// Weight, binary32.
    pub in_weight_i: Signal<In, Bits<32>>,
    /// Activation, binary32.
    pub in_activation_i: Signal<In, Bits<32>>,
    /// A result is offered.
    pub out_valid_o: Signal<Out, Bit>,
    /// The result is taken.
    pub out_ready_i: Signal<In, Bit>,
    /// Result, binary32.
    pub out_data_o: Signal<Out, Bits<32>>,
    memory: Quiet<PairAm<A, N>>,
    operands: GatedOperands<32>,
    stored: GatedRegister<32>,
    multiplier: Quiet<Binary32>,
    product: GatedRegister<32>,
    adder: Quiet<Binary32>,
    accumulator: Register<Bits<32>>,
    buffer: Quiet<OutputBuffer<32>>,
    s1_valid: Register<Bit>,
    s1_first: Register<Bit>,
    s1_last: Register<Bit>,
    s1_skip: Register<Bit>,
    s1_hit: Register<Bit>,
    s2_valid: Register<Bit>,
    s2_first: Register<Bit>,
    s2_last: Register<Bit>,
    s2_skip: Register<Bit>,
    run: Signal<Local, Bit>,
    accept: Signal<Local, Bit>,
    zero: Signal<Local, Bit>,
    skip: Signal<Local, Bit>,
    multiplied: Signal<Local, Bit>,
    base: Signal<Local, Bits<32>>,
    sum: Signal<Local, Bits<32>>,
    finished: Signal<Local, Bit>,
}

impl<const A: usize, const N: usize> PairPe<A, N> {
    /// The PE of a valid configuration whose row address has `A` bits.
    pub fn new(config: &PeConfig) -> Self {
        let reset = config.reset;
        let mut block = Self {
            clk_i: annotate::signal("clock, rising edge"),
            rst_ni: annotate::signal("reset, active low"),
            test_en_i: annotate::signal("test enable of the clock gates; low in operation"),
            zero_skip_i: annotate::signal("activations of +-0 leave the sum untouched"),
            row_we_i: annotate::signal("write a row of the associative memory at the clock edge"),
            row_addr_i: annotate::signal("row to write; past the last row nothing is written"),
            row_key_i: annotate::signal("its pattern, {weight, activation}"),
            row_care_i: annotate::signal("1 where a bit of the pattern is compared"),
            row_product_i: annotate::signal("its product, binary32"),
            row_valid_i: annotate::signal("whether it can match from now on"),
            in_valid_i: annotate::signal("an operand pair is offered"),
            in_ready_o: annotate::signal("a pair offered now is accepted; a register"),
            in_first_i: annotate::signal("the pair starts a sum from +0"),
            in_last_i: annotate::signal("the pair ends a sum"),
            in_weight_i: annotate::signal("weight, binary32"),
            in_activation_i: annotate::signal("activation, binary32"),
            out_valid_o: annotate::signal("a result is offered"),
            out_ready_i: annotate::signal("a result offered now is taken"),
            out_data_o: annotate::signal("sum, binary32; 0 after reset, held while out_valid_o is low"),
            memory: Quiet::new(PairAm::new(config.am.rows, reset)),
            operands: GatedOperands::new(),
            stored: GatedRegister::new(),
            multiplier: Quiet::new(Binary32::mul(MultiplierStyle::Dadda)),
            product: GatedRegister::new(),
            adder: Quiet::new(Binary32::add()),
            accumulator: Register::new(reset),
            buffer: Quiet::new(OutputBuffer::new(reset)),
            s1_valid: Register::new(reset),
            s1_first: Register::new(reset),
            s1_last: Register::new(reset),
            s1_skip: Register::new(reset),
            s1_hit: Register::new(reset),
            s2_valid: Register::new(reset),
            s2_first: Register::new(reset),
            s2_last: Register::new(reset),
            s2_skip: Register::new(reset),
            run: annotate::signal("the pipe moves"),
            accept: annotate::signal("an operand pair enters"),
            zero: annotate::signal("the activation is +-0"),
            skip: annotate::signal("the pair leaves the sum untouched"),
            multiplied: annotate::signal("the pair has a product"),
            base: annotate::signal("what the product is added to"),
            sum: annotate::signal("next value of the accumulator"),
            finished: annotate::signal("the sum is complete"),
        };
        let doc = format!("processing element: {} ternary rows, binary32 multiply-accumulate", config.am.rows);
        annotate::module(&mut block.clk_i, &config.name, &doc);
        block
    }
}

impl<const A: usize, const N: usize> Logic for PairPe<A, N> {
    #[hdl_gen]
    fn update(&mut self) {
        // Clocks and resets.
        self.memory.clk_i.next = self.clk_i.val();
        self.memory.rst_ni.next = self.rst_ni.val();
        self.memory.test_en_i.next = self.test_en_i.val();
        self.operands.clk_i.next = self.clk_i.val();
        self.operands.test_en_i.next = self.test_en_i.val();
        self.stored.clk_i.next = self.clk_i.val();
        self.stored.test_en_i.next = self.test_en_i.val();
        self.product.clk_i.next = self.clk_i.val();
        self.product.test_en_i.next = self.test_en_i.val();
        self.accumulator.clk_i.next = self.clk_i.val();
        self.accumulator.rst_ni.next = self.rst_ni.val();
        self.buffer.clk_i.next = self.clk_i.val();
        self.buffer.rst_ni.next = self.rst_ni.val();
        self.buffer.test_en_i.next = self.test_en_i.val();
        self.s1_valid.clk_i.next = self.clk_i.val();
        self.s1_valid.rst_ni.next = self.rst_ni.val();
        self.s1_first.clk_i.next = self.clk_i.val();
        self.s1_first.rst_ni.next = self.rst_ni.val();
        self.s1_last.clk_i.next = self.clk_i.val();
        self.s1_last.rst_ni.next = self.rst_ni.val();
        self.s1_skip.clk_i.next = self.clk_i.val();
        self.s1_skip.rst_ni.next = self.rst_ni.val();
        self.s1_hit.clk_i.next = self.clk_i.val();
        self.s1_hit.rst_ni.next = self.rst_ni.val();
        self.s2_valid.clk_i.next = self.clk_i.val();
        self.s2_valid.rst_ni.next = self.rst_ni.val();
        self.s2_first.clk_i.next = self.clk_i.val();
        self.s2_first.rst_ni.next = self.rst_ni.val();
        self.s2_last.clk_i.next = self.clk_i.val();
        self.s2_last.rst_ni.next = self.rst_ni.val();
        self.s2_skip.clk_i.next = self.clk_i.val();
        self.s2_skip.rst_ni.next = self.rst_ni.val();

        // Row port.
        self.memory.row_we_i.next = self.row_we_i.val();
        self.memory.row_addr_i.next = self.row_addr_i.val();
        self.memory.row_key_weight_i.next = self.row_key_i.val().get_bits::<32>(32);
        self.memory.row_key_activation_i.next = self.row_key_i.val().get_bits::<32>(0);
        self.memory.row_care_weight_i.next = self.row_care_i.val().get_bits::<32>(32);
        self.memory.row_care_activation_i.next = self.row_care_i.val().get_bits::<32>(0);
        self.memory.row_product_i.next = self.row_product_i.val();
        self.memory.row_valid_i.next = self.row_valid_i.val();

        // Stage 0: search and skip on the input bus.
        self.run.next = self.buffer.run_o.val();
        self.in_ready_o.next = self.buffer.run_o.val();
        self.accept.next = self.in_valid_i.val() & self.run.val();
        self.memory.weight_i.next = self.in_weight_i.val();
        self.memory.activation_i.next = self.in_activation_i.val();
        self.zero.next = !self.in_activation_i.val().get_bits::<31>(0).any();
        self.skip.next = self.zero_skip_i.val() & self.zero.val();
        self.multiplied.next = self.accept.val() & !self.skip.val();
        self.operands.en_i.next = self.multiplied.val() & !self.memory.hit_o.val();
        self.operands.weight_i.next = self.in_weight_i.val();
        self.operands.activation_i.next = self.in_activation_i.val();
        self.stored.en_i.next = self.multiplied.val() & self.memory.hit_o.val();
        self.stored.d_i.next = self.memory.product_o.val();
        self.s1_valid.en_i.next = self.run.val();
        self.s1_valid.d_i.next = self.in_valid_i.val();
        self.s1_first.en_i.next = self.accept.val();
        self.s1_first.d_i.next = self.in_first_i.val();
        self.s1_last.en_i.next = self.accept.val();
        self.s1_last.d_i.next = self.in_last_i.val();
        self.s1_skip.en_i.next = self.accept.val();
        self.s1_skip.d_i.next = self.skip.val();
        self.s1_hit.en_i.next = self.accept.val();
        self.s1_hit.d_i.next = self.memory.hit_o.val();

        // Stage 1: multiply, or take the stored product.
        self.multiplier.a_i.next = self.operands.weight_o.val();
        self.multiplier.b_i.next = self.operands.activation_o.val();
        if self.s1_hit.q_o.val() {
            self.product.d_i.next = self.stored.q_o.val();
        } else {
            self.product.d_i.next = self.multiplier.result_o.val();
        }
        self.product.en_i.next = self.run.val() & self.s1_valid.q_o.val() & !self.s1_skip.q_o.val();
        self.s2_valid.en_i.next = self.run.val();
        self.s2_valid.d_i.next = self.s1_valid.q_o.val();
        self.s2_first.en_i.next = self.run.val();
        self.s2_first.d_i.next = self.s1_first.q_o.val();
        self.s2_last.en_i.next = self.run.val();
        self.s2_last.d_i.next = self.s1_last.q_o.val();
        self.s2_skip.en_i.next = self.run.val();
        self.s2_skip.d_i.next = self.s1_skip.q_o.val();

        // Stage 2: accumulate.
        if self.s2_first.q_o.val() {
            self.base.next = 0.into();
        } else {
            self.base.next = self.accumulator.q_o.val();
        }
        self.adder.a_i.next = self.base.val();
        self.adder.b_i.next = self.product.q_o.val();
        if self.s2_skip.q_o.val() {
            self.sum.next = self.base.val();
        } else {
            self.sum.next = self.adder.result_o.val();
        }
        self.accumulator.en_i.next = self.run.val() & self.s2_valid.q_o.val();
        self.accumulator.d_i.next = self.sum.val();
        self.finished.next = self.run.val() & self.s2_valid.q_o.val() & self.s2_last.q_o.val();

        // Output.
        self.buffer.result_valid_i.next = self.finished.val();
        self.buffer.result_i.next = self.sum.val();
        self.buffer.out_ready_i.next = self.out_ready_i.val();
        self.out_valid_o.next = self.buffer.out_valid_o.val();
        self.out_data_o.next = self.buffer.out_data_o.val();
    }
}

impl<const A: usize, const N: usize> PeBlock for PairPe<A, N> {
    fn drive_clock(&mut self, clock: bool, reset_n: bool) {
        self.clk_i.next = clock.into();
        self.rst_ni.next = reset_n;
    }

    fn drive(&mut self, inputs: &PeInputs) {
        let row = inputs.row.unwrap_or_default();
        // An address past the port's width writes nothing: do not let it wrap.
        self.row_we_i.next = inputs.row.is_some() && u64::from(row.address) < N as u64;
        self.row_addr_i.next = (u64::from(row.address) % N as u64).into();
        self.row_key_i.next = row.key.into();
        self.row_care_i.next = row.care.into();
        self.row_product_i.next = u64::from(row.product).into();
        self.row_valid_i.next = row.valid;
        self.zero_skip_i.next = inputs.zero_skip;
        self.in_valid_i.next = inputs.valid;
        self.in_first_i.next = inputs.first;
        self.in_last_i.next = inputs.last;
        self.in_weight_i.next = u64::from(inputs.weight).into();
        self.in_activation_i.next = u64::from(inputs.activation).into();
        self.out_ready_i.next = inputs.out_ready;
    }

    fn outputs(&self) -> PeOutputs {
        PeOutputs { ready: self.in_ready_o.val(), valid: self.out_valid_o.val(), data: self.out_data_o.val().to_u32() }
    }

    fn as_block(&self) -> &dyn Block {
        self
    }
}
