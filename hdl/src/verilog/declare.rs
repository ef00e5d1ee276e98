//! Port lists and declarations.

use super::literal::Hex;
use super::net::{Net, NetId, NetKind, Nets};
use super::print::indent;
use crate::error::HdlError;
use crate::rtl::{Direction, Port};
use std::collections::HashSet;

/// The ports of a module, each with its documentation.
pub(super) fn ports(nets: &Nets) -> Result<Vec<Port>, HdlError> {
    let mut ports = Vec::new();
    for net in &nets.list {
        let direction = match net.kind {
            NetKind::Input => Direction::Input,
            NetKind::Output => Direction::Output,
            _ => continue,
        };
        let Some(doc) = net.doc.clone().filter(|doc| !doc.is_empty()) else {
            let what = format!("port {} has no documentation; add annotate::port", net.name);
            return Err(HdlError::untranslatable(&nets.module, what));
        };
        ports.push(Port { name: net.name.clone(), direction, width: net.width, doc });
    }
    Ok(ports)
}

/// The lines between the parentheses of a module head.
pub(super) fn port_list(nets: &Nets, ports: &[Port], regs: &HashSet<NetId>) -> String {
    let is_reg = |name: &str| nets.list.iter().enumerate().any(|(id, net)| net.name == name && regs.contains(&id));
    let heads: Vec<String> = ports
        .iter()
        .map(|port| match port.direction {
            Direction::Input => "input  wire".to_owned(),
            Direction::Output if is_reg(&port.name) => "output reg ".to_owned(),
            Direction::Output => "output wire".to_owned(),
        })
        .collect();
    let ranges: Vec<String> = ports.iter().map(|port| range(port.width)).collect();
    let names: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, port)| format!("{}{}", port.name, if index + 1 < ports.len() { "," } else { "" }))
        .collect();
    let widest = |list: &[String]| list.iter().map(String::len).max().unwrap_or(0);
    let (range_width, name_width) = (widest(&ranges), widest(&names));
    let mut text = String::new();
    for (((head, range), name), port) in heads.iter().zip(&ranges).zip(&names).zip(ports) {
        let range = if range_width == 0 { String::new() } else { format!("{range:range_width$} ") };
        text.push_str(&format!("    {head} {range}{name:name_width$} // {}\n", port.doc));
    }
    text
}

/// `[7:0]`, or nothing for one bit.
fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0]", width - 1) }
}

/// Declarations of one module, printed in columns.
#[derive(Default)]
pub(super) struct Declarations {
    constants: Vec<String>,
    nets: Vec<[String; 4]>,
    values: Vec<String>,
}

impl Declarations {
    /// A named constant.
    pub fn constant(&mut self, name: &str, value: &Hex, width: usize) {
        let range = if width == 1 { String::new() } else { format!("{} ", range(width)) };
        self.constants.push(format!("    localparam {range}{name} = {};\n", value.verilog(width)));
    }

    /// A `wire` or `reg` that is driven further down.
    pub fn net(&mut self, is_reg: bool, net: &Net, name: &str) {
        let kind = if is_reg { "reg " } else { "wire" };
        let doc = net.doc.as_ref().map_or(String::new(), |doc| format!("// {doc}"));
        self.nets.push([kind.to_owned(), range(net.width), format!("{name};"), doc]);
    }

    /// A wire with its value.
    pub fn value(&mut self, name: &str, width: usize, value: &str) {
        let range = if width == 1 { String::new() } else { format!("{} ", range(width)) };
        self.values.push(indent(1, &format!("wire {range}{name} = {value};")) + "\n");
    }

    /// The text: constants, nets, values.
    pub fn text(&self) -> String {
        let widest = |column: usize| self.nets.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let (ranges, names) = (widest(1), widest(2));
        let mut text = self.constants.concat();
        for [kind, range, name, doc] in &self.nets {
            let range = if ranges == 0 { String::new() } else { format!("{range:ranges$} ") };
            text.push_str(format!("    {kind} {range}{name:names$} {doc}").trim_end());
            text.push('\n');
        }
        text + &self.values.concat()
    }
}
