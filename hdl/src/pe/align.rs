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

/// How many bits a number of [places](Alignment::shift_places) has: in two's complement,
/// from one place to the left on.
pub(super) const fn places_bits(format: FloatFormat) -> u32 {
    let bits = format.exponent_bits() + 1;
    if bits > FINE_BITS + 2 { bits } else { FINE_BITS + 2 }
}

impl Alignment {
    /// How many steps of the coarse shift there are: a product that is shifted by
    /// more than `width` - 1 places, to below half of the last bit, vanishes. At least two,
    /// so that there is a pair of them that is never taken together.
    const fn steps(self) -> u32 {
        let steps = self.width.div_ceil(1 << FINE_BITS);
        if steps > 2 { steps } else { 2 }
    }

    /// [`Self::shift_places`] of `stored` = {sign, exponent field, fraction}: it is shifted
    /// by the range less its exponent.
    pub fn shift(self, c: &mut Circuit, stored: &Value, range: &Value) -> Value {
        let e = self.format.exponent_bits();
        let fraction_bits = self.significand - 1;
        let (sign, exponent, fraction) = (stored.top(), stored.slice(fraction_bits, e), stored.slice(0, fraction_bits));
        let wide = places_bits(self.format);
        let places = c.net("places", range.extend(wide) - exponent.extend(wide), "places to the right");
        let some = c.net("product_nonzero", exponent.any(), "the product is not zero");
        self.shift_places(c, &concat(&[&sign, &places, &some, &fraction]))
    }

    /// How `stored` = {sign, places, nonzero, fraction} is shifted: so many places to the
    /// right from the top of the magnitude. The steps of the coarse shift are one-hot, so
    /// that those which are not taken rest; the first two together say that the product is
    /// the limit, and then the lowest fine place that it is out of range.
    ///
    /// Gives {sign, steps, fine places, significand} for [`Self::place`].
    pub fn shift_places(self, c: &mut Circuit, stored: &Value) -> Value {
        let fraction_bits = self.significand - 1;
        let wide = places_bits(self.format);
        let (sign, places) = (stored.top(), stored.slice(fraction_bits + 1, wide));
        let (some, fraction) = (stored.bit(fraction_bits), stored.slice(0, fraction_bits));
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
        let mut steps: Vec<Value> = (0..self.steps()).map(|number| step(c, number)).collect();
        for (number, step) in steps[..2].iter_mut().enumerate() {
            let or_limit = &*step | &beyond;
            *step = c.net(&format!("step_{number}_or_limit"), or_limit, "the same, or the product is the limit");
        }
        let steps = vector(&steps);
        let lowest = places.bit(0);
        let lowest = c.choose("lowest", &[(&beyond, &overflow)], &lowest, "lowest fine place, or out of range");
        concat(&[&sign, &steps, &places.slice(1, FINE_BITS - 1), &lowest, &some, &fraction])
    }

    /// How wide a [shifted](Self::shift) product is.
    const fn shifted_bits(self) -> u32 {
        1 + self.steps() + FINE_BITS + self.significand
    }

    /// The addend of a [shifted](Self::shift_places) product, or of a miss, whose product is
    /// `missed` in units of the last bit.
    pub fn place(self, c: &mut Circuit, shifted: &Value, (miss, missed): (&Value, &Value)) -> Addend {
        let inputs = [("shifted_i", shifted), ("miss_i", miss), ("missed_i", missed)];
        let placed = c.instance("align", placement(self), &inputs);
        let [addend, carry, overflow] = ["addend_o", "carry_o", "overflow_o"].map(|port| placed.port(port));
        Addend { addend, carry, overflow }
    }
}

/// Puts a significand where it belongs in a fixed-point sum, rounded to nearest even
/// and with its sign; combinational.
///
/// ```text
/// significand ─► fine shift ─► coarse steps ─► magnitude ─► or limit, or miss ─► ^ sign ─► addend_o
///                                      └─► guard, rest ─► round up ─► ^ sign ─► carry_o
/// ```
///
/// Rounding and negation are one carry: -(m + r) = ~m + (1 - r). On a miss no step is
/// taken and nothing is negated, so that its product goes the same way.
///
/// | port | width | |
/// |---|---|---|
/// | `shifted_i` | 1 + steps + 3 + P | {sign, steps one-hot or the first two, fine places, significand} |
/// | `miss_i`, `missed_i` | 1, W | the product is `missed_i` |
/// | `addend_o`, `carry_o` | W, 1 | the product is their sum |
/// | `overflow_o` | 1 | it is that of a hit, and out of range |
fn placement(alignment: Alignment) -> Circuit {
    let Alignment { significand: p, width: w, .. } = alignment;
    let steps = alignment.steps();
    let mut circuit =
        Circuit::new(&format!("axp_align_p{p}_w{w}"), "a significand in its place in a sum, combinational");
    let c = &mut circuit;
    let shifted = c.input("shifted_i", alignment.shifted_bits(), "sign, steps, places, significand");
    let miss = c.input("miss_i", 1, "the product comes from the multiplier");
    let missed = c.input("missed_i", w, "that product in units of the last bit");
    let mut from = shifted.width();
    let mut take = |width: u32| {
        from -= width;
        shifted.slice(from, width)
    };
    let (sign, steps, fine, significand) = (take(1), take(steps), take(FINE_BITS), take(p));
    let hit = c.net("hit", !&miss, "the product comes from the memory");
    let sign = c.net("negative", sign & &hit, "a product of the memory is negated");
    let hits = vector(&vec![hit; steps.width() as usize]);
    let steps = c.net("steps", steps & hits, "steps of a product of the memory");
    let limit = c.net("limit", steps.bit(0) & steps.bit(1), "it is the limit");
    let overflow = &limit & fine.bit(0);

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
    let full = literal((1 << (w - 1)) - 1, w);
    let none = literal(0, w);
    let arms = [(&miss, &missed), (&limit, &full)];
    let other = c.choose("other", &arms, &none, "the product of a miss, or the limit");
    let flip = vector(&vec![sign.clone(); w as usize]);
    let addend = c.net("placed", (magnitude.extend(w) | other) ^ flip, "magnitude or its complement");
    let carry = (&sign ^ up) & !&limit;
    c.output("addend_o", addend, "magnitude or its complement");
    c.output("carry_o", carry, "rounds, and completes the negation");
    c.output("overflow_o", overflow, "a product of the memory is out of range");
    circuit
}
