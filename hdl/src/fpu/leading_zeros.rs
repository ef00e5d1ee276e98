//! Leading-zero counter.

use crate::circuit::{Circuit, Value, concat, literal};

/// A module that counts the zeros above the first set bit of `width` bits.
///
/// `value_i` in, `count_o` out, combinational. Without a set bit the count is
/// `width`, or one less where that is the most that its bits can say. A tree:
/// each node knows whether its half has a set bit, and where.
pub fn leading_zeros(width: u32) -> Circuit {
    let mut c = Circuit::new(&format!("axp_leading_zeros_w{width}"), "leading-zero counter, combinational");
    let value = c.input("value_i", width, "value to look at");
    let size = width.next_power_of_two();
    // Ones below stop the count at the width.
    let padded =
        if size == width { value } else { concat(&[&value, &literal((1 << (size - width)) - 1, size - width)]) };
    let bits: Vec<Value> = (0..size).rev().map(|bit| padded.bit(bit)).collect();
    let count = count(&mut c, &bits, 0, false).1;
    c.output("count_o", count.unwrap_or_else(|| literal(0, 1)), "leading zeros");
    c
}

/// Whether one of `bits`, a power of two of them with the upper first, is set,
/// if that is `wanted`; and the zeros above the first that is. `index` tells the
/// nets of this part from those of the others of its size.
fn count(c: &mut Circuit, bits: &[Value], index: usize, wanted: bool) -> (Option<Value>, Option<Value>) {
    let (upper, lower) = bits.split_at(bits.len() / 2);
    if upper.is_empty() {
        return (Some(bits[0].clone()), None);
    }
    let size = bits.len();
    let (upper, upper_count) = count(c, upper, 2 * index, true);
    let (lower, lower_count) = count(c, lower, 2 * index + 1, wanted);
    // What is asked for is there.
    let upper = upper.unwrap_or_else(|| literal(0, 1));
    let some = lower
        .filter(|_| wanted)
        .map(|lower| c.net(&format!("some_{size}_{index}"), &upper | lower, "a bit of this part is set"));
    let none = c.net(&format!("skip_{size}_{index}"), !&upper, "the upper half has none");
    let zeros = match (upper_count, lower_count) {
        (Some(upper_count), Some(lower_count)) => {
            let name = format!("below_{size}_{index}");
            let rest = c.choose(&name, &[(&upper, &upper_count)], &lower_count, "zeros in the half that counts");
            concat(&[&none, &rest])
        }
        _ => none,
    };
    (some, Some(zeros))
}
