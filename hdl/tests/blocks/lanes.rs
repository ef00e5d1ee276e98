//! Arrays of blocks and of signals, loops, index arithmetic.

use super::Random;
use axp_hdl::annotate;
use rust_hdl::prelude::*;

#[derive(LogicBlock)]
pub struct Lane {
    pub value_i: Signal<In, Bits<8>>,
    pub carry_i: Signal<In, Bit>,
    pub sum_o: Signal<Out, Bits<8>>,
    pub carry_o: Signal<Out, Bit>,
    total: Signal<Local, Bits<9>>,
}

impl Default for Lane {
    fn default() -> Self {
        let mut lane = Self {
            value_i: annotate::signal("value"),
            carry_i: annotate::signal("carry in"),
            sum_o: annotate::signal("value and carry"),
            carry_o: annotate::signal("carry out"),
            total: annotate::signal("sum with its carry"),
        };
        annotate::module(&mut lane.value_i, "axp_lane", "one lane");
        lane
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        self.total.next = bit_cast::<9, 8>(self.value_i.val()) + self.carry_i.val();
        self.sum_o.next = self.total.val().get_bits::<8>(0);
        self.carry_o.next = self.total.val().get_bit(8);
    }
}

#[derive(LogicBlock)]
pub struct Lanes {
    pub value_i: Signal<In, Bits<8>>,
    pub carry_i: Signal<In, Bit>,
    pub select_i: Signal<In, Bits<2>>,
    pub sum_o: Signal<Out, Bits<8>>,
    pub hits_o: Signal<Out, Bits<4>>,
    pub carry_o: Signal<Out, Bit>,
    lane: Vec<Lane>,
    partial: [Signal<Local, Bits<8>>; 4],
    hits: Signal<Local, Bits<4>>,
}

impl Default for Lanes {
    fn default() -> Self {
        let mut block = Self {
            value_i: annotate::signal("value of the first lane"),
            carry_i: annotate::signal("carry into the first lane"),
            select_i: annotate::signal("which lane counts"),
            sum_o: annotate::signal("XOR of the lanes"),
            hits_o: annotate::signal("which lanes have a carry, or are selected"),
            carry_o: annotate::signal("carry out of the last lane"),
            lane: (0..4).map(|_| Lane::default()).collect(),
            partial: std::array::from_fn(|_| annotate::signal("XOR up to a lane")),
            hits: annotate::signal("which lanes count"),
        };
        annotate::module(&mut block.value_i, "axp_lanes", "a chain of lanes");
        block
    }
}

impl Logic for Lanes {
    #[hdl_gen]
    fn update(&mut self) {
        self.lane[0].value_i.next = self.value_i.val();
        self.lane[0].carry_i.next = self.carry_i.val();
        for i in 1..4 {
            self.lane[i].value_i.next = self.lane[i - 1].sum_o.val() ^ (i.to_bits::<8>() << 4);
            self.lane[i].carry_i.next = self.lane[i - 1].carry_o.val();
        }
        self.partial[0].next = self.lane[0].sum_o.val();
        for i in 0..3 {
            self.partial[i + 1].next = self.partial[i].val() ^ self.lane[i + 1].sum_o.val();
        }
        self.sum_o.next = self.partial[3].val();
        self.hits.next = 0.into();
        for i in 0..self.lane.len() {
            if self.lane[i].carry_o.val() | (self.select_i.val() == i.to_bits()) {
                self.hits.next = self.hits.val().replace_bit(i, true);
            }
        }
        self.hits_o.next = self.hits.val();
        self.carry_o.next = self.lane[3].carry_o.val();
    }
}

impl Lanes {
    pub fn drive(&mut self, random: &mut Random) {
        self.value_i.next = random.bits();
        self.carry_i.next = random.bit();
        self.select_i.next = random.bits();
    }
}
