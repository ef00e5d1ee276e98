//! Expressions with exact widths.
//!
//! rust-hdl's `Bits<N>` wraps at N bits in every operation; Verilog widens
//! operands to the width of their context. The two agree when every operand has
//! the width of its context, so each expression here carries its width, and the
//! operands of each operator have exactly the width that the operator needs.

use super::literal::Hex;
use super::net::NetId;

/// An expression and its width in bits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub width: usize,
    pub kind: Kind,
}

/// What an expression computes. Widths of operands are stated per variant;
/// `w` is the width of the expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A net of `w` bits.
    Net(NetId),
    /// A constant that fits `w` bits.
    Literal(Hex),
    /// An enumeration label, by rust-hdl's name.
    Label(String),
    /// Both operands `w` bits.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// Both operands of the same width; one bit.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// The left operand `w` bits, the amount of any width; zeros move in.
    Shift(Shift, Box<Expr>, Box<Expr>),
    /// Operand `w` bits.
    Not(Box<Expr>),
    /// Two's complement, operand `w` bits.
    Negate(Box<Expr>),
    /// One bit from all the bits of the operand.
    Reduce(Reduce, Box<Expr>),
    /// Bits `offset .. offset + w` of the operand, all inside it.
    Slice(Box<Expr>, usize),
    /// The operand, narrower than `w`, with zeros above.
    Extend(Box<Expr>),
    /// The operands side by side, the first in the upper bits.
    Concat(Vec<Expr>),
    /// Test (one bit), value if it holds, value if not.
    Mux(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// Operators whose result is as wide as both operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    LogicalAnd,
    LogicalOr,
}

/// Comparisons of unsigned numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Logical shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    Left,
    Right,
}

/// Reductions to one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reduce {
    All,
    Any,
    Parity,
}

impl Expr {
    pub fn net(id: NetId, width: usize) -> Self {
        Self { width, kind: Kind::Net(id) }
    }

    pub fn literal(value: Hex, width: usize) -> Self {
        Self { width, kind: Kind::Literal(value) }
    }

    /// Bits `offset .. offset + width` of `base`, which has them.
    pub fn slice(base: Expr, offset: usize, width: usize) -> Self {
        if offset == 0 && width == base.width {
            return base;
        }
        match base.kind {
            // A part of a part is a part of the whole.
            Kind::Slice(inner, outer) => Self { width, kind: Kind::Slice(inner, outer + offset) },
            _ => Self { width, kind: Kind::Slice(Box::new(base), offset) },
        }
    }

    /// `base` with zeros above, or cut, to `width` bits.
    pub fn resize(base: Expr, width: usize) -> Self {
        match base.kind {
            Kind::Literal(value) if value.bit_length() <= width => Self::literal(value, width),
            _ if width > base.width => Self { width, kind: Kind::Extend(Box::new(base)) },
            _ => Self::slice(base, 0, width),
        }
    }

    pub fn arithmetic(op: Arithmetic, left: Expr, right: Expr) -> Self {
        Self { width: left.width, kind: Kind::Arithmetic(op, Box::new(left), Box::new(right)) }
    }

    pub fn shift(direction: Shift, value: Expr, amount: Expr) -> Self {
        Self { width: value.width, kind: Kind::Shift(direction, Box::new(value), Box::new(amount)) }
    }

    /// Calls `visit` with every net that the expression reads.
    pub fn nets(&self, visit: &mut dyn FnMut(NetId)) {
        match &self.kind {
            Kind::Net(id) => visit(*id),
            Kind::Literal(_) | Kind::Label(_) => {}
            Kind::Arithmetic(_, a, b) | Kind::Compare(_, a, b) | Kind::Shift(_, a, b) => {
                a.nets(visit);
                b.nets(visit);
            }
            Kind::Not(a) | Kind::Negate(a) | Kind::Reduce(_, a) | Kind::Slice(a, _) | Kind::Extend(a) => a.nets(visit),
            Kind::Concat(parts) => parts.iter().for_each(|part| part.nets(visit)),
            Kind::Mux(test, a, b) => {
                test.nets(visit);
                a.nets(visit);
                b.nets(visit);
            }
        }
    }

    /// Whether the expression uses an enumeration label.
    pub fn mentions(&self, label: &str) -> bool {
        match &self.kind {
            Kind::Label(name) => name == label,
            Kind::Net(_) | Kind::Literal(_) => false,
            Kind::Arithmetic(_, a, b) | Kind::Compare(_, a, b) | Kind::Shift(_, a, b) => {
                a.mentions(label) || b.mentions(label)
            }
            Kind::Not(a) | Kind::Negate(a) | Kind::Reduce(_, a) | Kind::Slice(a, _) | Kind::Extend(a) => {
                a.mentions(label)
            }
            Kind::Concat(parts) => parts.iter().any(|part| part.mentions(label)),
            Kind::Mux(test, a, b) => [test, a, b].iter().any(|part| part.mentions(label)),
        }
    }
}
