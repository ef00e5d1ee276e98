//! What travels with an operand pair through the pipe.

use crate::circuit::{Circuit, Value, vector};

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
    /// Its product comes from the memory.
    pub hit: Value,
}

/// The flags of a pair whose product is added.
pub(super) struct SumToken {
    /// There is a pair.
    pub valid: Value,
    /// It starts a sum.
    pub first: Value,
    /// It ends a sum.
    pub last: Value,
    /// It leaves the sum untouched.
    pub skip: Value,
}

impl Token {
    /// The same one stage later, with the stage's name in those of the nets.
    pub fn next(&self, c: &mut Circuit, stage: &str, run: &Value) -> Self {
        let flags = [&self.valid, &self.first, &self.last, &self.skip, &self.hit].map(Value::clone);
        let stored = c.reset_register(&format!("{stage}_flags"), &vector(&flags), run);
        let mut flag = |bit, name: &str, doc| c.net(&format!("{stage}_{name}"), stored.bit(bit), doc);
        Self {
            valid: flag(0, "valid", "this stage holds a pair"),
            first: flag(1, "first", "it starts a sum"),
            last: flag(2, "last", "it ends a sum"),
            skip: flag(3, "skip", "it leaves the sum untouched"),
            hit: flag(4, "hit", "its product comes from the memory"),
        }
    }

    /// The same one stage later, where the product is added.
    pub fn to_sum(&self, c: &mut Circuit, run: &Value) -> SumToken {
        let flags = [&self.valid, &self.first, &self.last, &self.skip].map(Value::clone);
        let stored = c.reset_register("sum_flags", &vector(&flags), run);
        let mut flag = |bit, name: &str, doc| c.net(&format!("sum_{name}"), stored.bit(bit), doc);
        SumToken {
            valid: flag(0, "valid", "a pair is being added"),
            first: flag(1, "first", "it starts a sum"),
            last: flag(2, "last", "it ends a sum"),
            skip: flag(3, "skip", "it leaves the sum untouched"),
        }
    }

    /// The pair has a product that comes from the memory.
    pub fn recalled(&self) -> Value {
        &self.valid & !&self.skip & &self.hit
    }

    /// The pair has a product that comes from the multiplier.
    pub fn multiplied(&self) -> Value {
        &self.valid & !&self.skip & !&self.hit
    }
}
