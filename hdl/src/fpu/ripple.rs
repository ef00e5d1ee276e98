//! A ripple adder: a full adder a bit.

use super::full_adders::full_adders;
use crate::circuit::{Circuit, Value, vector};

/// Widest sum that ripples; a wider one would be slower than the multiplier.
const WIDEST: u32 = 40;

/// A sum, and what its carries say.
pub(crate) struct Sum {
    pub sum: Value,
    /// The carry out of the top bit, and the carry into it.
    pub carries: [Value; 2],
}

/// `a` + `b` + `carry` in nets that begin with `name`.
///
/// Carries that ripple switch less than those of a prefix adder: every bit is one
/// full-adder cell, and an addend that changes in its lower bits alone leaves the
/// upper ones at rest.
pub(crate) fn add(c: &mut Circuit, name: &str, (a, b): (&Value, &Value), carry: &Value) -> Sum {
    let width = a.width();
    if width > WIDEST {
        let low = width - 1;
        let part = |value: &Value| value.slice(0, low).extend(width);
        let lower = part(a) + part(b) + carry.extend(width);
        let lower = c.net(&format!("{name}_lower"), lower, "sum of all bits but the top one");
        let tops = a.top().extend(2) + b.top().extend(2) + lower.top().extend(2);
        let tops = c.net(&format!("{name}_tops"), tops, "sum of the top bits");
        let sum = crate::circuit::concat(&[&tops.bit(0), &lower.slice(0, low)]);
        return Sum { sum, carries: [tops.bit(1), lower.top()] };
    }
    let (mut carry, mut below) = (carry.clone(), carry.clone());
    let mut bits = Vec::new();
    for bit in 0..width {
        let inputs = [("a_i", &a.bit(bit)), ("b_i", &b.bit(bit)), ("c_i", &carry)];
        let adder = c.instance(&format!("{name}_bit_{bit}"), full_adders(1), &inputs);
        bits.push(adder.port("sum_o"));
        below = std::mem::replace(&mut carry, adder.port("carry_o"));
    }
    Sum { sum: vector(&bits), carries: [carry, below] }
}
