//! The netlist with the library's data: drivers, fan-outs, loads, clock network, and an order of evaluation.

use super::arcs::CellData;
use super::error::GatesError;
use super::netlist::{Bit, FlatNetlist};
use super::table::Units;
use crate::synth::liberty::CellLibrary;
use crate::synth::sta::Surroundings;
use std::collections::HashMap;

/// What a cell's energy is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Logic.
    Combinational,
    /// A flip-flop, or a latch that holds data.
    Register,
    /// A cell between the clock port and clock pins, or a latch that gates the clock.
    ClockGate,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Place of its cell in [`Circuit::cells`].
    pub cell: usize,
    /// What its inputs are connected to.
    pub inputs: Vec<Bit>,
    /// The nets of its outputs.
    pub outputs: Vec<Option<u32>>,
    /// Place of its part in [`Circuit::components`].
    pub component: usize,
    /// What its energy is counted as.
    pub role: Role,
}

/// One net.
#[derive(Clone, Debug, Default)]
pub struct Net {
    /// The gate and output that drives it; none for input ports.
    pub driver: Option<(usize, usize)>,
    /// The gates and inputs that it drives.
    pub fans: Vec<(usize, usize)>,
    /// How many bits of output ports it drives.
    pub ports: usize,
    /// Whether the clock reaches it through nothing but logic: its edges are
    /// those of an ideal clock.
    pub clock: bool,
    /// Capacitance in fF: wire, pins, and a flip-flop's data pin an output port.
    pub load: f64,
}

/// The netlist with the library's data.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The netlist.
    pub netlist: FlatNetlist,
    /// The cells that it uses.
    pub cells: Vec<CellData>,
    /// Names of the parts, `top` among them where cells are outside all others.
    pub components: Vec<String>,
    /// The gates, in the order of the netlist's instances.
    pub gates: Vec<Gate>,
    /// The nets.
    pub nets: Vec<Net>,
    /// Everything but flip-flops, each behind what drives it.
    pub order: Vec<usize>,
    /// The net of the clock port.
    pub clock: Option<u32>,
    /// What drives the inputs, where the library has a buffer.
    pub driver: Option<CellData>,
    /// Supply in V.
    pub volts: f64,
    /// Wire capacitance a fan-out in fF.
    pub wire_load: f64,
}

impl Circuit {
    /// Looks everything up.
    ///
    /// # Errors
    /// A cell that is not simulated, a net with two drivers or none, or a loop
    /// of logic and latches.
    pub fn of(netlist: FlatNetlist, library: &CellLibrary, around: Surroundings<'_>) -> Result<Self, GatesError> {
        let refuse = |what: String| GatesError::Netlist { top: netlist.top.clone(), what };
        let units = Units::of(library.parsed())?;
        let data = |name: &str| match library.parsed().cell.get(name) {
            Some(cell) => CellData::of(cell, &units),
            None => Err(GatesError::Cell { cell: name.to_owned(), what: "it is not in the library".into() }),
        };
        let (mut cells, mut places, mut components) = (Vec::new(), HashMap::new(), Vec::new());
        let mut nets = vec![Net::default(); netlist.nets.len()];
        let mut gates = Vec::new();
        for (number, instance) in netlist.instances.iter().enumerate() {
            let cell = match places.get(&instance.cell) {
                Some(cell) => *cell,
                None => {
                    cells.push(data(&instance.cell)?);
                    places.insert(instance.cell.clone(), cells.len() - 1);
                    cells.len() - 1
                }
            };
            let known: &CellData = &cells[cell];
            let pin_at = |pin: &str| instance.pins.iter().find(|(name, _)| name == pin).map(|(_, bit)| *bit);
            // An input that is not connected is a constant 0, as Yosys has it.
            let inputs: Vec<Bit> =
                known.logic.inputs.iter().map(|pin| pin_at(pin).unwrap_or(Bit::Constant(false))).collect();
            for (pin, bit) in inputs.iter().enumerate() {
                if let Bit::Net(net) = bit {
                    let net = &mut nets[*net as usize];
                    net.fans.push((number, pin));
                    net.load += known.capacitance[pin] + around.wire_load;
                }
            }
            let mut outputs = Vec::new();
            for (place, (pin, _)) in known.logic.outputs.iter().enumerate() {
                let net = match pin_at(pin) {
                    Some(Bit::Net(net)) => Some(net),
                    _ => None,
                };
                if let Some(net) = net
                    && nets[net as usize].driver.replace((number, place)).is_some()
                {
                    return Err(refuse(format!("net {} has two drivers", netlist.nets[net as usize])));
                }
                outputs.push(net);
            }
            let component = instance.component();
            let component = components.iter().position(|known| known == component).unwrap_or_else(|| {
                components.push(component.to_owned());
                components.len() - 1
            });
            let role = if known.logic.storage.is_some() { Role::Register } else { Role::Combinational };
            gates.push(Gate { cell, inputs, outputs, component, role });
        }
        let flop = library.roles.flop.as_ref().and_then(|flop| library.pin_capacitance(&flop.cell, &flop.data));
        let mut driven = vec![false; nets.len()];
        for port in &netlist.ports {
            for bit in &port.bits {
                let Bit::Net(number) = bit else { continue };
                let net = &mut nets[*number as usize];
                if port.input {
                    driven[*number as usize] = true;
                } else {
                    net.ports += 1;
                    net.load += around.wire_load + flop.unwrap_or(0.0);
                }
            }
        }
        for (number, net) in nets.iter().enumerate() {
            if (net.driver.is_some() == driven[number]) && !(net.fans.is_empty() && net.ports == 0) {
                return Err(refuse(format!("net {} has not one driver", netlist.nets[number])));
            }
        }
        let clock = around.clock.and_then(|name| match netlist.port(name)?.bits.as_slice() {
            [Bit::Net(net)] => Some(*net),
            _ => None,
        });
        if let (Some(name), None) = (around.clock, clock) {
            return Err(refuse(format!("there is no clock port {name}")));
        }
        let driver = library.roles.buffer.as_ref().map(|buffer| data(&buffer.cell)).transpose()?;
        let (volts, wire_load) = (units.volts, around.wire_load);
        let mut circuit =
            Self { netlist, cells, components, gates, nets, order: Vec::new(), clock, driver, volts, wire_load };
        circuit.find_clock_network();
        circuit.order = circuit.evaluation_order()?;
        Ok(circuit)
    }

    /// The data of a gate's cell.
    pub fn cell(&self, gate: &Gate) -> &CellData {
        &self.cells[gate.cell]
    }

    /// Marks what the clock reaches through logic, and the latches that gate it.
    fn find_clock_network(&mut self) {
        let mut found: Vec<u32> = self.clock.into_iter().collect();
        while let Some(number) = found.pop() {
            if std::mem::replace(&mut self.nets[number as usize].clock, true) {
                continue;
            }
            for (gate, _) in self.nets[number as usize].fans.clone() {
                let gate = &mut self.gates[gate];
                if self.cells[gate.cell].logic.storage.is_none() {
                    gate.role = Role::ClockGate;
                    found.extend(gate.outputs.iter().flatten());
                }
            }
        }
        for number in 0..self.gates.len() {
            let gate = &self.gates[number];
            let Some(storage) = self.cells[gate.cell].logic.storage else { continue };
            let clocked = matches!(gate.inputs[storage.clock_pin], Bit::Net(net) if self.nets[net as usize].clock);
            let mut fans = gate.outputs.iter().flatten().flat_map(|net| &self.nets[*net as usize].fans).peekable();
            if storage.latch
                && clocked
                && fans.peek().is_some()
                && fans.all(|(fan, _)| self.gates[*fan].role == Role::ClockGate)
            {
                self.gates[number].role = Role::ClockGate;
            }
        }
    }

    /// Everything but flip-flops, each behind what drives it.
    fn evaluation_order(&self) -> Result<Vec<usize>, GatesError> {
        let flop = |gate: &Gate| self.cell(gate).logic.storage.is_some_and(|storage| !storage.latch);
        let waits_for = |bit: &Bit| match bit {
            Bit::Net(net) => self.nets[*net as usize].driver.is_some_and(|(gate, _)| !flop(&self.gates[gate])),
            Bit::Constant(_) => false,
        };
        let mut waiting: Vec<usize> =
            self.gates.iter().map(|gate| gate.inputs.iter().filter(|bit| waits_for(bit)).count()).collect();
        let mut order: Vec<usize> =
            (0..self.gates.len()).filter(|gate| waiting[*gate] == 0 && !flop(&self.gates[*gate])).collect();
        let mut next = 0;
        while let Some(gate) = order.get(next) {
            next += 1;
            for net in self.gates[*gate].outputs.clone().into_iter().flatten() {
                for (fan, _) in &self.nets[net as usize].fans {
                    waiting[*fan] -= 1;
                    if waiting[*fan] == 0 && !flop(&self.gates[*fan]) {
                        order.push(*fan);
                    }
                }
            }
        }
        let flops = self.gates.iter().filter(|gate| flop(gate)).count();
        if order.len() + flops == self.gates.len() {
            return Ok(order);
        }
        Err(GatesError::Netlist { top: self.netlist.top.clone(), what: "logic and latches form a loop".into() })
    }
}
