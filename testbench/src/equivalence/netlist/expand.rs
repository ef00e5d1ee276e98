//! Are two modules without registers the same? By cases: where outputs follow few inputs, all of them are looked at.
//!
//! That is what SAT is worst at and what a memory in logic is: a table, in other words on each side.
//! With an input known, most of a table falls away, so both sides are made smaller
//! input by input (Shannon's expansion) until they are one graph, or so few inputs are left that all words of
//! them are simulated, 512 at a time.

use super::aig::{Graph, Literal, Node};
use super::json::{Direction, Module};
use super::words::{self, Signal};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// Inputs that one output may follow.
const MOST_INPUTS: usize = 40;

/// Inputs left at which all words are simulated.
const SIMULATED: usize = 11;

/// Nodes of a graph from which on every input is tried for the one that takes most of them with it.
const TRIED: usize = 1000;

/// Nodes that may be visited before a proof is given up: some ten seconds. A count and no time,
/// so that what is proven does not depend on the machine.
const NODES: u64 = 1 << 29;

/// Words of 64 cases that a node shows at once.
const WORDS: usize = 8;

/// Inputs whose cases are beside each other in these words.
const BESIDE: usize = 9;

/// Version of what is proven here, in `words` and in `aig`.
pub const METHOD: &str = "expand-2";

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// Both sides are the same; so many bits were compared.
    Equal(usize),
    /// They differ: in these bits of outputs, with these inputs.
    Different(Vec<String>, String),
}

/// Bits of both sides that have to be equal.
type Pair = (Literal, Literal);

/// A bit of an output, and what it is on either side.
type Output<'a> = (&'a str, Signal, Signal);

/// Values of inputs, by their number.
type Case = BTreeMap<u32, bool>;

/// Compares both sides. None where that is not for here to say: one side has other cells than those of
/// [`words`] (registers, instances, arithmetic, `$pmux`), ports differ, outputs follow too many inputs or what is
/// undefined, [`NODES`] do not suffice, or the user cancels.
pub fn expand(gold: &Module, gate: &Module, cancel: &AtomicBool) -> Option<Expansion> {
    let mut graph = Graph::new();
    let (inputs, names) = inputs(gold, gate, &mut graph)?;
    let (left, right) = (words::add(&mut graph, gold, &inputs)?, words::add(&mut graph, gate, &inputs)?);
    let (left, right) = (bits(&left), bits(&right));
    if left.is_empty() || !left.keys().eq(right.keys()) {
        return None;
    }
    let outputs: Vec<Output<'_>> =
        left.iter().zip(right.values()).map(|((name, gold), gate)| (name.as_str(), *gold, *gate)).collect();
    // What is not surely 1 has to be surely 0, on both sides.
    let pairs = outputs
        .iter()
        .flat_map(|(_, gold, gate)| [(gold.one, gate.one), (gold.zero, gate.one.not()), (gate.zero, gate.one.not())]);
    let pairs: BTreeSet<Pair> = pairs.filter(|(a, b)| a != b).collect();
    let mut nodes = NODES;
    for cluster in clusters(&graph, pairs)? {
        let (part, pairs) = reduced(&graph, None, &cluster);
        if let Some(case) = split(&part, &pairs, &mut nodes, cancel)? {
            return told(&graph, &outputs, &names, &case);
        }
    }
    Some(Expansion::Equal(outputs.len()))
}

/// The outputs that differ in a case, and the inputs that these follow. None if they differ in nothing but undefined
/// bits: for SAT to say, which takes each as anything.
fn told(graph: &Graph, outputs: &[Output<'_>], names: &BTreeMap<u32, String>, case: &Case) -> Option<Expansion> {
    let shown = values(graph, case);
    let value = |literal: Literal| shown[literal.node()] != literal.is_inverted();
    let surely = |signal: Signal| value(signal.one) != value(signal.zero);
    let refuted = |(_, gold, gate): &&Output<'_>| surely(*gold) && surely(*gate) && value(gold.one) != value(gate.one);
    let differing: Vec<&Output<'_>> = outputs.iter().filter(refuted).collect();
    if differing.is_empty() {
        return None;
    }
    let literals: Vec<Literal> = differing.iter().flat_map(|(_, gold, gate)| [gold.one, gate.one]).collect();
    let followed = graph.followed(&literals, 1, &mut vec![0; graph.nodes().len()]);
    let inputs: Vec<String> = names
        .iter()
        .filter(|(number, _)| followed.contains(number))
        .map(|(number, name)| format!("{name} = {}", u8::from(case.get(number).copied().unwrap_or(false))))
        .collect();
    Some(Expansion::Different(differing.iter().map(|(name, ..)| (*name).to_owned()).collect(), inputs.join("\n")))
}

/// Every bit with its name.
fn bits(ports: &BTreeMap<String, Vec<Signal>>) -> BTreeMap<String, Signal> {
    let named = ports.iter().flat_map(|(name, bits)| {
        bits.iter().enumerate().map(move |(index, signal)| (format!("{name}[{index}]"), *signal))
    });
    named.collect()
}

/// Literals of inputs, by port.
type Inputs<'a> = BTreeMap<&'a str, Vec<Literal>>;

/// A literal for each bit of the inputs, which both sides must have alike, and what each is called.
fn inputs<'a>(gold: &'a Module, gate: &Module, graph: &mut Graph) -> Option<(Inputs<'a>, BTreeMap<u32, String>)> {
    let widths = |module: &Module| -> BTreeMap<String, usize> {
        let inputs = module.ports.iter().filter(|(_, port)| port.direction == Direction::Input);
        inputs.map(|(name, port)| (name.clone(), port.bits.len())).collect()
    };
    if widths(gold) != widths(gate) {
        return None;
    }
    let mut names = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (name, port) in gold.ports.iter().filter(|(_, port)| port.direction == Direction::Input) {
        let mut literals = Vec::new();
        for index in 0..port.bits.len() {
            let number = u32::try_from(names.len()).ok()?;
            names.insert(number, format!("{name}[{index}]"));
            literals.push(graph.input(number));
        }
        found.insert(name.as_str(), literals);
    }
    Some((found, names))
}

/// Pairs together with those that follow no other inputs than one of them; none if a pair follows too many.
fn clusters(graph: &Graph, pairs: BTreeSet<Pair>) -> Option<Vec<Vec<Pair>>> {
    let mut seen = vec![0; graph.nodes().len()];
    let mut wide = Vec::new();
    for (mark, pair) in (1..).zip(pairs) {
        let followed = graph.followed(&[pair.0, pair.1], mark, &mut seen);
        if followed.len() > MOST_INPUTS {
            return None;
        }
        wide.push((followed, pair));
    }
    wide.sort_by_key(|(followed, _)| Reverse(followed.len()));
    let mut found: Vec<(BTreeSet<u32>, Vec<Pair>)> = Vec::new();
    for (followed, pair) in wide {
        match found.iter_mut().find(|(all, _)| followed.is_subset(all)) {
            Some((_, cluster)) => cluster.push(pair),
            None => found.push((followed, vec![pair])),
        }
    }
    Some(found.into_iter().map(|(_, cluster)| cluster).collect())
}

/// A graph of some pairs alone, and the pairs in it.
type Half = (Graph, Vec<Pair>);

/// The graph of these pairs alone where an input is known, and the pairs in it.
fn reduced(graph: &Graph, known: Option<(u32, bool)>, pairs: &[Pair]) -> Half {
    let outputs: Vec<Literal> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let (graph, outputs) = graph.with(known, &outputs);
    let pairs: BTreeSet<Pair> =
        outputs.chunks_exact(2).map(|pair| (pair[0], pair[1])).filter(|(a, b)| a != b).collect();
    (graph, pairs.into_iter().collect())
}

/// The inputs of a graph, each with how many nodes read it.
fn readers(graph: &Graph) -> BTreeMap<u32, usize> {
    let mut readers: BTreeMap<u32, usize> = BTreeMap::new();
    let number = |literal: Literal| match graph.nodes()[literal.node()] {
        Node::Input(number) => Some(number),
        _ => None,
    };
    for node in graph.nodes() {
        match *node {
            Node::False => {}
            Node::Input(number) => *readers.entry(number).or_default() += 0,
            Node::And(a, b) => {
                for input in [a, b].into_iter().filter_map(number) {
                    *readers.entry(input).or_default() += 1;
                }
            }
        }
    }
    readers
}

/// A case in which not all pairs are equal, if there is one; none if that takes too long to say. The graph
/// holds little more than what the pairs follow.
fn split(graph: &Graph, pairs: &[Pair], nodes: &mut u64, cancel: &AtomicBool) -> Option<Option<Case>> {
    if pairs.is_empty() {
        return Some(None);
    }
    if cancel.load(Ordering::Relaxed) {
        return None;
    }
    let readers = readers(graph);
    if readers.len() <= SIMULATED {
        return simulated(graph, &readers.keys().copied().collect::<Vec<_>>(), pairs, nodes);
    }
    let candidates: Vec<u32> = if graph.nodes().len() > TRIED {
        readers.keys().copied().collect()
    } else {
        // The input that most nodes read takes most of them with it.
        readers.iter().max_by_key(|(_, count)| **count).map(|(input, _)| *input).into_iter().collect()
    };
    let mut best: Option<(usize, u32, [Half; 2])> = None;
    for input in candidates {
        *nodes = nodes.checked_sub(2 * graph.nodes().len() as u64)?;
        let halves = [false, true].map(|value| reduced(graph, Some((input, value)), pairs));
        let left = halves.iter().map(|(graph, _)| graph.nodes().len()).sum();
        if best.as_ref().is_none_or(|(least, ..)| left < *least) {
            best = Some((left, input, halves));
        }
    }
    let (_, input, halves) = best?;
    for (value, (rest, pairs)) in [false, true].into_iter().zip(halves) {
        if let Some(mut case) = split(&rest, &pairs, nodes, cancel)? {
            case.insert(input, value);
            return Some(Some(case));
        }
    }
    Some(None)
}

/// The same for a graph of few inputs: all their words.
fn simulated(graph: &Graph, inputs: &[u32], pairs: &[Pair], nodes: &mut u64) -> Option<Option<Case>> {
    let mut shown = vec![[0_u64; WORDS]; graph.nodes().len()];
    for block in 0..1_u64 << inputs.len().saturating_sub(BESIDE) {
        *nodes = nodes.checked_sub(graph.nodes().len() as u64)?;
        for (index, node) in graph.nodes().iter().enumerate() {
            shown[index] = match *node {
                Node::False => [0; WORDS],
                Node::Input(number) => match inputs.iter().position(|input| *input == number)? {
                    place if place < BESIDE => beside(place),
                    place => [0_u64.wrapping_sub(block >> (place - BESIDE) & 1); WORDS],
                },
                Node::And(a, b) => {
                    let (a, b) = (of(&shown, a), of(&shown, b));
                    std::array::from_fn(|word| a[word] & b[word])
                }
            };
        }
        for (a, b) in pairs {
            let (a, b) = (of(&shown, *a), of(&shown, *b));
            if let Some(word) = (0..WORDS).find(|word| a[*word] != b[*word]) {
                let number = block << BESIDE | (word as u64) << 6 | u64::from((a[word] ^ b[word]).trailing_zeros());
                let case = inputs.iter().enumerate().map(|(place, input)| (*input, number >> place & 1 == 1));
                return Some(Some(case.collect()));
            }
        }
    }
    Some(None)
}

fn of(shown: &[[u64; WORDS]], literal: Literal) -> [u64; WORDS] {
    let inverted = 0_u64.wrapping_sub(literal.is_inverted().into());
    shown[literal.node()].map(|word| word ^ inverted)
}

/// The cases of one of the first inputs: it is bit `place` of a case's number.
fn beside(place: usize) -> [u64; WORDS] {
    let bit = |case: usize| ((case >> place & 1) as u64) << (case % 64);
    std::array::from_fn(|word| (word * 64..word * 64 + 64).map(bit).sum())
}

/// What all nodes show in one case; an input that it does not name is 0.
fn values(graph: &Graph, case: &Case) -> Vec<bool> {
    let mut shown: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let value = |literal: &Literal| shown[literal.node()] != literal.is_inverted();
        let value = match node {
            Node::False => false,
            Node::Input(number) => case.get(number).copied().unwrap_or(false),
            Node::And(a, b) => value(a) && value(b),
        };
        shown.push(value);
    }
    shown
}
