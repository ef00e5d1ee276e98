//! Rounding stage: round to nearest even, overflow to infinity.

use crate::annotate;
use crate::quiet::inputs;
use rust_hdl::prelude::*;

/// Rounds a binary32 significand to nearest even and packs the magnitude;
/// combinational.
///
/// The significand has its leading bit at bit 23; it is clear in a subnormal.
/// `base_i` is the exponent field that a *subnormal* significand would get: the
/// leading bit adds the missing 1, and so does a carry out of the rounding, so
/// that a subnormal rounds up to the least normal number by itself. An exponent
/// field past 254 becomes infinity.
#[derive(LogicBlock)]
pub struct Round {
    /// Exponent field less the leading bit, at most 382.
    pub base_i: Signal<In, Bits<10>>,
    /// Significand, leading bit included.
    pub significand_i: Signal<In, Bits<24>>,
    /// First bit below the significand.
    pub guard_i: Signal<In, Bit>,
    /// Some bit below the guard bit is set.
    pub sticky_i: Signal<In, Bit>,
    /// Exponent and fraction fields, without the sign.
    pub magnitude_o: Signal<Out, Bits<31>>,
    above_half: Signal<Local, Bit>,
    round_up: Signal<Local, Bit>,
    wide: Signal<Local, Bits<25>>,
    rounded: Signal<Local, Bits<25>>,
    lead: Signal<Local, Bits<10>>,
    exponent: Signal<Local, Bits<10>>,
    exponent_field: Signal<Local, Bits<31>>,
    fraction_field: Signal<Local, Bits<31>>,
}

inputs!([] Round: base_i, significand_i, guard_i, sticky_i);

impl Round {
    /// The rounding stage of binary32.
    pub fn new() -> Self {
        let mut block = Self {
            base_i: annotate::signal("exponent field less the leading bit"),
            significand_i: annotate::signal("significand, its leading bit at the top"),
            guard_i: annotate::signal("first bit below the significand"),
            sticky_i: annotate::signal("some bit below the guard bit is set"),
            magnitude_o: annotate::signal("rounded encoding without its sign"),
            above_half: annotate::signal("a tie would go up, or there is no tie"),
            round_up: annotate::signal("the significand is incremented"),
            wide: annotate::signal("significand with room for a carry"),
            rounded: annotate::signal("rounded significand"),
            lead: annotate::signal("leading bit and carry: what the exponent still lacks"),
            exponent: annotate::signal("exponent field"),
            exponent_field: annotate::signal("exponent in its place"),
            fraction_field: annotate::signal("fraction in its place"),
        };
        annotate::module(&mut block.base_i, "axp_fp_round", "binary32 rounding to nearest even, combinational");
        block
    }
}

impl Default for Round {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for Round {
    #[hdl_gen]
    fn update(&mut self) {
        self.above_half.next = self.sticky_i.val() | self.significand_i.val().get_bit(0);
        self.round_up.next = self.guard_i.val() & self.above_half.val();
        self.wide.next = bit_cast::<25, 24>(self.significand_i.val());
        self.rounded.next = self.wide.val() + self.round_up.val();
        self.lead.next = bit_cast::<10, 2>(self.rounded.val().get_bits::<2>(23));
        self.exponent.next = self.base_i.val() + self.lead.val();
        self.exponent_field.next = bit_cast::<31, 10>(self.exponent.val()) << 23;
        self.fraction_field.next = bit_cast::<31, 23>(self.rounded.val().get_bits::<23>(0));
        if self.exponent.val() > 254 {
            self.magnitude_o.next = 0x7F80_0000.into();
        } else {
            self.magnitude_o.next = self.exponent_field.val() | self.fraction_field.val();
        }
    }
}
