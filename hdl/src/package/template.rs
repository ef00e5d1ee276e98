//! An instantiation of the top module, to be copied into a design.

use crate::rtl::{Direction, Rtl};

/// The instantiation with each port connected to a signal of its own name.
pub(super) fn text(rtl: &Rtl) -> String {
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let names = widest(&mut rtl.ports.iter().map(|port| port.name.len()));
    let mut text =
        format!("// Instantiation of {}; give the signals names of your own.\n{} u_{} (\n", rtl.top, rtl.top, rtl.top);
    for (index, port) in rtl.ports.iter().enumerate() {
        let comma = if index + 1 < rtl.ports.len() { "," } else { "" };
        let way = match port.direction {
            Direction::Input => "in ",
            Direction::Output => "out",
        };
        let connection = format!("({}){comma}", port.name);
        let width = names + 3;
        let (name, bits, doc) = (&port.name, port.width, &port.doc);
        text.push_str(&format!("    .{name:names$} {connection:width$} // {way} {bits:>2}  {doc}\n"));
    }
    text + ");\n"
}
