//! What travels with an operand pair through the pipe.

use super::seldom::Seldom;
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
    /// The flags that are seldom high: `first` and `last`, and behind a memory `multiplied`.
    pub fn seldom_high(&self) -> Vec<Value> {
        let misses = self.recalled.is_some().then(|| self.multiplied.clone());
        [self.first.clone(), self.last.clone()].into_iter().chain(misses).collect()
    }

    /// The same one stage later, with the stage's name in those of the nets. The flags that
    /// are seldom high have a register that rests while there are none in any stage.
    pub fn next(&self, c: &mut Circuit, stage: &str, run: &Value, seldom: &mut Seldom) -> Self {
        let ends = seldom.register(c, &format!("{stage}_ends"), &vector(&self.seldom_high()));
        // A product comes from the memory, or it comes at all.
        let product = self.recalled.as_ref().unwrap_or(&self.multiplied);
        let often: Vec<Value> = [Some(product), self.valid.as_ref()].into_iter().flatten().cloned().collect();
        let often = c.reset_register(&format!("{stage}_flags"), &vector(&often), run);
        let mut flag = |name: &str, bit, doc| c.net(&format!("{stage}_{name}"), bit, doc);
        let first = flag("first", ends.bit(0), "a pair starts a sum");
        let last = flag("last", ends.bit(1), "a pair ends a sum");
        let (multiplied, recalled) = match self.recalled {
            Some(_) => {
                let recalled = flag("recalled", often.bit(0), "a product comes from the memory");
                (flag("multiplied", ends.bit(2), "a product comes from the multiplier"), Some(recalled))
            }
            None => (flag("counts", often.bit(0), "a pair has a product"), None),
        };
        let valid = self.valid.as_ref().map(|_| flag("valid", often.bit(1), "this stage holds a pair"));
        let next = Self { valid, first, last, recalled, multiplied };
        next.seldom_high().iter().for_each(|flag| seldom.follows(flag));
        next
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
