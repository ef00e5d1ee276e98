//! Event-driven simulation with inertial delays: every transition, and what it uses.
//!
//! An output is either at rest or on its way to the other value. If what it
//! should be changes while it is on its way, it stays: a pulse shorter than the
//! gate's delay does not pass.

use super::program::{Arc, FlatGate, NO_NET, PinEnergy, Program};
use super::queue::Queue;
use super::ternary::Settled;

/// Not on its way.
const RESTING: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct NetState {
    /// When it changes.
    pending: u64,
    /// What that will use, in fJ.
    energy: f32,
    value: bool,
}

/// A netlist in the course of time. Time is in ticks.
#[derive(Clone, Debug)]
pub struct Simulator<'a> {
    program: &'a Program,
    nets: Vec<NetState>,
    /// The inputs of each gate and, above them, what it stores.
    states: Vec<u8>,
    queue: Queue,
    /// Transitions of each net.
    pub toggles: Vec<u32>,
    /// Ticks for which each net was high, less the tick at which it last rose if it is high.
    high: Vec<u64>,
    /// Energy in fJ by class of cycle, part and kind.
    pub energy: Vec<f64>,
    /// Where the energies of the present class of cycle begin.
    class: usize,
    /// Transitions of all nets.
    pub transitions: u64,
    /// Gates to be watched: those whose stored bit is not known.
    watched: Vec<bool>,
    /// Watched gates that have taken a value since they are watched.
    pub taken: Vec<usize>,
}

impl<'a> Simulator<'a> {
    /// Everything at rest, with all inputs and all that is stored at 0.
    pub fn new(program: &'a Program, classes: usize) -> Self {
        let circuit = &program.circuit;
        let start = Settled::new(circuit, Some(false));
        let value = |net: u32| start.nets[net as usize] == Some(true);
        let nets = (0..circuit.nets.len() as u32)
            .map(|net| NetState { pending: RESTING, energy: 0.0, value: value(net) })
            .collect();
        let states = circuit.gates.iter().zip(&start.stored).map(|(gate, stored)| {
            let pins = gate.inputs.iter().enumerate().fold(0, |state, (pin, bit)| {
                let value = match bit {
                    super::netlist::Bit::Net(net) => value(*net),
                    super::netlist::Bit::Constant(value) => *value,
                };
                state | u8::from(value) << pin
            });
            let stores = circuit.cell(gate).logic.storage.is_some();
            pins | u8::from(stores && *stored == Some(true)) << gate.inputs.len()
        });
        Self {
            program,
            nets,
            states: states.collect(),
            queue: Queue::default(),
            toggles: vec![0; circuit.nets.len()],
            high: vec![0; circuit.nets.len()],
            energy: vec![0.0; program.slots() * classes],
            class: 0,
            transitions: 0,
            watched: vec![false; circuit.gates.len()],
            taken: Vec::new(),
        }
    }

    /// The value of a net.
    pub fn value(&self, net: u32) -> bool {
        self.nets[net as usize].value
    }

    /// Ticks for which each net was high up to this time.
    pub fn high(&self, now: u64) -> Vec<u64> {
        let high = self.high.iter().zip(&self.nets);
        high.map(|(high, net)| if net.value { high.wrapping_add(now) } else { *high }).collect()
    }

    /// What a gate stores, if it does.
    pub fn stored(&self, gate: usize) -> Option<bool> {
        let flat = &self.program.gates[gate];
        (flat.storing != u32::MAX).then(|| self.states[gate] >> (flat.bits - 1) & 1 == 1)
    }

    /// Lists the gates that take a value from now on, of those that are `watched`.
    pub fn watch(&mut self, watched: Vec<bool>) {
        self.watched = watched;
        self.taken.clear();
    }

    /// What is used from now on belongs to this class of cycle.
    pub fn set_class(&mut self, class: usize) {
        self.class = class * self.program.slots();
    }

    /// A net that is on its way to another value, if there is one.
    pub fn on_its_way(&self) -> Option<u32> {
        if self.queue.is_empty() {
            return None;
        }
        (0..).zip(&self.nets).find(|(_, state)| state.pending != RESTING).map(|(net, _)| net)
    }

    /// Changes an input at once.
    pub fn set(&mut self, net: u32, value: bool, time: u64) {
        if self.nets[net as usize].value != value {
            self.nets[net as usize].energy = 0.0;
            self.toggle(net, time);
        }
    }

    /// Changes an input when its driver has switched.
    pub fn drive(&mut self, net: u32, value: bool, time: u64) {
        let state = self.nets[net as usize];
        if (state.value != value) != (state.pending != RESTING) {
            let delay = self.program.input_delay[net as usize][super::arcs::edge(value)];
            self.turn(net, time, Arc { delay, energy: 0.0 });
        }
    }

    /// Runs up to, and not including, this time.
    pub fn run(&mut self, until: u64) {
        while let Some((time, net)) = self.queue.pop_before(until) {
            if self.nets[net as usize].pending == time {
                self.toggle(net, time);
            }
        }
    }

    /// Charges every gate's leakage of one cycle in its present state.
    pub fn leak(&mut self) {
        let kind = super::account::Kind::Leakage as usize;
        for (gate, state) in self.program.gates.iter().zip(&self.states) {
            let part = usize::from(gate.slot) / super::account::Kind::COUNT * super::account::Kind::COUNT;
            let energy = self.program.leakage[gate.leakage as usize + usize::from(*state)];
            self.energy[self.class + part + kind] += f64::from(energy);
        }
    }

    fn toggle(&mut self, net: u32, time: u64) {
        let program = self.program;
        let place = net as usize;
        let state = &mut self.nets[place];
        state.pending = RESTING;
        state.value = !state.value;
        let energy = f64::from(state.energy);
        let flat = program.nets[place];
        self.energy[self.class + usize::from(flat.slot)] += energy;
        self.toggles[place] = self.toggles[place].wrapping_add(1);
        let since = if state.value { time.wrapping_neg() } else { time };
        self.high[place] = self.high[place].wrapping_add(since);
        self.transitions = self.transitions.wrapping_add(1);
        for fan in &program.fans[flat.first as usize..flat.end as usize] {
            let (number, pin) = ((fan >> 3) as usize, fan & 7);
            let gate = &program.gates[number];
            let old = self.states[number];
            let new = old ^ 1 << pin;
            if gate.storing != u32::MAX {
                self.store(number, gate, pin, time);
                continue;
            }
            self.states[number] = new;
            let entry = (pin << gate.bits | u32::from(new)) as usize;
            if gate.pin_energy != PinEnergy::None {
                let by_edge = (pin << 1 | u32::from(new >> pin & 1)) as usize;
                let place = if gate.pin_energy == PinEnergy::Edge { by_edge } else { entry };
                self.energy[self.class + usize::from(gate.slot)] += f64::from(program.pins[gate.pins as usize + place]);
            }
            let changed = gate.truth >> old ^ gate.truth >> new;
            if gate.outputs == 1 {
                if changed & 1 != 0 {
                    self.turn(gate.nets[0], time, program.arcs[gate.arcs as usize + entry]);
                }
            } else {
                let first = gate.arcs as usize + 2 * entry;
                if changed & 1 != 0 {
                    self.turn(gate.nets[0], time, program.arcs[first]);
                }
                if changed >> 32 & 1 != 0 {
                    self.turn(gate.nets[1], time, program.arcs[first + 1]);
                }
            }
        }
    }

    /// What a net should be has changed.
    #[inline]
    fn turn(&mut self, net: u32, time: u64, arc: Arc) {
        if net == NO_NET {
            return;
        }
        let state = &mut self.nets[net as usize];
        if state.pending == RESTING {
            state.pending = time + u64::from(arc.delay);
            state.energy = arc.energy;
            self.queue.push(state.pending, net);
        } else {
            state.pending = RESTING;
        }
    }

    /// A pin of a gate that stores a bit has changed.
    fn store(&mut self, number: usize, gate: &FlatGate, pin: u32, time: u64) {
        let program = self.program;
        let storing = &program.storing[gate.storing as usize];
        let storage = &storing.storage;
        let old = self.states[number];
        let mut new = old ^ 1 << pin;
        let stored = 1 << (gate.bits - 1);
        let at = |truth: u128, state: u8| truth >> state & 1 == 1;
        let next = if at(storage.clear, new) {
            Some(false)
        } else if at(storage.preset, new) {
            Some(true)
        } else if at(storage.enable, new) && (storage.latch || !at(storage.enable, old)) {
            Some(at(storage.data, new))
        } else {
            None
        };
        match next {
            Some(true) => new |= stored,
            Some(false) => new &= !stored,
            None => {}
        }
        if next.is_some() && self.watched[number] {
            self.watched[number] = false;
            self.taken.push(number);
        }
        self.states[number] = new;
        let entry = (pin << gate.bits | u32::from(new)) as usize;
        let slot = if pin == u32::from(gate.clock_pin) { gate.clock_slot } else { gate.slot };
        self.energy[self.class + usize::from(slot)] += f64::from(program.pins[gate.pins as usize + entry]);
        for output in 0..usize::from(gate.outputs) {
            let shown = storing.shown[output];
            if at(shown, old) != at(shown, new) {
                let arc = program.arcs[gate.arcs as usize + entry * usize::from(gate.outputs) + output];
                self.turn(gate.nets[output], time, arc);
            }
        }
    }
}
