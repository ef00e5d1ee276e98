//! What keeps a state in a module of single-bit cells, and which states of two modules are one.
//!
//! Registers keep their names through synthesis, so a flip-flop's counterpart bears a
//! name of the same net; where a library's flip-flops store the complement, an inverter
//! behind it does. The latch of a clock gate has the instance it is in.

use super::json::{Bit, Module};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a state is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At an edge.
    Flop,
    /// While open.
    Latch,
}

/// A net, or what it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The net.
    pub bit: Bit,
    /// Whether its complement is meant.
    pub inverted: bool,
}

impl Signal {
    /// Never.
    const NEVER: Self = Self { bit: Bit::ZERO, inverted: false };

    /// The complement.
    pub const fn not(self) -> Self {
        Self { inverted: !self.inverted, ..self }
    }
}

/// One bit of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The cell.
    pub cell: String,
    /// What it is kept in.
    pub kind: Kind,
    /// The net that shows it.
    pub output: Bit,
    /// What it becomes.
    pub next: Signal,
    /// The rising edge that it becomes so at, or what opens the latch.
    pub clock: Signal,
    /// What makes it 0 at once.
    pub clear: Signal,
    /// What makes it 1 at once.
    pub set: Signal,
}

/// A state of the netlist, and its counterparts in the Verilog: several where synthesis
/// found registers that are always equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Index of the netlist's.
    pub gate: usize,
    /// Indices of the Verilog's, each with its name.
    pub gold: Vec<(usize, String)>,
    /// Whether the netlist stores the complement.
    pub inverted: bool,
}

/// The states of a module, whose instances of `boxes` are left alone.
///
/// # Errors
/// The type of a cell that is neither logic nor one of the registers known here.
pub fn states(module: &Module, boxes: &BTreeSet<String>) -> Result<Vec<State>, String> {
    let mut found = Vec::new();
    for (name, cell) in &module.cells {
        if boxes.contains(&cell.kind) || LOGIC.contains(&cell.kind.as_str()) {
            continue;
        }
        let (kind, letters) = shape(&cell.kind).ok_or_else(|| cell.kind.clone())?;
        let pin = |pin: &str| cell.pin(pin).ok_or_else(|| cell.kind.clone());
        let signal = |name: &str, letter: &u8| Ok::<_, String>(Signal { bit: pin(name)?, inverted: *letter == b'N' });
        let clock = signal(if kind == Kind::Flop { "C" } else { "E" }, &letters[0])?;
        let (clear, set) = match &letters[1..] {
            [] => (Signal::NEVER, Signal::NEVER),
            [reset, b'0'] => (signal("R", reset)?, Signal::NEVER),
            [reset, b'1'] => (Signal::NEVER, signal("R", reset)?),
            [set, reset] => (signal("R", reset)?, signal("S", set)?),
            _ => return Err(cell.kind.clone()),
        };
        let next = Signal { bit: pin("D")?, inverted: false };
        found.push(State { cell: name.clone(), kind, output: pin("Q")?, next, clock, clear, set });
    }
    Ok(found)
}

/// Yosys' cells that keep no state. `$anyseq` stands for an undefined value.
const LOGIC: [&str; 17] = [
    "$_BUF_",
    "$_NOT_",
    "$_AND_",
    "$_NAND_",
    "$_OR_",
    "$_NOR_",
    "$_XOR_",
    "$_XNOR_",
    "$_ANDNOT_",
    "$_ORNOT_",
    "$_MUX_",
    "$_NMUX_",
    "$_AOI3_",
    "$_OAI3_",
    "$_AOI4_",
    "$_OAI4_",
    "$anyseq",
];

/// The kind of a cell, and the letters of its type: edge or level, those of set and
/// reset, the value of a single reset.
fn shape(kind: &str) -> Option<(Kind, &[u8])> {
    for (stem, of, lengths) in [
        ("$_DFF_", Kind::Flop, [1, 3]),
        ("$_DFFSR_", Kind::Flop, [3, 3]),
        ("$_DLATCH_", Kind::Latch, [1, 3]),
        ("$_DLATCHSR_", Kind::Latch, [3, 3]),
    ] {
        if let Some(letters) = kind.strip_prefix(stem).and_then(|rest| rest.strip_suffix('_'))
            && lengths.contains(&letters.len())
        {
            return Some((of, letters.as_bytes()));
        }
    }
    None
}

/// All names of each net that a user gave, with their index.
fn names(module: &Module) -> HashMap<Bit, Vec<String>> {
    let mut names: HashMap<Bit, Vec<String>> = HashMap::new();
    for (name, net) in module.netnames.iter().filter(|(name, _)| !name.starts_with('$')) {
        for (index, bit) in (net.offset..).zip(&net.bits) {
            names.entry(*bit).or_default().push(format!("{name}[{index}]"));
        }
    }
    names
}

/// Pairs the states of a netlist with those of its Verilog. What has no counterpart is
/// in no pair.
pub fn pairs(gold: &Module, gate: &Module, gold_states: &[State], gate_states: &[State]) -> Vec<Pair> {
    let (gold_names, gate_names) = (names(gold), names(gate));
    let of = |names: &HashMap<Bit, Vec<String>>, bit: Bit| names.get(&bit).cloned().unwrap_or_default();
    let mut by_name = HashMap::new();
    let mut by_scope: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (index, state) in gold_states.iter().enumerate() {
        for name in of(&gold_names, state.output) {
            if let (Kind::Latch, Some(scope)) = (state.kind, scope(&name)) {
                by_scope.entry(scope.to_owned()).or_default().insert(index);
            }
            by_name.insert(name, index);
        }
    }
    let mut complements: HashMap<Bit, Vec<Bit>> = HashMap::new();
    for cell in gate.cells.values().filter(|cell| cell.kind == "$_NOT_") {
        if let (Some(input), Some(output)) = (cell.pin("A"), cell.pin("Y")) {
            complements.entry(input).or_default().push(output);
        }
    }
    let (mut taken, mut done) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    for inverted in [false, true] {
        for (gate, state) in gate_states.iter().enumerate() {
            if done.contains(&gate) {
                continue;
            }
            let others = || complements.get(&state.output).into_iter().flatten().flat_map(|bit| of(&gate_names, *bit));
            let called = if inverted { others().collect() } else { of(&gate_names, state.output) };
            let mut gold: BTreeMap<usize, String> = BTreeMap::new();
            for name in called {
                let alone = |scope: &str| by_scope.get(scope).filter(|set| set.len() == 1)?.first().copied();
                let by_scope = || if state.kind == Kind::Latch { scope(&name).and_then(alone) } else { None };
                if let Some(index) = by_name.get(&name).copied().or_else(by_scope)
                    && gold_states[index].kind == state.kind
                    && !taken.contains(&index)
                {
                    gold.entry(index).or_insert(name);
                }
            }
            taken.extend(gold.keys().copied());
            if !gold.is_empty() {
                done.insert(gate);
                found.push(Pair { gate, gold: gold.into_iter().collect(), inverted });
            }
        }
    }
    found
}

/// The instance that a net is in.
fn scope(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(scope, _)| scope)
}
