//! The behaviour of a circuit and all that it contains, as one flat table.

use super::instance::Inner;
use super::order::order;
use super::{Circuit, Step, Value};
use axp_spec::ResetStyle;

/// The state of a circuit, and what computes it.
#[derive(Clone)]
pub(super) struct Simulation {
    /// A value a slot, those of the circuits inside behind the outer ones.
    values: Vec<u128>,
    /// Slots whose value is new in this pass.
    fresh: Vec<bool>,
    /// In an order in which nothing is read before it is driven.
    steps: Vec<FlatStep>,
    banks: Vec<FlatBank>,
    clock: Option<usize>,
    reset: Option<usize>,
    clock_was: bool,
    started: bool,
}

#[derive(Clone)]
struct FlatStep {
    target: usize,
    reads: Vec<usize>,
    what: What,
}

#[derive(Clone)]
enum What {
    /// A step of the circuit whose slots begin here.
    Step(usize, Step),
    /// A port passes a value on.
    Copy(usize),
}

#[derive(Clone)]
struct FlatBank {
    enable: usize,
    reset: Option<ResetStyle>,
    /// Input and output of each word.
    lanes: Vec<(usize, usize)>,
}

impl Simulation {
    /// The flat table of a circuit.
    ///
    /// # Panics
    /// If a net waits for its definition or drives itself: descriptions are
    /// built by us, and so such a mistake is ours.
    pub fn of(circuit: &Circuit) -> Self {
        let mut flat = Self {
            values: Vec::new(),
            fresh: Vec::new(),
            steps: Vec::new(),
            banks: Vec::new(),
            clock: circuit.clock.as_ref().and_then(Value::slot),
            reset: circuit.reset.as_ref().and_then(|(net, _)| net.slot()),
            clock_was: false,
            started: false,
        };
        flat.add(circuit);
        let graph: Vec<(usize, Vec<usize>)> = flat.steps.iter().map(|step| (step.target, step.reads.clone())).collect();
        let order = order(&graph).unwrap_or_else(|slot| panic!("{}: slot {slot} is on a loop", circuit.name));
        flat.steps = order.into_iter().map(|index| flat.steps[index].clone()).collect();
        flat
    }

    /// Adds a circuit behind what is there; returns where its slots begin.
    fn add(&mut self, circuit: &Circuit) -> usize {
        assert!(circuit.forward.is_empty(), "{}: {:?} not defined", circuit.name, circuit.forward.values());
        let base = self.values.len();
        self.values.resize(base + circuit.slots, 0);
        self.fresh.resize(base + circuit.slots, false);
        for step in &circuit.steps {
            let reads = step.reads().into_iter().map(|slot| base + slot).collect();
            let what = What::Step(base, step.clone());
            self.steps.push(FlatStep { target: base + step.target(), reads, what });
        }
        for child in &circuit.children {
            match &child.block {
                Inner::Circuit(inner) => {
                    let inside = self.add(inner);
                    let inputs = child.inputs.iter().zip(&inner.inputs);
                    let inputs = inputs.map(|((_, outer), own)| (base + outer, inside + own));
                    let outputs = child.outputs.iter().zip(&inner.outputs);
                    let outputs = outputs.map(|((_, outer), own)| (inside + own, base + outer));
                    for (from, to) in inputs.chain(outputs) {
                        self.steps.push(FlatStep { target: to, reads: vec![from], what: What::Copy(from) });
                    }
                }
                Inner::Bank(bank) => {
                    let input = |name: &str| {
                        let found = child.inputs.iter().find(|(port, _)| port == name);
                        base + found.unwrap_or_else(|| unreachable!("a bank has its inputs")).1
                    };
                    let outputs = child.outputs.iter().map(|(_, slot)| base + slot);
                    let lanes = bank.words().map(|(word, _)| input(&word)).zip(outputs).collect();
                    self.banks.push(FlatBank { enable: input("en_i"), reset: bank.shape().reset, lanes });
                }
                Inner::Branch(_) => {
                    // It is the clock: what is on it has enables of its own.
                    let clock = child.inputs.iter().find(|(port, _)| port == "clk_i").map(|(_, slot)| base + slot);
                    for ((_, to), from) in child.outputs.iter().zip(clock) {
                        self.steps.push(FlatStep { target: base + to, reads: vec![from], what: What::Copy(from) });
                    }
                }
            }
        }
        base
    }

    /// Drives an input of the outermost circuit.
    pub fn drive(&mut self, slot: usize, value: u128) {
        self.set(slot, value);
    }

    /// What a slot of the outermost circuit carries.
    pub fn read(&self, slot: usize) -> u128 {
        self.values[slot]
    }

    fn set(&mut self, slot: usize, value: u128) {
        if self.values[slot] != value {
            self.values[slot] = value;
            self.fresh[slot] = true;
        }
    }

    /// Everything that follows from the inputs: registers first, which take
    /// what their inputs carried before a rising edge, then the nets.
    pub fn settle(&mut self) {
        self.clock_edge();
        for index in 0..self.steps.len() {
            let step = &self.steps[index];
            if self.started && !step.reads.iter().any(|slot| self.fresh[*slot]) {
                continue;
            }
            let value = match &step.what {
                What::Copy(from) => self.values[*from],
                What::Step(base, Step::Assign(_, value)) => value.evaluate(&self.values[*base..]),
                What::Step(base, Step::Choose(_, arms, otherwise)) => {
                    let values = &self.values[*base..];
                    let arm = arms.iter().find(|(test, _)| test.evaluate(values) == 1);
                    arm.map_or(otherwise, |(_, value)| value).evaluate(values)
                }
            };
            let target = step.target;
            self.set(target, value);
        }
        self.fresh.fill(false);
        self.started = true;
    }

    fn clock_edge(&mut self) {
        let Some(clock) = self.clock else { return };
        let now = self.values[clock] == 1;
        let rising = now && !self.clock_was;
        self.clock_was = now;
        let in_reset = self.reset.is_some_and(|reset| self.values[reset] == 0);
        if !rising && !in_reset {
            return;
        }
        let mut loads = Vec::new();
        for bank in &self.banks {
            let zero = in_reset && (bank.reset == Some(ResetStyle::Async) || bank.reset.is_some() && rising);
            if zero || rising && self.values[bank.enable] == 1 {
                loads.extend(bank.lanes.iter().map(|(d, q)| (*q, if zero { 0 } else { self.values[*d] })));
            }
        }
        for (slot, value) in loads {
            self.set(slot, value);
        }
    }
}
