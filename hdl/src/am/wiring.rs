//! Tables and syntax for logic whose wiring is computed rather than written out.
//!
//! rust-hdl's macro translates statements, not programs that make statements. A
//! block with computed wiring implements `Logic` by hand: it keeps its wiring as
//! a table, evaluates the table in `update`, and turns the same table into
//! rust-hdl's syntax tree, with the constructors below, in `hdl`.

use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary, VerilogStatement};
use rust_hdl::prelude::VerilogLiteral;

/// An input of a reduction node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An input of the tree.
    Leaf(usize),
    /// The output of an earlier node.
    Node(usize),
}

/// A balanced binary reduction tree over any number of leaves.
#[derive(Clone, Debug)]
pub(super) struct ReductionTree {
    /// The two inputs of each node; a node stands after those it reads.
    pub nodes: Vec<(Source, Source)>,
    /// Where the result is.
    pub root: Source,
}

impl ReductionTree {
    /// A tree over `leaves` inputs, at least one; it has `leaves - 1` nodes in
    /// ⌈log2 leaves⌉ levels.
    pub fn new(leaves: usize) -> Self {
        let mut nodes = Vec::new();
        let mut level: Vec<Source> = (0..leaves).map(Source::Leaf).collect();
        while level.len() > 1 {
            let mut next = Vec::new();
            for pair in level.chunks(2) {
                match *pair {
                    [left, right] => {
                        nodes.push((left, right));
                        next.push(Source::Node(nodes.len() - 1));
                    }
                    _ => next.extend_from_slice(pair),
                }
            }
            level = next;
        }
        Self { nodes, root: level[0] }
    }
}

/// A signal, or a part of one.
pub(super) fn signal(name: &str) -> VerilogExpression {
    VerilogExpression::Signal(name.to_owned())
}

/// A constant of its own width.
pub(super) fn literal(value: impl Into<VerilogLiteral>) -> VerilogExpression {
    VerilogExpression::Literal(value.into())
}

/// `name[index]`.
pub(super) fn bit(name: &str, index: usize) -> VerilogExpression {
    VerilogExpression::Index(Box::new(signal(name)), Box::new(literal(index)))
}

/// `name[offset +: width]`.
pub(super) fn slice(name: &str, offset: usize, width: usize) -> VerilogExpression {
    VerilogExpression::Slice(Box::new(signal(name)), width, Box::new(literal(offset)))
}

/// `left op right`, in parentheses, so that precedence never matters.
pub(super) fn binary(left: VerilogExpression, op: VerilogOp, right: VerilogExpression) -> VerilogExpression {
    VerilogExpression::Paren(Box::new(VerilogExpression::Binary(Box::new(left), op, Box::new(right))))
}

/// `op operand`.
pub(super) fn unary(op: VerilogOpUnary, operand: VerilogExpression) -> VerilogExpression {
    VerilogExpression::Unary(op, Box::new(operand))
}

/// `target = value;`
pub(super) fn assign(target: &str, value: VerilogExpression) -> VerilogStatement {
    VerilogStatement::Assignment(signal(target), value)
}

/// `target[index] = value;`
pub(super) fn assign_bit(target: &str, index: usize, value: VerilogExpression) -> VerilogStatement {
    VerilogStatement::SliceAssignment { base: signal(target), width: 1, offset: literal(index), replacement: value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_reads_every_leaf_and_node_once_and_is_balanced() {
        for leaves in 1..=130 {
            let tree = ReductionTree::new(leaves);
            assert_eq!(tree.nodes.len(), leaves - 1);
            let mut depth = vec![0; tree.nodes.len()];
            let mut read = vec![];
            for (index, (left, right)) in tree.nodes.iter().enumerate() {
                let mut below = |source: Source| {
                    read.push(source);
                    match source {
                        Source::Leaf(_) => 0,
                        Source::Node(node) => {
                            assert!(node < index, "a node reads one that comes later");
                            depth[node]
                        }
                    }
                };
                depth[index] = 1 + below(*left).max(below(*right));
            }
            read.push(tree.root);
            assert_eq!(read.len(), 2 * leaves - 1);
            for leaf in 0..leaves {
                assert!(read.contains(&Source::Leaf(leaf)), "leaf {leaf} of {leaves} is not read");
            }
            for node in 0..tree.nodes.len() {
                assert!(read.contains(&Source::Node(node)), "node {node} of {leaves} leaves is not read");
            }
            let levels = depth.last().copied().unwrap_or(0);
            assert_eq!(levels, leaves.next_power_of_two().trailing_zeros() as usize);
        }
    }
}
