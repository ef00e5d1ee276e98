//! Both sides of a module without states and instances: what these show are inputs of
//! both sides, what they are given are outputs that are compared.
//!
//! That is one step of an induction over time. If all registers that are one hold the
//! same, and instances show the same, then outputs, instances' inputs, next values,
//! clocks and resets are the same, and so registers still hold the same afterwards. A
//! register that has no counterpart may show anything at any time, which is stricter.

use super::json::{Bit, Cell, Design, Direction, Module, Port};
use super::states::{Signal, State, pairs, states};
use std::collections::{BTreeMap, BTreeSet};

/// Both sides as the modules `gold` and `gate` of one design.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The design.
    pub design: Design,
    /// Names of registers that have none, of either side.
    pub alone: Vec<String>,
}

/// Cuts both sides at registers and at instances of `boxes`, whose ports these modules tell.
///
/// # Errors
/// What kind of cell there is no model of.
pub fn cut(gold: &Module, gate: &Module, boxes: &BTreeMap<String, Module>) -> Result<Cut, String> {
    let kinds: BTreeSet<String> = boxes.keys().cloned().collect();
    let (gold_states, gate_states) = (states(gold, &kinds)?, states(gate, &kinds)?);
    let pairs = pairs(gold, gate, &gold_states, &gate_states);
    let (mut left, mut right) = (Side::of(gold, &gold_states), Side::of(gate, &gate_states));
    for pair in &pairs {
        let Some((first, name)) = pair.gold.first() else { continue };
        let (state, shown) = (&gate_states[pair.gate], format!("{name}.state"));
        left.input(&shown, vec![gold_states[*first].output]);
        for (other, _) in &pair.gold[1..] {
            left.same(gold_states[*other].output, gold_states[*first].output);
        }
        if pair.inverted {
            let kept = right.next();
            right.input(&shown, vec![kept]);
            right.inverter(kept, state.output);
        } else {
            right.input(&shown, vec![state.output]);
        }
        for (index, name) in &pair.gold {
            left.compare(name, &gold_states[*index], false);
            right.compare(name, state, pair.inverted);
        }
    }
    let paired: BTreeSet<usize> = pairs.iter().flat_map(|pair| pair.gold.iter().map(|(index, _)| *index)).collect();
    let in_gate: BTreeSet<usize> = pairs.iter().map(|pair| pair.gate).collect();
    let mut alone = Vec::new();
    for (index, state) in gold_states.iter().enumerate().filter(|(index, _)| !paired.contains(index)) {
        free(&mut left, &mut right, &format!("gold{index}.state"), state);
        alone.push(called(gold, state));
    }
    for (index, state) in gate_states.iter().enumerate().filter(|(index, _)| !in_gate.contains(index)) {
        free(&mut right, &mut left, &format!("gate{index}.state"), state);
        alone.push(called(gate, state));
    }
    for side in [&mut left, &mut right] {
        side.open(boxes);
    }
    let modules = BTreeMap::from([("gold".to_owned(), left.done()), ("gate".to_owned(), right.done())]);
    Ok(Cut { design: Design { modules }, alone })
}

/// What a state is called in the Verilog, or the cell that keeps it.
fn called(module: &Module, state: &State) -> String {
    let own = |name: &&String| !name.starts_with('$');
    let nets = module.netnames.iter().filter(|(_, net)| net.bits.contains(&state.output));
    let shortest = nets.map(|(name, _)| name).filter(own).min_by_key(|name| name.len());
    shortest.cloned().unwrap_or_else(|| state.cell.clone())
}

/// Shows a state of one side to it as an input that the other does not read.
fn free(side: &mut Side, other: &mut Side, name: &str, state: &State) {
    side.input(name, vec![state.output]);
    let unread = other.next();
    other.input(name, vec![unread]);
}

/// One side while it is cut.
struct Side {
    module: Module,
    fresh: u64,
    /// Nets that are another one.
    same: BTreeMap<Bit, Bit>,
}

impl Side {
    /// The module without the cells that keep its states.
    fn of(module: &Module, states: &[State]) -> Self {
        let mut cut = Module { ports: module.ports.clone(), cells: module.cells.clone(), ..Module::default() };
        for state in states {
            cut.cells.remove(&state.cell);
        }
        Self { fresh: module.fresh(), module: cut, same: BTreeMap::new() }
    }

    const fn next(&mut self) -> Bit {
        self.fresh += 1;
        Bit::Net(self.fresh)
    }

    fn input(&mut self, name: &str, bits: Vec<Bit>) {
        self.module.ports.insert(name.to_owned(), Port { direction: Direction::Input, bits });
    }

    fn output(&mut self, name: &str, bits: Vec<Bit>) {
        self.module.ports.insert(name.to_owned(), Port { direction: Direction::Output, bits });
    }

    /// From now on, `net` is `other`.
    fn same(&mut self, net: Bit, other: Bit) {
        self.same.insert(net, other);
    }

    fn inverter(&mut self, input: Bit, output: Bit) {
        let connections = BTreeMap::from([("A".to_owned(), vec![input]), ("Y".to_owned(), vec![output])]);
        let port_directions = BTreeMap::from([("A".to_owned(), Direction::Input), ("Y".to_owned(), Direction::Output)]);
        let cell = Cell { kind: "$_NOT_".to_owned(), port_directions, connections, ..Cell::default() };
        self.fresh += 1;
        self.module.cells.insert(format!("$cut${}", self.fresh), cell);
    }

    fn value(&mut self, signal: Signal) -> Bit {
        match signal {
            Signal { bit, inverted: false } => bit,
            Signal { bit: Bit::Constant('0'), .. } => Bit::Constant('1'),
            Signal { bit: Bit::Constant('1'), .. } => Bit::ZERO,
            Signal { bit, .. } => {
                let output = self.next();
                self.inverter(bit, output);
                output
            }
        }
    }

    /// What a register is given, as outputs.
    fn compare(&mut self, name: &str, state: &State, complement: bool) {
        let State { next, clock, clear, set, .. } = *state;
        let (next, clear, set) = if complement { (next.not(), set, clear) } else { (next, clear, set) };
        for (what, signal) in [("next", next), ("clock", clock), ("clear", clear), ("set", set)] {
            let bit = self.value(signal);
            self.output(&format!("{name}.{what}"), vec![bit]);
        }
    }

    /// Takes instances of these modules out. Their ports are called after the instance
    /// and its module.
    fn open(&mut self, boxes: &BTreeMap<String, Module>) {
        let instances: Vec<(String, Cell)> =
            self.module.cells.extract_if(.., |_, cell| boxes.contains_key(&cell.kind)).collect();
        for (instance, cell) in instances {
            for (port, Port { direction, bits }) in
                boxes.get(&cell.kind).map(|inner| &inner.ports).into_iter().flatten()
            {
                let name = format!("{instance}.{}.{port}", cell.kind);
                let connected = cell.connections.get(port).cloned().unwrap_or_default();
                let bits: Vec<Bit> =
                    (0..bits.len()).map(|index| connected.get(index).copied().unwrap_or_else(|| self.next())).collect();
                if *direction == Direction::Input { self.output(&name, bits) } else { self.input(&name, bits) }
            }
        }
    }

    fn done(mut self) -> Module {
        let same = self.same;
        let replace =
            |bits: &mut Vec<Bit>| bits.iter_mut().for_each(|bit| *bit = same.get(bit).copied().unwrap_or(*bit));
        self.module.ports.values_mut().for_each(|port| replace(&mut port.bits));
        self.module.cells.values_mut().flat_map(|cell| cell.connections.values_mut()).for_each(replace);
        self.module
    }
}
