//! Expressions over the nets of a circuit: widths and values.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not, Sub};
use std::rc::Rc;

/// An expression of a fixed width, 1 to 128 bits.
///
/// Operators work on operands of one width and wrap at it, as rust-hdl's `Bits`
/// do. Widths that do not agree are a mistake in the description and panic when
/// the circuit is built, never later.
#[derive(Clone, Debug)]
pub struct Value(Rc<Expr>);

#[derive(Debug)]
struct Expr {
    width: u32,
    kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A net: its slot, and its name in the syntax tree.
    Net(usize, String),
    Literal(u128),
    Not(Value),
    Binary(Binary, Value, Value),
    Reduce(Reduce, Value),
    /// A value shifted right by a computed amount.
    Shift(Value, Value),
    /// Bits of a net from an offset up.
    Slice(Value, u32),
    /// The first part in the upper bits.
    Concat(Vec<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    And,
    Or,
    Xor,
    Add,
    Sub,
    Times,
    Equal,
    Less,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reduce {
    All,
    Any,
}

/// The low `width` bits set.
pub(super) const fn ones(width: u32) -> u128 {
    u128::MAX >> (128 - width)
}

/// A constant of `width` bits.
///
/// # Panics
/// If the value does not fit.
pub fn literal(value: u128, width: u32) -> Value {
    assert!(value <= ones(width), "{value:#x} does not fit {width} bits");
    Value::new(width, Kind::Literal(value))
}

/// Values side by side, the first in the upper bits.
///
/// # Panics
/// If a part is neither a net, a part of one, nor a constant: name it first.
pub fn concat(parts: &[&Value]) -> Value {
    assert!(parts.iter().all(|part| part.is_wiring()), "only nets and constants stand side by side; name {parts:?}");
    let mut whole: Vec<Value> = Vec::new();
    for part in parts {
        let inner = if let Kind::Concat(inner) = &part.0.kind { inner.as_slice() } else { std::slice::from_ref(*part) };
        for part in inner {
            let joined = whole.last().and_then(|above| above.joined(part));
            if joined.is_some() {
                whole.pop();
            }
            whole.push(joined.unwrap_or_else(|| part.clone()));
        }
    }
    let width = whole.iter().map(Value::width).sum();
    if whole.len() == 1 { whole.remove(0) } else { Value::new(width, Kind::Concat(whole)) }
}

/// Single bits side by side, the first at bit 0.
pub fn vector(bits: &[Value]) -> Value {
    concat(&bits.iter().rev().collect::<Vec<_>>())
}

impl Value {
    fn new(width: u32, kind: Kind) -> Self {
        assert!((1..=128).contains(&width), "a value of {width} bits");
        Self(Rc::new(Expr { width, kind }))
    }

    pub(super) fn net(slot: usize, name: &str, width: u32) -> Self {
        Self::new(width, Kind::Net(slot, name.to_owned()))
    }

    /// The slot of a net.
    pub(super) fn slot(&self) -> Option<usize> {
        if let Kind::Net(slot, _) = &self.0.kind { Some(*slot) } else { None }
    }

    /// Adds the slots of the nets that are read.
    pub(super) fn reads(&self, slots: &mut Vec<usize>) {
        match &self.0.kind {
            Kind::Net(slot, _) => slots.push(*slot),
            Kind::Literal(_) => {}
            Kind::Not(a) | Kind::Reduce(_, a) | Kind::Slice(a, _) => a.reads(slots),
            Kind::Binary(_, a, b) | Kind::Shift(a, b) => {
                a.reads(slots);
                b.reads(slots);
            }
            Kind::Concat(parts) => parts.iter().for_each(|part| part.reads(slots)),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// Bits `offset .. offset + width`.
    ///
    /// # Panics
    /// If they are not all there, or the value is computed: name it first.
    pub fn slice(&self, offset: u32, width: u32) -> Self {
        assert!(offset + width <= self.width(), "bits {offset} to {} of {self:?}", offset + width - 1);
        if width == self.width() {
            return self.clone();
        }
        match &self.0.kind {
            Kind::Net(..) => Self::new(width, Kind::Slice(self.clone(), offset)),
            Kind::Slice(net, below) => net.slice(below + offset, width),
            Kind::Literal(value) => literal(value >> offset & ones(width), width),
            Kind::Concat(parts) => {
                let mut low = self.width();
                let mut cut = Vec::new();
                for part in parts {
                    low -= part.width();
                    let (from, to) = (offset.max(low), (offset + width).min(low + part.width()));
                    if from < to {
                        cut.push(part.slice(from - low, to - from));
                    }
                }
                concat(&cut.iter().collect::<Vec<_>>())
            }
            _ => panic!("a part of something computed; name {self:?}"),
        }
    }

    /// Bit `index`.
    pub fn bit(&self, index: u32) -> Self {
        self.slice(index, 1)
    }

    /// The top bit.
    pub fn top(&self) -> Self {
        self.bit(self.width() - 1)
    }

    /// Zeros above, to `width` bits.
    pub fn extend(&self, width: u32) -> Self {
        match width - self.width() {
            0 => self.clone(),
            more => concat(&[&literal(0, more), self]),
        }
    }

    /// Zeros below: the value times 2^`places`, nothing lost.
    pub fn above(&self, places: u32) -> Self {
        if places == 0 { self.clone() } else { concat(&[self, &literal(0, places)]) }
    }

    /// Whether a bit is set; one bit.
    pub fn any(&self) -> Self {
        if self.width() == 1 { self.clone() } else { Self::new(1, Kind::Reduce(Reduce::Any, self.clone())) }
    }

    /// Whether all bits are set; one bit.
    pub fn all(&self) -> Self {
        if self.width() == 1 { self.clone() } else { Self::new(1, Kind::Reduce(Reduce::All, self.clone())) }
    }

    /// Whether no bit is set; one bit.
    pub fn none(&self) -> Self {
        !self.any()
    }

    /// Shifted right by a computed number of places, zeros moving in.
    pub fn shifted_right(&self, places: &Self) -> Self {
        Self::new(self.width(), Kind::Shift(self.clone(), places.clone()))
    }

    /// Equality; one bit.
    pub fn equals(&self, other: &Self) -> Self {
        self.binary(Binary::Equal, other)
    }

    /// Unsigned comparison; one bit.
    pub fn less_than(&self, other: &Self) -> Self {
        self.binary(Binary::Less, other)
    }

    /// The whole product, twice as wide as the factors.
    pub fn times(&self, other: &Self) -> Self {
        self.binary(Binary::Times, other)
    }

    fn binary(&self, op: Binary, other: &Self) -> Self {
        assert_eq!(self.width(), other.width(), "{op:?} of {self:?} and {other:?}");
        let width = match op {
            Binary::Equal | Binary::Less => 1,
            Binary::Times => 2 * self.width(),
            _ => self.width(),
        };
        Self::new(width, Kind::Binary(op, self.clone(), other.clone()))
    }

    /// Whether the value is a constant.
    pub fn is_constant(&self) -> bool {
        matches!(self.0.kind, Kind::Literal(_))
    }

    /// The net behind a net or a part of one, and where the part begins.
    fn place(&self) -> Option<(&Value, u32)> {
        match &self.0.kind {
            Kind::Net(..) => Some((self, 0)),
            Kind::Slice(net, offset) => Some((net, *offset)),
            _ => None,
        }
    }

    /// This value with `below` under it, where that is again a part of one net
    /// or one constant.
    fn joined(&self, below: &Value) -> Option<Value> {
        let width = self.width() + below.width();
        if let (Kind::Literal(high), Kind::Literal(low)) = (&self.0.kind, &below.0.kind) {
            return Some(literal(high << below.width() | low, width));
        }
        let ((net, high), (other, low)) = (self.place()?, below.place()?);
        let (Kind::Net(slot, _), Kind::Net(other_slot, _)) = (&net.0.kind, &other.0.kind) else { return None };
        (slot == other_slot && high == low + below.width()).then(|| net.slice(low, width))
    }

    fn is_wiring(&self) -> bool {
        matches!(self.0.kind, Kind::Net(..) | Kind::Literal(_) | Kind::Slice(..) | Kind::Concat(_))
    }

    /// The value, given those of the nets.
    pub(super) fn evaluate(&self, slots: &[u128]) -> u128 {
        let wrap = |value: u128| value & ones(self.width());
        match &self.0.kind {
            Kind::Net(slot, _) => slots[*slot],
            Kind::Literal(value) => *value,
            Kind::Not(a) => wrap(!a.evaluate(slots)),
            Kind::Binary(op, a, b) => {
                let (a, b) = (a.evaluate(slots), b.evaluate(slots));
                match op {
                    Binary::And => a & b,
                    Binary::Or => a | b,
                    Binary::Xor => a ^ b,
                    Binary::Add => wrap(a.wrapping_add(b)),
                    Binary::Sub => wrap(a.wrapping_sub(b)),
                    Binary::Times => wrap(a.wrapping_mul(b)),
                    Binary::Equal => u128::from(a == b),
                    Binary::Less => u128::from(a < b),
                }
            }
            Kind::Reduce(Reduce::Any, a) => u128::from(a.evaluate(slots) != 0),
            Kind::Reduce(Reduce::All, a) => u128::from(a.evaluate(slots) == ones(a.width())),
            Kind::Shift(a, places) => {
                u32::try_from(places.evaluate(slots)).ok().and_then(|n| a.evaluate(slots).checked_shr(n)).unwrap_or(0)
            }
            Kind::Slice(a, offset) => wrap(a.evaluate(slots) >> offset),
            Kind::Concat(parts) => parts.iter().fold(
                0,
                |above, part| if part.width() == 128 { 0 } else { above << part.width() } | part.evaluate(slots),
            ),
        }
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:expr) => {
        impl $trait<&Value> for &Value {
            type Output = Value;
            fn $method(self, other: &Value) -> Value {
                self.binary($op, other)
            }
        }
        impl $trait<Value> for &Value {
            type Output = Value;
            fn $method(self, other: Value) -> Value {
                self.binary($op, &other)
            }
        }
        impl $trait<&Value> for Value {
            type Output = Value;
            fn $method(self, other: &Value) -> Value {
                self.binary($op, other)
            }
        }
        impl $trait<Value> for Value {
            type Output = Value;
            fn $method(self, other: Value) -> Value {
                self.binary($op, &other)
            }
        }
    };
}

operator!(BitAnd, bitand, Binary::And);
operator!(BitOr, bitor, Binary::Or);
operator!(BitXor, bitxor, Binary::Xor);
operator!(Add, add, Binary::Add);
operator!(Sub, sub, Binary::Sub);

impl Not for &Value {
    type Output = Value;
    fn not(self) -> Value {
        Value::new(self.width(), Kind::Not(self.clone()))
    }
}

impl Not for Value {
    type Output = Value;
    fn not(self) -> Value {
        !&self
    }
}
