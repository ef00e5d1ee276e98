//! Cycles through the netlist: stimulus, comparison of all outputs, and what was known.

use super::account::{ClassEnergy, Kind, Measurement};
use super::activity::NetActivity;
use super::error::GatesError;
use super::netlist::{Bit, PortNets};
use super::program::Program;
use super::simulator::Simulator;
use super::ternary::Settled;
use crate::vectors::Layout;

/// Cycles without a net becoming known after which values are not followed in
/// three values any more, until a register takes its first value.
const PATIENCE: u64 = 16;

/// A netlist that is fed cycle by cycle.
///
/// A cycle begins with the rising edge of the clock, which takes what the cycle
/// before has put on the registers' inputs; the cycle's own inputs follow at
/// once, through their drivers; the clock falls in the middle; outputs are
/// compared at the end. All energy in between belongs to the cycle's class. So
/// what a register takes at an edge, and the logic behind it, are counted in the
/// cycle behind the one whose inputs it took.
#[derive(Clone, Debug)]
pub struct Engine<'a> {
    program: &'a Program,
    simulator: Simulator<'a>,
    /// Simulation in three values.
    settled: Settled<'a>,
    /// Whether it is followed: it need not be while nothing becomes known.
    following: bool,
    /// Nets that have been known.
    known: Vec<bool>,
    known_nets: usize,
    /// Cycles since the last net became known.
    quiet: u64,
    inputs: Vec<&'a PortNets>,
    outputs: Vec<&'a PortNets>,
    cycles: Vec<u64>,
    cycle: u64,
    driven: Vec<(u32, bool)>,
}

impl<'a> Engine<'a> {
    /// A netlist at rest. `inputs` are all input ports but the clock, `outputs`
    /// the output ports that are compared, each in the order of values in
    /// [`Engine::cycle`]; `classes` is how many classes of cycles there are, and
    /// `period_ns` the clock period that activity is for.
    ///
    /// # Errors
    /// A port that is not there, is too wide or is missing in `inputs`, or a
    /// period other than the one that the netlist was timed for.
    pub fn new(
        program: &'a Program,
        inputs: &[&str],
        outputs: &[&str],
        classes: usize,
        period_ns: f64,
    ) -> Result<Self, GatesError> {
        if program.period_ns != period_ns {
            return Err(GatesError::Period { timed_ns: program.period_ns, simulated_ns: period_ns });
        }
        let netlist = &program.circuit.netlist;
        let find = |names: &[&str], input: bool| -> Result<Vec<&'a PortNets>, GatesError> {
            let found = names.iter().map(|name| {
                let port = netlist.port(name).filter(|port| port.input == input && port.bits.len() <= 64);
                port.ok_or_else(|| GatesError::Stimulus(format!("the netlist has no port {name} of up to 64 bits")))
            });
            found.collect()
        };
        let (inputs, outputs) = (find(inputs, true)?, find(outputs, false)?);
        let clock = |port: &PortNets| program.circuit.clock.is_some_and(|net| port.bits == [Bit::Net(net)]);
        if let Some(port) = netlist.ports.iter().find(|p| p.input && !clock(p) && !inputs.contains(p)) {
            return Err(GatesError::Stimulus(format!("it has no values for the input {}", port.name)));
        }
        Ok(Self {
            program,
            simulator: Simulator::new(program, classes.max(1)),
            settled: Settled::new(&program.circuit, None),
            following: true,
            known: vec![false; program.circuit.nets.len()],
            known_nets: 0,
            quiet: 0,
            inputs,
            outputs,
            cycles: vec![0; classes.max(1)],
            cycle: 0,
            driven: Vec::new(),
        })
    }

    /// One cycle: an input value a port, and the expected output values, where
    /// they are to be compared.
    ///
    /// # Errors
    /// Another number of values than ports, a class that there is not, an output
    /// that is not as expected or not known, or a net that does not settle.
    pub fn cycle(&mut self, inputs: &[u64], expected: Option<&[u64]>, class: usize) -> Result<(), GatesError> {
        if inputs.len() != self.inputs.len() || expected.is_some_and(|values| values.len() != self.outputs.len()) {
            return Err(GatesError::Stimulus("as many values as ports are needed".into()));
        }
        let cycles = self.cycles.get_mut(class);
        *cycles.ok_or_else(|| GatesError::Stimulus(format!("there is no class {class} of cycles")))? += 1;
        self.simulator.set_class(class);
        self.driven.clear();
        for (port, value) in self.inputs.iter().zip(inputs) {
            for (place, bit) in port.bits.iter().enumerate() {
                if let Bit::Net(net) = bit {
                    self.driven.push((*net, value >> place & 1 == 1));
                }
            }
        }
        let period = self.program.period();
        let begin = self.cycle * period;
        if let Some(clock) = self.program.circuit.clock {
            self.simulator.set(clock, true, begin);
        }
        for (net, value) in &self.driven {
            self.simulator.drive(*net, *value, begin);
        }
        if let Some(clock) = self.program.circuit.clock {
            self.simulator.run(begin + period / 2);
            self.simulator.set(clock, false, begin + period / 2);
        }
        self.simulator.run(begin + period);
        self.simulator.leak();
        if let Some(net) = self.simulator.on_its_way() {
            return Err(self.unsettled(net));
        }
        self.follow()?;
        if let Some(expected) = expected {
            self.compare(expected)?;
        }
        self.cycle += 1;
        Ok(())
    }

    /// Feeds records of test vectors; `class` gives the class of each.
    ///
    /// # Errors
    /// As [`Engine::cycle`].
    pub fn records(
        &mut self,
        layout: &Layout,
        records: &[u8],
        mut class: impl FnMut(usize) -> usize,
    ) -> Result<(), GatesError> {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (number, record) in records.chunks_exact(layout.record_bytes()).enumerate() {
            let (drive, expect) = record.split_at(layout.input_bytes);
            inputs.clear();
            inputs.extend(layout.inputs.iter().map(|field| field.read(drive)));
            outputs.clear();
            outputs.extend(layout.outputs.iter().map(|field| field.read(expect)));
            // Bit 0 of the first byte tells whether outputs are compared.
            let expected = (drive[0] & 1 == 1).then_some(outputs.as_slice());
            self.cycle(&inputs, expected, class(number))?;
        }
        Ok(())
    }

    /// The value of an output port, of those that were named, by its place.
    pub fn output(&self, place: usize) -> u64 {
        let value = |bit: &Bit| match bit {
            Bit::Net(net) => self.simulator.value(*net),
            Bit::Constant(value) => *value,
        };
        self.outputs[place].bits.iter().rev().fold(0, |word, bit| word << 1 | u64::from(value(bit)))
    }

    /// The value of a net.
    pub fn value(&self, net: u32) -> bool {
        self.simulator.value(net)
    }

    /// Transitions of each net so far.
    pub fn toggles(&self) -> &[u32] {
        &self.simulator.toggles
    }

    /// What all nets did so far.
    pub fn activity(&self) -> NetActivity {
        let duration = self.cycle * self.program.period();
        NetActivity { toggles: self.simulator.toggles.clone(), high: self.simulator.high(duration), duration }
    }

    /// What was used.
    pub fn finish(self) -> Measurement {
        let circuit = &self.program.circuit;
        let (mut pins, mut annotated, mut toggled) = (0, 0, 0);
        for gate in &circuit.gates {
            for bit in gate.inputs.iter().copied().chain(gate.outputs.iter().flatten().map(|net| Bit::Net(*net))) {
                pins += 1;
                match bit {
                    Bit::Net(net) => {
                        annotated += u64::from(self.known[net as usize]);
                        toggled += u64::from(self.known[net as usize] && self.simulator.toggles[net as usize] > 0);
                    }
                    Bit::Constant(_) => annotated += 1,
                }
            }
        }
        let mut energies = self.simulator.energy.chunks_exact(self.program.slots().max(1));
        let class = |cycles: u64| {
            let part = |part: &[f64]| {
                let mut kinds = [0.0; Kind::COUNT];
                kinds.copy_from_slice(part);
                kinds
            };
            let parts = energies.next().unwrap_or_default().chunks_exact(Kind::COUNT).map(part).collect();
            ClassEnergy { cycles, parts }
        };
        Measurement {
            components: circuit.components.clone(),
            classes: self.cycles.into_iter().map(class).collect(),
            period_ns: self.program.period_ns,
            pins,
            annotated_pins: annotated,
            toggled_pins: toggled,
            transitions: self.simulator.transitions,
        }
    }

    /// Goes on in three values if registers have taken their first known value.
    fn resume(&mut self) {
        let circuit = &self.program.circuit;
        let known = |bit: &Bit| !matches!(bit, Bit::Net(net) if !self.known[*net as usize]);
        let mut stored: Vec<Option<bool>> = (0..)
            .zip(&self.settled.stored)
            .map(|(gate, value)| value.and_then(|_| self.simulator.stored(gate)))
            .collect();
        let before = stored.iter().flatten().count();
        for gate in self.simulator.taken.drain(..).collect::<Vec<_>>() {
            if circuit.gates[gate].inputs.iter().all(known) {
                stored[gate] = self.simulator.stored(gate);
            }
        }
        if stored.iter().flatten().count() > before {
            let nets = self.known.iter().zip(0..).map(|(known, net)| known.then(|| self.simulator.value(net)));
            let nets = nets.collect();
            self.settled.resume(nets, stored);
            self.following = true;
            self.quiet = 0;
            self.count_known();
        }
    }

    fn count_known(&mut self) {
        for (known, value) in self.known.iter_mut().zip(&self.settled.nets) {
            *known |= value.is_some();
        }
        let now = self.known.iter().filter(|known| **known).count();
        self.quiet = if now > self.known_nets { 0 } else { self.quiet + 1 };
        self.known_nets = now;
    }

    /// Follows in three values, while more becomes known.
    fn follow(&mut self) -> Result<(), GatesError> {
        if !self.following {
            if !self.simulator.taken.is_empty() {
                self.resume();
            }
            return Ok(());
        }
        self.settled.cycle(&self.driven);
        self.count_known();
        if self.quiet >= PATIENCE {
            self.following = false;
            let watched = |gate: usize, value: &Option<bool>| value.is_none() && self.simulator.stored(gate).is_some();
            let watched = self.settled.stored.iter().enumerate().map(|(gate, value)| watched(gate, value)).collect();
            self.simulator.watch(watched);
        }
        // What is known without delays must be what the events lead to.
        let mut values = (0..).zip(&self.settled.nets);
        match values.find(|(net, value)| value.is_some_and(|value| value != self.simulator.value(*net))) {
            None => Ok(()),
            Some((net, _)) => Err(self.unsettled(net)),
        }
    }

    fn unsettled(&self, net: u32) -> GatesError {
        let net = self.program.circuit.netlist.nets[net as usize].clone();
        GatesError::Unsettled { cycle: self.cycle, net }
    }

    fn compare(&self, expected: &[u64]) -> Result<(), GatesError> {
        for (place, (port, expected)) in self.outputs.iter().zip(expected).enumerate() {
            let found = self.output(place);
            let name = || port.name.clone();
            if found != *expected {
                return Err(GatesError::Mismatch { cycle: self.cycle, port: name(), found, expected: *expected });
            }
            let known = |bit: &Bit| matches!(bit, Bit::Net(net) if !self.known[*net as usize]);
            if port.bits.iter().any(known) {
                return Err(GatesError::Unknown { cycle: self.cycle, port: name() });
            }
        }
        Ok(())
    }
}
