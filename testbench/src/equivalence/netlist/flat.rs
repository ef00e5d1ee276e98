//! The netlist that is simulated is the proven one with its parts flattened: the same cells
//! under the same names, wired alike.

use super::NetlistError;
use super::json::{Bit as Wire, Design, Direction, Module};
use crate::gates::netlist::{Bit, FlatNetlist};
use crate::synth::liberty::CellLibrary;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A net of the whole netlist: a place in a list, the first two of which are constants.
type Node = usize;

/// A cell's type, and its pins.
type Leaf<'a> = (&'a str, Vec<(&'a str, Node)>);

/// The netlist with its parts, taken apart.
struct Expanded<'a> {
    design: &'a Design,
    /// What each net is the same as.
    parents: Vec<Node>,
    /// Cells by their whole name: type and pins.
    cells: HashMap<String, Leaf<'a>>,
    /// Instances of each module that has cells of its own.
    instances: BTreeMap<&'a str, usize>,
}

/// Compares the netlist `flat` with the one that has parts. Hands back how many
/// instances there are of each module.
///
/// # Errors
/// The first difference.
pub fn instances(
    flat: &FlatNetlist,
    hierarchy: &Design,
    kept: &[String],
    library: &CellLibrary,
) -> Result<BTreeMap<String, usize>, NetlistError> {
    let mut expanded =
        Expanded { design: hierarchy, parents: vec![0, 1], cells: HashMap::new(), instances: BTreeMap::new() };
    let top = expanded.module(&flat.top)?;
    let ports = expanded.expand(&flat.top, top, "", kept, &HashMap::new())?;
    expanded.compare(flat, &ports, library)?;
    Ok(expanded.instances.into_iter().map(|(module, count)| (module.to_owned(), count)).collect())
}

impl<'a> Expanded<'a> {
    fn module(&self, name: &str) -> Result<&'a Module, NetlistError> {
        let none = || NetlistError::Unreadable { what: format!("there is no module {name} in the netlist") };
        self.design.modules.get(name).ok_or_else(none)
    }

    fn root(&self, mut node: Node) -> Node {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }

    /// Makes two nets one. A constant stays itself.
    fn join(&mut self, a: Node, b: Node) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn node(&mut self, nets: &mut HashMap<u64, Node>, wire: Wire) -> Node {
        match wire {
            Wire::Constant(constant) => usize::from(constant == '1'),
            Wire::Net(number) => *nets.entry(number).or_insert_with(|| {
                self.parents.push(self.parents.len());
                self.parents.len() - 1
            }),
        }
    }

    /// Adds an instance whose ports are connected like this; hands back its ports.
    fn expand(
        &mut self,
        name: &'a str,
        module: &'a Module,
        prefix: &str,
        kept: &[String],
        outside: &HashMap<&str, Vec<Node>>,
    ) -> Result<HashMap<&'a str, Vec<Node>>, NetlistError> {
        *self.instances.entry(name).or_default() += 1;
        let mut nets = HashMap::new();
        let mut ports = HashMap::new();
        for (port, inner) in &module.ports {
            let inner: Vec<Node> = inner.bits.iter().map(|bit| self.node(&mut nets, *bit)).collect();
            for (inside, outside) in inner.iter().zip(outside.get(port.as_str()).into_iter().flatten()) {
                self.join(*inside, *outside);
            }
            ports.insert(port.as_str(), inner);
        }
        for (instance, cell) in &module.cells {
            let whole = format!("{prefix}{instance}");
            let mut pins: HashMap<&'a str, Vec<Node>> = HashMap::new();
            for (pin, bits) in &cell.connections {
                let bits = bits.iter().map(|bit| self.node(&mut nets, *bit)).collect();
                pins.insert(pin, bits);
            }
            if kept.contains(&cell.kind) {
                let inner = self.module(&cell.kind)?;
                self.expand(&cell.kind, inner, &format!("{whole}."), kept, &pins)?;
            } else {
                let pins = pins.into_iter().filter_map(|(pin, bits)| Some((pin, *bits.first()?))).collect();
                self.cells.insert(whole, (&cell.kind, pins));
            }
        }
        Ok(ports)
    }

    /// Cells, pins and ports of both are the same, nets one to one.
    fn compare(
        &self,
        flat: &FlatNetlist,
        ports: &HashMap<&str, Vec<Node>>,
        library: &CellLibrary,
    ) -> Result<(), NetlistError> {
        let mut wires = Wires::default();
        let roles = &library.roles;
        let ties = [(&roles.tie_low, 0), (&roles.tie_high, 1)];
        let tied = |cell: &str, pin: &str| {
            let tie =
                ties.iter().find(|(tie, _)| tie.as_ref().is_some_and(|tie| tie.cell == cell && tie.output == pin));
            tie.map(|(_, node)| *node)
        };
        let (mut present, mut open) = (HashSet::new(), Vec::new());
        for cell in &flat.instances {
            match self.cells.get(&cell.name) {
                Some((kind, _)) if *kind == cell.cell => {
                    present.insert(&cell.name);
                }
                None => {
                    for (pin, bit) in &cell.pins {
                        let node = tied(&cell.cell, pin).ok_or_else(|| differs(&cell.name))?;
                        wires.tie(*bit, node).ok_or_else(|| differs(&cell.name))?;
                    }
                }
                Some(_) => return Err(differs(&cell.name)),
            }
        }
        for cell in flat.instances.iter().filter(|cell| present.contains(&cell.name)) {
            let (kind, pins) = self.cells.get(&cell.name).ok_or_else(|| differs(&cell.name))?;
            let connected: HashMap<&str, Bit> = cell.pins.iter().map(|(pin, bit)| (pin.as_str(), *bit)).collect();
            for (pin, node) in pins {
                match connected.get(pin) {
                    Some(bit) => wires.pair(*bit, self.root(*node), &cell.name)?,
                    None if self.is_output(kind, pin) => open.push((&cell.name, *node)),
                    None => return Err(differs(&cell.name)),
                }
            }
            if cell.pins.iter().any(|(pin, _)| !pins.iter().any(|(known, _)| known == pin)) {
                return Err(differs(&cell.name));
            }
        }
        for port in &flat.ports {
            let nodes = ports.get(port.name.as_str()).filter(|nodes| nodes.len() == port.bits.len());
            let nodes = nodes.ok_or_else(|| differs(&port.name))?;
            for (bit, node) in port.bits.iter().zip(nodes) {
                wires.pair(*bit, self.root(*node), &port.name)?;
            }
        }
        if flat.ports.len() != ports.len() {
            return Err(differs(&flat.top));
        }
        // What drives a net that is there is there: cells and outputs may be missing where
        // nothing reads them.
        for (name, (kind, pins)) in self.cells.iter().filter(|(name, _)| !present.contains(name)) {
            open.extend(pins.iter().filter(|(pin, _)| self.is_output(kind, pin)).map(|(_, node)| (name, *node)));
        }
        match open.into_iter().filter(|(_, node)| wires.read.contains_key(&self.root(*node))).min() {
            Some((name, _)) => Err(differs(name)),
            None => Ok(()),
        }
    }

    fn is_output(&self, cell: &str, pin: &str) -> bool {
        let port = self.design.modules.get(cell).and_then(|cell| cell.ports.get(pin));
        port.is_some_and(|port| port.direction == Direction::Output)
    }
}

/// Which net of the one is which of the other.
#[derive(Default)]
struct Wires {
    nets: HashMap<u32, Node>,
    read: HashMap<Node, u32>,
}

impl Wires {
    /// What a tie cell drives is a constant, on as many nets as there are such cells.
    fn tie(&mut self, bit: Bit, node: Node) -> Option<()> {
        match bit {
            Bit::Net(net) => self.nets.insert(net, node).is_none().then_some(()),
            Bit::Constant(_) => None,
        }
    }

    fn pair(&mut self, bit: Bit, node: Node, place: &str) -> Result<(), NetlistError> {
        let same = match bit {
            Bit::Constant(value) => node == usize::from(value),
            Bit::Net(net) if node < 2 => self.nets.get(&net) == Some(&node),
            Bit::Net(net) => {
                *self.nets.entry(net).or_insert(node) == node && *self.read.entry(node).or_insert(net) == net
            }
        };
        if same { Ok(()) } else { Err(differs(place)) }
    }
}

fn differs(place: &str) -> NetlistError {
    NetlistError::Flat { place: place.to_owned() }
}
