//! Blocks whose inside is Verilog written by hand.

use super::declare::Declarations;
use super::net::{NetKind, Nets};
use super::tree::Node;
use crate::error::HdlError;
use std::collections::HashSet;

/// The inside of a primitive: its own text, and the names that it may use.
pub(super) fn by_hand(node: &Node, nets: &Nets, code: &str, declare_locals: bool) -> Result<String, HdlError> {
    if !node.children.is_empty() {
        return Err(HdlError::untranslatable(&nets.module, "hand-written text around other blocks"));
    }
    let words: HashSet<&str> = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let mut declarations = Declarations::default();
    for net in nets.list.iter().filter(|net| words.contains(net.name.as_str())) {
        match &net.kind {
            NetKind::Constant(value) => declarations.constant(&net.name, value, net.width),
            NetKind::Local if declare_locals => declarations.net(true, net, &net.name),
            _ => {}
        }
    }
    let mut text = declarations.text();
    let code = dedent(code);
    if !text.is_empty() && !code.is_empty() {
        text.push('\n');
    }
    for line in code.lines() {
        text.push_str(&if line.is_empty() || line.starts_with('`') { line.to_owned() } else { format!("    {line}") });
        text.push('\n');
    }
    Ok(text)
}

/// Removes the common indentation, and empty lines at both ends.
pub(super) fn dedent(code: &str) -> String {
    let lines: Vec<&str> = code.lines().map(str::trim_end).collect();
    let directive = |line: &&&str| !line.is_empty() && !line.starts_with('`');
    let margin = lines.iter().filter(directive).map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<&str> =
        lines.iter().map(|line| if line.starts_with('`') { line } else { line.get(margin..).unwrap_or("") }).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines[first..last].join("\n")
}
