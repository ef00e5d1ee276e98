//! What travels with an operand pair through the pipe.

use crate::circuit::{Circuit, Value, vector};

/// The flags of one stage, each one bit; all are low where there is no pair.
#[derive(Clone)]
pub(super) struct Token {
    /// There is a pair in this stage. Kept where a pair without a product matters too.
    pub valid: Option<Value>,
    /// It starts a sum.
    pub first: Value,
    /// It ends a sum.
    pub last: Value,
    /// It has a product that comes from the memory, in a PE that has one.
    pub recalled: Option<Value>,
    /// It has a product that comes from the multiplier; or anywhere, where it no longer
    /// matters.
    pub multiplied: Value,
}

impl Token {
    /// The same one stage later, with the stage's name in those of the nets.
    pub fn next(&self, c: &mut Circuit, stage: &str, run: &Value) -> Self {
        let mut flags = vec![self.first.clone(), self.last.clone(), self.multiplied.clone()];
        flags.extend(self.recalled.clone());
        flags.extend(self.valid.clone());
        let stored = c.reset_register(&format!("{stage}_flags"), &vector(&flags), run);
        let mut bit = 0;
        let mut flag = |name: &str, doc| {
            bit += 1;
            c.net(&format!("{stage}_{name}"), stored.bit(bit - 1), doc)
        };
        let first = flag("first", "a pair starts a sum");
        let last = flag("last", "a pair ends a sum");
        let multiplied = match self.recalled {
            Some(_) => flag("multiplied", "a product comes from the multiplier"),
            None => flag("counts", "a pair has a product"),
        };
        let recalled = self.recalled.as_ref().map(|_| flag("recalled", "a product comes from the memory"));
        let valid = self.valid.as_ref().map(|_| flag("valid", "this stage holds a pair"));
        Self { valid, first, last, recalled, multiplied }
    }

    /// The same, once its product no longer depends on where it came from.
    pub fn without_source(&self, c: &mut Circuit) -> Self {
        let multiplied = match self.recalled {
            Some(_) => c.net("has_product", self.counts(), "the pair has a product"),
            None => self.multiplied.clone(),
        };
        Self { recalled: None, multiplied, ..self.clone() }
    }

    /// The pair has a product.
    pub fn counts(&self) -> Value {
        self.recalled.as_ref().map_or_else(|| self.multiplied.clone(), |recalled| recalled | &self.multiplied)
    }
}
