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
    let mut level: Vec<(Value, Option<Value>)> = (0..size).rev().map(|bit| (padded.bit(bit), None)).collect();
    let mut depth = 0;
    while level.len() > 1 {
        depth += 1;
        let pairs: Vec<_> = level.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        level = Vec::new();
        for (index, ((upper, upper_count), (lower, lower_count))) in pairs.into_iter().enumerate() {
            let some = c.net(&format!("some_{depth}_{index}"), &upper | &lower, "a bit of this part is set");
            let none = c.net(&format!("skip_{depth}_{index}"), !&upper, "the upper half has none");
            let count = match (upper_count, lower_count) {
                (Some(upper_count), Some(lower_count)) => {
                    let name = format!("below_{depth}_{index}");
                    let rest =
                        c.choose(&name, &[(&upper, &upper_count)], &lower_count, "zeros in the half that counts");
                    concat(&[&none, &rest])
                }
                _ => none,
            };
            level.push((some, Some(count)));
        }
    }
    let (_, count) = level.remove(0);
    c.output("count_o", count.unwrap_or_else(|| literal(0, 1)), "leading zeros");
    c
}
