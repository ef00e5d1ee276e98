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
            Kind::Literal(value) => Self::literal(value.bits(offset, width), width),
            // A part of a part is a part of the whole.
            Kind::Slice(inner, outer) => Self { width, kind: Kind::Slice(inner, outer + offset) },
            Kind::Extend(inner) => {
                let zeros = Self::literal(0.into(), base.width - inner.width);
                Self::slice(Self::concat(vec![zeros, *inner]), offset, width)
            }
            Kind::Concat(parts) => {
                let mut low = base.width;
                let mut cut = Vec::new();
                for part in parts {
                    low -= part.width;
                    let (from, to) = (offset.max(low), (offset + width).min(low + part.width));
                    if from < to {
                        cut.push(Self::slice(part, from - low, to - from));
                    }
                }
                Self::concat(cut)
            }
            _ => Self { width, kind: Kind::Slice(Box::new(base), offset) },
        }
    }

    /// Expressions side by side, the first in the upper bits.
    pub fn concat(parts: Vec<Expr>) -> Self {
        let mut flat: Vec<Expr> = Vec::new();
        for part in parts {
            match part.kind {
                Kind::Concat(inner) => flat.extend(inner),
                _ => flat.push(part),
            }
        }
        // Constants beside each other are one constant.
        flat.dedup_by(|below, above| match (&mut above.kind, &below.kind) {
            (Kind::Literal(upper), Kind::Literal(lower)) => {
                *upper = upper.above(lower, below.width);
                above.width += below.width;
                true
            }
            _ => false,
        });
        if flat.len() == 1 {
            return flat.remove(0);
        }
        Self { width: flat.iter().map(|part| part.width).sum(), kind: Kind::Concat(flat) }
    }

    /// Whether the expression is wiring: names, their parts, constants, side by side.
    pub fn is_wiring(&self) -> bool {
        match &self.kind {
            Kind::Net(_) | Kind::Literal(_) | Kind::Label(_) => true,
            Kind::Slice(base, _) => matches!(base.kind, Kind::Net(_)),
            Kind::Extend(inner) => inner.is_wiring(),
            Kind::Concat(parts) => parts.iter().all(Expr::is_wiring),
            _ => false,
        }
    }

    fn is_zero(&self) -> bool {
        matches!(&self.kind, Kind::Literal(value) if value.bit_length() == 0)
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
        if op == Arithmetic::Or
            && let Some(parts) = side_by_side(&left, &right)
        {
            return Self::concat(parts);
        }
        Self { width: left.width, kind: Kind::Arithmetic(op, Box::new(left), Box::new(right)) }
    }

    /// `value` shifted by `amount`; wiring moved by a constant stays wiring.
    pub fn shift(direction: Shift, value: Expr, amount: Expr) -> Self {
        let width = value.width;
        if let (Kind::Literal(places), true) = (&amount.kind, value.is_wiring()) {
            let places = places.as_usize().map_or(width, |places| places.min(width));
            let zeros = (places > 0).then(|| Self::literal(0.into(), places));
            let kept = |offset| (places < width).then(|| Self::slice(value, offset, width - places));
            return Self::concat(match direction {
                Shift::Left => kept(0).into_iter().chain(zeros).collect(),
                Shift::Right => zeros.clone().into_iter().chain(kept(places)).collect(),
            });
        }
        Self { width, kind: Kind::Shift(direction, Box::new(value), Box::new(amount)) }
    }

    /// Calls `visit` with each direct operand.
    pub fn operands<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            Kind::Net(_) | Kind::Literal(_) | Kind::Label(_) => {}
            Kind::Arithmetic(_, a, b) | Kind::Compare(_, a, b) | Kind::Shift(_, a, b) => {
                visit(a);
                visit(b);
            }
            Kind::Not(a) | Kind::Negate(a) | Kind::Reduce(_, a) | Kind::Slice(a, _) | Kind::Extend(a) => visit(a),
            Kind::Concat(parts) => parts.iter().for_each(visit),
            Kind::Mux(test, a, b) => [test, a, b].into_iter().for_each(|operand| visit(operand)),
        }
    }

    /// Calls `visit` with every net that the expression reads.
    pub fn nets(&self, visit: &mut dyn FnMut(NetId)) {
        if let Kind::Net(id) = self.kind {
            visit(id);
        }
        self.operands(&mut |operand| operand.nets(visit));
    }

    /// Whether the expression uses an enumeration label.
    pub fn mentions(&self, label: &str) -> bool {
        let mut found = matches!(&self.kind, Kind::Label(name) if name == label);
        self.operands(&mut |operand| found |= operand.mentions(label));
        found
    }
}

/// The parts of `left | right` where each bit is wired to one of them and 0 in
/// the other: what is built by moving parts to their places is a concatenation.
fn side_by_side(left: &Expr, right: &Expr) -> Option<Vec<Expr>> {
    if !left.is_wiring() || !right.is_wiring() {
        return None;
    }
    let mut ends: Vec<usize> = boundaries(left).into_iter().chain(boundaries(right)).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut parts = Vec::new();
    for (low, high) in ends.iter().zip(&ends[1..]).rev() {
        let cut = |whole: &Expr| Expr::slice(whole.clone(), *low, high - low);
        let (a, b) = (cut(left), cut(right));
        parts.push(match (a.is_zero(), b.is_zero()) {
            (_, true) => a,
            (true, _) => b,
            _ => return None,
        });
    }
    Some(parts)
}

/// Where the parts of wiring begin and end, from 0 to its width.
fn boundaries(wiring: &Expr) -> Vec<usize> {
    match &wiring.kind {
        Kind::Concat(parts) => {
            let mut high = wiring.width;
            let begins = parts.iter().map(|part| {
                high -= part.width;
                high
            });
            begins.chain([wiring.width]).collect()
        }
        Kind::Extend(inner) => vec![0, inner.width, wiring.width],
        _ => vec![0, wiring.width],
    }
}
