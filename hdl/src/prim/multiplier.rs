//! Unsigned integer multiplier.

use crate::annotate;
use rust_hdl::prelude::*;

/// `a_i * b_i`, combinational, the 2·W-bit product in two parts.
///
/// The parts let rust-hdl simulate on machine words, and let the FPU treat the
/// low part as what it is to it: sticky bits. `HIGH + LOW` must be `2 * W`, and
/// every width at most 32.
#[derive(LogicBlock)]
pub struct Multiplier<const W: usize, const HIGH: usize, const LOW: usize> {
    /// First factor.
    pub a_i: Signal<In, Bits<W>>,
    /// Second factor.
    pub b_i: Signal<In, Bits<W>>,
    /// Upper bits of the product.
    pub high_o: Signal<Out, Bits<HIGH>>,
    /// Lower bits of the product.
    pub low_o: Signal<Out, Bits<LOW>>,
}

const TIMES: &str = "\
always @* {high_o, low_o} = {{w}'d0, a_i} * {{w}'d0, b_i};
";

impl<const W: usize, const HIGH: usize, const LOW: usize> Multiplier<W, HIGH, LOW> {
    /// A multiplier; widths that do not add up are refused by the compiler.
    pub fn new() -> Self {
        const { assert!(HIGH + LOW == 2 * W && HIGH <= 32 && LOW <= 32 && W <= 32) };
        let mut multiplier = Self {
            a_i: annotate::signal("first factor, unsigned"),
            b_i: annotate::signal("second factor, unsigned"),
            high_o: annotate::signal("upper bits of the product"),
            low_o: annotate::signal("lower bits of the product"),
        };
        let name = format!("axp_mul_w{W}_h{HIGH}");
        annotate::module(&mut multiplier.a_i, &name, "unsigned integer multiplier, combinational");
        multiplier
    }
}

impl<const W: usize, const HIGH: usize, const LOW: usize> Default for Multiplier<W, HIGH, LOW> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const W: usize, const HIGH: usize, const LOW: usize> Logic for Multiplier<W, HIGH, LOW> {
    fn update(&mut self) {
        let product = self.a_i.val().to_u64() * self.b_i.val().to_u64();
        self.high_o.next = (product >> LOW).into();
        self.low_o.next = (product & ((1 << LOW) - 1)).into();
    }

    fn connect(&mut self) {
        self.high_o.connect();
        self.low_o.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(TIMES.replace("{w}", &W.to_string()))
    }
}
