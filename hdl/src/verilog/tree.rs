//! What a rust-hdl block consists of, read out through its probe.

use super::literal::Hex;
use crate::annotate::{self, ModuleNote};
use rust_hdl::prelude::{Atom, AtomKind, Block, NamedPath, Probe, TypeDescriptor, TypeKind, Verilog};
use std::collections::BTreeMap;

/// One block and everything in it.
pub(super) struct Node {
    /// Name of the field that holds it, `$` before an array index.
    pub instance: String,
    /// Module name and one-line description, from an annotated signal.
    pub note: Option<ModuleNote>,
    /// What the block computes.
    pub code: Verilog,
    /// Its own signals and constants, in field order.
    pub atoms: Vec<AtomInfo>,
    /// The blocks inside, in field order.
    pub children: Vec<Node>,
    /// Enumeration labels that its kernel may use.
    pub enums: BTreeMap<String, EnumLabel>,
    namespace: Vec<String>,
}

/// One signal or constant of a block.
#[derive(Clone)]
pub(super) struct AtomInfo {
    /// Name within the block, `$` between parts.
    pub name: String,
    pub kind: AtomKind,
    pub width: usize,
    /// The value, which matters for constants only.
    pub value: Hex,
    pub doc: Option<String>,
    pub signed: bool,
}

/// A variant of a `LogicState` enumeration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct EnumLabel {
    pub value: usize,
    pub width: usize,
}

/// Reads `block` and all that it contains; `instance` becomes its name. `None`
/// for a bare signal or array, which is no module.
pub(super) fn read(block: &dyn Block, instance: &str) -> Option<Node> {
    let mut reader = Reader { open: Vec::new(), done: Vec::new() };
    block.accept(instance, &mut reader);
    reader.done.pop()
}

/// Path that rust-hdl gives each module in its own text, from the top down.
pub(super) fn stock_path(parent: &NamedPath, node: &Node) -> NamedPath {
    let mut path = parent.clone();
    path.push(&node.instance);
    path
}

struct Reader {
    open: Vec<Node>,
    done: Vec<Node>,
}

impl Probe for Reader {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.open.push(Node {
            instance: name.to_owned(),
            note: None,
            code: node.hdl(),
            atoms: Vec::new(),
            children: Vec::new(),
            enums: BTreeMap::new(),
            namespace: Vec::new(),
        });
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        if let Some(node) = self.open.last_mut() {
            node.namespace.push(name.to_owned());
        }
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        let Some(node) = self.open.last_mut() else { return };
        let mut path = node.namespace.clone();
        path.push(name.to_owned());
        let descriptor = atom.descriptor();
        add_enums(&mut node.enums, &descriptor, atom.bits());
        node.note = node.note.take().or_else(|| annotate::module_note(atom));
        node.atoms.push(AtomInfo {
            name: path.join("$"),
            kind: atom.kind(),
            width: atom.bits(),
            value: Hex::of(&atom.verilog()),
            doc: annotate::port_doc(atom),
            signed: matches!(descriptor.kind, TypeKind::Signed(_)),
        });
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        if let Some(node) = self.open.last_mut() {
            node.namespace.pop();
        }
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => {
                // A parent's kernel may compare with the states of its children.
                parent.enums.extend(node.enums.iter().map(|(label, value)| (label.clone(), *value)));
                parent.children.push(node);
            }
            None => self.done.push(node),
        }
    }
}

fn add_enums(enums: &mut BTreeMap<String, EnumLabel>, descriptor: &TypeDescriptor, width: usize) {
    if let TypeKind::Enum(labels) = &descriptor.kind {
        for (value, label) in labels.iter().enumerate() {
            enums.insert(label.replace("::", "$"), EnumLabel { value, width });
        }
    }
}
