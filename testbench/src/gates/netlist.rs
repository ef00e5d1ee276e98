//! A flat netlist of library cells, read from Verilog by Yosys.

use super::error::GatesError;
use crate::process::Invocation;
use crate::synth::liberty::CellLibrary;
use crate::tools::Tool;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::sync::atomic::AtomicBool;

/// What a pin is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bit {
    /// A net.
    Net(u32),
    /// A constant; an unknown one counts as 0.
    Constant(bool),
}

/// A port of the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortNets {
    /// Its name.
    pub name: String,
    /// Whether it is an input.
    pub input: bool,
    /// Its bits, the lowest first.
    pub bits: Vec<Bit>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name: parts that were kept are followed by a dot.
    pub name: String,
    /// The library's cell.
    pub cell: String,
    /// Its pins that are connected.
    pub pins: Vec<(String, Bit)>,
}

/// A flat module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlatNetlist {
    /// Name of the module.
    pub top: String,
    /// Names of the nets.
    pub nets: Vec<String>,
    /// Ports in order of their names.
    pub ports: Vec<PortNets>,
    /// Cells in order of their names.
    pub instances: Vec<Instance>,
}

impl Instance {
    /// The part that the cell belongs to: its name up to the first dot, `top`
    /// for cells outside all parts.
    pub fn component(&self) -> &str {
        self.name.split_once('.').map_or("top", |(part, _)| part)
    }
}

impl FlatNetlist {
    /// Reads the netlist that synthesis wrote.
    ///
    /// # Errors
    /// Yosys is missing or fails, or the module is not flat.
    pub fn read(verilog: &str, top: &str, library: &CellLibrary, cancel: &AtomicBool) -> Result<Self, GatesError> {
        let folder = tempfile::tempdir().map_err(|source| GatesError::File { path: std::env::temp_dir(), source })?;
        let file = |name: &str| folder.path().join(name);
        for (name, text) in [("netlist.v", verilog), ("cells.lib", &library.text)] {
            fs::write(file(name), text).map_err(|source| GatesError::File { path: file(name), source })?;
        }
        let script = format!(
            "read_liberty -lib cells.lib; read_verilog netlist.v; hierarchy -check -top {top}; write_json netlist.json"
        );
        Invocation::new(&Tool::Yosys.find()?)
            .directory(folder.path())
            .args(["-q", "-p", &script])
            .cancel(cancel)
            .run()?;
        let path = file("netlist.json");
        let text = fs::read_to_string(&path).map_err(|source| GatesError::File { path, source })?;
        Self::parse(&text, top)
    }

    /// Reads what Yosys' `write_json` wrote.
    ///
    /// # Errors
    /// The text is not what it should be.
    pub fn parse(text: &str, top: &str) -> Result<Self, GatesError> {
        let refuse = |what: &str| GatesError::Netlist { top: top.to_owned(), what: what.to_owned() };
        let value: Value = serde_json::from_str(text).map_err(|error| refuse(&error.to_string()))?;
        let module = &value["modules"][top];
        let object =
            |name: &str| module[name].as_object().ok_or_else(|| refuse(&format!("there is no table of {name}")));
        let mut numbers = Numbers::default();
        let mut ports = Vec::new();
        for (name, port) in object("ports")? {
            let input = match port["direction"].as_str() {
                Some("input") => true,
                Some("output") => false,
                _ => return Err(refuse(&format!("port {name} is neither input nor output"))),
            };
            let bits = numbers.bits(&port["bits"]).ok_or_else(|| refuse("a port without bits"))?;
            ports.push(PortNets { name: name.clone(), input, bits });
        }
        let mut instances = Vec::new();
        for (name, cell) in object("cells")? {
            let kind = cell["type"].as_str().ok_or_else(|| refuse("a cell without a type"))?;
            let mut pins = Vec::new();
            for (pin, bits) in cell["connections"].as_object().into_iter().flatten() {
                match numbers.bits(bits).as_deref() {
                    Some([]) => {}
                    Some([bit]) => pins.push((pin.clone(), *bit)),
                    _ => return Err(refuse(&format!("pin {pin} of {name} is not one bit"))),
                }
            }
            instances.push(Instance { name: name.clone(), cell: kind.to_owned(), pins });
        }
        let mut nets: Vec<String> = (0..numbers.known.len()).map(|net| format!("net{net}")).collect();
        for (name, net) in object("netnames")? {
            for (index, bit) in numbers.bits(&net["bits"]).unwrap_or_default().into_iter().enumerate() {
                if let Bit::Net(number) = bit
                    && let Some(known) = nets.get_mut(number as usize)
                {
                    *known = if index == 0 { name.clone() } else { format!("{name}[{index}]") };
                }
            }
        }
        Ok(Self { top: top.to_owned(), nets, ports, instances })
    }

    /// The port of this name.
    pub fn port(&self, name: &str) -> Option<&PortNets> {
        self.ports.iter().find(|port| port.name == name)
    }
}

/// Yosys' bit numbers as places in a list.
#[derive(Default)]
struct Numbers {
    known: HashMap<u64, u32>,
}

impl Numbers {
    fn bits(&mut self, value: &Value) -> Option<Vec<Bit>> {
        value
            .as_array()?
            .iter()
            .map(|bit| match (bit.as_u64(), bit.as_str()) {
                (Some(number), _) => {
                    let next = u32::try_from(self.known.len()).ok()?;
                    Some(Bit::Net(*self.known.entry(number).or_insert(next)))
                }
                (_, Some(text)) => Some(Bit::Constant(text == "1")),
                _ => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"{"modules": {"m": {
        "ports": {"a_i": {"direction": "input", "bits": [2, 3]}, "y_o": {"direction": "output", "bits": [4, "0"]}},
        "cells": {"adder._1_": {"type": "ND2", "connections": {"A": [2], "B": ["1"], "Y": [4], "Z": []}}},
        "netnames": {"a_i": {"bits": [2, 3]}, "adder.y": {"bits": [4]}, "lost": {"bits": [9]}}}}}"#;

    #[test]
    fn pins_ports_and_constants_are_read() {
        let netlist = FlatNetlist::parse(MODULE, "m").unwrap();
        assert_eq!(netlist.nets, ["a_i", "a_i[1]", "adder.y"]);
        assert_eq!(netlist.port("y_o").unwrap().bits, [Bit::Net(2), Bit::Constant(false)]);
        let cell = &netlist.instances[0];
        assert_eq!((cell.component(), cell.pins.len()), ("adder", 3));
        assert_eq!(cell.pins[1], ("B".to_owned(), Bit::Constant(true)));
        let alone = Instance { name: "_1_".into(), ..cell.clone() };
        assert_eq!(alone.component(), "top");
    }

    #[test]
    fn what_is_no_flat_module_is_refused() {
        for text in ["", "{}", "[1]", &MODULE.replace("\"A\": [2]", "\"A\": [2, 3]"), &MODULE.replace("input", "inout")]
        {
            assert!(matches!(FlatNetlist::parse(text, "m"), Err(GatesError::Netlist { .. })), "{text}");
        }
        assert!(matches!(FlatNetlist::parse(MODULE, "n"), Err(GatesError::Netlist { .. })));
    }
}
