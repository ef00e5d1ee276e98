//! What a Liberty function computes, as a truth table.

use liberty_db::expression::Expr;

/// Most inputs of a cell whose function is looked at.
const MOST_INPUTS: usize = 6;

/// The value of a function for every input, input k being bit k of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    inputs: usize,
    bits: u64,
}

impl Table {
    /// The table over these inputs; `None` if there are more than six, or if
    /// the function reads something else, such as the state of a flip-flop.
    pub fn of(function: &Expr, inputs: &[String]) -> Option<Self> {
        if inputs.len() > MOST_INPUTS {
            return None;
        }
        let mut bits = 0;
        for index in 0..1_u64 << inputs.len() {
            let read = |name: &str| inputs.iter().position(|input| input == name).map(|k| index >> k & 1 == 1);
            bits |= u64::from(value(function, &read)?) << index;
        }
        Some(Self { inputs: inputs.len(), bits })
    }

    /// Whether it is this function of this many inputs.
    pub const fn is(self, inputs: usize, bits: u64) -> bool {
        self.inputs == inputs && self.bits == bits
    }
}

/// The one variable that a function is, and whether it is not inverted.
pub fn variable(function: &Expr) -> Option<(String, bool)> {
    match function {
        Expr::Variable(name) => Some((name.clone(), true)),
        Expr::Not(inner) => variable(inner).map(|(name, positive)| (name, !positive)),
        _ => None,
    }
}

/// What a function is where its variables have these values; `None` if one has none.
pub fn value(function: &Expr, read: &dyn Fn(&str) -> Option<bool>) -> Option<bool> {
    Some(match function {
        Expr::Const(constant) => *constant,
        Expr::Variable(name) => read(name)?,
        Expr::Not(a) => !value(a, read)?,
        Expr::And(a, b) => value(a, read)? & value(b, read)?,
        Expr::Or(a, b) => value(a, read)? | value(b, read)?,
        Expr::Xor(a, b) => value(a, read)? ^ value(b, read)?,
        Expr::Imp(a, b) => !value(a, read)? | value(b, read)?,
        Expr::Iff(a, b) => value(a, read)? == value(b, read)?,
        Expr::Cond(test, a, b) => {
            if value(test, read)? {
                value(a, read)?
            } else {
                value(b, read)?
            }
        }
    })
}
