//! The netlist as flat arrays: truth tables, delays in ticks, and energies of every pin and state.

use super::account::Kind;
use super::arcs::{Cause, CellData};
use super::circuit::{Circuit, Gate, Role};
use super::error::GatesError;
use super::logic::{Storage, Truth, bit};
use super::netlist::Bit;
use super::queue::LONGEST_DELAY;
use super::table::Point;
use super::timing::Timing;
use crate::synth::sta::Surroundings;

/// Ticks of a nanosecond: one is 10 fs.
pub const TICKS_PER_NS: f64 = 100_000.0;

/// Most outputs of a cell.
pub(super) const MOST_OUTPUTS: usize = 2;

/// No net.
pub(super) const NO_NET: u32 = u32::MAX;

/// Slew of clock edges in ns where the caller states none: a clock tree's.
pub const CLOCK_SLEW_NS: f64 = 0.1;

/// What a netlist is timed and simulated under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions<'a> {
    /// Clock port, control inputs and wire load.
    pub around: Surroundings<'a>,
    /// Clock period in ns.
    pub period_ns: f64,
    /// 20-80 % (or as the library defines it) slew of clock edges in ns.
    pub clock_slew_ns: f64,
}

/// How an output follows one input in one state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Arc {
    /// Delay in ticks.
    pub delay: u32,
    /// Energy of the output's transition in fJ, its load's included.
    pub energy: f32,
}

/// What the energy of a pin's transitions depends on. Fewer entries stay longer
/// in the processor's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinEnergy {
    /// There is none.
    None,
    /// Two entries a pin: falling and rising.
    Edge,
    /// An entry for every pin and state.
    State,
}

/// One gate: what does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlatGate {
    /// Truth tables of a gate of logic: one of 64 entries, or two of 32.
    pub truth: u64,
    /// Its first arc.
    pub arcs: u32,
    /// Its first pin energy.
    pub pins: u32,
    /// Its first leakage.
    pub leakage: u32,
    /// The nets of its outputs.
    pub nets: [u32; MOST_OUTPUTS],
    /// Place in [`Program::storing`] of a gate that stores a bit.
    pub storing: u32,
    /// Where its pins' energy goes.
    pub slot: u16,
    /// Where its clock pin's energy goes.
    pub clock_slot: u16,
    /// The clock pin, of a register.
    pub clock_pin: u8,
    /// Bits of the index of its tables.
    pub bits: u8,
    /// Outputs.
    pub outputs: u8,
    /// What the energy of its pins' transitions depends on.
    pub pin_energy: PinEnergy,
}

/// A cell that stores a bit.
#[derive(Clone, Debug)]
pub(super) struct Storing {
    pub storage: Storage,
    pub shown: [Truth; MOST_OUTPUTS],
}

/// The fan-outs of a net.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlatNet {
    pub first: u32,
    pub end: u32,
    /// Where the energy of its transitions goes.
    pub slot: u16,
}

/// A netlist, timed and made ready for simulation.
#[derive(Clone, Debug)]
pub struct Program {
    /// The netlist with the library's data.
    pub circuit: Circuit,
    /// Its slews and longest path.
    pub timing: Timing,
    /// Clock period in ns.
    pub period_ns: f64,
    pub(super) gates: Vec<FlatGate>,
    pub(super) nets: Vec<FlatNet>,
    /// Gate in the upper bits, pin in the lower three.
    pub(super) fans: Vec<u32>,
    pub(super) arcs: Vec<Arc>,
    pub(super) pins: Vec<f32>,
    /// Leakage of a cycle in fJ, by cell and state.
    pub(super) leakage: Vec<f32>,
    pub(super) storing: Vec<Storing>,
    /// When an input port changes behind the clock edge, in ticks, by edge.
    pub(super) input_delay: Vec<[u32; 2]>,
}

impl Program {
    /// Times the circuit and computes all delays and energies.
    ///
    /// # Errors
    /// The longest path does not fit in the period, or a cell lacks an arc.
    pub fn of(circuit: Circuit, conditions: Conditions<'_>) -> Result<Self, GatesError> {
        let timing = Timing::of(&circuit, conditions.around, conditions.clock_slew_ns);
        let period_ns = conditions.period_ns;
        if timing.longest_ns > period_ns {
            return Err(GatesError::TooSlow { longest_ns: timing.longest_ns, period_ns });
        }
        let mut program = Self {
            timing,
            period_ns,
            gates: Vec::new(),
            nets: Vec::new(),
            fans: Vec::new(),
            arcs: Vec::new(),
            pins: Vec::new(),
            leakage: Vec::new(),
            storing: Vec::new(),
            input_delay: Vec::new(),
            circuit: Circuit { gates: Vec::new(), ..circuit.clone() },
        };
        let mut tables = Vec::new();
        for cell in &circuit.cells {
            tables.push(program.add_cell(cell)?);
        }
        for gate in &circuit.gates {
            program.add_gate(&circuit, gate, tables[gate.cell])?;
        }
        for (number, net) in circuit.nets.iter().enumerate() {
            let first = program.fans.len() as u32;
            // A gate has at most six inputs, and a netlist far fewer gates than 2^29.
            program.fans.extend(net.fans.iter().map(|(gate, pin)| (*gate as u32) << 3 | *pin as u32));
            let slot = net.driver.map_or(0, |(gate, _)| program.gates[gate].slot);
            program.nets.push(FlatNet { first, end: program.fans.len() as u32, slot });
            program.input_delay.push(program.timing.input[number].map(|ns| ticks(ns.max(1.0 / TICKS_PER_NS))));
        }
        program.circuit = circuit;
        Ok(program)
    }

    /// Clock period in ticks.
    pub fn period(&self) -> u64 {
        (self.period_ns * TICKS_PER_NS).round() as u64
    }

    /// How many places there are for energies of one class of cycle.
    pub(super) fn slots(&self) -> usize {
        self.circuit.components.len() * Kind::COUNT
    }

    /// Tables that all gates of a cell share: its leakage, and what it stores.
    fn add_cell(&mut self, cell: &CellData) -> Result<(u32, u32), GatesError> {
        let refuse = |what: &str| GatesError::Cell { cell: cell.name.clone(), what: what.into() };
        let outputs = cell.logic.outputs.len();
        if outputs > MOST_OUTPUTS || outputs == 2 && cell.logic.inputs.len() > 5 && cell.logic.storage.is_none() {
            return Err(refuse("it has too many outputs"));
        }
        let leakage = self.leakage.len() as u32;
        // 1 nW during 1 ns is 0.001 fJ.
        self.leakage.extend(cell.leakage.iter().map(|nw| (nw * self.period_ns * 1e-3) as f32));
        let storing = self.storing.len() as u32;
        if let Some(storage) = cell.logic.storage {
            let mut shown = [0; MOST_OUTPUTS];
            shown.iter_mut().zip(&cell.logic.outputs).for_each(|(shown, (_, truth))| *shown = *truth);
            self.storing.push(Storing { storage, shown });
        }
        Ok((leakage, storing))
    }

    fn add_gate(&mut self, circuit: &Circuit, gate: &Gate, tables: (u32, u32)) -> Result<(), GatesError> {
        let cell = circuit.cell(gate);
        let logic = &cell.logic;
        let slot = |kind: Kind| (gate.component * Kind::COUNT + kind as usize) as u16;
        let (own, clock) = match gate.role {
            Role::Combinational => (Kind::Combinational, Kind::Combinational),
            Role::Register => (Kind::Register, Kind::ClockPin),
            Role::ClockGate => (Kind::ClockGate, Kind::ClockGate),
        };
        let truth = match logic.outputs.as_slice() {
            _ if logic.storage.is_some() => 0,
            [] => 0,
            [(_, truth)] => *truth as u64,
            [(_, low), (_, high), ..] => (*low as u64) | (*high as u64) << 32,
        };
        let mut nets = [NO_NET; MOST_OUTPUTS];
        nets.iter_mut().zip(&gate.outputs).for_each(|(net, own)| *net = own.unwrap_or(NO_NET));
        let first_pin = self.pins.len();
        let flat = FlatGate {
            truth,
            arcs: self.arcs.len() as u32,
            pins: first_pin as u32,
            leakage: tables.0,
            nets,
            storing: if logic.storage.is_some() { tables.1 } else { u32::MAX },
            slot: slot(own),
            clock_slot: slot(clock),
            clock_pin: logic.storage.map_or(u8::MAX, |storage| storage.clock_pin as u8),
            bits: logic.index_bits() as u8,
            outputs: logic.outputs.len() as u8,
            pin_energy: PinEnergy::State,
        };
        for pin in 0..gate.inputs.len() {
            for state in 0..1_u32 << logic.index_bits() {
                for output in 0..logic.outputs.len() {
                    let arc = self.arc(circuit, gate, pin, state, output)?;
                    self.arcs.push(arc);
                }
                let energy = self.pin_energy(circuit, gate, pin, state);
                self.pins.push(energy as f32);
            }
        }
        let pin_energy = if logic.storage.is_some() { PinEnergy::State } else { self.compress(first_pin, flat.bits) };
        self.gates.push(FlatGate { pin_energy, ..flat });
        Ok(())
    }

    /// Keeps only what is needed of the last gate's pin energies.
    fn compress(&mut self, first: usize, bits: u8) -> PinEnergy {
        let states = 1 << bits;
        let all = &self.pins[first..];
        if all.iter().all(|energy| *energy == 0.0) {
            self.pins.truncate(first);
            return PinEnergy::None;
        }
        let edges: Vec<f32> =
            all.chunks_exact(states).enumerate().flat_map(|(pin, of)| [of[0], of[1 << pin]]).collect();
        let by_edge = |(entry, energy): (usize, &f32)| {
            let (pin, state) = (entry / states, entry % states);
            *energy == edges[pin << 1 | state >> pin & 1]
        };
        if !all.iter().enumerate().all(by_edge) {
            return PinEnergy::State;
        }
        self.pins.truncate(first);
        self.pins.extend(edges);
        PinEnergy::Edge
    }

    /// The arc of an output that has changed to what `state` shows, because of
    /// a change of `pin` to what it is in `state`.
    fn arc(&self, circuit: &Circuit, gate: &Gate, pin: usize, state: u32, output: usize) -> Result<Arc, GatesError> {
        let cell = circuit.cell(gate);
        let logic = &cell.logic;
        let (_, truth) = logic.outputs[output];
        let rises = bit(truth, state);
        if logic.storage.is_none() && bit(truth, state ^ 1 << pin) == rises {
            return Ok(Arc::default());
        }
        let Some(net) = gate.outputs[output].map(|net| &circuit.nets[net as usize]) else {
            return Ok(Arc::default());
        };
        let cause = Cause { input: pin, rises: state >> pin & 1 == 1, state: Some(state) };
        let point = Point { slew: self.slew(gate, pin, cause.rises), load: net.load, constrained: 0.0 };
        let internal = cell.output_energy(cause, output, rises, point);
        if net.clock {
            // An ideal clock: all its edges come at once. Its wires' energy is
            // counted at the pins they lead to.
            return Ok(Arc { delay: 0, energy: internal as f32 });
        }
        let delay = cell.delay(cause, output, rises, point).or_else(|| {
            // A clear by two pins may have the arc at one of them.
            (0..gate.inputs.len())
                .flat_map(|input| [true, false].map(|rises| Cause { input, rises, state: None }))
                .filter_map(|cause| cell.delay(cause, output, rises, point))
                .max_by(|a, b| a.0.total_cmp(&b.0))
        });
        let Some((delay, _)) = delay else {
            let what = format!("no timing arc leads to {}", logic.outputs[output].0);
            return Err(GatesError::Cell { cell: cell.name.clone(), what });
        };
        let charge = 0.5 * net.load * circuit.volts * circuit.volts;
        Ok(Arc { delay: ticks(delay.max(1.0 / TICKS_PER_NS)), energy: (internal + charge) as f32 })
    }

    /// What a transition of a pin uses in fJ, apart from what it causes. The
    /// load of nets that no cell drives, and of clocks, is counted at the pins.
    fn pin_energy(&self, circuit: &Circuit, gate: &Gate, pin: usize, state: u32) -> f64 {
        let Bit::Net(number) = gate.inputs[pin] else { return 0.0 };
        let net = &circuit.nets[number as usize];
        let cell = circuit.cell(gate);
        let cause = Cause { input: pin, rises: state >> pin & 1 == 1, state: Some(state) };
        let point = Point { slew: self.slew(gate, pin, cause.rises), ..Point::default() };
        let share = if net.clock || net.driver.is_none() {
            0.5 * (cell.capacitance[pin] + circuit.wire_load) * circuit.volts * circuit.volts
        } else {
            0.0
        };
        cell.input_energy(cause, point) + share
    }

    fn slew(&self, gate: &Gate, pin: usize, rises: bool) -> f64 {
        match gate.inputs[pin] {
            Bit::Net(net) => self.timing.slew[net as usize][super::arcs::edge(rises)],
            Bit::Constant(_) => 0.0,
        }
    }
}

/// A time in ticks, rounded, and at most what the queue takes.
fn ticks(ns: f64) -> u32 {
    // LONGEST_DELAY is 41.9 ns and fits.
    (ns * TICKS_PER_NS).round().min(LONGEST_DELAY as f64) as u32
}
