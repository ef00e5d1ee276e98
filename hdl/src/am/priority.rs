//! Priority select: the lowest set bit, one-hot.

use crate::circuit::{Circuit, Value};

/// Drives for each request the forward net that says whether it is the lowest
/// one, where there is such a net; returns whether there is any request.
///
/// A tree of depth 2 log2 n: on the way up each node learns whether its half
/// has a request, on the way down each lower half shuts the upper one out.
pub(super) fn lowest(c: &mut Circuit, requests: &[Value], selects: &[Option<Value>]) -> Value {
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

/// `selects` are those of the node's requests.
fn down(c: &mut Circuit, node: &Node, granted: Option<&Value>, selects: &[Option<Value>]) {
    match &node.halves {
        None => {
            if let [Some(select)] = selects {
                let request = granted.map_or_else(|| node.any.clone(), |granted| granted & &node.any);
                c.define(select, request);
            }
        }
        Some(halves) => {
            let (low, high) = &**halves;
            let (of_low, of_high) = selects.split_at(high.first - node.first);
            down(c, low, granted, of_low);
            if of_high.iter().all(Option::is_none) {
                return;
            }
            let free = granted.map_or_else(|| low.any.none(), |granted| granted & low.any.none());
            let free = c.net(&format!("below_{}", high.first), free, "no row below this part is chosen");
            down(c, high, Some(&free), of_high);
        }
    }
}
