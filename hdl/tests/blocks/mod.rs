//! Small blocks for the back-end, and what is needed to simulate them.

pub mod exact;
pub mod fields;
pub mod lanes;
pub mod order;
pub mod random;
pub mod register;
pub mod states;

use rust_hdl::prelude::*;
use std::fmt::Write;

/// Repeatable numbers (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number of `width` bits; small ones and all ones come often.
    pub fn bits<const N: usize>(&mut self) -> Bits<N> {
        let mut draw = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 >> 11
        };
        let mask = u64::MAX >> (64 - N.min(64));
        let value = match draw() % 8 {
            0 => draw() % 8,
            1 => mask.wrapping_sub(draw() % 4),
            _ => draw(),
        };
        (value & mask).into()
    }

    pub fn bit(&mut self) -> bool {
        self.bits::<1>().into()
    }
}

/// Updates until nothing changes.
pub fn settle(block: &mut dyn Block) {
    for _ in 0..100 {
        block.update_all();
        if !block.has_changed() {
            return;
        }
    }
    panic!("the block does not settle");
}

/// The ports of the block itself and their values, one hex number each cycle for `$readmemh`.
#[derive(Default)]
struct PortValues {
    depth: usize,
    inputs: String,
    outputs: String,
}

impl Probe for PortValues {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }

    fn visit_atom(&mut self, _name: &str, signal: &dyn Atom) {
        let side = match signal.kind() {
            AtomKind::InputParameter => &mut self.inputs,
            AtomKind::OutputParameter => &mut self.outputs,
            _ => return,
        };
        if self.depth == 1 && signal.descriptor().name != "clock" {
            let text = format!("{:x}", signal.verilog());
            let value = u64::from_str_radix(text.split_once("'h").unwrap().1, 16).unwrap();
            write!(side, "{value:0width$b}", width = signal.bits()).unwrap();
        }
    }
}

/// One line: all inputs, then all outputs, in port order, the clock apart.
pub fn port_values(block: &dyn Block) -> String {
    let mut values = PortValues::default();
    block.accept("top", &mut values);
    let bits = values.inputs + &values.outputs;
    let padded = "0".repeat(bits.len().next_multiple_of(4) - bits.len()) + &bits;
    let digits =
        padded.as_bytes().chunks(4).map(|four| four.iter().fold(0, |digit, bit| digit << 1 | u32::from(bit - b'0')));
    digits.map(|digit| char::from_digit(digit, 16).unwrap()).collect()
}
