//! What travels with an operand pair through the pipe.

use crate::circuit::{Circuit, Value, literal, vector};

/// The flags of one stage, each one bit.
#[derive(Clone)]
pub(super) struct Token {
    /// There is a pair in this stage.
    pub valid: Value,
    /// It starts a sum.
    pub first: Value,
    /// It ends a sum.
    pub last: Value,
    /// It leaves the sum untouched.
    pub skip: Value,
    /// Its product comes from the memory, in a PE that has one.
    pub hit: Option<Value>,
}

impl Token {
    /// The same one stage later, with the stage's name in those of the nets.
    pub fn next(&self, c: &mut Circuit, stage: &str, run: &Value) -> Self {
        let mut flags = vec![self.valid.clone(), self.first.clone(), self.last.clone(), self.skip.clone()];
        flags.extend(self.hit.clone());
        let stored = c.reset_register(&format!("{stage}_flags"), &vector(&flags), run);
        let mut flag = |bit, name: &str, doc| c.net(&format!("{stage}_{name}"), stored.bit(bit), doc);
        Self {
            valid: flag(0, "valid", "this stage holds a pair"),
            first: flag(1, "first", "it starts a sum"),
            last: flag(2, "last", "it ends a sum"),
            skip: flag(3, "skip", "it leaves the sum untouched"),
            hit: self.hit.as_ref().map(|_| flag(4, "hit", "its product comes from the memory")),
        }
    }

    /// The same, once its product no longer depends on where it came from.
    pub fn without_hit(&self) -> Self {
        Self { hit: None, ..self.clone() }
    }

    /// The pair has a product.
    pub fn counts(&self) -> Value {
        &self.valid & !&self.skip
    }

    /// The pair has a product that comes from the memory.
    pub fn recalled(&self) -> Value {
        self.hit.as_ref().map_or_else(|| literal(0, 1), |hit| self.counts() & hit)
    }

    /// The pair has a product that comes from the multiplier.
    pub fn multiplied(&self) -> Value {
        self.hit.as_ref().map_or_else(|| self.counts(), |hit| self.counts() & !hit)
    }
}
