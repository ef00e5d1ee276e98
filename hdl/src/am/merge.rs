//! The OR part of an AND-OR read.

use crate::circuit::{Circuit, Value};

/// The OR of all, as a balanced tree; `first` is the number of the first of them
/// in the names of the nets.
pub(super) fn merge(c: &mut Circuit, values: &[Value], first: usize) -> Value {
    if let [value] = values {
        return value.clone();
    }
    let (low, high) = values.split_at(values.len().next_power_of_two() / 2);
    let merged = merge(c, low, first) | merge(c, high, first + low.len());
    c.net(&format!("merged_{first}_{}", first + values.len() - 1), merged, "OR of the products of these rows")
}
