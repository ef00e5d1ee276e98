//! Expressions whose widths Verilog would get wrong without care. Many of them
//! are refused in our own kernels, because rust-hdl's text has them wrong.

use super::Random;
use axp_hdl::annotate;
use rust_hdl::prelude::*;

macro_rules! ports {
    ($($name:ident: $direction:ident $type:ty),+ $(,)?) => {
        #[derive(LogicBlock)]
        pub struct Exact {
            $(pub $name: Signal<$direction, $type>,)+
            offset: Constant<Bits<8>>,
        }

        impl Default for Exact {
            fn default() -> Self {
                let mut block = Self {
                    $($name: annotate::signal(stringify!($name)),)+
                    offset: Constant::new(200.into()),
                };
                annotate::module(&mut block.a_i, "axp_exact", "expressions of exact width");
                block
            }
        }
    };
}

ports! {
    a_i: In Bits<8>,
    b_i: In Bits<8>,
    k_i: In Bits<3>,
    flag_i: In Bit,
    word_i: In Bits<40>,
    precedence_o: Out Bit,
    wraps_o: Out Bit,
    half_o: Out Bits<8>,
    cast_o: Out Bits<9>,
    narrow_o: Out Bits<4>,
    not_o: Out Bit,
    difference_o: Out Bit,
    past_o: Out Bits<8>,
    window_o: Out Bits<8>,
    bit_o: Out Bit,
    fixed_bit_o: Out Bit,
    replaced_o: Out Bits<8>,
    replaced_two_o: Out Bits<8>,
    replaced_top_o: Out Bits<8>,
    any_o: Out Bit,
    all_o: Out Bit,
    parity_o: Out Bit,
    increment_o: Out Bits<8>,
    shifted_o: Out Bits<8>,
    constant_o: Out Bits<8>,
    both_o: Out Bit,
    mixed_o: Out Bits<8>,
    product_o: Out Bits<32>,
    comparisons_o: Out Bits<4>,
}

impl Logic for Exact {
    #[hdl_gen]
    fn update(&mut self) {
        self.precedence_o.next = self.a_i.val() & self.b_i.val() == self.b_i.val();
        self.wraps_o.next = (self.a_i.val() + 1) == self.b_i.val();
        self.half_o.next = (self.a_i.val() + 1) >> 1;
        self.cast_o.next = bit_cast::<9, 8>(self.a_i.val() + self.b_i.val());
        self.narrow_o.next = bit_cast::<4, 8>(self.a_i.val() - self.b_i.val());
        self.not_o.next = !self.a_i.val() == 5;
        self.difference_o.next = (self.a_i.val() - self.b_i.val()) > 3;
        self.past_o.next = self.a_i.val().get_bits::<8>(5);
        self.window_o.next = self.word_i.val().get_bits::<8>(self.k_i.val().index());
        self.bit_o.next = self.a_i.val().get_bit(self.k_i.val().index());
        self.fixed_bit_o.next = self.a_i.val().get_bit(7);
        self.replaced_o.next = self.a_i.val().replace_bit(self.k_i.val().index(), self.flag_i.val());
        self.replaced_two_o.next = self.a_i.val().replace_bit(2, self.flag_i.val());
        self.replaced_top_o.next = self.a_i.val().replace_bit(7, self.flag_i.val());
        self.any_o.next = (self.a_i.val() & self.b_i.val()).any();
        self.all_o.next = (self.a_i.val() | self.b_i.val()).all();
        self.parity_o.next = (self.a_i.val() ^ self.b_i.val()).xor();
        self.increment_o.next = self.a_i.val() + self.flag_i.val();
        self.shifted_o.next = (self.a_i.val() << self.k_i.val()) >> 1;
        self.constant_o.next = self.a_i.val() + self.offset.val() - bits::<8>(3);
        self.both_o.next = (self.a_i.val() > self.b_i.val()) && self.flag_i.val() || !self.flag_i.val();
        self.mixed_o.next = self.a_i.val() | self.b_i.val() & !self.a_i.val() ^ 0x55;
        self.product_o.next = bit_cast::<16, 8>(self.a_i.val()) * bit_cast::<16, 8>(self.b_i.val());
        self.comparisons_o.next = bit_cast::<4, 1>((self.a_i.val() < self.b_i.val()).into())
            | (bit_cast::<4, 1>((self.a_i.val() <= self.b_i.val()).into()) << 1)
            | (bit_cast::<4, 1>((self.a_i.val() >= self.b_i.val()).into()) << 2)
            | (bit_cast::<4, 1>((self.a_i.val() != self.b_i.val()).into()) << 3);
    }
}

impl Exact {
    pub fn drive(&mut self, random: &mut Random) {
        self.a_i.next = random.bits();
        self.b_i.next = random.bits();
        self.k_i.next = random.bits();
        self.flag_i.next = random.bit();
        self.word_i.next = random.bits();
    }
}
