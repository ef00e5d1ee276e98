//! The inside of a module that has a kernel: declarations, instances, logic.

use super::declare::Declarations;
use super::expr::{Expr, Kind};
use super::kernel;
use super::literal::Hex;
use super::net::{NetId, NetKind, Nets, enum_identifier, identifier};
use super::print::{Printer, indent};
use super::process::Process;
use super::tree::Node;
use super::unread::Reads;
use crate::error::HdlError;
use std::collections::{HashMap, HashSet};

type Result<T> = std::result::Result<T, HdlError>;

/// The inside of a module that has a kernel.
pub(super) struct Inside<'a> {
    node: &'a Node,
    children: &'a [String],
    nets: &'a Nets,
    printer: Printer<'a>,
    processes: Vec<Process>,
    /// What is written into the port lists of the children.
    connections: HashMap<NetId, Expr>,
    /// Outputs of children that are one of our nets, and go by its name.
    aliases: HashMap<NetId, NetId>,
}

impl<'a> Inside<'a> {
    pub fn of(nets: &'a Nets, processes: Vec<Process>, node: &'a Node, children: &'a [String]) -> Self {
        let names = nets.list.iter().map(|net| net.name.clone()).collect();
        let mut inside = Self {
            node,
            children,
            nets,
            printer: Printer { nets, names, helpers: Vec::new() },
            processes: Vec::new(),
            connections: HashMap::new(),
            aliases: HashMap::new(),
        };
        for process in processes {
            if !inside.is_plain_wire(&process) {
                inside.processes.push(process);
            }
        }
        inside
    }

    /// Takes a process that only passes a value on, and remembers the wiring.
    fn is_plain_wire(&mut self, process: &Process) -> bool {
        let ([target], [kernel::Stmt::Assign { offset: 0, value, .. }]) = (&process.targets[..], &process.body[..])
        else {
            return false;
        };
        let net = &self.nets.list[*target];
        if value.width != net.width {
            return false;
        }
        if matches!(net.kind, NetKind::ChildInput(_)) {
            let plain = value.is_wiring();
            if plain {
                self.connections.insert(*target, value.clone());
            }
            return plain;
        }
        match value.kind {
            // The child drives our net directly.
            Kind::Net(source) if self.is_child_output(source) && !self.aliases.contains_key(&source) => {
                self.aliases.insert(source, *target);
                self.printer.names[source] = net.name.clone();
                true
            }
            _ => false,
        }
    }

    fn is_child_output(&self, id: NetId) -> bool {
        matches!(self.nets.list[id].kind, NetKind::ChildOutput(_))
    }

    /// The text, and the nets that are assigned by `always` blocks.
    pub fn write(mut self) -> Result<(String, HashSet<NetId>)> {
        let read = Reads::of(self.nets, &self.aliases, &self.processes, self.connections.values());
        for id in 0..self.nets.list.len() {
            // Lint tools take the word for a statement of intent.
            if self.is_child_output(id) && !self.aliases.contains_key(&id) && !read.any(id) {
                self.printer.names[id] = format!("unused_{}", self.nets.list[id].name);
            }
        }
        let mut regs = HashSet::new();
        let logic = self.logic(&mut regs)?;
        let instances = self.instances();
        let mut sections = vec![self.declarations(&read, &regs), instances, logic];
        sections.retain(|section| !section.is_empty());
        Ok((sections.join("\n"), regs))
    }

    fn declarations(&mut self, read: &Reads, regs: &HashSet<NetId>) -> String {
        let mut list = Declarations::default();
        for (id, net) in self.nets.list.iter().enumerate() {
            match &net.kind {
                NetKind::Constant(value) if read.any(id) => list.constant(&net.name, value, net.width),
                _ => {}
            }
        }
        for (label, variant) in &self.nets.enums {
            if self.uses_label(label) {
                list.constant(&enum_identifier(label), &Hex::from(variant.value), variant.width);
            }
        }
        for (id, net) in self.nets.list.iter().enumerate() {
            let wanted = match net.kind {
                NetKind::Local => true,
                NetKind::ChildInput(_) => !self.connections.contains_key(&id),
                NetKind::ChildOutput(_) => !self.aliases.contains_key(&id),
                _ => false,
            };
            if wanted {
                list.net(regs.contains(&id), net, &self.printer.names[id]);
            }
        }
        for helper in &self.printer.helpers {
            list.value(&helper.name, helper.width, &helper.value);
        }
        let mut unread: Vec<String> = read.unread(self.nets).iter().map(|part| self.printer.expr(part)).collect();
        unread.extend(self.printer.helpers.iter().flat_map(|helper| helper.unused()));
        if !unread.is_empty() {
            list.value("unused_bits", 1, &format!("&{{1'b0, {}}}", unread.join(", ")));
        }
        list.text()
    }

    fn uses_label(&self, label: &str) -> bool {
        let mut used = false;
        let mut visit = |value: &Expr| used |= value.mentions(label);
        self.connections.values().for_each(&mut visit);
        self.processes.iter().for_each(|process| process.values(&mut visit));
        used
    }

    fn instances(&mut self) -> String {
        let mut blocks = Vec::new();
        for (index, child) in self.node.children.iter().enumerate() {
            let mut lines = Vec::new();
            for id in 0..self.nets.list.len() {
                let net = &self.nets.list[id];
                if net.kind != NetKind::ChildInput(index) && net.kind != NetKind::ChildOutput(index) {
                    continue;
                }
                let value = match self.connections.get(&id).cloned() {
                    Some(value) => self.printer.expr(&value),
                    None => self.printer.names[id].clone(),
                };
                lines.push(indent(2, &format!(".{}({value})", net.port)));
            }
            let head = format!("    {} {} (\n", self.children[index], identifier(&child.instance));
            blocks.push(format!("{head}{}\n    );\n", lines.join(",\n")));
        }
        blocks.join("\n")
    }

    fn logic(&mut self, regs: &mut HashSet<NetId>) -> Result<String> {
        let mut assigns = String::new();
        let mut blocks = Vec::new();
        for process in std::mem::take(&mut self.processes) {
            if let Some(value) = process.as_expression(self.nets) {
                let name = self.printer.names[process.targets[0]].clone();
                let lines = self.printer.selection(&value);
                let margin = " ".repeat("assign  = ".len() + name.len());
                let text = lines.join(&format!("\n    {margin}"));
                if lines.len() == 1 {
                    assigns.push_str(&indent(1, &format!("assign {name} = {text};")));
                } else {
                    assigns.push_str(&format!("    assign {name} = {text};"));
                }
                assigns.push('\n');
            } else {
                let first = self.printer.helpers.len();
                let mut lines = vec!["    always @* begin".to_owned()];
                self.printer.statements(&process.body, 2, &mut lines);
                lines.push("    end\n".to_owned());
                let helpers = &self.printer.helpers[first..];
                if helpers.iter().any(|helper| helper.reads.iter().any(|id| process.targets.contains(id))) {
                    let what = "a part of an expression over a value in the making; assign it to a Local first";
                    return Err(HdlError::untranslatable(&self.nets.module, what));
                }
                regs.extend(&process.targets);
                blocks.push(lines.join("\n"));
            }
            self.processes.push(process);
        }
        let mut sections = vec![assigns];
        sections.extend(blocks);
        sections.retain(|section| !section.is_empty());
        Ok(sections.join("\n"))
    }
}
