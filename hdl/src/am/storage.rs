//! What rows are kept in: flip-flops, or latches that one register of the memory feeds.

use super::source::RowPort;
use crate::circuit::{Circuit, Instance, Value};
use crate::prim::{BankBody, BankShape};
use axp_spec::Storage;

/// How the modules are named that hold rows.
pub const ROW_STORAGE: &str = "axp_row_storage";

/// What the names of modules with latches have in them.
pub(super) const fn suffix(storage: Storage) -> &'static str {
    match storage {
        Storage::Flops => "",
        Storage::Latches => "_latch",
    }
}

/// What is stored together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Pattern and product of a row.
    Row,
    /// The pattern of a grid.
    Pattern,
    /// A product alone.
    Product,
}

impl Kept {
    /// How the module is named, and what it is.
    const fn names(self, storage: Storage) -> (&'static str, &'static str) {
        match (self, storage) {
            (Self::Row, Storage::Flops) => (ROW_STORAGE, "clock-gated storage of one ternary row"),
            (Self::Row, Storage::Latches) => ("axp_row_storage_latch", "one ternary row in latches"),
            (Self::Pattern, Storage::Flops) => ("axp_pattern_storage", "clock-gated storage of one pattern"),
            (Self::Pattern, Storage::Latches) => ("axp_pattern_storage_latch", "one pattern in latches"),
            (Self::Product, Storage::Flops) => ("axp_row_storage_product", "clock-gated storage of one product"),
            (Self::Product, Storage::Latches) => ("axp_row_storage_product_latch", "one product in latches"),
        }
    }
}

/// A word of a row: its name, what is written, and what the memory holds of it.
struct Word {
    name: &'static str,
    next: Value,
    held: Option<Value>,
}

/// The words of a row, as they come into its module.
pub(super) struct Words {
    storage: Storage,
    words: Vec<Word>,
}

impl Words {
    /// Declares the inputs: `<word>_i` each, and `<word>_held_i` where there are latches.
    pub fn of(c: &mut Circuit, storage: Storage, words: &[(&'static str, u32, &str)]) -> Self {
        let declare = |(name, width, doc): &(&'static str, u32, &str)| {
            let next = c.input(&format!("{name}_i"), *width, doc);
            let held = (storage == Storage::Latches)
                .then(|| c.input(&format!("{name}_held_i"), *width, "the same, from the edge that writes it on"));
            Word { name, next, held }
        };
        Self { storage, words: words.iter().map(declare).collect() }
    }

    /// Stores some of the words at a clock edge if `enable` holds; the ports are
    /// `<word>_o`.
    pub fn store(&self, c: &mut Circuit, instance: &str, kept: Kept, names: &[&str], enable: &Value) -> Instance {
        let words: Vec<&Word> = self.words.iter().filter(|word| names.contains(&word.name)).collect();
        let (kind, doc) = kept.names(self.storage);
        let body = if self.storage == Storage::Latches { BankBody::Latched } else { BankBody::Gated };
        let lanes = words.iter().map(|word| (word.name, word.next.width())).collect();
        let next = words.iter().map(|word| (format!("{}_i", word.name), &word.next));
        let held = words.iter().filter_map(|word| Some((format!("{}_held_i", word.name), word.held.as_ref()?)));
        let inputs: Vec<(String, &Value)> = next.chain(held).collect();
        let inputs: Vec<(&str, &Value)> = inputs.iter().map(|(port, value)| (port.as_str(), *value)).collect();
        c.bank(instance, BankShape { kind, doc, reset: None, body, lanes }, &inputs, enable)
    }
}

/// The rows' side of a row port.
pub(super) struct Rows {
    pub port: RowPort,
    /// What the latches of rows are fed with.
    held: Vec<(&'static str, Value)>,
}

impl Rows {
    /// Puts the rows on a branch of the clock, and before latches a register that takes
    /// what is written at the edge that writes it, and keeps it while they are open.
    ///
    /// ```text
    /// row_product_i ─┬───────────────────────► product_i       (AXP_CE: flip-flops)
    ///                └─► register ─┬─► row 0: product_held_i   (latches)
    /// row_we_i ──────────►         ├─► row 1
    ///                              └─►   …
    /// ```
    pub fn of(c: &mut Circuit, storage: Storage, port: RowPort) -> Self {
        let branch = c.clock_branch("row_clock", &port.write);
        c.stay_on_branch(branch);
        let mut held = Vec::new();
        if storage == Storage::Latches {
            let mut words = vec![("product", "product_i", "product_o", "product_held_i", &port.product)];
            if let Some((key, care)) = &port.pattern {
                words.splice(
                    0..0,
                    [("key", "key_i", "key_o", "key_held_i", key), ("care", "care_i", "care_o", "care_held_i", care)],
                );
            }
            let shape = BankShape {
                kind: if words.len() > 1 { "axp_write_data" } else { "axp_write_data_product" },
                doc: "what was written last",
                reset: None,
                body: BankBody::Gated,
                lanes: words.iter().map(|(name, .., value)| (*name, value.width())).collect(),
            };
            let inputs: Vec<(&str, &Value)> = words.iter().map(|(_, input, .., value)| (*input, *value)).collect();
            let register = c.bank("write_data", shape, &inputs, &port.write);
            held = words.iter().map(|(_, _, output, held, _)| (*held, register.port(output))).collect();
        }
        Self { port, held }
    }

    /// The inputs of a row but its enable: its words, and whether it can match.
    pub fn inputs(&self) -> Vec<(&'static str, &Value)> {
        let mut inputs = vec![("product_i", &self.port.product), ("valid_i", &self.port.valid)];
        inputs.extend(self.port.pattern.iter().flat_map(|(key, care)| [("key_i", key), ("care_i", care)]));
        inputs.extend(self.held.iter().map(|(port, value)| (*port, value)));
        inputs
    }
}
