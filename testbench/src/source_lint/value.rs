//! Values in a kernel: which widths rust-hdl's text gives them.
//!
//! Rust gives every operand of an operator the same width. In rust-hdl's text
//! integer literals are 32 bits wide, and Verilog then evaluates everything in
//! the same context at 32 bits. That is harmless where the result is cut to its
//! width at the end, and wrong where an upper bit comes back: a carry that a
//! comparison sees, a borrow that a right shift brings down.

use super::Rule;
use super::kernel::Kernel;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprBinary, ExprCall, ExprMethodCall, GenericArgument, Lit, Member, UnOp};

/// What becomes of the bits above the width of a value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Context {
    /// They are cut off, by an assignment.
    Truncated,
    /// They count: comparison, condition, reduction, shift amount.
    Exact,
}

/// What the text of a value does to its context, and the context to it.
#[derive(Clone, Copy, Default)]
struct Facts {
    /// A literal makes the context 32 bits wide.
    wide: bool,
    /// Upper bits appear when it is evaluated wider than it is.
    carries: bool,
    /// Such upper bits come back down.
    shifted: bool,
}

impl Facts {
    fn and(self, other: Self) -> Self {
        Self {
            wide: self.wide | other.wide,
            carries: self.carries | other.carries,
            shifted: self.shifted | other.shifted,
        }
    }
}

impl Kernel<'_> {
    /// Checks a value that stands in the given context.
    pub fn value(&mut self, expr: &Expr, context: Context) {
        let facts = self.facts(expr);
        let wrong = match context {
            Context::Truncated => facts.shifted,
            Context::Exact => facts.carries,
        };
        if facts.wide && wrong {
            self.find(Rule::WideningLiteral, expr);
        }
    }

    fn facts(&mut self, expr: &Expr) -> Facts {
        match expr {
            Expr::Paren(paren) => self.facts(&paren.expr),
            Expr::Lit(literal) => Facts { wide: matches!(literal.lit, Lit::Int(_)), ..Facts::default() },
            Expr::Binary(binary) => self.binary(binary),
            Expr::Unary(unary) => {
                let facts = self.facts(&unary.expr);
                Facts { carries: matches!(unary.op, UnOp::Not(_) | UnOp::Neg(_)) | facts.carries, ..facts }
            }
            Expr::MethodCall(call) => self.method(call),
            Expr::Call(call) => self.call(call),
            Expr::Path(path) => self.path(path),
            // `.val().field`: a part of a signal, of exact width.
            Expr::Field(field) => {
                if let Expr::Field(_) = &*field.base {
                    self.find(Rule::NestedField, expr);
                }
                self.value(&field.base, Context::Truncated);
                Facts::default()
            }
            _ => Facts::default(),
        }
    }

    fn path(&mut self, path: &syn::ExprPath) -> Facts {
        let segments = &path.path.segments;
        let last = segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let is_loop = segments.len() == 1 && self.loops.iter().any(|(name, _)| *name == last);
        let shouts = last.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !is_loop && (segments.len() == 1 || shouts) {
            self.find(Rule::ConstantItem, path);
        }
        // Loop variables and enumeration labels are plain numbers in the text.
        Facts { wide: true, ..Facts::default() }
    }

    fn binary(&mut self, binary: &ExprBinary) -> Facts {
        for operand in [&binary.left, &binary.right] {
            if let Expr::Binary(inner) = &**operand
                && std::mem::discriminant(&inner.op) != std::mem::discriminant(&binary.op)
            {
                self.find(Rule::Precedence, &binary);
            }
        }
        if [&binary.left, &binary.right].iter().any(|operand| is_index(operand)) {
            self.find(Rule::IndexArithmetic, &binary);
        }
        match binary.op {
            BinOp::And(_) | BinOp::Or(_) => {
                self.value(&binary.left, Context::Exact);
                self.value(&binary.right, Context::Exact);
                Facts::default()
            }
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                let facts = self.facts(&binary.left).and(self.facts(&binary.right));
                if facts.wide && facts.carries {
                    self.find(Rule::WideningLiteral, binary);
                }
                Facts::default()
            }
            BinOp::Shl(_) | BinOp::Shr(_) => {
                // The amount has a context of its own, and every bit of it counts.
                self.value(&binary.right, Context::Exact);
                let facts = self.facts(&binary.left);
                match binary.op {
                    BinOp::Shl(_) => Facts { carries: true, ..facts },
                    _ => Facts { shifted: facts.shifted | facts.carries, ..facts },
                }
            }
            _ => {
                let facts = self.facts(&binary.left).and(self.facts(&binary.right));
                let carries = matches!(binary.op, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_));
                Facts { carries: facts.carries | carries, ..facts }
            }
        }
    }

    fn method(&mut self, call: &ExprMethodCall) -> Facts {
        let name = call.method.to_string();
        match name.as_str() {
            "val" => {
                self.indices(&call.receiver);
                if let Some(path) = signal_path(&call.receiver) {
                    self.read.push((path, call.span()));
                }
                Facts::default()
            }
            "into" | "to_bits" | "index" => self.facts(&call.receiver),
            "all" | "any" | "xor" => {
                self.value(&call.receiver, Context::Exact);
                // `&` over a widened value is never true.
                if name == "all" && self.facts(&call.receiver).wide {
                    self.find(Rule::WideningLiteral, call);
                }
                Facts::default()
            }
            "get_bit" | "get_bits" | "replace_bit" => {
                if !is_signal_value(&call.receiver) {
                    self.find(Rule::SliceOfExpression, call);
                }
                self.value(&call.receiver, Context::Exact);
                call.args.iter().for_each(|argument| self.value(argument, Context::Exact));
                self.past_the_top(call);
                Facts::default()
            }
            "to_signed_bits" => {
                self.find(Rule::Signed, call);
                Facts::default()
            }
            _ => Facts::default(),
        }
    }

    fn call(&mut self, call: &ExprCall) -> Facts {
        let name = match &*call.func {
            Expr::Path(path) => path.path.segments.first().map(|first| first.ident.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        let Some(argument) = call.args.first() else { return Facts::default() };
        if name.contains("signed") {
            self.find(Rule::Signed, call);
            return Facts::default();
        }
        if number(argument).is_some() {
            // `bits::<8>(5)` is masked to 8 bits, but it is 32 bits wide.
            return Facts { wide: true, ..Facts::default() };
        }
        if !is_plain(argument) {
            self.find(Rule::CastOfExpression, call);
        }
        self.value(argument, Context::Exact);
        Facts::default()
    }

    /// `self.x.val().get_bits::<W>(offset)` with numbers for all that matters.
    fn past_the_top(&mut self, call: &ExprMethodCall) {
        let Some(path) = value_path(&call.receiver) else { return };
        let Some(width) = self.types.width(self.block, &path) else { return };
        let taken = match call.method.to_string().as_str() {
            "get_bits" => call.turbofish.as_ref().and_then(|turbofish| match turbofish.args.first() {
                Some(GenericArgument::Const(Expr::Lit(literal))) => integer(&literal.lit),
                _ => None,
            }),
            _ => Some(1),
        };
        let offset = call.args.first().and_then(|argument| self.largest(argument));
        if let (Some(taken), Some(offset)) = (taken, offset)
            && offset + taken > width
        {
            self.find(Rule::PastTheTop, call);
        }
    }

    /// The largest value of an index of literals and loop variables.
    fn largest(&self, index: &Expr) -> Option<usize> {
        match index {
            Expr::Paren(paren) => self.largest(&paren.expr),
            Expr::Lit(literal) => integer(&literal.lit),
            Expr::Path(path) => {
                let name = path.path.get_ident()?.to_string();
                self.loops.iter().rev().find(|(known, _)| *known == name)?.1
            }
            Expr::Binary(binary) => {
                let (left, right) = (self.largest(&binary.left)?, self.largest(&binary.right)?);
                match binary.op {
                    BinOp::Add(_) => left.checked_add(right),
                    BinOp::Mul(_) => left.checked_mul(right),
                    // The smallest subtrahend is not known.
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Array indices in a path.
    pub fn indices(&mut self, path: &Expr) {
        let mut count = 0;
        let mut expr = path;
        loop {
            match expr {
                Expr::Field(field) => expr = &field.base,
                Expr::MethodCall(call) => expr = &call.receiver,
                Expr::Paren(paren) => expr = &paren.expr,
                Expr::Index(index) => {
                    count += 1;
                    expr = &index.expr;
                }
                _ => break,
            }
        }
        if count > 1 {
            self.find(Rule::NestedArray, path);
        }
    }
}

/// The fields of `self.a[i].b`, without indices.
pub(super) fn signal_path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Path(path) => path.path.is_ident("self").then(Vec::new),
        Expr::Index(index) => signal_path(&index.expr),
        Expr::Paren(paren) => signal_path(&paren.expr),
        Expr::Field(field) => {
            let mut path = signal_path(&field.base)?;
            match &field.member {
                Member::Named(name) => path.push(name.to_string()),
                Member::Unnamed(_) => return None,
            }
            Some(path)
        }
        _ => None,
    }
}

/// The path of a signal in `self.a.val()`.
fn value_path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::MethodCall(call) if call.method == "val" => signal_path(&call.receiver),
        _ => None,
    }
}

fn is_signal_value(expr: &Expr) -> bool {
    value_path(expr).is_some()
}

/// A signal, a part of one, or a conversion that leaves the text as it is.
pub(super) fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => is_plain(&paren.expr),
        Expr::Field(field) => is_signal_value(&field.base),
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "val" => is_signal_value(expr),
            "get_bits" | "get_bit" | "any" | "all" | "xor" => is_signal_value(&call.receiver),
            "index" | "into" | "to_bits" => is_plain(&call.receiver),
            _ => false,
        },
        _ => false,
    }
}

fn is_index(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => is_index(&paren.expr),
        Expr::MethodCall(call) => call.method == "index",
        _ => false,
    }
}

/// A plain integer.
pub(super) fn number(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Lit(literal) => integer(&literal.lit),
        Expr::Paren(paren) => number(&paren.expr),
        _ => None,
    }
}

fn integer(literal: &Lit) -> Option<usize> {
    match literal {
        Lit::Int(number) => number.base10_parse().ok(),
        _ => None,
    }
}
