//! The OR part of an AND-OR read.

use crate::circuit::{Circuit, Value};

/// The OR of all, as a balanced tree of nets that begin with `name`.
pub(super) fn merge(c: &mut Circuit, name: &str, values: &[Value]) -> Value {
    merge_from(c, name, values, 0)
}

/// `first` is the number of the first of them in the names of the nets.
fn merge_from(c: &mut Circuit, name: &str, values: &[Value], first: usize) -> Value {
    if let [value] = values {
        return value.clone();
    }
    let (low, high) = values.split_at(values.len().next_power_of_two() / 2);
    let merged = merge_from(c, name, low, first) | merge_from(c, name, high, first + low.len());
    c.net(&format!("{name}_{first}_{}", first + values.len() - 1), merged, "OR of these words, one of which is read")
}
