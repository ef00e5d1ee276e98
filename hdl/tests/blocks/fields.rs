//! Struct-valued signals and linked interfaces.

use super::Random;
use axp_hdl::annotate;
use rust_hdl::prelude::*;

#[derive(Default, PartialEq, LogicStruct, Copy, Clone, Debug)]
pub struct Packet {
    pub kind: Bits<3>,
    pub length: Bits<5>,
}

/// A stream of bytes, seen from the side that takes it.
#[derive(LogicInterface)]
pub struct Stream {
    pub data: Signal<In, Bits<8>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            data: annotate::signal("data"),
            valid: annotate::signal("there is data"),
            ready: annotate::signal("it is taken"),
        }
    }
}

#[derive(LogicBlock)]
pub struct Taker {
    pub bus: Stream,
    pub packet_o: Signal<Out, Packet>,
}

impl Default for Taker {
    fn default() -> Self {
        let mut block =
            Self { bus: Stream::default(), packet_o: annotate::signal("length in the lower bits, then kind") };
        annotate::module(&mut block.packet_o, "axp_taker", "takes every other length");
        block
    }
}

impl Logic for Taker {
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.ready.next = self.bus.valid.val() & !self.bus.data.val().get_bit(0);
        self.packet_o.next.kind = self.bus.data.val().get_bits::<3>(5);
        self.packet_o.next.length = self.bus.data.val().get_bits::<5>(0);
    }
}

#[derive(LogicBlock)]
pub struct Fields {
    pub s_axis: Stream,
    pub kind_o: Signal<Out, Bits<3>>,
    pub word_o: Signal<Out, Bits<8>>,
    taker: Taker,
    packet: Signal<Local, Packet>,
}

impl Default for Fields {
    fn default() -> Self {
        let mut block = Self {
            s_axis: Stream::default(),
            kind_o: annotate::signal("kind of the packet"),
            word_o: annotate::signal("the packet with another length"),
            taker: Taker::default(),
            packet: annotate::signal("the packet being changed"),
        };
        annotate::module(&mut block.kind_o, "axp_fields", "structs and interfaces");
        block
    }
}

impl Logic for Fields {
    #[hdl_gen]
    fn update(&mut self) {
        Stream::link(&mut self.s_axis, &mut self.taker.bus);
        self.kind_o.next = self.taker.packet_o.val().kind;
        self.packet.next = self.taker.packet_o.val();
        if self.s_axis.valid.val() {
            self.packet.next.length = 17.into();
        }
        self.word_o.next = self.packet.val().into();
    }
}

impl Fields {
    pub fn drive(&mut self, random: &mut Random) {
        self.s_axis.data.next = random.bits();
        self.s_axis.valid.next = random.bit();
    }
}
