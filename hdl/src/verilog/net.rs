//! The named wires of one module, and the identifiers they get.

use super::literal::Hex;
use super::tree::{AtomInfo, EnumLabel, Node};
use crate::error::HdlError;
use axp_spec::names::VERILOG_KEYWORDS;
use rust_hdl::prelude::AtomKind;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Index of a net in its [`Nets`].
pub(super) type NetId = usize;

/// What drives or reads a net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NetKind {
    Input,
    Output,
    Local,
    Constant(Hex),
    /// Input port of the child with this index.
    ChildInput(usize),
    /// Output port of the child with this index.
    ChildOutput(usize),
}

/// A named signal as seen inside one module.
#[derive(Clone, Debug)]
pub(super) struct Net {
    /// The Verilog identifier.
    pub name: String,
    /// For a port of a child, the name of that port.
    pub port: String,
    pub width: usize,
    pub kind: NetKind,
    pub doc: Option<String>,
}

impl Net {
    /// Whether the kernel of the module drives it.
    pub fn is_driven_here(&self) -> bool {
        matches!(self.kind, NetKind::Output | NetKind::Local | NetKind::ChildInput(_))
    }
}

/// All nets of a module, found by the name that rust-hdl's syntax tree uses.
pub(super) struct Nets {
    pub module: String,
    pub list: Vec<Net>,
    pub enums: BTreeMap<String, EnumLabel>,
    by_name: HashMap<String, NetId>,
}

impl Nets {
    /// Collects the signals of `node` and the ports of its children.
    pub fn of(node: &Node, module: &str) -> Result<Self, HdlError> {
        let mut nets =
            Self { module: module.to_owned(), list: Vec::new(), enums: node.enums.clone(), by_name: HashMap::new() };
        for atom in &node.atoms {
            let kind = match atom.kind {
                AtomKind::InputParameter => NetKind::Input,
                AtomKind::OutputParameter => NetKind::Output,
                AtomKind::LocalSignal => NetKind::Local,
                AtomKind::Constant => NetKind::Constant(atom.value.clone()),
                other => return nets.refuse(&atom.name, &format!("has the unsupported kind {other:?}")),
            };
            nets.add(atom.name.clone(), atom, kind)?;
        }
        for (index, child) in node.children.iter().enumerate() {
            for atom in &child.atoms {
                let kind = match atom.kind {
                    AtomKind::InputParameter => NetKind::ChildInput(index),
                    AtomKind::OutputParameter => NetKind::ChildOutput(index),
                    _ => continue,
                };
                nets.add(format!("{}${}", child.instance, atom.name), atom, kind)?;
            }
        }
        nets.check_identifiers(node)?;
        Ok(nets)
    }

    /// The net that the syntax tree calls `name`.
    pub fn find(&self, name: &str) -> Option<NetId> {
        self.by_name.get(name).copied()
    }

    fn add(&mut self, name: String, atom: &AtomInfo, kind: NetKind) -> Result<(), HdlError> {
        if atom.signed {
            return self.refuse(&name, "is signed; use Bits and explicit sign extension");
        }
        if atom.width == 0 {
            return self.refuse(&name, "has no bits");
        }
        let mut identifier_here = identifier(&name);
        // Only names that no one outside sees may be changed.
        if kind == NetKind::Local && VERILOG_KEYWORDS.contains(&identifier_here.as_str()) {
            identifier_here.push_str("_net");
        }
        self.list.push(Net {
            name: identifier_here,
            port: identifier(&atom.name),
            width: atom.width,
            kind,
            doc: atom.doc.as_deref().map(one_line),
        });
        self.by_name.insert(name, self.list.len() - 1);
        Ok(())
    }

    fn refuse<T>(&self, name: &str, why: &str) -> Result<T, HdlError> {
        Err(HdlError::untranslatable(&self.module, format!("signal {} {why}", identifier(name))))
    }

    /// Nets, constants and instances share one name space in Verilog.
    fn check_identifiers(&self, node: &Node) -> Result<(), HdlError> {
        let mut seen = HashSet::new();
        let instances = node.children.iter().map(|child| identifier(&child.instance));
        let labels = self.enums.keys().map(|label| enum_identifier(label));
        for name in self.list.iter().map(|net| net.name.clone()).chain(instances).chain(labels) {
            if !is_identifier(&name) {
                return self.refuse(&name, "is not a legal Verilog name; rename the field");
            }
            if !seen.insert(name.clone()) {
                return self.refuse(&name, "is the name of two things; rename one of the fields");
            }
        }
        Ok(())
    }
}

/// The Verilog name of a signal or instance.
pub(super) fn identifier(name: &str) -> String {
    name.replace('$', "_")
}

/// The Verilog name of an enumeration label.
pub(super) fn enum_identifier(label: &str) -> String {
    identifier(label).to_uppercase()
}

/// Whether `name` can stand in Verilog-2005 and in SystemVerilog as it is.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !VERILOG_KEYWORDS.contains(&name)
}

/// Documentation as it can stand behind `//`.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_plain_words() {
        assert_eq!(identifier("row$3$hit"), "row_3_hit");
        assert_eq!(enum_identifier("State$Idle"), "STATE_IDLE");
        for (name, legal) in [("clk_i", true), ("module", false), ("logic", false), ("3a", false), ("a$b", false)] {
            assert_eq!(is_identifier(name), legal, "{name}");
        }
        assert_eq!(one_line("a\n  b"), "a b");
    }
}
