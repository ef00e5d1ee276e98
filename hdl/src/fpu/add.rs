//! binary32 adder.

use super::{LeadingZeros, Round, ShiftRightSticky};
use crate::annotate;
use crate::quiet::{Quiet, inputs};
use rust_hdl::prelude::*;

/// `a_i + b_i` in binary32, round to nearest even, subnormals kept, canonical
/// NaN; combinational.
///
/// A single path: the operand of lesser magnitude is shifted right under the
/// greater one, added or subtracted, and the sum is shifted left by its leading
/// zeros, or by less if the exponent would fall below the normal range. Three
/// bits below the significand (guard, round, sticky) suffice, because a sum
/// that loses more than one leading bit had its operands at most one place
/// apart and so lost nothing to the shifter.
#[derive(LogicBlock)]
pub struct FpAdd {
    /// First operand.
    pub a_i: Signal<In, Bits<32>>,
    /// Second operand.
    pub b_i: Signal<In, Bits<32>>,
    /// Sum.
    pub sum_o: Signal<Out, Bits<32>>,
    shifter: Quiet<ShiftRightSticky>,
    leading: Quiet<LeadingZeros>,
    rounder: Quiet<Round>,
    a_magnitude: Signal<Local, Bits<31>>,
    b_magnitude: Signal<Local, Bits<31>>,
    major: Signal<Local, Bits<32>>,
    minor: Signal<Local, Bits<32>>,
    major_exponent: Signal<Local, Bits<8>>,
    minor_exponent: Signal<Local, Bits<8>>,
    major_fraction: Signal<Local, Bits<23>>,
    minor_fraction: Signal<Local, Bits<23>>,
    major_significand: Signal<Local, Bits<24>>,
    minor_significand: Signal<Local, Bits<24>>,
    major_scale: Signal<Local, Bits<8>>,
    minor_scale: Signal<Local, Bits<8>>,
    subtract: Signal<Local, Bit>,
    distance: Signal<Local, Bits<8>>,
    places: Signal<Local, Bits<5>>,
    aligned: Signal<Local, Bits<28>>,
    complement: Signal<Local, Bits<28>>,
    augend: Signal<Local, Bits<29>>,
    addend: Signal<Local, Bits<29>>,
    total: Signal<Local, Bits<29>>,
    sum: Signal<Local, Bits<28>>,
    sum_zeros: Signal<Local, Bits<8>>,
    left: Signal<Local, Bits<8>>,
    normalised: Signal<Local, Bits<28>>,
    sum_zero: Signal<Local, Bit>,
    major_special: Signal<Local, Bit>,
    minor_special: Signal<Local, Bit>,
    opposed: Signal<Local, Bit>,
    nan: Signal<Local, Bit>,
    sign_field: Signal<Local, Bits<32>>,
}

inputs!([] FpAdd: a_i, b_i);

impl FpAdd {
    /// A binary32 adder.
    pub fn new() -> Self {
        let mut block = Self {
            a_i: annotate::signal("first operand, binary32"),
            b_i: annotate::signal("second operand, binary32"),
            sum_o: annotate::signal("sum, binary32, rounded to nearest even"),
            shifter: Quiet::new(ShiftRightSticky::new()),
            leading: Quiet::new(LeadingZeros::new()),
            rounder: Quiet::new(Round::new()),
            a_magnitude: annotate::signal("a without its sign"),
            b_magnitude: annotate::signal("b without its sign"),
            major: annotate::signal("operand of greater magnitude"),
            minor: annotate::signal("operand of lesser magnitude"),
            major_exponent: annotate::signal("exponent field of the major operand"),
            minor_exponent: annotate::signal("exponent field of the minor operand"),
            major_fraction: annotate::signal("fraction field of the major operand"),
            minor_fraction: annotate::signal("fraction field of the minor operand"),
            major_significand: annotate::signal("significand of the major operand"),
            minor_significand: annotate::signal("significand of the minor operand"),
            major_scale: annotate::signal("biased exponent of the major operand, 1 if subnormal"),
            minor_scale: annotate::signal("biased exponent of the minor operand, 1 if subnormal"),
            subtract: annotate::signal("the signs differ"),
            distance: annotate::signal("exponent difference"),
            places: annotate::signal("right shift of the minor significand, 31 at most"),
            aligned: annotate::signal("minor significand under the major one, with guard, round and sticky bit"),
            complement: annotate::signal("its ones' complement"),
            augend: annotate::signal("major significand, and a 1 that turns the addend's lowest bit into a carry"),
            addend: annotate::signal("minor significand or its complement, and the carry in"),
            total: annotate::signal("their sum, the carry's place still below it"),
            sum: annotate::signal("magnitude of the sum, with room for a carry at the top"),
            sum_zeros: annotate::signal("leading zeros of the sum"),
            left: annotate::signal("left shift that normalises it, or makes it subnormal"),
            normalised: annotate::signal("sum in the position of the result"),
            sum_zero: annotate::signal("the sum is zero"),
            major_special: annotate::signal("the major operand is infinite or a NaN"),
            minor_special: annotate::signal("the minor operand is infinite or a NaN"),
            opposed: annotate::signal("infinities of opposite sign"),
            nan: annotate::signal("the result is a NaN"),
            sign_field: annotate::signal("sign of the major operand in its place"),
        };
        annotate::module(&mut block.a_i, "axp_fp_add", "binary32 adder, combinational");
        block
    }
}

impl Default for FpAdd {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for FpAdd {
    #[hdl_gen]
    fn update(&mut self) {
        // Order by magnitude, unpack.
        self.a_magnitude.next = self.a_i.val().get_bits::<31>(0);
        self.b_magnitude.next = self.b_i.val().get_bits::<31>(0);
        if self.a_magnitude.val() < self.b_magnitude.val() {
            self.major.next = self.b_i.val();
            self.minor.next = self.a_i.val();
        } else {
            self.major.next = self.a_i.val();
            self.minor.next = self.b_i.val();
        }
        self.major_exponent.next = self.major.val().get_bits::<8>(23);
        self.minor_exponent.next = self.minor.val().get_bits::<8>(23);
        self.major_fraction.next = self.major.val().get_bits::<23>(0);
        self.minor_fraction.next = self.minor.val().get_bits::<23>(0);
        if self.major_exponent.val().any() {
            self.major_significand.next = bit_cast::<24, 23>(self.major_fraction.val()) | 0x80_0000;
            self.major_scale.next = self.major_exponent.val();
        } else {
            self.major_significand.next = bit_cast::<24, 23>(self.major_fraction.val());
            self.major_scale.next = 1.into();
        }
        if self.minor_exponent.val().any() {
            self.minor_significand.next = bit_cast::<24, 23>(self.minor_fraction.val()) | 0x80_0000;
            self.minor_scale.next = self.minor_exponent.val();
        } else {
            self.minor_significand.next = bit_cast::<24, 23>(self.minor_fraction.val());
            self.minor_scale.next = 1.into();
        }
        self.subtract.next = self.major.val().get_bit(31) ^ self.minor.val().get_bit(31);
        // Align the minor significand.
        self.distance.next = self.major_scale.val() - self.minor_scale.val();
        if self.distance.val().get_bits::<3>(5).any() {
            self.places.next = 31.into();
        } else {
            self.places.next = self.distance.val().get_bits::<5>(0);
        }
        self.shifter.value_i.next = bit_cast::<27, 24>(self.minor_significand.val()) << 3;
        self.shifter.places_i.next = self.places.val();
        if self.shifter.sticky_o.val() {
            self.aligned.next = bit_cast::<28, 27>(self.shifter.value_o.val()) | 1;
        } else {
            self.aligned.next = bit_cast::<28, 27>(self.shifter.value_o.val());
        }
        // Add, or add the complement and a carry.
        self.complement.next = !self.aligned.val();
        self.augend.next = (bit_cast::<29, 24>(self.major_significand.val()) << 4) | 1;
        if self.subtract.val() {
            self.addend.next = (bit_cast::<29, 28>(self.complement.val()) << 1) | 1;
        } else {
            self.addend.next = bit_cast::<29, 28>(self.aligned.val()) << 1;
        }
        self.total.next = self.augend.val() + self.addend.val();
        self.sum.next = self.total.val().get_bits::<28>(1);
        self.sum_zero.next = !self.sum.val().any();
        // Normalise, but not below the exponent of subnormals.
        self.leading.value_i.next = bit_cast::<32, 28>(self.sum.val()) << 4;
        self.sum_zeros.next = bit_cast::<8, 5>(self.leading.count_o.val());
        if self.major_scale.val() < self.sum_zeros.val() {
            self.left.next = self.major_scale.val();
        } else {
            self.left.next = self.sum_zeros.val();
        }
        self.normalised.next = self.sum.val() << self.left.val().get_bits::<5>(0);
        self.rounder.significand_i.next = self.normalised.val().get_bits::<24>(4);
        self.rounder.guard_i.next = self.normalised.val().get_bit(3);
        self.rounder.sticky_i.next = self.normalised.val().get_bits::<3>(0).any();
        self.rounder.base_i.next = bit_cast::<10, 8>(self.major_scale.val()) - bit_cast::<10, 8>(self.left.val());
        // Pack.
        self.major_special.next = self.major_exponent.val().all();
        self.minor_special.next = self.minor_exponent.val().all();
        self.opposed.next = self.minor_special.val() & self.subtract.val();
        self.nan.next = self.major_special.val() & (self.major_fraction.val().any() | self.opposed.val());
        self.sign_field.next = bit_cast::<32, 1>(self.major.val().get_bits::<1>(31)) << 31;
        if self.nan.val() {
            self.sum_o.next = 0x7FC0_0000.into();
        } else if self.major_special.val() {
            self.sum_o.next = self.major.val();
        } else if !self.sum_zero.val() {
            self.sum_o.next = self.sign_field.val() | bit_cast::<32, 31>(self.rounder.magnitude_o.val());
        } else if self.subtract.val() {
            self.sum_o.next = 0.into();
        } else {
            self.sum_o.next = self.sign_field.val();
        }
    }
}
