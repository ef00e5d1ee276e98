//! rust-hdl's own Verilog, cut into modules that bear our names.

use super::EquivalenceError;
use axp_hdl::{Module, Rtl};
use std::collections::{BTreeMap, HashMap};

/// rust-hdl's text, module by module, and what each of its modules is in ours.
pub(super) struct Stock<'a> {
    /// Lines of each module by its name, from `module` to before `endmodule`.
    definitions: BTreeMap<&'a str, Vec<&'a str>>,
    /// Our module for each of rust-hdl's.
    ours: HashMap<&'a str, &'a str>,
}

impl<'a> Stock<'a> {
    pub fn of(rtl: &'a Rtl) -> Self {
        let mut definitions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut current = None;
        for line in rtl.stock.lines() {
            let text = line.trim();
            if let Some(rest) = text.strip_prefix("module ") {
                current = rest.split('(').next();
            }
            if text.starts_with("endmodule") {
                current = None;
            }
            if let Some(name) = current {
                definitions.entry(name).or_default().push(line);
            }
        }
        let names = |module: &'a Module| module.stock_names.iter().map(|stock| (stock.as_str(), module.name.as_str()));
        Self { definitions, ours: rtl.modules.iter().flat_map(names).collect() }
    }

    /// rust-hdl's text for `module`, under our names. Every instance is a module
    /// of its own there, and all of them must say the same.
    pub fn definition(&self, module: &Module) -> Result<String, EquivalenceError> {
        let wrong = |what: String| EquivalenceError::Stock { module: module.name.clone(), what };
        let mut texts = Vec::new();
        for name in &module.stock_names {
            let lines = self.definitions.get(name.as_str()).ok_or_else(|| wrong(format!("no module {name}")))?;
            texts.push(self.renamed(lines));
        }
        let first = texts.first().ok_or_else(|| wrong("no instance".to_owned()))?;
        match texts.iter().position(|text| text != first) {
            None => Ok(format!("{first}endmodule\n")),
            Some(other) => {
                let (a, b) = (&module.stock_names[0], &module.stock_names[other]);
                Err(wrong(format!("{a} and {b} differ, which are one module in ours,")))
            }
        }
    }

    /// Our names for modules, and no `$`. Only the first word of a line can be
    /// the module of an instance; `module` lines have theirs behind it.
    fn renamed(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let (keyword, rest) = match line.trim().strip_prefix("module ") {
                Some(rest) => ("module ", rest),
                None => ("", line.trim()),
            };
            let end = rest.find(['(', ' ']).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let word = self.ours.get(word).copied().unwrap_or(word);
            text.push_str(&format!("{keyword}{word}{behind}\n").replace('$', "_"));
        }
        text
    }
}

/// The children of `module` as black boxes: their heads, and nothing inside.
pub(super) fn black_boxes(rtl: &Rtl, module: &Module) -> String {
    let children = rtl.modules.iter().filter(|other| module.children.contains(&other.name));
    let heads = children.filter_map(|child| {
        let (_, from_head) = child.text.split_once("\nmodule ")?;
        let (head, _) = from_head.split_once("\n);")?;
        Some(format!("(* blackbox *)\nmodule {head}\n);\nendmodule\n"))
    });
    heads.collect()
}
