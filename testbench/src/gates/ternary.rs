//! The netlist without delays and with unknown values: what is known, and what it settles to.

use super::circuit::{Circuit, Gate};
use super::logic::{Storage, Truth, bit};
use super::netlist::Bit;

/// A value that may be unknown.
pub type Ternary = Option<bool>;

/// The netlist in three values, a whole cycle at a time.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    circuit: &'a Circuit,
    /// The value of every net.
    pub nets: Vec<Ternary>,
    /// What each gate stores.
    pub stored: Vec<Ternary>,
    /// The clock of each flip-flop before.
    level: Vec<Ternary>,
}

impl<'a> Settled<'a> {
    /// Clock at 0, all other inputs and everything stored at `start`.
    pub fn new(circuit: &'a Circuit, start: Ternary) -> Self {
        let mut nets = vec![None; circuit.nets.len()];
        for bit in circuit.netlist.ports.iter().filter(|port| port.input).flat_map(|port| &port.bits) {
            if let Bit::Net(net) = bit {
                nets[*net as usize] = start;
            }
        }
        if let Some(clock) = circuit.clock {
            nets[clock as usize] = Some(false);
        }
        let gates = circuit.gates.len();
        let mut settled = Self { circuit, nets, stored: vec![start; gates], level: vec![None; gates] };
        settled.settle();
        settled.find_levels();
        settled
    }

    /// One cycle: rising edge of the clock, new inputs, falling edge.
    pub fn cycle(&mut self, inputs: &[(u32, bool)]) {
        if let Some(clock) = self.circuit.clock {
            let before = self.nets.clone();
            self.nets[clock as usize] = Some(true);
            self.propagate();
            self.capture(&before);
        }
        for (net, value) in inputs {
            self.nets[*net as usize] = Some(*value);
        }
        self.settle();
        if let Some(clock) = self.circuit.clock {
            self.nets[clock as usize] = Some(false);
            self.settle();
            self.find_levels();
        }
    }

    /// Goes on from these values of nets and of what is stored, at the end of a
    /// cycle, with what follows from them.
    pub fn resume(&mut self, nets: Vec<Ternary>, stored: Vec<Ternary>) {
        (self.nets, self.stored) = (nets, stored);
        self.settle();
        self.find_levels();
    }

    /// Evaluates everything, clears and presets of flip-flops included.
    fn settle(&mut self) {
        // A clear may depend on what another one has cleared.
        for _ in 0..self.circuit.gates.len().max(1) {
            self.show_flops();
            self.propagate();
            if !self.clear() {
                return;
            }
        }
    }

    fn show_flops(&mut self) {
        for (number, gate) in self.circuit.gates.iter().enumerate() {
            if self.circuit.cell(gate).logic.storage.is_some_and(|storage| !storage.latch) {
                self.show(number, gate);
            }
        }
    }

    fn show(&mut self, number: usize, gate: &Gate) {
        let logic = &self.circuit.cell(gate).logic;
        let seen = self.seen(number, gate);
        for (net, (_, truth)) in gate.outputs.iter().zip(&logic.outputs) {
            if let Some(net) = net {
                self.nets[*net as usize] = seen.read(*truth);
            }
        }
    }

    fn propagate(&mut self) {
        let circuit = self.circuit;
        for number in &circuit.order {
            let gate = &circuit.gates[*number];
            if let Some(storage) = circuit.cell(gate).logic.storage {
                let seen = self.seen(*number, gate);
                let next = match seen.read(storage.enable) {
                    Some(true) => seen.read(storage.data),
                    Some(false) => self.stored[*number],
                    None => agree(seen.read(storage.data), self.stored[*number]),
                };
                self.stored[*number] = seen.held(&storage, next);
            }
            self.show(*number, gate);
        }
    }

    /// Flip-flops whose clock has risen take their next value: what their inputs carried
    /// before the edge, at which latches may have opened.
    fn capture(&mut self, before: &[Ternary]) {
        for (number, gate) in self.circuit.gates.iter().enumerate() {
            let Some(storage) = self.circuit.cell(gate).logic.storage.filter(|storage| !storage.latch) else {
                continue;
            };
            let seen = self.seen(number, gate);
            let level = seen.read(storage.enable);
            let data = self.seen_on(before, number, gate).read(storage.data);
            let next = match (self.level[number], level) {
                (Some(false), Some(true)) => data,
                (Some(true), _) | (_, Some(false)) => self.stored[number],
                _ => agree(data, self.stored[number]),
            };
            self.stored[number] = seen.held(&storage, next);
            self.level[number] = level;
        }
    }

    fn find_levels(&mut self) {
        for (number, gate) in self.circuit.gates.iter().enumerate() {
            if let Some(storage) = self.circuit.cell(gate).logic.storage {
                self.level[number] = self.seen(number, gate).read(storage.enable);
            }
        }
    }

    /// Clears and presets flip-flops; whether one has changed.
    fn clear(&mut self) -> bool {
        let mut changed = false;
        for (number, gate) in self.circuit.gates.iter().enumerate() {
            let Some(storage) = self.circuit.cell(gate).logic.storage.filter(|storage| !storage.latch) else {
                continue;
            };
            let old = self.stored[number];
            let new = self.seen(number, gate).held(&storage, old);
            self.stored[number] = new;
            changed |= new != old;
        }
        changed
    }

    fn seen(&self, number: usize, gate: &Gate) -> Seen {
        self.seen_on(&self.nets, number, gate)
    }

    fn seen_on(&self, nets: &[Ternary], number: usize, gate: &Gate) -> Seen {
        let mut seen = Seen { index: 0, unknown: 0 };
        for (pin, bit) in gate.inputs.iter().enumerate() {
            let value = match bit {
                Bit::Net(net) => nets[*net as usize],
                Bit::Constant(value) => Some(*value),
            };
            seen.add(pin, value);
        }
        if self.circuit.cell(gate).logic.storage.is_some() {
            seen.add(gate.inputs.len(), self.stored[number]);
        }
        seen
    }
}

/// A known value if both are the same.
fn agree(a: Ternary, b: Ternary) -> Ternary {
    if a == b { a } else { None }
}

/// Indices of a truth table that a gate may see.
struct Seen {
    index: u32,
    unknown: u32,
}

impl Seen {
    fn add(&mut self, place: usize, value: Ternary) {
        match value {
            Some(value) => self.index |= u32::from(value) << place,
            None => self.unknown |= 1 << place,
        }
    }

    /// What is stored where `next` would be without clear and preset.
    fn held(&self, storage: &Storage, next: Ternary) -> Ternary {
        match (self.read(storage.clear), self.read(storage.preset)) {
            (Some(true), _) => Some(false),
            (Some(false), Some(true)) => Some(true),
            (Some(false), Some(false)) => next,
            _ => None,
        }
    }

    /// What the table says, if all indices that may be seen agree.
    fn read(&self, truth: Truth) -> Ternary {
        let first = bit(truth, self.index);
        let mut part = self.unknown;
        while part != 0 {
            if bit(truth, self.index | part) != first {
                return None;
            }
            part = (part - 1) & self.unknown;
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_known_where_its_unknown_inputs_do_not_matter() {
        let (and, xor) = (0b1000, 0b0110);
        let mut seen = Seen { index: 0, unknown: 0 };
        seen.add(0, Some(false));
        seen.add(1, None);
        assert_eq!((seen.read(and), seen.read(xor)), (Some(false), None));
        let mut seen = Seen { index: 0, unknown: 0 };
        seen.add(0, None);
        seen.add(1, Some(true));
        assert_eq!((seen.read(and), seen.read(xor)), (None, None));
        seen = Seen { index: 3, unknown: 0 };
        assert_eq!((seen.read(and), seen.read(xor)), (Some(true), Some(false)));
    }
}
