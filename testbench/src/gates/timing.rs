//! Slews, delays and the longest path, from the library's tables and the netlist's loads.
//!
//! As in OpenSTA: the clock is ideal, an input comes from the smallest buffer, a
//! net has the worst slew of its arcs, and the latches of clock gates begin no path of data.

use super::arcs::{ByEdge, Cause, CellData, edge};
use super::circuit::{Circuit, Gate, Role};
use super::netlist::Bit;
use super::table::Point;
use crate::synth::sta::Surroundings;

/// Both edges.
const EDGES: [bool; 2] = [true, false];

/// Slews and arrival times of every net, by edge.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Slew of each net in ns.
    pub slew: Vec<ByEdge<f64>>,
    /// When input ports change after the clock edge, in ns; 0 for other nets.
    pub input: Vec<ByEdge<f64>>,
    /// Delay in ns of the longest path, setup included.
    pub longest_ns: f64,
    /// Name of the net that it ends at.
    pub end: String,
    /// Whether an arc has given the net its slew.
    seen: Vec<ByEdge<bool>>,
}

/// When a net changes at the latest, in ns; minus infinity where no path of data ends.
type Arrival = ByEdge<f64>;

const NEVER: Arrival = [f64::NEG_INFINITY; 2];

impl Timing {
    /// The timing of a circuit with edges of the clock that take `clock_slew` ns.
    pub fn of(circuit: &Circuit, around: Surroundings<'_>, clock_slew: f64) -> Self {
        let mut timing = Self {
            slew: vec![[clock_slew; 2]; circuit.nets.len()],
            input: vec![[0.0; 2]; circuit.nets.len()],
            longest_ns: 0.0,
            end: String::new(),
            seen: vec![[false; 2]; circuit.nets.len()],
        };
        let mut arrival = vec![NEVER; circuit.nets.len()];
        for port in circuit.netlist.ports.iter().filter(|port| port.input) {
            for bit in &port.bits {
                let Bit::Net(net) = bit else { continue };
                if Some(*net) == circuit.clock {
                    continue;
                }
                timing.drive(circuit, *net as usize);
                if !around.control.contains(&port.name.as_str()) {
                    arrival[*net as usize] = timing.input[*net as usize];
                }
            }
        }
        for gate in &circuit.gates {
            if circuit.cell(gate).logic.storage.is_some_and(|storage| !storage.latch) {
                timing.launch(circuit, gate, &mut arrival);
            }
        }
        for gate in &circuit.order {
            let gate = &circuit.gates[*gate];
            if circuit.cell(gate).logic.storage.is_some() {
                timing.launch(circuit, gate, &mut arrival);
            } else {
                timing.pass(circuit, gate, &mut arrival);
            }
        }
        timing.find_longest(circuit, &arrival, clock_slew);
        timing
    }

    /// An input port: the smallest buffer drives it, from a step at its input.
    fn drive(&mut self, circuit: &Circuit, net: usize) {
        let Some(buffer) = &circuit.driver else { return };
        for rises in EDGES {
            let cause = Cause { input: 0, rises, state: None };
            let point = Point { load: circuit.nets[net].load, ..Point::default() };
            if let Some((delay, slew)) = buffer.delay(cause, 0, rises, point) {
                self.input[net][edge(rises)] = delay.max(0.0);
                self.slew[net][edge(rises)] = slew.max(0.0);
            }
        }
    }

    /// What a clock edge puts on the outputs of a flip-flop or latch.
    fn launch(&mut self, circuit: &Circuit, gate: &Gate, arrival: &mut [Arrival]) {
        let cell = circuit.cell(gate);
        let Some(storage) = cell.logic.storage else { return };
        self.spread(circuit, gate, storage.clock_pin, [0.0; 2], arrival);
        if storage.latch {
            // The slew of a clock gate's latch may come from its data; the path ends there.
            // A latch that holds data is open from the clock edge on, and passes them on.
            for (pin, bit) in gate.inputs.iter().enumerate().filter(|(pin, _)| *pin != storage.clock_pin) {
                let from = match bit {
                    Bit::Net(net) if gate.role == Role::Register => arrival[*net as usize],
                    _ => NEVER,
                };
                self.spread(circuit, gate, pin, from, arrival);
            }
        }
    }

    fn pass(&mut self, circuit: &Circuit, gate: &Gate, arrival: &mut [Arrival]) {
        for (pin, bit) in gate.inputs.iter().enumerate() {
            if let Bit::Net(net) = bit {
                self.spread(circuit, gate, pin, arrival[*net as usize], arrival);
            }
        }
    }

    /// From one input to all outputs. The first arc of an output replaces the
    /// slew that nets begin with, later ones only make it worse.
    fn spread(&mut self, circuit: &Circuit, gate: &Gate, pin: usize, from: Arrival, arrival: &mut [Arrival]) {
        let cell = circuit.cell(gate);
        for (place, net) in gate.outputs.iter().enumerate() {
            let Some(net) = net.map(|net| net as usize) else { continue };
            if circuit.nets[net].clock {
                continue;
            }
            for rises in EDGES {
                for caused in EDGES {
                    let slew = self.slew_at(gate, pin, rises);
                    let point = Point { slew, load: circuit.nets[net].load, constrained: 0.0 };
                    let cause = Cause { input: pin, rises, state: None };
                    let Some((delay, slew)) = cell.delay(cause, place, caused, point) else { continue };
                    let worst = &mut self.slew[net][edge(caused)];
                    let seen = std::mem::replace(&mut self.seen[net][edge(caused)], true);
                    *worst = if seen { worst.max(slew) } else { slew };
                    let time = &mut arrival[net][edge(caused)];
                    *time = time.max(from[edge(rises)] + delay);
                }
            }
        }
    }

    fn slew_at(&self, gate: &Gate, pin: usize, rises: bool) -> f64 {
        match gate.inputs[pin] {
            Bit::Net(net) => self.slew[net as usize][edge(rises)],
            Bit::Constant(_) => 0.0,
        }
    }

    fn find_longest(&mut self, circuit: &Circuit, arrival: &[Arrival], clock_slew: f64) {
        let mut ends: Vec<(f64, usize)> = Vec::new();
        for (net, at) in arrival.iter().enumerate() {
            if circuit.nets[net].ports > 0 {
                ends.extend(at.map(|time| (time, net)));
            }
        }
        for gate in &circuit.gates {
            let cell = circuit.cell(gate);
            let Some(storage) = cell.logic.storage else { continue };
            for (pin, bit) in gate.inputs.iter().enumerate().filter(|(pin, _)| *pin != storage.clock_pin) {
                let Bit::Net(net) = bit else { continue };
                for rises in EDGES {
                    let time = arrival[*net as usize][edge(rises)];
                    let setup = setup(cell, pin, rises, self.slew[*net as usize][edge(rises)], clock_slew);
                    ends.push((time + setup, *net as usize));
                }
            }
        }
        if let Some((time, net)) = ends.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))
            && time > 0.0
        {
            self.longest_ns = time;
            self.end.clone_from(&circuit.netlist.nets[net]);
        }
    }
}

fn setup(cell: &CellData, pin: usize, rises: bool, slew: f64, clock_slew: f64) -> f64 {
    let point = Point { slew: clock_slew, load: 0.0, constrained: slew };
    cell.setup[pin][edge(rises)].as_ref().map_or(0.0, |lut| lut.at(point))
}
