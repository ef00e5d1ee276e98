//! The part of Yosys' JSON that a proof reads and writes: cells between nets.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What `write_json` writes.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Design {
    /// The modules by name.
    pub modules: BTreeMap<String, Module>,
}

/// One module.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Module {
    /// Ports by name.
    pub ports: BTreeMap<String, Port>,
    /// Cells by name.
    pub cells: BTreeMap<String, Cell>,
    /// Nets by name; a net can have several.
    #[serde(default)]
    pub netnames: BTreeMap<String, Net>,
}

/// A port.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Port {
    /// Which way it goes.
    pub direction: Direction,
    /// Its bits, the lowest first.
    pub bits: Vec<Bit>,
}

/// Which way a port goes, seen from inside the module.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into it.
    Input,
    /// Out of it.
    Output,
    /// Both; no module here has such a port.
    Inout,
}

/// A cell or an instance.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Cell {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// Directions of its pins.
    #[serde(default)]
    pub port_directions: BTreeMap<String, Direction>,
    /// What its pins are connected to.
    pub connections: BTreeMap<String, Vec<Bit>>,
}

/// A name of some nets.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Net {
    /// They, the lowest first.
    pub bits: Vec<Bit>,
    /// Index of the lowest.
    #[serde(default)]
    pub offset: u64,
}

/// One bit.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(untagged)]
pub enum Bit {
    /// A net.
    Net(u64),
    /// `0`, `1`, `x` or `z`.
    Constant(char),
}

impl Bit {
    /// A constant 0.
    pub const ZERO: Self = Self::Constant('0');
}

impl Cell {
    /// What a single-bit pin is connected to.
    pub fn pin(&self, pin: &str) -> Option<Bit> {
        match self.connections.get(pin).map(Vec::as_slice) {
            Some([bit]) => Some(*bit),
            _ => None,
        }
    }
}

impl Module {
    /// A number that no net has.
    pub fn fresh(&self) -> u64 {
        let ports = self.ports.values().flat_map(|port| &port.bits);
        let pins = self.cells.values().flat_map(|cell| cell.connections.values().flatten());
        let nets = self.netnames.values().flat_map(|net| &net.bits);
        let number = |bit: &Bit| if let Bit::Net(number) = bit { *number } else { 0 };
        ports.chain(pins).chain(nets).map(number).max().unwrap_or(0) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yosys_writes_is_read_and_written() {
        let text = r#"{"creator": "Yosys", "modules": {"m": {"attributes": {},
            "ports": {"a": {"direction": "input", "bits": [2, 3]}, "y": {"direction": "output", "bits": [4, "x"]}},
            "cells": {"g": {"hide_name": 0, "type": "$_NOT_", "parameters": {}, "port_directions": {"A": "input"},
                            "connections": {"A": [2], "Y": [4]}}},
            "netnames": {"a": {"hide_name": 0, "bits": [2, 3], "offset": 5}}}}}"#;
        let design: Design = serde_json::from_str(text).unwrap();
        let module = &design.modules["m"];
        assert_eq!(module.ports["y"].bits, [Bit::Net(4), Bit::Constant('x')]);
        assert_eq!((module.cells["g"].pin("Y"), module.cells["g"].pin("B")), (Some(Bit::Net(4)), None));
        assert_eq!((module.netnames["a"].offset, module.fresh()), (5, 5));
        let again: Design = serde_json::from_str(&serde_json::to_string(&design).unwrap()).unwrap();
        assert_eq!(again.modules["m"].ports["a"].bits, [Bit::Net(2), Bit::Net(3)]);
    }
}
