//! binary32 multiplier.

use super::{LeadingZeros, Round, ShiftRightSticky};
use crate::annotate;
use crate::prim::Multiplier;
use crate::quiet::{Quiet, inputs};
use rust_hdl::prelude::*;

/// `a_i * b_i` in binary32, round to nearest even, subnormals kept, canonical
/// NaN; combinational.
///
/// Of two subnormal factors nothing is left but a sticky bit, so at most one
/// operand needs normalising: it is steered to the multiplier's second input,
/// behind the only left shifter. The product's 26 upper bits are then shifted
/// right if the result is subnormal, and rounded; the 22 lower bits only make
/// the sticky bit.
#[derive(LogicBlock)]
pub struct FpMul {
    /// First operand.
    pub a_i: Signal<In, Bits<32>>,
    /// Second operand.
    pub b_i: Signal<In, Bits<32>>,
    /// Product.
    pub product_o: Signal<Out, Bits<32>>,
    multiplier: Multiplier<24, 26, 22>,
    leading: Quiet<LeadingZeros>,
    shifter: Quiet<ShiftRightSticky>,
    rounder: Quiet<Round>,
    a_exponent: Signal<Local, Bits<8>>,
    b_exponent: Signal<Local, Bits<8>>,
    a_fraction: Signal<Local, Bits<23>>,
    b_fraction: Signal<Local, Bits<23>>,
    a_normal: Signal<Local, Bit>,
    b_normal: Signal<Local, Bit>,
    a_zero: Signal<Local, Bit>,
    b_zero: Signal<Local, Bit>,
    a_infinite: Signal<Local, Bit>,
    b_infinite: Signal<Local, Bit>,
    a_nan: Signal<Local, Bit>,
    b_nan: Signal<Local, Bit>,
    a_significand: Signal<Local, Bits<24>>,
    b_significand: Signal<Local, Bits<24>>,
    a_scale: Signal<Local, Bits<10>>,
    b_scale: Signal<Local, Bits<10>>,
    firm: Signal<Local, Bits<24>>,
    loose: Signal<Local, Bits<24>>,
    loose_zeros: Signal<Local, Bits<5>>,
    normalised: Signal<Local, Bits<24>>,
    scale: Signal<Local, Bits<10>>,
    offset: Signal<Local, Bits<10>>,
    exponent: Signal<Local, Bits<10>>,
    below_normal: Signal<Local, Bit>,
    deficit: Signal<Local, Bits<10>>,
    places: Signal<Local, Bits<5>>,
    base: Signal<Local, Bits<10>>,
    upper: Signal<Local, Bits<27>>,
    shifted: Signal<Local, Bits<27>>,
    carry: Signal<Local, Bit>,
    rest: Signal<Local, Bit>,
    lost: Signal<Local, Bit>,
    sign: Signal<Local, Bits<1>>,
    sign_field: Signal<Local, Bits<32>>,
    any_nan: Signal<Local, Bit>,
    invalid: Signal<Local, Bit>,
    any_infinite: Signal<Local, Bit>,
    any_zero: Signal<Local, Bit>,
}

inputs!([] FpMul: a_i, b_i);

impl FpMul {
    /// A binary32 multiplier.
    pub fn new() -> Self {
        let mut block = Self {
            a_i: annotate::signal("first operand, binary32"),
            b_i: annotate::signal("second operand, binary32"),
            product_o: annotate::signal("product, binary32, rounded to nearest even"),
            multiplier: Multiplier::new(),
            leading: Quiet::new(LeadingZeros::new()),
            shifter: Quiet::new(ShiftRightSticky::new()),
            rounder: Quiet::new(Round::new()),
            a_exponent: annotate::signal("exponent field of a"),
            b_exponent: annotate::signal("exponent field of b"),
            a_fraction: annotate::signal("fraction field of a"),
            b_fraction: annotate::signal("fraction field of b"),
            a_normal: annotate::signal("a has a leading 1"),
            b_normal: annotate::signal("b has a leading 1"),
            a_zero: annotate::signal("a is zero"),
            b_zero: annotate::signal("b is zero"),
            a_infinite: annotate::signal("a is infinite"),
            b_infinite: annotate::signal("b is infinite"),
            a_nan: annotate::signal("a is a NaN"),
            b_nan: annotate::signal("b is a NaN"),
            a_significand: annotate::signal("significand of a"),
            b_significand: annotate::signal("significand of b"),
            a_scale: annotate::signal("biased exponent of a, 1 if subnormal"),
            b_scale: annotate::signal("biased exponent of b, 1 if subnormal"),
            firm: annotate::signal("significand that is normal, or both are not"),
            loose: annotate::signal("significand that may be subnormal"),
            loose_zeros: annotate::signal("its leading zeros"),
            normalised: annotate::signal("loose with its leading 1 at the top"),
            scale: annotate::signal("sum of the biased exponents"),
            offset: annotate::signal("bias and leading zeros, to be taken off the scale"),
            exponent: annotate::signal("biased exponent of the product, two's complement"),
            below_normal: annotate::signal("the product is below the normal range"),
            deficit: annotate::signal("places that the product lies below it"),
            places: annotate::signal("right shift that makes it subnormal, 31 at most"),
            base: annotate::signal("exponent field less the leading bit"),
            upper: annotate::signal("upper bits of the product, one bit of room below"),
            shifted: annotate::signal("the same in the position of the result"),
            carry: annotate::signal("the product is 2 or more"),
            rest: annotate::signal("a bit below the guard bit is set"),
            lost: annotate::signal("all that lies below the guard bit"),
            sign: annotate::signal("sign of the product"),
            sign_field: annotate::signal("sign in its place"),
            any_nan: annotate::signal("an operand is a NaN"),
            invalid: annotate::signal("infinity times zero"),
            any_infinite: annotate::signal("an operand is infinite"),
            any_zero: annotate::signal("an operand is zero"),
        };
        annotate::module(&mut block.a_i, "axp_fp_mul", "binary32 multiplier, combinational");
        block
    }
}

impl Default for FpMul {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for FpMul {
    #[hdl_gen]
    fn update(&mut self) {
        // Unpack.
        self.a_exponent.next = self.a_i.val().get_bits::<8>(23);
        self.b_exponent.next = self.b_i.val().get_bits::<8>(23);
        self.a_fraction.next = self.a_i.val().get_bits::<23>(0);
        self.b_fraction.next = self.b_i.val().get_bits::<23>(0);
        self.a_normal.next = self.a_exponent.val().any();
        self.b_normal.next = self.b_exponent.val().any();
        self.a_zero.next = !self.a_normal.val() & !self.a_fraction.val().any();
        self.b_zero.next = !self.b_normal.val() & !self.b_fraction.val().any();
        self.a_infinite.next = self.a_exponent.val().all() & !self.a_fraction.val().any();
        self.b_infinite.next = self.b_exponent.val().all() & !self.b_fraction.val().any();
        self.a_nan.next = self.a_exponent.val().all() & self.a_fraction.val().any();
        self.b_nan.next = self.b_exponent.val().all() & self.b_fraction.val().any();
        if self.a_normal.val() {
            self.a_significand.next = bit_cast::<24, 23>(self.a_fraction.val()) | 0x80_0000;
            self.a_scale.next = bit_cast::<10, 8>(self.a_exponent.val());
        } else {
            self.a_significand.next = bit_cast::<24, 23>(self.a_fraction.val());
            self.a_scale.next = 1.into();
        }
        if self.b_normal.val() {
            self.b_significand.next = bit_cast::<24, 23>(self.b_fraction.val()) | 0x80_0000;
            self.b_scale.next = bit_cast::<10, 8>(self.b_exponent.val());
        } else {
            self.b_significand.next = bit_cast::<24, 23>(self.b_fraction.val());
            self.b_scale.next = 1.into();
        }
        // Normalise the operand that may be subnormal.
        if self.a_normal.val() {
            self.firm.next = self.a_significand.val();
            self.loose.next = self.b_significand.val();
        } else {
            self.firm.next = self.b_significand.val();
            self.loose.next = self.a_significand.val();
        }
        self.leading.value_i.next = bit_cast::<32, 24>(self.loose.val()) << 8;
        self.loose_zeros.next = self.leading.count_o.val();
        self.normalised.next = self.loose.val() << self.loose_zeros.val();
        self.multiplier.a_i.next = self.firm.val();
        self.multiplier.b_i.next = self.normalised.val();
        // Exponent, and how far below the normal range it lies.
        self.scale.next = self.a_scale.val() + self.b_scale.val();
        self.offset.next = bit_cast::<10, 5>(self.loose_zeros.val()) + 127;
        self.exponent.next = self.scale.val() - self.offset.val();
        self.below_normal.next = self.exponent.val().get_bit(9) | !self.exponent.val().any();
        self.deficit.next = 1 - self.exponent.val();
        if !self.below_normal.val() {
            self.places.next = 0.into();
        } else if self.deficit.val().get_bits::<5>(5).any() {
            self.places.next = 31.into();
        } else {
            self.places.next = self.deficit.val().get_bits::<5>(0);
        }
        if self.below_normal.val() {
            self.base.next = 0.into();
        } else {
            self.base.next = self.exponent.val() - 1;
        }
        // Align the product with the result's significand.
        self.upper.next = bit_cast::<27, 26>(self.multiplier.high_o.val()) << 1;
        self.shifter.value_i.next = self.upper.val();
        self.shifter.places_i.next = self.places.val();
        self.shifted.next = self.shifter.value_o.val();
        self.carry.next = self.shifted.val().get_bit(26);
        if self.carry.val() {
            self.rounder.significand_i.next = self.shifted.val().get_bits::<24>(3);
            self.rounder.guard_i.next = self.shifted.val().get_bit(2);
            self.rest.next = self.shifted.val().get_bits::<2>(0).any();
        } else {
            self.rounder.significand_i.next = self.shifted.val().get_bits::<24>(2);
            self.rounder.guard_i.next = self.shifted.val().get_bit(1);
            self.rest.next = self.shifted.val().get_bit(0);
        }
        self.lost.next = self.shifter.sticky_o.val() | self.multiplier.low_o.val().any();
        self.rounder.sticky_i.next = self.rest.val() | self.lost.val();
        self.rounder.base_i.next = self.base.val() + self.carry.val();
        // Pack.
        self.sign.next = self.a_i.val().get_bits::<1>(31) ^ self.b_i.val().get_bits::<1>(31);
        self.sign_field.next = bit_cast::<32, 1>(self.sign.val()) << 31;
        self.any_nan.next = self.a_nan.val() | self.b_nan.val();
        self.invalid.next = (self.a_infinite.val() & self.b_zero.val()) | (self.a_zero.val() & self.b_infinite.val());
        self.any_infinite.next = self.a_infinite.val() | self.b_infinite.val();
        self.any_zero.next = self.a_zero.val() | self.b_zero.val();
        if self.any_nan.val() | self.invalid.val() {
            self.product_o.next = 0x7FC0_0000.into();
        } else if self.any_infinite.val() {
            self.product_o.next = self.sign_field.val() | 0x7F80_0000;
        } else if self.any_zero.val() {
            self.product_o.next = self.sign_field.val();
        } else {
            self.product_o.next = self.sign_field.val() | bit_cast::<32, 31>(self.rounder.magnitude_o.val());
        }
    }
}
