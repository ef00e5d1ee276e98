//! Statements of a kernel: what they assign, what they read, how they branch.

use super::types::Types;
use super::value::{Context, is_plain, signal_path};
use super::{Finding, Rule, SourceReport};
use std::collections::HashSet;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Arm, Expr, ExprForLoop, File, ImplItem, ImplItemFn, Item, ItemImpl, Lit, Pat, RangeLimits, Stmt, Type};

/// Checks every kernel of a file.
pub(super) fn check_file(path: &Path, file: &File, types: &Types, report: &mut SourceReport) {
    let mut visitor = Impls { path, types, report };
    visitor.visit_file(file);
}

struct Impls<'a> {
    path: &'a Path,
    types: &'a Types,
    report: &'a mut SourceReport,
}

impl<'a> Visit<'a> for Impls<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        // Modules inside the file are searched too.
        syn::visit::visit_item(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string()),
            _ => String::new(),
        };
        for function in item.items.iter() {
            if let ImplItem::Fn(function) = function
                && function.attrs.iter().any(|a| a.path().segments.last().is_some_and(|s| s.ident == "hdl_gen"))
            {
                self.report.kernels += 1;
                let found = Kernel::new(&name, self.types).check(function);
                let path = self.path.to_path_buf();
                self.report.findings.extend(found.into_iter().map(|(rule, span)| {
                    let start = span.start();
                    Finding { file: path.clone(), line: start.line, column: start.column + 1, rule }
                }));
            }
        }
    }
}

/// One kernel and what was seen in it so far.
pub(super) struct Kernel<'a> {
    /// The struct that it belongs to.
    pub block: &'a str,
    pub types: &'a Types,
    /// Loop variables in scope, with their largest value if it is known.
    pub loops: Vec<(String, Option<usize>)>,
    pub findings: Vec<(Rule, proc_macro2::Span)>,
    /// Signals that are assigned, as paths without indices.
    assigned: HashSet<Vec<String>>,
    /// Signals that are read.
    pub read: Vec<(Vec<String>, proc_macro2::Span)>,
}

impl<'a> Kernel<'a> {
    fn new(block: &'a str, types: &'a Types) -> Self {
        Self { block, types, loops: vec![], findings: vec![], assigned: HashSet::new(), read: vec![] }
    }

    fn check(mut self, function: &ImplItemFn) -> Vec<(Rule, proc_macro2::Span)> {
        self.statements(&function.block.stmts);
        if self.read.is_empty() && !self.assigned.is_empty() {
            self.find(Rule::ConstantKernel, &function.sig.ident);
        }
        let inputs = std::mem::take(&mut self.read);
        // What a kernel assigns inside a child can only be an input of it.
        for (path, span) in inputs.into_iter().filter(|(path, _)| path.len() > 1 && self.assigned.contains(path)) {
            _ = path;
            self.findings.push((Rule::ChildInputRead, span));
        }
        self.findings.sort_by_key(|(rule, span)| (span.start().line, span.start().column, *rule));
        self.findings.dedup_by_key(|(rule, span)| (span.start().line, span.start().column, *rule));
        self.findings
    }

    pub fn find(&mut self, rule: Rule, at: &impl Spanned) {
        self.findings.push((rule, at.span()));
    }

    fn statements(&mut self, list: &[Stmt]) {
        for statement in list {
            if let Stmt::Expr(expr, _) = statement {
                self.statement(expr);
            }
        }
    }

    fn statement(&mut self, expr: &Expr) {
        match expr {
            Expr::Assign(assign) => {
                self.target(&assign.left);
                self.value(&assign.right, Context::Truncated);
            }
            Expr::If(conditional) => {
                self.value(&conditional.cond, Context::Exact);
                self.statements(&conditional.then_branch.stmts);
                if let Some((_, otherwise)) = &conditional.else_branch {
                    self.statement(otherwise);
                }
            }
            Expr::Match(m) => {
                if !is_plain(&m.expr) {
                    self.find(Rule::MatchExpression, &m.expr);
                }
                self.value(&m.expr, Context::Exact);
                if m.arms.iter().any(|arm| is_bool(&arm.pat)) {
                    self.find(Rule::MatchBool, m);
                }
                m.arms.iter().for_each(|arm| self.arm(arm));
            }
            Expr::ForLoop(each) => self.each(each),
            Expr::Block(block) => self.statements(&block.block.stmts),
            // Links, and rust-hdl's own macros, which take signals only.
            Expr::Call(call) => {
                call.args.iter().for_each(|argument| self.linked(argument));
            }
            Expr::Macro(call) if call.mac.path.is_ident("clock") || call.mac.path.is_ident("dff_setup") => {
                self.read.push((vec!["clock".to_owned()], call.span()));
            }
            _ => {}
        }
    }

    fn linked(&mut self, argument: &Expr) {
        // A link drives one of its sides from the other: that is a read.
        if let Expr::Reference(reference) = argument {
            self.indices(&reference.expr);
            if let Some(path) = signal_path(&reference.expr) {
                self.read.push((vec![path.join(".")], argument.span()));
            }
        }
    }

    fn arm(&mut self, arm: &Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.find(Rule::MatchGuard, guard);
        }
        self.statement(&arm.body);
    }

    fn each(&mut self, each: &ExprForLoop) {
        let mut last = None;
        if let Expr::Range(range) = &*each.expr {
            if let RangeLimits::Closed(_) = range.limits {
                self.find(Rule::InclusiveRange, &each.expr);
            }
            last = range.end.as_deref().and_then(super::value::number).map(|end| end.saturating_sub(1));
        }
        let name = match &*each.pat {
            Pat::Ident(ident) => ident.ident.to_string(),
            _ => String::new(),
        };
        self.loops.push((name, last));
        self.statements(&each.body.stmts);
        self.loops.pop();
    }

    /// The left side of an assignment: `self.a.b.next`, or `self.a.next.field`.
    fn target(&mut self, target: &Expr) {
        self.indices(target);
        let mut fields = Vec::new();
        let mut expr = target;
        while let Expr::Field(field) = expr {
            if let syn::Member::Named(name) = &field.member {
                if name == "next" {
                    if fields.len() > 1 {
                        self.find(Rule::NestedField, target);
                    }
                    if let Some(path) = signal_path(&field.base) {
                        self.assigned.insert(path);
                    }
                    return;
                }
                fields.push(name.to_string());
            }
            expr = &field.base;
        }
    }
}

fn is_bool(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Lit(literal) if matches!(literal.lit, Lit::Bool(_)))
}
