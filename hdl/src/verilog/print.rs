//! Expressions and statements as Verilog text.

use super::expr::{Arithmetic, Compare, Expr, Kind, Reduce, Shift};
use super::kernel::Stmt;
use super::literal::Hex;
use super::net::{NetId, Nets, enum_identifier};

/// Longest line that is written.
pub(super) const LINE: usize = 110;

/// Writes expressions of one module. What Verilog cannot say in one expression
/// (a part of a sum, say) becomes a helper wire.
pub(super) struct Printer<'a> {
    pub nets: &'a Nets,
    /// Identifier of each net: its own, or that of a net it is an alias of.
    pub names: Vec<String>,
    /// Helper wires made so far: name, width, value.
    pub helpers: Vec<Helper>,
}

/// A wire that holds an intermediate value.
pub(super) struct Helper {
    pub name: String,
    pub width: usize,
    pub value: String,
    /// The nets that the value depends on.
    pub reads: Vec<NetId>,
    /// Which of its bits are used.
    pub used: Vec<bool>,
}

/// How tightly the outermost operator of a text binds.
#[derive(PartialEq, Clone, Copy)]
enum Form {
    /// Needs no parentheses anywhere.
    Atom,
    /// A prefix operator.
    Prefix,
    /// A chain of this operator, which may be continued.
    Chain(Arithmetic),
    /// Anything else.
    Loose,
}

impl Printer<'_> {
    /// Text of an expression whose context has exactly its width.
    pub fn expr(&mut self, value: &Expr) -> String {
        self.form(value).0
    }

    /// A chain of selections as lines, one a selection, or one line where that
    /// is enough.
    pub fn selection(&mut self, value: &Expr) -> Vec<String> {
        let text = self.expr(value);
        let chain = matches!(&value.kind, Kind::Mux(_, _, no) if matches!(no.kind, Kind::Mux(..)));
        match matches!(value.kind, Kind::Mux(..)) && (chain || text.len() > LINE / 2) {
            true => self.selections(value),
            false => vec![text],
        }
    }

    fn selections(&mut self, value: &Expr) -> Vec<String> {
        match &value.kind {
            Kind::Mux(test, yes, no) => {
                let first = format!("{} ? {} :", self.operand(test), self.operand(yes));
                let mut lines = vec![first];
                lines.extend(self.selections(no));
                lines
            }
            _ => vec![self.expr(value)],
        }
    }

    fn operand(&mut self, value: &Expr) -> String {
        match self.form(value) {
            (text, Form::Atom | Form::Prefix) => text,
            (text, _) => format!("({text})"),
        }
    }

    fn form(&mut self, value: &Expr) -> (String, Form) {
        match &value.kind {
            Kind::Net(id) => (self.names[*id].clone(), Form::Atom),
            Kind::Literal(hex) => (hex.verilog(value.width), Form::Atom),
            Kind::Label(label) => (enum_identifier(label), Form::Atom),
            Kind::Arithmetic(op, left, right) => {
                let left = match self.form(left) {
                    (text, Form::Atom | Form::Prefix) => text,
                    (text, form) if form == Form::Chain(*op) => text,
                    (text, _) => format!("({text})"),
                };
                // A right operand in parentheses keeps the order of the source.
                (format!("{left} {} {}", arithmetic(*op), self.operand(right)), Form::Chain(*op))
            }
            Kind::Compare(op, left, right) => {
                (format!("{} {} {}", self.operand(left), compare(*op), self.operand(right)), Form::Loose)
            }
            Kind::Shift(direction, left, right) => {
                let sign = if *direction == Shift::Left { "<<" } else { ">>" };
                let amount = match &right.kind {
                    Kind::Literal(places) => format!("{}'d{}", right.width, places.as_usize().unwrap_or(usize::MAX)),
                    _ => self.operand(right),
                };
                (format!("{} {sign} {amount}", self.operand(left)), Form::Loose)
            }
            Kind::Not(inner) => (format!("~{}", self.tight(inner)), Form::Prefix),
            Kind::Negate(inner) => (format!("-{}", self.tight(inner)), Form::Prefix),
            Kind::Reduce(op, inner) => {
                let sign = match op {
                    Reduce::All => "&",
                    Reduce::Any => "|",
                    Reduce::Parity => "^",
                };
                (format!("{sign}{}", self.tight(inner)), Form::Loose)
            }
            Kind::Slice(base, offset) => (self.slice(base, *offset, value.width), Form::Atom),
            Kind::Extend(inner) => {
                let zeros = Hex::from(0).verilog(value.width - inner.width);
                (format!("{{{zeros}, {}}}", self.expr(inner)), Form::Atom)
            }
            Kind::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expr(part)).collect();
                (format!("{{{}}}", parts.join(", ")), Form::Atom)
            }
            Kind::Mux(test, yes, no) => {
                (format!("{} ? {} : {}", self.operand(test), self.operand(yes), self.operand(no)), Form::Loose)
            }
        }
    }

    /// The operand of a prefix operator.
    fn tight(&mut self, value: &Expr) -> String {
        match self.form(value) {
            (text, Form::Atom) => text,
            (text, _) => format!("({text})"),
        }
    }

    fn slice(&mut self, base: &Expr, offset: usize, width: usize) -> String {
        let name = match &base.kind {
            Kind::Net(id) => self.names[*id].clone(),
            _ => self.helper(base, offset, width),
        };
        if width == base.width { name } else { part(&name, offset, width) }
    }

    /// A wire with the value of `base`, of which some bits are used; the same
    /// value gets the same wire.
    fn helper(&mut self, base: &Expr, offset: usize, width: usize) -> String {
        let value = self.expr(base);
        let known = self.helpers.iter().position(|h| h.value == value && h.width == base.width);
        let index = known.unwrap_or_else(|| {
            let taken =
                |name: &str| self.names.iter().any(|n| n == name) || self.nets.list.iter().any(|n| n.name == name);
            let name = (self.helpers.len()..).map(|n| format!("part_{n}")).find(|name| !taken(name));
            let mut reads = Vec::new();
            base.nets(&mut |id| reads.push(id));
            let (name, used) = (name.unwrap_or_default(), vec![false; base.width]);
            self.helpers.push(Helper { name, width: base.width, value, reads, used });
            self.helpers.len() - 1
        });
        self.helpers[index].used[offset..offset + width].fill(true);
        self.helpers[index].name.clone()
    }

    /// The lines of a statement list, indented by `level` steps.
    pub fn statements(&mut self, list: &[Stmt], level: usize, lines: &mut Vec<String>) {
        for statement in list {
            self.statement(statement, level, lines);
        }
    }

    fn statement(&mut self, statement: &Stmt, level: usize, lines: &mut Vec<String>) {
        match statement {
            Stmt::Assign { target, offset, value } => {
                let base = Expr::net(*target, self.nets.list[*target].width);
                let target = self.slice(&base, *offset, value.width);
                let value = self.expr(value);
                lines.push(indent(level, &format!("{target} = {value};")));
            }
            Stmt::If { test, then, otherwise } => {
                let test = self.expr(test);
                lines.push(indent(level, &format!("if ({test}) begin")));
                self.statements(then, level + 1, lines);
                if !otherwise.is_empty() {
                    lines.push(indent(level, "end else begin"));
                    self.statements(otherwise, level + 1, lines);
                }
                lines.push(indent(level, "end"));
            }
            Stmt::Case { test, arms, default } => {
                let test = self.expr(test);
                lines.push(indent(level, &format!("case ({test})")));
                for (label, arm) in arms {
                    let label = self.expr(label);
                    if arm.is_empty() {
                        lines.push(indent(level + 1, &format!("{label}: ;")));
                        continue;
                    }
                    lines.push(indent(level + 1, &format!("{label}: begin")));
                    self.statements(arm, level + 2, lines);
                    lines.push(indent(level + 1, "end"));
                }
                if default.is_empty() {
                    lines.push(indent(level + 1, "default: ;"));
                } else {
                    lines.push(indent(level + 1, "default: begin"));
                    self.statements(default, level + 2, lines);
                    lines.push(indent(level + 1, "end"));
                }
                lines.push(indent(level, "endcase"));
            }
        }
    }
}

impl Helper {
    /// The parts that are not used.
    pub fn unused(&self) -> Vec<String> {
        let mut start = 0;
        let mut parts = Vec::new();
        for run in self.used.chunk_by(|a, b| a == b) {
            if !run[0] {
                parts.push(part(&self.name, start, run.len()));
            }
            start += run.len();
        }
        parts
    }
}

fn part(name: &str, offset: usize, width: usize) -> String {
    match width {
        1 => format!("{name}[{offset}]"),
        _ => format!("{name}[{}:{offset}]", offset + width - 1),
    }
}

fn arithmetic(op: Arithmetic) -> &'static str {
    match op {
        Arithmetic::Add => "+",
        Arithmetic::Sub => "-",
        Arithmetic::Mul => "*",
        Arithmetic::And => "&",
        Arithmetic::Or => "|",
        Arithmetic::Xor => "^",
        Arithmetic::LogicalAnd => "&&",
        Arithmetic::LogicalOr => "||",
    }
}

fn compare(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "==",
        Compare::Ne => "!=",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
    }
}

/// One line at a level of indentation, broken at spaces where it is too long.
pub(super) fn indent(level: usize, text: &str) -> String {
    let margin = "    ".repeat(level);
    let mut lines = Vec::new();
    let mut line = margin.clone();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.len() + 1 + word.len() > LINE {
            lines.push(std::mem::replace(&mut line, format!("{margin}    ")));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n")
}
