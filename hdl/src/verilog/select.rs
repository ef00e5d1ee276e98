//! Processes that are a plain choice between values, as one expression.

use super::expr::{Expr, Kind};
use super::kernel::Stmt;
use super::net::{NetId, Nets};
use super::process::Process;

/// Most selections that still read well in one assignment.
const MOST: usize = 6;

impl Process {
    /// The value of a process with one target, as one expression: conditions
    /// become a chain of selections. `None` if that would repeat more than a
    /// name, or be hard to read.
    pub fn as_expression(&self, nets: &Nets) -> Option<Expr> {
        let [target] = self.targets[..] else { return None };
        let fold = Fold { target, width: nets.list[target].width };
        let value = fold.list(&self.body, None)?;
        (selections(&value) <= MOST).then_some(value)
    }
}

struct Fold {
    target: NetId,
    width: usize,
}

impl Fold {
    /// The value after `list`, if it was `before` until then.
    fn list(&self, list: &[Stmt], before: Option<Expr>) -> Option<Expr> {
        let mut value = before;
        for statement in list {
            value = Some(match statement {
                Stmt::Assign { value, .. } if value.width == self.width && !self.is_read_by(value) => value.clone(),
                Stmt::Assign { offset, value: part, .. } if !self.is_read_by(part) => {
                    self.insert(value?, *offset, part)?
                }
                Stmt::If { test, then, otherwise } if !self.is_read_by(test) => {
                    let yes = self.branch(then, value.as_ref())?;
                    let no = self.branch(otherwise, value.as_ref())?;
                    Expr { width: self.width, kind: Kind::Mux(Box::new(test.clone()), Box::new(yes), Box::new(no)) }
                }
                _ => return None,
            });
        }
        value
    }

    /// `whole` with `part` put in at `offset`, if that is wiring: bits gathered
    /// one by one become one concatenation.
    fn insert(&self, whole: Expr, offset: usize, part: &Expr) -> Option<Expr> {
        let above = offset + part.width;
        let mut parts = Vec::new();
        if above < self.width {
            parts.push(Expr::slice(whole.clone(), above, self.width - above));
        }
        parts.push(part.clone());
        if offset > 0 {
            parts.push(Expr::slice(whole.clone(), 0, offset));
        }
        whole.is_wiring().then(|| Expr::concat(parts))
    }

    /// A branch may start from the earlier value if that is a name, or if the
    /// branch is empty: nothing longer is written twice.
    fn branch(&self, list: &[Stmt], before: Option<&Expr>) -> Option<Expr> {
        let before = before
            .filter(|value| list.is_empty() || matches!(value.kind, Kind::Net(_) | Kind::Literal(_) | Kind::Label(_)));
        self.list(list, before.cloned())
    }

    fn is_read_by(&self, value: &Expr) -> bool {
        let mut found = false;
        value.nets(&mut |id| found |= id == self.target);
        found
    }
}

/// Selections in a chain; those inside the first branch count more, because
/// they need parentheses.
fn selections(value: &Expr) -> usize {
    match &value.kind {
        Kind::Mux(_, yes, no) => 1 + 3 * selections(yes) + selections(no),
        _ => 0,
    }
}
