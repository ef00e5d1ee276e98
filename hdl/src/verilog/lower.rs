//! From rust-hdl's syntax tree to expressions of exact width.
//!
//! The tree carries no types: a literal has the width of a Rust integer, a loop
//! variable none at all. Widths therefore come from the signals, and literals
//! take the width of what they meet, as Rust's type checker made them.

use super::expr::{Arithmetic, Compare, Expr, Kind, Reduce, Shift};
use super::index;
use super::literal::{self, Hex};
use super::net::{NetId, Nets, identifier};
use crate::error::HdlError;
use rust_hdl::prelude::ast::{VerilogExpression as Tree, VerilogOp as Op, VerilogOpUnary as Unary};

/// Turns expressions of one kernel into [`Expr`].
pub(super) struct Lower<'a> {
    pub nets: &'a Nets,
    /// Loop variables in scope with their current values, outermost first.
    pub loops: Vec<(String, usize)>,
}

/// What a name in the tree stands for.
enum Name {
    Net(NetId),
    Index(usize),
    Label(String),
}

type Result<T> = std::result::Result<T, HdlError>;

impl Lower<'_> {
    pub fn refuse<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(HdlError::untranslatable(&self.nets.module, what))
    }

    /// The net that an assignment target or a signal path names.
    pub fn net(&self, path: &str) -> Result<NetId> {
        match self.name(path)? {
            Name::Net(id) => Ok(id),
            _ => self.refuse(format!("{path} is not a signal")),
        }
    }

    /// An expression whose width Rust's types fix to `want` bits, if known.
    pub fn expr(&self, tree: &Tree, want: Option<usize>) -> Result<Expr> {
        let found = self.width(tree)?;
        let width = match (found, want) {
            (Some(found), Some(want)) if found != want => {
                return self.refuse(format!("{} has {found} bits where {want} are needed", describe(tree)));
            }
            (Some(width), _) | (None, Some(width)) => width,
            (None, None) => {
                return self.refuse(format!("the width of {} is not known; write bits::<N>(..)", describe(tree)));
            }
        };
        self.sized(tree, width)
    }

    /// The value of an expression of literals and loop variables only.
    pub fn constant(&self, tree: &Tree) -> Option<usize> {
        match tree {
            Tree::Signal(path) => self.loops.iter().rev().find(|(name, _)| name == path).map(|(_, v)| *v),
            Tree::Literal(value) => Hex::of(value).as_usize(),
            Tree::Paren(inner) => self.constant(inner),
            Tree::Binary(left, op, right) => {
                let (left, right) = (self.constant(left)?, self.constant(right)?);
                match op {
                    Op::Add => left.checked_add(right),
                    Op::Sub => left.checked_sub(right),
                    Op::Mul => left.checked_mul(right),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Width of an expression as Rust's types give it; `None` for a literal.
    fn width(&self, tree: &Tree) -> Result<Option<usize>> {
        Ok(match tree {
            Tree::Signal(path) => match self.name(path)? {
                Name::Net(id) => Some(self.nets.list[id].width),
                Name::Index(_) => None,
                Name::Label(label) => self.nets.enums.get(&label).map(|l| l.width),
            },
            Tree::Literal(value) => literal::is_bool(value).then_some(1),
            Tree::Cast(_, width) | Tree::Slice(_, width, _) => Some(*width),
            Tree::Paren(inner) | Tree::IndexReplace(inner, _, _) => self.width(inner)?,
            Tree::Unary(Unary::Not | Unary::Neg, inner) => self.width(inner)?,
            Tree::Unary(..) | Tree::Index(..) => Some(1),
            Tree::Binary(left, op, right) => match op {
                Op::Shl | Op::Shr => self.width(left)?,
                Op::Add | Op::Sub | Op::BitXor | Op::BitAnd | Op::BitOr => {
                    self.width(left)?.map_or_else(|| self.width(right), |width| Ok(Some(width)))?
                }
                Op::Mul => self.width(left)?.map(|width| 2 * width),
                _ => Some(1),
            },
            Tree::Signed(_) | Tree::Unsigned(_) => {
                return self.refuse("signed arithmetic; use Bits and explicit sign extension");
            }
        })
    }

    fn sized(&self, tree: &Tree, width: usize) -> Result<Expr> {
        match tree {
            Tree::Signal(path) => Ok(match self.name(path)? {
                Name::Net(id) => Expr::net(id, width),
                Name::Index(value) => return self.fitting(value.into(), width),
                Name::Label(label) => Expr { width, kind: Kind::Label(label) },
            }),
            Tree::Literal(value) => self.fitting(Hex::of(value), width),
            Tree::Paren(inner) => self.sized(inner, width),
            Tree::Cast(inner, _) => {
                // `bits::<N>(5)` gives the literal its width; `bit_cast` resizes.
                let inner_width = self.width(inner)?.unwrap_or(width);
                Ok(Expr::resize(self.sized(inner, inner_width)?, width))
            }
            Tree::Unary(op, inner) => self.unary(op, inner, width),
            Tree::Binary(left, op, right) => self.binary(left, op, right, width),
            Tree::Index(base, index) => self.slice(base, 1, index),
            Tree::Slice(base, width, offset) => self.slice(base, *width, offset),
            Tree::IndexReplace(base, index, bit) => self.replace(base, index, bit),
            Tree::Signed(_) | Tree::Unsigned(_) => self.refuse("signed arithmetic"),
        }
    }

    fn fitting(&self, value: Hex, width: usize) -> Result<Expr> {
        if value.bit_length() > width {
            return self.refuse(format!("the literal {value:?} does not fit {width} bits"));
        }
        Ok(Expr::literal(value, width))
    }

    fn unary(&self, op: &Unary, inner: &Tree, width: usize) -> Result<Expr> {
        let reduce = |op| Ok(Expr { width: 1, kind: Kind::Reduce(op, Box::new(self.expr(inner, None)?)) });
        match op {
            Unary::Not => Ok(Expr { width, kind: Kind::Not(Box::new(self.expr(inner, Some(width))?)) }),
            Unary::Neg => Ok(Expr { width, kind: Kind::Negate(Box::new(self.expr(inner, Some(width))?)) }),
            Unary::All => reduce(Reduce::All),
            Unary::Any => reduce(Reduce::Any),
            Unary::Xor => reduce(Reduce::Parity),
        }
    }

    fn binary(&self, left: &Tree, op: &Op, right: &Tree, width: usize) -> Result<Expr> {
        let arithmetic = |op| -> Result<Expr> {
            let left = self.expr(left, Some(width))?;
            // Rust adds a bool to any Bits.
            let right = match (op, self.width(right)?) {
                (Arithmetic::Add, Some(1)) => Expr::resize(self.expr(right, Some(1))?, width),
                _ => self.expr(right, Some(width))?,
            };
            Ok(Expr::arithmetic(op, left, right))
        };
        let compare = |op| -> Result<Expr> {
            let operand = self.width(left)?.map_or_else(|| self.width(right), |width| Ok(Some(width)))?;
            let (left, right) = (self.expr(left, operand)?, self.expr(right, operand)?);
            Ok(Expr { width: 1, kind: Kind::Compare(op, Box::new(left), Box::new(right)) })
        };
        let shift = |direction| Ok(Expr::shift(direction, self.expr(left, Some(width))?, self.amount(right)?));
        match op {
            Op::Add => arithmetic(Arithmetic::Add),
            Op::Sub => arithmetic(Arithmetic::Sub),
            Op::BitAnd => arithmetic(Arithmetic::And),
            Op::BitOr => arithmetic(Arithmetic::Or),
            Op::BitXor => arithmetic(Arithmetic::Xor),
            Op::LogicalAnd => arithmetic(Arithmetic::LogicalAnd),
            Op::LogicalOr => arithmetic(Arithmetic::LogicalOr),
            Op::Mul => {
                // Bits<16> * Bits<16> is Bits<32>: the operands grow first.
                let operand = |tree| -> Result<Expr> { Ok(Expr::resize(self.expr(tree, Some(width / 2))?, width)) };
                Ok(Expr::arithmetic(Arithmetic::Mul, operand(left)?, operand(right)?))
            }
            Op::Shl => shift(Shift::Left),
            Op::Shr => shift(Shift::Right),
            Op::Eq => compare(Compare::Eq),
            Op::Ne => compare(Compare::Ne),
            Op::Lt => compare(Compare::Lt),
            Op::Le => compare(Compare::Le),
            Op::Gt => compare(Compare::Gt),
            Op::Ge => compare(Compare::Ge),
        }
    }

    /// A shift amount or bit index: as wide as it is, or as a constant needs.
    fn amount(&self, tree: &Tree) -> Result<Expr> {
        match self.constant(tree) {
            Some(value) => {
                let value = Hex::from(value);
                let width = value.bit_length().max(1);
                Ok(Expr::literal(value, width))
            }
            None => self.expr(tree, None),
        }
    }

    /// `base[offset +: width]`; bits past the top are 0, as in Rust.
    fn slice(&self, base: &Tree, width: usize, offset: &Tree) -> Result<Expr> {
        let base = self.expr(base, None)?;
        let Some(offset) = self.constant(offset) else {
            return Ok(Expr::resize(Expr::shift(Shift::Right, base, self.amount(offset)?), width));
        };
        if offset >= base.width {
            return self.refuse(format!("bit {offset} of a signal of {} bits is read", base.width));
        }
        let inside = width.min(base.width - offset);
        Ok(Expr::resize(Expr::slice(base, offset, inside), width))
    }

    /// `base` with one bit replaced.
    fn replace(&self, base: &Tree, index: &Tree, bit: &Tree) -> Result<Expr> {
        let base = self.expr(base, None)?;
        let bit = self.expr(bit, Some(1))?;
        let width = base.width;
        let Some(index) = self.constant(index) else {
            let amount = self.amount(index)?;
            let at = |value| Expr::shift(Shift::Left, value, amount.clone());
            let mask = at(Expr::literal(1.into(), width));
            let hole = Expr { width, kind: Kind::Not(Box::new(mask)) };
            let kept = Expr::arithmetic(Arithmetic::And, base, hole);
            return Ok(Expr::arithmetic(Arithmetic::Or, kept, at(Expr::resize(bit, width))));
        };
        if index >= width {
            return self.refuse(format!("bit {index} of a signal of {width} bits is replaced"));
        }
        let mut parts = vec![bit];
        if index + 1 < width {
            parts.insert(0, Expr::slice(base.clone(), index + 1, width - index - 1));
        }
        if index > 0 {
            parts.push(Expr::slice(base, 0, index));
        }
        Ok(Expr::concat(parts))
    }

    fn name(&self, path: &str) -> Result<Name> {
        if let Some((_, value)) = self.loops.iter().rev().find(|(name, _)| name == path) {
            return Ok(Name::Index(*value));
        }
        let path = path.trim_start_matches('.').replace("::", "$").replace('.', "$");
        let path = self.subscripts(path.strip_suffix("$next").unwrap_or(&path))?;
        if let Some(id) = self.nets.find(&path) {
            return Ok(Name::Net(id));
        }
        if self.nets.enums.contains_key(&path) {
            return Ok(Name::Label(path));
        }
        self.refuse(format!("{} is no signal of this block; put constants in a Constant field", identifier(&path)))
    }

    /// Replaces `[index]` by `$value`, as rust-hdl names array elements.
    fn subscripts(&self, path: &str) -> Result<String> {
        let Some((before, rest)) = path.split_once('[') else { return Ok(path.to_owned()) };
        let Some((index, after)) = rest.split_once(']') else {
            return self.refuse(format!("{path}: bracket without end"));
        };
        if after.contains('[') || index.contains('[') {
            return self.refuse(format!("{path}: nested arrays have no Verilog; use one array"));
        }
        match index::evaluate(index, &self.loops) {
            Some(value) if value >= 0 => Ok(format!("{before}${value}{after}")),
            _ => self.refuse(format!("{path}: the index is not made of loop variables and numbers")),
        }
    }
}

/// A short text for messages.
fn describe(tree: &Tree) -> String {
    match tree {
        Tree::Signal(path) => format!("{:?}", path.trim_end_matches("$next")),
        Tree::Literal(value) => format!("the literal {value}"),
        Tree::Paren(inner) => describe(inner),
        Tree::Cast(inner, _) => format!("a cast of {}", describe(inner)),
        Tree::Binary(left, _, _) => format!("an expression that begins with {}", describe(left)),
        Tree::Unary(_, inner) => format!("an expression of {}", describe(inner)),
        Tree::Index(inner, _) | Tree::Slice(inner, _, _) | Tree::IndexReplace(inner, _, _) => {
            format!("a part of {}", describe(inner))
        }
        Tree::Signed(inner) | Tree::Unsigned(inner) => format!("a signed cast of {}", describe(inner)),
    }
}
