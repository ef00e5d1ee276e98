//! Random expressions, evaluated by a few lines of integer arithmetic.
//!
//! The block draws expression trees of known widths, hands them to the back-end
//! as rust-hdl syntax trees without any parentheses, and computes them itself
//! with the rule that every operation wraps at its width.

use super::Random as Numbers;
use axp_hdl::annotate;
use rust_hdl::prelude::ast::{VerilogExpression as Tree, VerilogOp as Op, VerilogOpUnary as Unary, VerilogStatement};
use rust_hdl::prelude::*;

/// Expressions of each width.
pub const EACH: usize = 40;

/// Which expressions are drawn: some draws contain a comparison that is always
/// true, about which linters are right to warn. `AXP_SEED` tries another.
const SEED: u64 = 115;

/// How deep they are nested.
const DEPTH: usize = 4;

/// An expression, its width and its syntax tree.
#[derive(Clone)]
struct Expression {
    width: usize,
    tree: Tree,
    value: Value,
}

/// How to compute it.
#[derive(Clone)]
enum Value {
    /// One of the inputs.
    Input(usize),
    Literal(u64),
    Binary(Op, Box<Expression>, Box<Expression>),
    Unary(Unary, Box<Expression>),
    /// `width` bits from a fixed place on, zeros above.
    Part(Box<Expression>, usize),
    /// `width` bits from a computed place on, zeros above.
    Window(Box<Expression>, Box<Expression>),
    Replace(Box<Expression>, Box<Expression>, Box<Expression>),
}

const INPUTS: [(&str, usize); 4] = [("a_i", 8), ("b_i", 8), ("c_i", 13), ("d_i", 1)];

fn seed() -> u64 {
    std::env::var("AXP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

fn mask(width: usize) -> u64 {
    (1 << width) - 1
}

impl Expression {
    fn value(&self, inputs: &[u64; 4]) -> u64 {
        let get = |expression: &Expression| expression.value(inputs);
        // Beyond 63 places nothing is left.
        let shift = |value: u64, places: u64, left: bool| match places {
            0..=31 if left => value << places,
            0..=31 => value >> places,
            _ => 0,
        };
        let value = match &self.value {
            Value::Input(index) => inputs[*index],
            Value::Literal(value) => *value,
            Value::Unary(op, a) => match op {
                Unary::Not => !get(a),
                Unary::Neg => get(a).wrapping_neg(),
                Unary::All => u64::from(get(a) == mask(a.width)),
                Unary::Any => u64::from(get(a) != 0),
                Unary::Xor => u64::from(get(a).count_ones() % 2 == 1),
            },
            Value::Binary(op, a, b) => {
                let (a, b) = (get(a), get(b));
                match op {
                    Op::Add => a.wrapping_add(b),
                    Op::Sub => a.wrapping_sub(b),
                    Op::Mul => a * b,
                    Op::BitXor => a ^ b,
                    Op::BitAnd | Op::LogicalAnd => a & b,
                    Op::BitOr | Op::LogicalOr => a | b,
                    Op::Shl => shift(a, b, true),
                    Op::Shr => shift(a, b, false),
                    Op::Eq => u64::from(a == b),
                    Op::Ne => u64::from(a != b),
                    Op::Lt => u64::from(a < b),
                    Op::Le => u64::from(a <= b),
                    Op::Gt => u64::from(a > b),
                    Op::Ge => u64::from(a >= b),
                }
            }
            Value::Part(a, offset) => get(a) >> offset,
            Value::Window(a, offset) => shift(get(a), get(offset), false),
            Value::Replace(a, index, bit) => {
                let at = shift(1, get(index), true);
                if get(bit) == 1 { get(a) | at } else { get(a) & !at }
            }
        };
        value & mask(self.width)
    }
}

/// Draws expressions.
struct Draw(Numbers);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0.bits::<32>().to_u64() as usize % limit
    }

    fn literal(&mut self, width: usize) -> Expression {
        let value = self.0.bits::<16>().to_u64() & mask(width);
        Expression { width, tree: Tree::Literal(value.into()), value: Value::Literal(value) }
    }

    fn leaf(&mut self, width: usize) -> Expression {
        let fitting: Vec<usize> = (0..INPUTS.len()).filter(|index| INPUTS[*index].1 == width).collect();
        if fitting.is_empty() {
            let index = self.below(INPUTS.len());
            return self.cast(Self::input(index), width);
        }
        let index = self.below(fitting.len());
        Self::input(fitting[index])
    }

    fn input(index: usize) -> Expression {
        let (name, width) = INPUTS[index];
        Expression { width, tree: Tree::Signal(name.to_owned()), value: Value::Input(index) }
    }

    fn cast(&mut self, inner: Expression, width: usize) -> Expression {
        let tree = Tree::Cast(Box::new(inner.tree.clone()), width);
        Expression { width, tree, value: Value::Part(Box::new(inner), 0) }
    }

    fn any_width(&mut self) -> usize {
        [1, 3, 8, 13, 16][self.below(5)]
    }

    fn binary(&mut self, op: Op, width: usize, a: Expression, b: Expression) -> Expression {
        let tree = Tree::Binary(Box::new(a.tree.clone()), op.clone(), Box::new(b.tree.clone()));
        Expression { width, tree, value: Value::Binary(op, Box::new(a), Box::new(b)) }
    }

    fn expression(&mut self, width: usize, depth: usize) -> Expression {
        if depth == 0 {
            return self.leaf(width);
        }
        let depth = depth - 1;
        match self.below(if width == 1 { 12 } else { 8 }) {
            0 | 1 => {
                let op = [Op::Add, Op::Sub, Op::BitXor, Op::BitAnd, Op::BitOr][self.below(5)].clone();
                let a = self.expression(width, depth);
                let b = if self.below(4) == 0 { self.literal(width) } else { self.expression(width, depth) };
                self.binary(op, width, a, b)
            }
            2 => {
                let op = [Op::Shl, Op::Shr][self.below(2)].clone();
                let amount = self.any_width().min(3);
                let (a, b) = (self.expression(width, depth), self.expression(amount, depth));
                self.binary(op, width, a, b)
            }
            3 => {
                let op = [Op::Shl, Op::Shr][self.below(2)].clone();
                let (a, b) = (self.expression(width, depth), self.literal(4));
                self.binary(op, width, a, b)
            }
            4 => {
                let op = [Unary::Not, Unary::Neg][self.below(2)].clone();
                let a = self.expression(width, depth);
                let tree = Tree::Unary(op.clone(), Box::new(a.tree.clone()));
                Expression { width, tree, value: Value::Unary(op, Box::new(a)) }
            }
            5 => {
                let inner = self.any_width();
                let inner = self.expression(inner, depth);
                self.cast(inner, width)
            }
            6 => {
                let base = self.any_width();
                let base = self.expression(base, depth);
                if self.below(2) == 0 {
                    let offset = self.below(base.width);
                    let at = Box::new(Tree::Literal((offset as u64).into()));
                    let tree = Tree::Slice(Box::new(base.tree.clone()), width, at);
                    return Expression { width, tree, value: Value::Part(Box::new(base), offset) };
                }
                let offset = self.expression(3, depth);
                let tree = Tree::Slice(Box::new(base.tree.clone()), width, Box::new(offset.tree.clone()));
                Expression { width, tree, value: Value::Window(Box::new(base), Box::new(offset)) }
            }
            7 => {
                let (a, bit) = (self.expression(width, depth), self.expression(1, depth));
                let index = if self.below(2) == 0 || width < 8 {
                    let index = self.below(width) as u64;
                    Expression { width: 4, tree: Tree::Literal(index.into()), value: Value::Literal(index) }
                } else {
                    self.expression(3, depth)
                };
                let tree = Tree::IndexReplace(
                    Box::new(a.tree.clone()),
                    Box::new(index.tree.clone()),
                    Box::new(bit.tree.clone()),
                );
                Expression { width, tree, value: Value::Replace(Box::new(a), Box::new(index), Box::new(bit)) }
            }
            8 => {
                let op = [Unary::All, Unary::Any, Unary::Xor][self.below(3)].clone();
                let inner = self.any_width();
                let a = self.expression(inner, depth);
                let tree = Tree::Unary(op.clone(), Box::new(a.tree.clone()));
                Expression { width, tree, value: Value::Unary(op, Box::new(a)) }
            }
            9 => {
                let op = [Op::LogicalAnd, Op::LogicalOr][self.below(2)].clone();
                let (a, b) = (self.expression(1, depth), self.expression(1, depth));
                self.binary(op, 1, a, b)
            }
            _ => {
                let op = [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge][self.below(6)].clone();
                let inner = self.any_width();
                let (a, b) = (self.expression(inner, depth), self.expression(inner, depth));
                self.binary(op, 1, a, b)
            }
        }
    }
}

#[derive(LogicBlock)]
pub struct Random {
    pub a_i: Signal<In, Bits<8>>,
    pub b_i: Signal<In, Bits<8>>,
    pub c_i: Signal<In, Bits<13>>,
    pub d_i: Signal<In, Bit>,
    pub bit_o: Vec<Signal<Out, Bit>>,
    pub byte_o: Vec<Signal<Out, Bits<8>>>,
    pub word_o: Vec<Signal<Out, Bits<16>>>,
    _bits: Vec<Expression>,
    _bytes: Vec<Expression>,
    _words: Vec<Expression>,
}

impl Default for Random {
    fn default() -> Self {
        let mut draw = Draw(Numbers::new(seed()));
        let mut list = |width| (0..EACH).map(|_| draw.expression(width, DEPTH)).collect();
        let (bits, bytes, words) = (list(1), list(8), list(16));
        let mut block = Self {
            a_i: annotate::signal("operand"),
            b_i: annotate::signal("operand"),
            c_i: annotate::signal("operand"),
            d_i: annotate::signal("operand"),
            bit_o: (0..EACH).map(|_| annotate::signal("random expression")).collect(),
            byte_o: (0..EACH).map(|_| annotate::signal("random expression")).collect(),
            word_o: (0..EACH).map(|_| annotate::signal("random expression")).collect(),
            _bits: bits,
            _bytes: bytes,
            _words: words,
        };
        annotate::module(&mut block.a_i, "axp_random", "random expressions");
        block
    }
}

impl Logic for Random {
    fn update(&mut self) {
        let inputs =
            [self.a_i.val().to_u64(), self.b_i.val().to_u64(), self.c_i.val().to_u64(), u64::from(self.d_i.val())];
        self.bit_o.iter_mut().zip(&self._bits).for_each(|(y, e)| y.next = e.value(&inputs) == 1);
        self.byte_o.iter_mut().zip(&self._bytes).for_each(|(y, e)| y.next = e.value(&inputs).into());
        self.word_o.iter_mut().zip(&self._words).for_each(|(y, e)| y.next = e.value(&inputs).into());
    }

    fn connect(&mut self) {
        self.bit_o.iter_mut().for_each(|y| y.connect());
        self.byte_o.iter_mut().for_each(|y| y.connect());
        self.word_o.iter_mut().for_each(|y| y.connect());
    }

    fn hdl(&self) -> Verilog {
        let lists = [("bit_o", &self._bits), ("byte_o", &self._bytes), ("word_o", &self._words)];
        let assign = |(name, list): (&'static str, &Vec<Expression>)| {
            let one = |(index, e): (usize, &Expression)| {
                VerilogStatement::Assignment(Tree::Signal(format!("{name}${index}$next")), e.tree.clone())
            };
            list.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        Verilog::Combinatorial(lists.into_iter().flat_map(assign).collect())
    }
}

impl Random {
    pub fn drive(&mut self, numbers: &mut Numbers) {
        self.a_i.next = numbers.bits();
        self.b_i.next = numbers.bits();
        self.c_i.next = numbers.bits();
        self.d_i.next = numbers.bit();
    }
}
