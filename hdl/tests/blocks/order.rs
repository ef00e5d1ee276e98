//! Statements whose order matters, and others that only look like it.

use super::Random;
use axp_hdl::annotate;
use rust_hdl::prelude::*;

#[derive(LogicBlock)]
pub struct Order {
    pub a_i: Signal<In, Bits<8>>,
    pub b_i: Signal<In, Bits<8>>,
    pub flag_i: Signal<In, Bit>,
    pub early_o: Signal<Out, Bits<8>>,
    pub late_o: Signal<Out, Bits<8>>,
    pub counted_o: Signal<Out, Bits<8>>,
    pub chosen_o: Signal<Out, Bits<8>>,
    pub parts_o: Signal<Out, Bits<8>>,
    work: Signal<Local, Bits<8>>,
    count: Signal<Local, Bits<8>>,
    later: Signal<Local, Bits<8>>,
}

impl Default for Order {
    fn default() -> Self {
        let mut block = Self {
            a_i: annotate::signal("first operand"),
            b_i: annotate::signal("second operand"),
            flag_i: annotate::signal("choice"),
            early_o: annotate::signal("a value in the making"),
            late_o: annotate::signal("the value when it is made"),
            counted_o: annotate::signal("a count in several steps"),
            chosen_o: annotate::signal("a choice with a default"),
            parts_o: annotate::signal("a value in parts"),
            work: annotate::signal("assigned twice, read between"),
            count: annotate::signal("read and assigned in turn"),
            later: annotate::signal("read above its assignment"),
        };
        annotate::module(&mut block.a_i, "axp_order", "order of statements");
        block
    }
}

impl Logic for Order {
    #[hdl_gen]
    fn update(&mut self) {
        self.later.next = self.a_i.val() ^ self.b_i.val();
        self.work.next = self.a_i.val() + self.b_i.val();
        self.early_o.next = self.work.val();
        if self.flag_i.val() {
            self.work.next = self.work.val() ^ self.later.val();
        }
        self.late_o.next = self.work.val();

        self.count.next = 0.into();
        for i in 0..8 {
            if self.a_i.val().get_bit(i) {
                self.count.next = self.count.val() + 1;
            }
        }
        self.counted_o.next = self.count.val();

        self.chosen_o.next = self.a_i.val();
        if self.flag_i.val() {
            self.chosen_o.next = self.b_i.val();
        } else if self.a_i.val() == 3 {
            self.chosen_o.next = self.later.val() - self.b_i.val();
        }

        self.parts_o.next = 0.into();
        self.parts_o.next = self.parts_o.val().replace_bit(7, self.flag_i.val());
        self.parts_o.next = self.parts_o.val() | (self.a_i.val() >> 4);
    }
}

impl Order {
    pub fn drive(&mut self, random: &mut Random) {
        self.a_i.next = random.bits();
        self.b_i.next = random.bits();
        self.flag_i.next = random.bit();
    }
}
