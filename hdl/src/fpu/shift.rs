//! Right shifter with sticky bit.

use crate::annotate;
use crate::quiet::inputs;
use rust_hdl::prelude::*;

/// Shifts a 27-bit significand right by 0 to 31 places; combinational.
///
/// Every set bit that falls off the end sets `sticky_o`. Five stages of 16, 8,
/// 4, 2 and 1 places.
#[derive(LogicBlock)]
pub struct ShiftRightSticky {
    /// Significand with its rounding bits.
    pub value_i: Signal<In, Bits<27>>,
    /// Places to shift.
    pub places_i: Signal<In, Bits<5>>,
    /// Shifted value.
    pub value_o: Signal<Out, Bits<27>>,
    /// A set bit fell off.
    pub sticky_o: Signal<Out, Bit>,
    by16: Signal<Local, Bits<27>>,
    by8: Signal<Local, Bits<27>>,
    by4: Signal<Local, Bits<27>>,
    by2: Signal<Local, Bits<27>>,
    lost16: Signal<Local, Bit>,
    lost8: Signal<Local, Bit>,
    lost4: Signal<Local, Bit>,
    lost2: Signal<Local, Bit>,
    lost1: Signal<Local, Bit>,
}

inputs!([] ShiftRightSticky: value_i, places_i);

impl ShiftRightSticky {
    /// A shifter for 27-bit significands.
    pub fn new() -> Self {
        let mut block = Self {
            value_i: annotate::signal("value to shift"),
            places_i: annotate::signal("places to shift it right by"),
            value_o: annotate::signal("shifted value"),
            sticky_o: annotate::signal("a set bit fell off the end"),
            by16: annotate::signal("value after the stage of 16 places"),
            by8: annotate::signal("value after the stage of 8 places"),
            by4: annotate::signal("value after the stage of 4 places"),
            by2: annotate::signal("value after the stage of 2 places"),
            lost16: annotate::signal("the stage of 16 lost a set bit"),
            lost8: annotate::signal("the stage of 8 lost a set bit"),
            lost4: annotate::signal("the stage of 4 lost a set bit"),
            lost2: annotate::signal("the stage of 2 lost a set bit"),
            lost1: annotate::signal("the stage of 1 lost a set bit"),
        };
        annotate::module(&mut block.value_i, "axp_shift_right_w27", "right shifter with sticky bit, combinational");
        block
    }
}

impl Default for ShiftRightSticky {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for ShiftRightSticky {
    #[hdl_gen]
    fn update(&mut self) {
        if self.places_i.val().get_bit(4) {
            self.by16.next = self.value_i.val() >> 16;
            self.lost16.next = self.value_i.val().get_bits::<16>(0).any();
        } else {
            self.by16.next = self.value_i.val();
            self.lost16.next = false;
        }
        if self.places_i.val().get_bit(3) {
            self.by8.next = self.by16.val() >> 8;
            self.lost8.next = self.by16.val().get_bits::<8>(0).any();
        } else {
            self.by8.next = self.by16.val();
            self.lost8.next = false;
        }
        if self.places_i.val().get_bit(2) {
            self.by4.next = self.by8.val() >> 4;
            self.lost4.next = self.by8.val().get_bits::<4>(0).any();
        } else {
            self.by4.next = self.by8.val();
            self.lost4.next = false;
        }
        if self.places_i.val().get_bit(1) {
            self.by2.next = self.by4.val() >> 2;
            self.lost2.next = self.by4.val().get_bits::<2>(0).any();
        } else {
            self.by2.next = self.by4.val();
            self.lost2.next = false;
        }
        if self.places_i.val().get_bit(0) {
            self.value_o.next = self.by2.val() >> 1;
            self.lost1.next = self.by2.val().get_bit(0);
        } else {
            self.value_o.next = self.by2.val();
            self.lost1.next = false;
        }
        self.sticky_o.next =
            self.lost16.val() | self.lost8.val() | self.lost4.val() | self.lost2.val() | self.lost1.val();
    }
}
