//! A kernel as a flat list of statements: loops unrolled, links as assignments.

use super::expr::Expr;
use super::lower::Lower;
use super::net::{NetId, NetKind, Nets};
use crate::error::HdlError;
use rust_hdl::prelude::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogLink, VerilogLinkDetails, VerilogMatch,
    VerilogStatement,
};

/// One statement, executed in order with its neighbours.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stmt {
    /// Sets bits `offset .. offset + value.width` of a net.
    Assign { target: NetId, offset: usize, value: Expr },
    /// Executes one of two lists.
    If { test: Expr, then: Vec<Stmt>, otherwise: Vec<Stmt> },
    /// Executes the list beside the matching label, or the last one.
    Case { test: Expr, arms: Vec<(Expr, Vec<Stmt>)>, default: Vec<Stmt> },
}

type Result<T> = std::result::Result<T, HdlError>;

/// Translates the body of a kernel.
pub(super) fn statements(block: &VerilogBlock, nets: &Nets) -> Result<Vec<Stmt>> {
    let mut kernel = Kernel { lower: Lower { nets, loops: Vec::new() } };
    kernel.block(block)
}

impl Stmt {
    /// Calls `visit` with every net that the statement, or one inside it, assigns.
    pub fn targets(&self, visit: &mut dyn FnMut(NetId)) {
        match self {
            Self::Assign { target, .. } => visit(*target),
            Self::If { then, otherwise, .. } => then.iter().chain(otherwise).for_each(|s| s.targets(visit)),
            Self::Case { arms, default, .. } => {
                arms.iter().flat_map(|(_, list)| list).chain(default).for_each(|s| s.targets(visit));
            }
        }
    }
}

impl Stmt {
    /// Calls `visit` with every expression in the statement.
    pub fn values(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Self::Assign { value, .. } => visit(value),
            Self::If { test, then, otherwise } => {
                visit(test);
                then.iter().chain(otherwise).for_each(|s| s.values(visit));
            }
            Self::Case { test, arms, default } => {
                visit(test);
                arms.iter().for_each(|(label, _)| visit(label));
                arms.iter().flat_map(|(_, list)| list).chain(default).for_each(|s| s.values(visit));
            }
        }
    }
}

struct Kernel<'a> {
    lower: Lower<'a>,
}

impl Kernel<'_> {
    fn block(&mut self, block: &VerilogBlock) -> Result<Vec<Stmt>> {
        let mut list = Vec::new();
        for statement in block {
            self.statement(statement, &mut list)?;
        }
        Ok(list)
    }

    fn statement(&mut self, statement: &VerilogStatement, list: &mut Vec<Stmt>) -> Result<()> {
        match statement {
            VerilogStatement::Assignment(target, value) => {
                let target = self.target(target)?;
                let width = self.lower.nets.list[target].width;
                list.push(Stmt::Assign { target, offset: 0, value: self.lower.expr(value, Some(width))? });
            }
            VerilogStatement::SliceAssignment { base, width, offset, replacement } => {
                let target = self.target(base)?;
                let Some(offset) = self.lower.constant(offset) else {
                    return self.lower.refuse("an assignment to a part of a signal at a variable offset");
                };
                if offset + width > self.lower.nets.list[target].width {
                    return self.lower.refuse("an assignment past the top of a signal");
                }
                list.push(Stmt::Assign { target, offset, value: self.lower.expr(replacement, Some(*width))? });
            }
            VerilogStatement::If(conditional) => list.push(self.conditional(conditional)?),
            VerilogStatement::Match(m) => list.push(self.case(m)?),
            VerilogStatement::Loop(l) => {
                for value in l.from.as_usize()..l.to.as_usize() {
                    self.lower.loops.push((l.index.clone(), value));
                    let body = self.block(&l.block);
                    self.lower.loops.pop();
                    list.extend(body?);
                }
            }
            VerilogStatement::Macro(block) => list.extend(self.block(block)?),
            VerilogStatement::Link(links) => {
                for link in links {
                    list.push(self.link(link)?);
                }
            }
            // Comments belong to the Rust source; statements move, so they would lie here.
            VerilogStatement::Comment(_) => {}
        }
        Ok(())
    }

    fn target(&self, tree: &rust_hdl::prelude::ast::VerilogExpression) -> Result<NetId> {
        let rust_hdl::prelude::ast::VerilogExpression::Signal(path) = tree else {
            return self.lower.refuse("an assignment to something that is no signal");
        };
        let id = self.lower.net(path)?;
        let net = &self.lower.nets.list[id];
        if !net.is_driven_here() {
            return self.lower.refuse(format!("{} is assigned, but it is not this block's to drive", net.name));
        }
        Ok(id)
    }

    fn conditional(&mut self, conditional: &VerilogConditional) -> Result<Stmt> {
        let test = self.lower.expr(&conditional.test, Some(1))?;
        let then = self.block(&conditional.then)?;
        let otherwise = match &conditional.otherwise {
            VerilogBlockOrConditional::Block(block) => self.block(block)?,
            VerilogBlockOrConditional::Conditional(statement) => {
                let mut list = Vec::new();
                self.statement(statement, &mut list)?;
                list
            }
            VerilogBlockOrConditional::None => Vec::new(),
        };
        Ok(Stmt::If { test, then, otherwise })
    }

    fn case(&mut self, m: &VerilogMatch) -> Result<Stmt> {
        let test = self.lower.expr(&m.test, None)?;
        let mut arms = Vec::new();
        let mut default = Vec::new();
        for (place, case) in m.cases.iter().enumerate() {
            let block = self.block(&case.block)?;
            if case.condition == "default" {
                // Rust takes the first arm that matches, so nothing after `_` counts.
                if place + 1 != m.cases.len() {
                    return self.lower.refuse("match arms after `_`");
                }
                default = block;
            } else {
                arms.push((self.label(&case.condition, test.width)?, block));
            }
        }
        Ok(Stmt::Case { test, arms, default })
    }

    fn label(&self, condition: &str, width: usize) -> Result<Expr> {
        use rust_hdl::prelude::ast::VerilogExpression as Tree;
        let digits = condition.replace('_', "");
        match digits.trim_end_matches("usize").parse::<u64>() {
            Ok(value) => self.lower.expr(&Tree::Literal(value.into()), Some(width)),
            Err(_) if self.lower.nets.enums.contains_key(condition) => {
                self.lower.expr(&Tree::Signal(condition.to_owned()), Some(width))
            }
            Err(_) => self.lower.refuse(format!("the match arm {condition:?}; use numbers or enum variants")),
        }
    }

    fn link(&self, link: &VerilogLink) -> Result<Stmt> {
        let name = |owner: &str, details: &VerilogLinkDetails| {
            let parts = [owner.trim_start_matches('.'), details.my_name.trim_start_matches('.')];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("$")
        };
        let (target, source) = match link {
            VerilogLink::Forward(l) => (name(&l.other_name, l), name(&l.owner_name, l)),
            VerilogLink::Backward(l) => (name(&l.owner_name, l), name(&l.other_name, l)),
            VerilogLink::Bidirectional(_) => return self.lower.refuse("a bidirectional link"),
        };
        let (target, source) = (self.lower.net(&target)?, self.lower.net(&source)?);
        let nets = &self.lower.nets.list;
        if nets[target].width != nets[source].width || matches!(nets[target].kind, NetKind::Input) {
            return self.lower.refuse(format!("{} cannot be linked to {}", nets[source].name, nets[target].name));
        }
        Ok(Stmt::Assign { target, offset: 0, value: Expr::net(source, nets[source].width) })
    }
}
