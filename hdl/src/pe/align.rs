//! The product of a `factored` memory on its way into a fixed-point sum.

use crate::circuit::{Circuit, Value, concat, literal, vector};
use axp_spec::FloatFormat;

/// Places that the fine shift reaches; the coarse one goes in steps of one more.
const FINE_BITS: u32 = 3;

/// Sizes of the shift: the format of the product, the width of the sum, and that of
/// the product's significand.
#[derive(Clone, Copy)]
pub(super) struct Alignment {
    pub format: FloatFormat,
    pub width: u32,
    pub significand: u32,
}

/// A product with its sign, ready to be added: `addend` + `carry`.
pub(super) struct Addend {
    /// The magnitude, or its complement.
    pub addend: Value,
    /// What rounds it, and completes a negation.
    pub carry: Value,
    /// It was out of range, and is the limit.
    pub overflow: Value,
}

impl Alignment {
    /// How many steps of the coarse shift there are: a product that is shifted by
    /// more than `width` - 1 places, to below half of the last bit, vanishes.
    const fn steps(self) -> u32 {
        self.width.div_ceil(1 << FINE_BITS)
    }

    /// The number of places that `stored` = {sign, exponent field, fraction} is shifted
    /// to the right, from the top of the magnitude: its range less its exponent. The
    /// steps of the coarse shift are one-hot, so that those which are not taken rest.
    ///
    /// Gives {sign, overflow, limit, steps, fine places, significand} for [`Self::place`].
    pub fn shift(self, c: &mut Circuit, stored: &Value, range: &Value) -> Value {
        let e = self.format.exponent_bits();
        let fraction_bits = self.significand - 1;
        let (sign, exponent, fraction) = (stored.top(), stored.slice(fraction_bits, e), stored.slice(0, fraction_bits));
        let wide = (e + 1).max(FINE_BITS + 2);
        let places = c.net("places", range.extend(wide) - exponent.extend(wide), "places to the right");
        let some = c.net("product_nonzero", exponent.any(), "the product is not zero");
        // One place to the left is as far as the least number reaches.
        let beyond = c.net("product_beyond", places.top() & &some, "the product is above the magnitude");
        let least = &sign & places.all() & fraction.none();
        let overflow = c.net("product_out", &beyond & !least, "the product is out of range");
        let coarse = places.slice(FINE_BITS, wide - FINE_BITS);
        let step = |c: &mut Circuit, step: u32| {
            let name = format!("step_{step}");
            // A step that the range cannot reach is not there.
            if u64::from(step) >> (coarse.width() - 1) != 0 {
                return literal(0, 1);
            }
            c.net(&name, coarse.equals(&literal(step.into(), coarse.width())), "the coarse shift")
        };
        let steps: Vec<Value> = (0..self.steps()).map(|number| step(c, number)).collect();
        let steps = vector(&steps);
        concat(&[&sign, &overflow, &beyond, &steps, &places.slice(0, FINE_BITS), &some, &fraction])
    }

    /// How wide a [shifted](Self::shift) product is.
    const fn shifted_bits(self) -> u32 {
        3 + self.steps() + FINE_BITS + self.significand
    }

    /// The addend of a [shifted](Self::shift) product.
    pub fn place(self, c: &mut Circuit, shifted: &Value) -> Addend {
        let placed = c.instance("align", placement(self), &[("shifted_i", shifted)]);
        let [addend, carry, overflow] = ["addend_o", "carry_o", "overflow_o"].map(|port| placed.port(port));
        Addend { addend, carry, overflow }
    }
}

/// Puts a significand where it belongs in a fixed-point sum, rounded to nearest even
/// and with its sign; combinational.
///
/// ```text
/// significand ─► fine shift ─► coarse steps ─► magnitude ─► or limit ─► ^ sign ─► addend_o
///                                      └─► guard, rest ─► round up ─► ^ sign ─► carry_o
/// ```
///
/// Rounding and negation are one carry: -(m + r) = ~m + (1 - r).
///
/// | port | width | |
/// |---|---|---|
/// | `shifted_i` | 3 + steps + 3 + P | {sign, overflow, limit, steps one-hot, fine places, significand} |
/// | `addend_o`, `carry_o` | W, 1 | the product is their sum |
/// | `overflow_o` | 1 | it is a limit |
fn placement(alignment: Alignment) -> Circuit {
    let Alignment { significand: p, width: w, .. } = alignment;
    let steps = alignment.steps();
    let mut circuit =
        Circuit::new(&format!("axp_align_p{p}_w{w}"), "a significand in its place in a sum, combinational");
    let c = &mut circuit;
    let shifted = c.input("shifted_i", alignment.shifted_bits(), "sign, overflow, limit, steps, places, significand");
    let mut from = shifted.width();
    let mut take = |width: u32| {
        from -= width;
        shifted.slice(from, width)
    };
    let (sign, overflow, limit) = (take(1), take(1), take(1));
    let (steps, fine, significand) = (take(steps), take(FINE_BITS), take(p));

    let mut current = significand;
    for stage in 0..FINE_BITS {
        let by = 1 << stage;
        let stays = current.above(by);
        let moved = current.extend(current.width() + by);
        let name = format!("fine_by_{by}");
        current = c.choose(&name, &[(&fine.bit(stage), &moved)], &stays, "after this stage of the shift");
    }
    // From the top of the magnitude, at bit w - 2, to the last bit that can matter.
    let reach = w - 1 + p;
    let length = current.width();
    let bit = |c: &mut Circuit, place: u32| {
        let mut parts = Vec::new();
        for step in 0..steps.width() {
            let first = step << FINE_BITS;
            if (first..first + length).contains(&place) {
                let part = steps.bit(step) & current.bit(length - 1 - (place - first));
                parts.push(c.net(&format!("place_{place}_step_{step}"), part, "this step's part of the bit"));
            }
        }
        let whole = parts.into_iter().reduce(|a, b| a | b)?;
        Some(c.net(&format!("place_{place}"), whole, "a bit of the shifted significand, from the top"))
    };
    // Bits that no step reaches are zero.
    let bits: Vec<Value> = (0..reach).map(|place| bit(c, place).unwrap_or_else(|| literal(0, 1))).collect();
    let magnitude: Vec<Value> = bits[..(w - 1) as usize].iter().rev().cloned().collect();
    let magnitude = vector(&magnitude);
    let guard = bits[(w - 1) as usize].clone();
    let rest: Vec<Value> = bits[w as usize..].to_vec();
    let up = if rest.is_empty() {
        guard & magnitude.bit(0)
    } else {
        let rest = c.net("rest", vector(&rest).any(), "some bit below the guard bit is set");
        guard & (rest | magnitude.bit(0))
    };
    let up = c.net("round_up", up, "the magnitude is incremented");
    let full = literal((1 << (w - 1)) - 1, w - 1);
    let none = literal(0, w - 1);
    let filled = c.choose("filled", &[(&limit, &full)], &none, "all bits set if it is the limit");
    let flip = c.choose("flip", &[(&sign, &full)], &none, "all bits set if it is negative");
    let addend = c.net("placed", (magnitude | filled) ^ flip, "magnitude or its complement");
    let carry = (&sign ^ up) & !&limit;
    c.output("addend_o", concat(&[&sign, &addend]), "magnitude or its complement");
    c.output("carry_o", carry, "rounds, and completes the negation");
    c.output("overflow_o", overflow, "the product is a limit");
    circuit
}
