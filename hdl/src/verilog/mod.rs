//! The Verilog back-end: a rust-hdl block in, clean Verilog-2005 out.
//!
//! rust-hdl's own text cannot be dropped into a design (see the guide in the
//! project's documentation); everything a better text needs is public, though.
//!
//! ```text
//! block ──tree──▶ nodes ──net──▶ named nets ┐
//!                   └─kernel + lower──▶ statements of exact width
//!                                           └─process──▶ one process a target
//!                                                          └─inside, print──▶ text
//! ```
//!
//! What holds for the text: no `$` and no keyword in a name, documented ANSI
//! ports, every operand exactly as wide as its operator needs, no latch, no
//! `initial`, clocks as plain nets, a module written once however often it is
//! used. Combinational logic is an `assign` where that reads well, and an
//! `always @*` otherwise.

mod declare;
mod expr;
mod index;
mod inside;
mod kernel;
mod literal;
mod lower;
mod module;
mod net;
mod primitive;
mod print;
mod process;
mod select;
mod tree;
mod unread;

use crate::error::HdlError;
use crate::package::header;
use crate::rtl::{Module, Port};
use net::{is_identifier, one_line};
use rust_hdl::prelude::{Block, ModuleDefines, NamedPath, check_all};
use std::collections::HashSet;
use tree::Node;

/// Name that rust-hdl's own text gives the top module.
const TOP: &str = "top";

/// The modules of one block.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Modules in compile order, the top last.
    pub modules: Vec<Module>,
    /// Ports of the top.
    pub ports: Vec<Port>,
    /// rust-hdl's own text for the same block.
    pub stock: String,
}

/// Writes `block`, whose `connect_all` has run, as Verilog with the top module
/// `top`. `origin` are the lines in the top's header that say what was asked
/// for; `library` are blocks that hand-written text may instantiate by name.
///
/// # Errors
/// [`HdlError::Untranslatable`] names the module and what has no exact Verilog.
pub fn emit(block: &dyn Block, top: &str, origin: &[String], library: &[&dyn Block]) -> Result<Emitted, HdlError> {
    check_all(block).map_err(|error| HdlError::untranslatable(top, format!("rust-hdl refuses it: {error:?}")))?;
    let mut cells: Vec<(&dyn Block, Node)> = Vec::new();
    let no_module = || HdlError::untranslatable(top, "a signal or array where a block is needed");
    for (index, cell) in library.iter().enumerate() {
        cells.push((*cell, tree::read(*cell, &format!("cell{index}")).ok_or_else(no_module)?));
    }
    let mut emitter = Emitter { top, origin, library: &cells, modules: Vec::new(), stock: ModuleDefines::default() };
    let (_, ports) = emitter.node(&tree::read(block, TOP).ok_or_else(no_module)?, &NamedPath::default())?;
    // Only now: rust-hdl panics at some of what has just been refused.
    block.accept(TOP, &mut emitter.stock);
    Ok(Emitted { modules: emitter.modules, ports, stock: emitter.stock.defines() })
}

struct Emitter<'a> {
    top: &'a str,
    origin: &'a [String],
    library: &'a [(&'a dyn Block, Node)],
    modules: Vec<Module>,
    stock: ModuleDefines,
}

impl Emitter<'_> {
    /// Writes the modules below `node`, then `node` itself; returns its module
    /// name and its ports.
    fn node(&mut self, node: &Node, parent: &NamedPath) -> Result<(String, Vec<Port>), HdlError> {
        let path = tree::stock_path(parent, node);
        let is_top = path.to_string() == TOP;
        let name = match &node.note {
            _ if is_top => self.top.to_owned(),
            Some(note) => note.name.clone(),
            None => {
                let what = format!("the block {} has no name; add annotate::module", path.to_string());
                return Err(HdlError::untranslatable(self.top, what));
            }
        };
        if !is_identifier(&name) {
            return Err(HdlError::untranslatable(&name, "this is not a legal module name"));
        }
        let mut instances = Vec::new();
        for child in &node.children {
            instances.push(self.node(child, &path)?.0);
        }
        let body = module::write(node, &name, &instances)?;
        let mut children = instances;
        if body.primitive {
            children.extend(self.used_cells(&body.text, &name)?);
        }
        children.sort();
        children.dedup();
        let doc = node.note.as_ref().map_or_else(String::new, |note| one_line(&note.doc));
        let origin = if is_top { self.origin } else { &[] };
        let text = header::file(&name, &doc, origin, &body.text);
        self.add(Module {
            name: name.clone(),
            doc,
            text,
            children,
            stock_names: vec![path.to_string()],
            primitive: body.primitive,
        })?;
        Ok((name, body.ports))
    }

    /// Writes the library blocks that hand-written text of `user` instantiates.
    fn used_cells(&mut self, text: &str, user: &str) -> Result<Vec<String>, HdlError> {
        let words: HashSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let mut used = Vec::new();
        for (block, node) in self.library {
            let Some(note) = node.note.as_ref().filter(|note| words.contains(note.name.as_str()) && note.name != user)
            else {
                continue;
            };
            if !self.modules.iter().any(|module| module.name == note.name) {
                block.accept(&node.instance, &mut self.stock);
                self.node(node, &NamedPath::default())?;
            }
            used.push(note.name.clone());
        }
        Ok(used)
    }

    /// Adds a module, or one more instance of a module that is there already.
    fn add(&mut self, module: Module) -> Result<(), HdlError> {
        match self.modules.iter_mut().find(|known| known.name == module.name) {
            None => self.modules.push(module),
            Some(known) if known.text == module.text => known.stock_names.extend(module.stock_names),
            Some(known) => {
                let what = format!(
                    "two different modules have this name; put what differs into it. The first difference: {}",
                    first_difference(&known.text, &module.text)
                );
                return Err(HdlError::untranslatable(&module.name, what));
            }
        }
        Ok(())
    }
}

fn first_difference(a: &str, b: &str) -> String {
    let body = |text: &str| text.lines().filter(|line| !line.starts_with("//")).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (body(a), body(b));
    let differs = a.iter().zip(&b).find(|(a, b)| a != b);
    differs.map_or_else(|| "one is longer".to_owned(), |(a, b)| format!("{:?} and {:?}", a.trim(), b.trim()))
}
