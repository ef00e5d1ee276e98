//! A state machine on a register primitive: enumerations, `match`, long chains.

use super::Random;
use super::register::Register;
use axp_hdl::annotate;
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum Phase {
    Idle,
    Load,
    Run,
}

#[derive(LogicBlock)]
pub struct States {
    pub clk_i: Signal<In, Clock>,
    pub rst_ni: Signal<In, Bit>,
    pub start_i: Signal<In, Bit>,
    pub code_i: Signal<In, Bits<4>>,
    pub busy_o: Signal<Out, Bit>,
    pub decoded_o: Signal<Out, Bits<4>>,
    pub rank_o: Signal<Out, Bits<4>>,
    phase: Register<Phase>,
    count: Register<Bits<4>>,
}

impl Default for States {
    fn default() -> Self {
        let mut block = Self {
            clk_i: annotate::signal("clock"),
            rst_ni: annotate::signal("reset, active low"),
            start_i: annotate::signal("leave the idle phase"),
            code_i: annotate::signal("code to decode"),
            busy_o: annotate::signal("not idle"),
            decoded_o: annotate::signal("decoded code"),
            rank_o: annotate::signal("number of leading ones of the code"),
            phase: Register::new(ResetStyle::Async),
            count: Register::new(ResetStyle::Async),
        };
        annotate::module(&mut block.clk_i, "axp_states", "state machine");
        block
    }
}

impl Logic for States {
    #[hdl_gen]
    fn update(&mut self) {
        self.phase.clk_i.next = self.clk_i.val();
        self.phase.rst_ni.next = self.rst_ni.val();
        self.phase.en_i.next = true;
        self.count.clk_i.next = self.clk_i.val();
        self.count.rst_ni.next = self.rst_ni.val();

        self.count.en_i.next = true;
        self.count.d_i.next = self.count.q_o.val() + 1;
        self.phase.d_i.next = self.phase.q_o.val();
        match self.phase.q_o.val() {
            Phase::Idle => {
                if self.start_i.val() {
                    self.phase.d_i.next = Phase::Load;
                }
            }
            Phase::Load => {
                self.phase.d_i.next = Phase::Run;
                self.count.en_i.next = false;
            }
            Phase::Run => {
                if self.count.q_o.val() == 15 {
                    self.phase.d_i.next = Phase::Idle;
                }
            }
        }
        self.busy_o.next = self.phase.q_o.val() != Phase::Idle;

        match self.code_i.val().index() {
            0 => {
                self.decoded_o.next = self.count.q_o.val();
            }
            7 => {
                self.decoded_o.next = !self.count.q_o.val();
            }
            _ => {
                self.decoded_o.next = self.code_i.val();
            }
        }

        self.rank_o.next = 0.into();
        if self.code_i.val().get_bit(3) {
            self.rank_o.next = 1.into();
            if self.code_i.val().get_bit(2) {
                self.rank_o.next = 2.into();
                if self.code_i.val().get_bit(1) {
                    self.rank_o.next = 3.into();
                    if self.code_i.val().get_bit(0) {
                        self.rank_o.next = 4.into();
                    }
                }
            }
        }
    }
}

impl States {
    pub fn drive(&mut self, random: &mut Random) {
        self.start_i.next = random.bit();
        self.code_i.next = random.bits();
    }
}
