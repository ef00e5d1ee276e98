//! Expressions as rust-hdl's syntax tree.

use super::value::{Binary, Kind, Reduce, Value};
use rust_hdl::core::ast::{VerilogExpression as Tree, VerilogOp, VerilogOpUnary};
use rust_hdl::prelude::Bits;

impl Value {
    /// rust-hdl's syntax tree of the expression.
    pub(super) fn tree(&self) -> Tree {
        let paren = |tree| Tree::Paren(Box::new(tree));
        match &self.kind() {
            Kind::Net(_, name) => Tree::Signal(name.clone()),
            Kind::Literal(value) => Tree::Cast(Box::new(word(*value)), self.width() as usize),
            Kind::Not(a) => paren(Tree::Unary(VerilogOpUnary::Not, Box::new(a.tree()))),
            Kind::Binary(op, a, b) => {
                let op = match op {
                    Binary::And => VerilogOp::BitAnd,
                    Binary::Or => VerilogOp::BitOr,
                    Binary::Xor => VerilogOp::BitXor,
                    Binary::Add => VerilogOp::Add,
                    Binary::Sub => VerilogOp::Sub,
                    Binary::Times => VerilogOp::Mul,
                    Binary::Equal => VerilogOp::Eq,
                    Binary::Less => VerilogOp::Lt,
                };
                paren(Tree::Binary(Box::new(a.tree()), op, Box::new(b.tree())))
            }
            Kind::Reduce(op, a) => {
                let op = if *op == Reduce::Any { VerilogOpUnary::Any } else { VerilogOpUnary::All };
                paren(Tree::Unary(op, Box::new(a.tree())))
            }
            Kind::Shift(a, places) => paren(Tree::Binary(Box::new(a.tree()), VerilogOp::Shr, Box::new(places.tree()))),
            Kind::Slice(net, offset) => {
                Tree::Slice(Box::new(net.tree()), self.width() as usize, Box::new(word(u128::from(*offset))))
            }
            // rust-hdl has no concatenation: parts moved to their place, and ORed.
            Kind::Concat(parts) => {
                let mut low = self.width();
                let mut whole: Option<Tree> = None;
                for part in parts {
                    low -= part.width();
                    if matches!(part.kind(), Kind::Literal(0)) {
                        continue;
                    }
                    let wide = Tree::Cast(Box::new(part.tree()), self.width() as usize);
                    let placed = match low {
                        0 => wide,
                        _ => paren(Tree::Binary(Box::new(wide), VerilogOp::Shl, Box::new(word(u128::from(low))))),
                    };
                    whole = Some(match whole {
                        None => placed,
                        Some(above) => paren(Tree::Binary(Box::new(above), VerilogOp::BitOr, Box::new(placed))),
                    });
                }
                whole.unwrap_or_else(|| Tree::Cast(Box::new(word(0)), self.width() as usize))
            }
        }
    }
}

/// A bare number in the syntax tree.
fn word(value: u128) -> Tree {
    match usize::try_from(value) {
        Ok(small) => Tree::Literal(small.into()),
        Err(_) => {
            let wide =
                (0..128).fold(Bits::<128>::default(), |bits, place| bits.replace_bit(place, value >> place & 1 == 1));
            Tree::Literal(wide.into())
        }
    }
}
