//! From Yosys' cells of whole words, or of single bits, to an and-inverter graph.
//!
//! Where nothing is assigned on a path, a word is undefined (`x`): it may be anything. So every bit is two
//! literals, one for "surely 1" and one for "surely 0"; where nothing undefined comes in, the
//! second is the complement of the first, and costs no node.

use super::aig::{Graph, Literal};
use super::json::{Bit, Cell, Direction, Module};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Nodes beyond which a graph is given up: a quarter of what indices can tell apart.
const MOST_NODES: usize = 1 << 29;

/// One bit that may be undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Surely 1.
    pub one: Literal,
    /// Surely 0.
    pub zero: Literal,
}

impl Signal {
    const LOW: Self = Self::of(Literal::FALSE);
    const HIGH: Self = Self::of(Literal::TRUE);
    const UNDEFINED: Self = Self { one: Literal::FALSE, zero: Literal::FALSE };

    /// One that is always defined.
    pub const fn of(one: Literal) -> Self {
        Self { one, zero: one.not() }
    }

    /// Whether it is seen to be always defined.
    pub fn is_defined(self) -> bool {
        self.zero == self.one.not()
    }

    const fn not(self) -> Self {
        Self { one: self.zero, zero: self.one }
    }
}

fn and(graph: &mut Graph, a: Signal, b: Signal) -> Signal {
    let one = graph.and(a.one, b.one);
    let zero = if a.is_defined() && b.is_defined() { one.not() } else { graph.or(a.zero, b.zero) };
    Signal { one, zero }
}

fn or(graph: &mut Graph, a: Signal, b: Signal) -> Signal {
    and(graph, a.not(), b.not()).not()
}

/// `high` or `low`; undefined wherever `select` is.
fn mux(graph: &mut Graph, select: Signal, high: Signal, low: Signal) -> Signal {
    let either = |graph: &mut Graph, high: Literal, low: Literal| {
        let (high, low) = (graph.and(select.one, high), graph.and(select.zero, low));
        graph.or(high, low)
    };
    let one = either(graph, high.one, low.one);
    let defined = [select, high, low].iter().all(|signal| signal.is_defined());
    Signal { one, zero: if defined { one.not() } else { either(graph, high.zero, low.zero) } }
}

fn xor(graph: &mut Graph, a: Signal, b: Signal) -> Signal {
    mux(graph, a, b.not(), b)
}

/// All bits, one behind the other.
fn fold(graph: &mut Graph, bits: &[Signal], none: Signal, by: fn(&mut Graph, Signal, Signal) -> Signal) -> Signal {
    bits.iter().fold(none, |all, bit| by(graph, all, *bit))
}

/// The bits of a cell's output; none of a cell that is not known here. What a cell means is in
/// Yosys' manual, "Internal cell library".
fn output(graph: &mut Graph, cell: &Cell, pin: &impl Fn(&str) -> Option<Vec<Signal>>) -> Option<Vec<Signal>> {
    let signed = |name: &str| cell.parameters.get(name).is_some_and(|value| value.to_string().contains('1'));
    if signed("A_SIGNED") || signed("B_SIGNED") {
        return None;
    }
    let width = cell.connections.get("Y")?.len();
    let a = pin("A")?;
    let extended = |mut word: Vec<Signal>, width: usize| {
        word.resize(width, Signal::LOW);
        word
    };
    let kind = cell.kind.as_str();
    let found = match kind {
        "$not" | "$_NOT_" => extended(a, width).into_iter().map(Signal::not).collect(),
        "$_BUF_" => a,
        "$and" | "$or" | "$xor" | "$xnor" | "$_AND_" | "$_OR_" | "$_XOR_" | "$_XNOR_" | "$_NAND_" | "$_NOR_"
        | "$_ANDNOT_" | "$_ORNOT_" => {
            let pairs = extended(a, width).into_iter().zip(extended(pin("B")?, width));
            let by = |(a, b)| match kind {
                "$and" | "$_AND_" => and(graph, a, b),
                "$_NAND_" => and(graph, a, b).not(),
                "$_ANDNOT_" => and(graph, a, Signal::not(b)),
                "$or" | "$_OR_" => or(graph, a, b),
                "$_NOR_" => or(graph, a, b).not(),
                "$_ORNOT_" => or(graph, a, Signal::not(b)),
                "$xor" | "$_XOR_" => xor(graph, a, b),
                _ => xor(graph, a, b).not(),
            };
            pairs.map(by).collect()
        }
        "$mux" | "$_MUX_" => {
            let (b, s) = (pin("B")?, pin("S")?);
            let [select] = s[..] else { return None };
            a.into_iter().zip(b).map(|(low, high)| mux(graph, select, high, low)).collect()
        }
        "$eq" | "$ne" => {
            let b = pin("B")?;
            let width = a.len().max(b.len());
            let (a, b) = (extended(a, width), extended(b, width));
            let differ: Vec<Signal> = a.into_iter().zip(b).map(|(a, b)| xor(graph, a, b)).collect();
            let differs = fold(graph, &differ, Signal::LOW, or);
            vec![if kind == "$ne" { differs } else { differs.not() }]
        }
        "$logic_not" => vec![fold(graph, &a, Signal::LOW, or).not()],
        "$logic_and" | "$logic_or" => {
            let (a, b) = (fold(graph, &a, Signal::LOW, or), fold(graph, &pin("B")?, Signal::LOW, or));
            vec![if kind == "$logic_and" { and(graph, a, b) } else { or(graph, a, b) }]
        }
        "$reduce_and" => vec![fold(graph, &a, Signal::HIGH, and)],
        "$reduce_or" | "$reduce_bool" => vec![fold(graph, &a, Signal::LOW, or)],
        "$reduce_xor" => vec![fold(graph, &a, Signal::LOW, xor)],
        "$reduce_xnor" => vec![fold(graph, &a, Signal::LOW, xor).not()],
        _ => return None,
    };
    Some(extended(found, width))
}

/// Adds a module without registers and instances, whose inputs are these, and gives its
/// outputs. None where outputs follow something that is not known here (another cell, a loop, a net without a
/// driver), or where a net has two drivers, or a port both directions.
pub fn add(
    graph: &mut Graph,
    module: &Module,
    inputs: &BTreeMap<&str, Vec<Literal>>,
) -> Option<BTreeMap<String, Vec<Signal>>> {
    if module.ports.values().any(|port| port.direction == Direction::Inout) {
        return None;
    }
    let mut made: HashMap<Bit, Signal> = HashMap::from([
        (Bit::ZERO, Signal::LOW),
        (Bit::Constant('1'), Signal::HIGH),
        (Bit::Constant('x'), Signal::UNDEFINED),
    ]);
    for (name, port) in module.ports.iter().filter(|(_, port)| port.direction == Direction::Input) {
        for (bit, literal) in port.bits.iter().zip(inputs.get(name.as_str())?) {
            if made.insert(*bit, Signal::of(*literal)).is_some() {
                return None;
            }
        }
    }
    let mut drivers: HashMap<Bit, &Cell> = HashMap::new();
    for cell in module.cells.values() {
        for bit in cell.connections.get("Y")? {
            if matches!(bit, Bit::Constant(_)) || made.contains_key(bit) || drivers.insert(*bit, cell).is_some() {
                return None;
            }
        }
    }
    let mut found = BTreeMap::new();
    for (name, port) in module.ports.iter().filter(|(_, port)| port.direction != Direction::Input) {
        let bits = port.bits.iter().map(|bit| grow(graph, *bit, &mut made, &drivers));
        found.insert(name.clone(), bits.collect::<Option<Vec<_>>>()?);
    }
    Some(found)
}

/// What a net shows, after all that it follows.
fn grow(graph: &mut Graph, net: Bit, made: &mut HashMap<Bit, Signal>, drivers: &HashMap<Bit, &Cell>) -> Option<Signal> {
    // Nets to do, and whether what they follow is already done.
    let mut open = vec![(net, false)];
    let mut entered = HashSet::new();
    while let Some((bit, ready)) = open.pop() {
        if made.contains_key(&bit) {
            continue;
        }
        let cell = drivers.get(&bit)?;
        if ready {
            if graph.nodes().len() > MOST_NODES {
                return None;
            }
            let pin = |pin: &str| cell.connections.get(pin)?.iter().map(|bit| made.get(bit).copied()).collect();
            let signals = output(graph, cell, &pin)?;
            made.extend(cell.connections.get("Y")?.iter().copied().zip(signals));
            continue;
        }
        if !entered.insert(bit) {
            return None;
        }
        open.push((bit, true));
        let inputs = cell.connections.iter().filter(|(pin, _)| *pin != "Y").flat_map(|(_, bits)| bits);
        open.extend(inputs.filter(|read| !made.contains_key(read)).map(|read| (*read, false)));
    }
    made.get(&net).copied()
}
