//! One block as the text of one Verilog module.

use super::declare::{port_list, ports};
use super::inside::Inside;
use super::kernel;
use super::net::{NetKind, Nets};
use super::primitive::by_hand;
use super::process;
use super::tree::Node;
use crate::error::HdlError;
use crate::rtl::Port;
use rust_hdl::prelude::Verilog;
use std::collections::HashSet;

/// The text of a module, from `module` to `endmodule`.
pub(super) struct Body {
    pub ports: Vec<Port>,
    pub text: String,
    /// Whether the inside was written by hand.
    pub primitive: bool,
}

type Result<T> = std::result::Result<T, HdlError>;

/// Writes `node` as module `name`; `children` are the modules of its children.
pub(super) fn write(node: &Node, name: &str, children: &[String]) -> Result<Body> {
    let nets = Nets::of(node, name)?;
    let ports = ports(&nets)?;
    let (inside, regs, primitive) = match &node.code {
        Verilog::Combinatorial(block) => {
            let kernel = kernel::statements(block, &nets)?;
            let (inside, regs) = Inside::of(&nets, process::split(&kernel, &nets)?, node, children).write()?;
            (inside, regs, false)
        }
        Verilog::Empty => {
            let (inside, regs) = Inside::of(&nets, Vec::new(), node, children).write()?;
            (inside, regs, false)
        }
        Verilog::Custom(code) => {
            let outputs = nets.list.iter().enumerate().filter(|(_, net)| net.kind == NetKind::Output);
            (by_hand(node, &nets, code, true)?, outputs.map(|(id, _)| id).collect(), true)
        }
        Verilog::Wrapper(wrapper) if !wrapper.cores.trim().is_empty() => {
            return Err(HdlError::untranslatable(
                name,
                "cores in a wrapper; make them blocks and pass them as library",
            ));
        }
        Verilog::Wrapper(wrapper) => (by_hand(node, &nets, &wrapper.code, false)?, HashSet::new(), true),
        Verilog::Blackbox(_) => {
            return Err(HdlError::untranslatable(name, "a black box; wrap it with Verilog::Wrapper"));
        }
    };
    let text = format!("module {name} (\n{});\n{inside}endmodule\n", port_list(&nets, &ports, &regs));
    Ok(Body { ports, text, primitive })
}
