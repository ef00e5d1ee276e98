//! Leading-zero counter.

use crate::annotate;
use crate::quiet::inputs;
use rust_hdl::prelude::*;

/// Counts the zeros above the highest set bit of a 32-bit word; combinational.
///
/// Five halvings: each asks whether the upper half is empty and goes on with
/// the half that holds the highest set bit. A word of zero counts 31, like one
/// of which only bit 0 is set.
#[derive(LogicBlock)]
pub struct LeadingZeros {
    /// The word.
    pub value_i: Signal<In, Bits<32>>,
    /// Zeros above its highest set bit.
    pub count_o: Signal<Out, Bits<5>>,
    half16: Signal<Local, Bits<16>>,
    half8: Signal<Local, Bits<8>>,
    half4: Signal<Local, Bits<4>>,
    half2: Signal<Local, Bits<2>>,
    count16: Signal<Local, Bits<5>>,
    count8: Signal<Local, Bits<5>>,
    count4: Signal<Local, Bits<5>>,
    count2: Signal<Local, Bits<5>>,
    count1: Signal<Local, Bits<5>>,
}

inputs!([] LeadingZeros: value_i);

impl LeadingZeros {
    /// A counter for 32-bit words.
    pub fn new() -> Self {
        let mut block = Self {
            value_i: annotate::signal("word, leading bit at the top"),
            count_o: annotate::signal("zeros above the highest set bit; 31 if there is none"),
            half16: annotate::signal("the half of the word that holds its highest set bit"),
            half8: annotate::signal("the quarter that holds it"),
            half4: annotate::signal("the four bits that hold it"),
            half2: annotate::signal("the two bits that hold it"),
            count16: annotate::signal("16 if the upper half is empty"),
            count8: annotate::signal("8 if the upper half of half16 is empty"),
            count4: annotate::signal("4 if the upper half of half8 is empty"),
            count2: annotate::signal("2 if the upper half of half4 is empty"),
            count1: annotate::signal("1 if the upper bit of half2 is clear"),
        };
        annotate::module(&mut block.value_i, "axp_leading_zeros_w32", "leading-zero counter, combinational");
        block
    }
}

impl Default for LeadingZeros {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for LeadingZeros {
    #[hdl_gen]
    fn update(&mut self) {
        if self.value_i.val().get_bits::<16>(16).any() {
            self.half16.next = self.value_i.val().get_bits::<16>(16);
            self.count16.next = 0.into();
        } else {
            self.half16.next = self.value_i.val().get_bits::<16>(0);
            self.count16.next = 16.into();
        }
        if self.half16.val().get_bits::<8>(8).any() {
            self.half8.next = self.half16.val().get_bits::<8>(8);
            self.count8.next = 0.into();
        } else {
            self.half8.next = self.half16.val().get_bits::<8>(0);
            self.count8.next = 8.into();
        }
        if self.half8.val().get_bits::<4>(4).any() {
            self.half4.next = self.half8.val().get_bits::<4>(4);
            self.count4.next = 0.into();
        } else {
            self.half4.next = self.half8.val().get_bits::<4>(0);
            self.count4.next = 4.into();
        }
        if self.half4.val().get_bits::<2>(2).any() {
            self.half2.next = self.half4.val().get_bits::<2>(2);
            self.count2.next = 0.into();
        } else {
            self.half2.next = self.half4.val().get_bits::<2>(0);
            self.count2.next = 2.into();
        }
        if self.half2.val().get_bit(1) {
            self.count1.next = 0.into();
        } else {
            self.count1.next = 1.into();
        }
        self.count_o.next =
            self.count16.val() | self.count8.val() | self.count4.val() | self.count2.val() | self.count1.val();
    }
}
