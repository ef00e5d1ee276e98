//! Priority select: the lowest set bit, one-hot.

use crate::circuit::{Circuit, Value};

/// Drives for each request the forward net that says whether it is the lowest
/// one; returns whether there is any.
///
/// A tree of depth 2 log2 n: on the way up each node learns whether its half
/// has a request, on the way down each lower half shuts the upper one out.
pub(super) fn lowest(c: &mut Circuit, requests: &[Value], selects: &[Value]) -> Value {
    let root = up(c, requests, 0);
    down(c, &root, None, selects);
    root.any
}

struct Node {
    first: usize,
    any: Value,
    halves: Option<Box<(Node, Node)>>,
}

fn up(c: &mut Circuit, requests: &[Value], first: usize) -> Node {
    if let [request] = requests {
        return Node { first, any: request.clone(), halves: None };
    }
    let (low, high) = requests.split_at(requests.len().next_power_of_two() / 2);
    let (low, high) = (up(c, low, first), up(c, high, first + low.len()));
    let name = format!("any_{first}_{}", first + requests.len() - 1);
    let any = c.net(&name, &low.any | &high.any, "a row of this part matches");
    Node { first, any, halves: Some(Box::new((low, high))) }
}

fn down(c: &mut Circuit, node: &Node, granted: Option<&Value>, selects: &[Value]) {
    match &node.halves {
        None => {
            let request = granted.map_or_else(|| node.any.clone(), |granted| granted & &node.any);
            c.define(&selects[node.first], request);
        }
        Some(halves) => {
            let (low, high) = &**halves;
            down(c, low, granted, selects);
            let free = granted.map_or_else(|| low.any.none(), |granted| granted & low.any.none());
            let free = c.net(&format!("below_{}", high.first), free, "no row below this part is chosen");
            down(c, high, Some(&free), selects);
        }
    }
}
