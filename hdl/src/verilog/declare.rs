//! Port lists and declarations.

use super::net::{Net, NetId, NetKind, Nets};
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
pub(super) fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0]", width - 1) }
}

/// One declaration, with what the net is for.
pub(super) fn declaration(kind: &str, net: &Net, name: &str) -> String {
    let range = if net.width == 1 { String::new() } else { format!("{} ", range(net.width)) };
    let doc = net.doc.as_ref().map_or(String::new(), |doc| format!(" // {doc}"));
    format!("    {kind} {range}{name};{doc}\n")
}

/// A constant as a `localparam`; `None` for any other net.
pub(super) fn constant(net: &Net) -> Option<String> {
    let NetKind::Constant(value) = &net.kind else { return None };
    let range = if net.width == 1 { String::new() } else { format!("{} ", range(net.width)) };
    Some(format!("    localparam {range}{} = {};\n", net.name, value.verilog(net.width)))
}
