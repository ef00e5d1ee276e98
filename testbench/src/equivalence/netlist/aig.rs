//! And-inverter graphs: everything in ANDs of two and complements, equal ANDs only once.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// A node or its complement: twice the node's index, plus 1 for the complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal(u32);

impl Literal {
    /// Always 0, which is what node 0 shows.
    pub const FALSE: Self = Self(0);
    /// Always 1.
    pub const TRUE: Self = Self(1);

    /// What node this is of.
    pub const fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether it is the complement.
    pub const fn is_inverted(self) -> bool {
        self.0 & 1 == 1
    }

    /// The complement.
    pub const fn not(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// This literal, or its complement.
    pub const fn not_if(self, inverted: bool) -> Self {
        Self(self.0 ^ inverted as u32)
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// The constant 0: the first node, and no other.
    False,
    /// An input: a number that stays the same in all graphs made from this one.
    Input(u32),
    /// 1 if both are.
    And(Literal, Literal),
}

/// A graph. A node stands behind all that it reads.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<(Literal, Literal), Literal, BuildHasherDefault<Multiplied>>,
}

/// Pairs of literals are hashed up to some hundred million times in one proof.
#[derive(Clone, Copy, Debug, Default)]
pub struct Multiplied(u64);

impl Hasher for Multiplied {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, word: u32) {
        // Fibonacci hashing: an odd number near 2^64 over the golden ratio.
        self.0 = (self.0.rotate_left(26) ^ u64::from(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 32;
    }
}

impl Graph {
    /// A graph without inputs.
    pub fn new() -> Self {
        Self { nodes: vec![Node::False], known: HashMap::default() }
    }

    /// All nodes, the constant first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn push(&mut self, node: Node) -> Literal {
        self.nodes.push(node);
        // `words` gives up long before 2^31 nodes, and a reduced graph has no more than its origin.
        Literal((self.nodes.len() as u32 - 1) << 1)
    }

    /// A node for this input. Two of one number are two inputs.
    pub fn input(&mut self, number: u32) -> Literal {
        self.push(Node::Input(number))
    }

    /// 1 if both are.
    pub fn and(&mut self, a: Literal, b: Literal) -> Literal {
        let (a, b) = if a < b { (a, b) } else { (b, a) };
        if a == Literal::FALSE || a == b.not() {
            return Literal::FALSE;
        }
        if a == Literal::TRUE || a == b {
            return b;
        }
        if let Some(same) = self.known.get(&(a, b)) {
            return *same;
        }
        let made = self.push(Node::And(a, b));
        self.known.insert((a, b), made);
        made
    }

    /// 1 if one of them is.
    pub fn or(&mut self, a: Literal, b: Literal) -> Literal {
        self.and(a.not(), b.not()).not()
    }

    /// The inputs that these literals follow. `seen` has a place for each node, and `mark` is in none of them.
    pub fn followed(&self, outputs: &[Literal], mark: u32, seen: &mut [u32]) -> BTreeSet<u32> {
        let mut open: Vec<usize> = outputs.iter().map(|output| output.node()).collect();
        let mut inputs = BTreeSet::new();
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index], mark) == mark {
                continue;
            }
            match self.nodes[index] {
                Node::False => {}
                Node::Input(number) => {
                    inputs.insert(number);
                }
                Node::And(a, b) => open.extend([a.node(), b.node()]),
            }
        }
        inputs
    }

    /// The graph that is left for these outputs where an input is known, and the outputs in it.
    /// Without one, what no output reads is gone.
    pub fn with(&self, known: Option<(u32, bool)>, outputs: &[Literal]) -> (Self, Vec<Literal>) {
        let mut needed = vec![false; self.nodes.len()];
        outputs.iter().for_each(|output| needed[output.node()] = true);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if let (true, Node::And(a, b)) = (needed[index], node) {
                needed[a.node()] = true;
                needed[b.node()] = true;
            }
        }
        let mut graph = Self::new();
        let mut moved = vec![Literal::FALSE; self.nodes.len()];
        let of = |moved: &[Literal], literal: Literal| moved[literal.node()].not_if(literal.is_inverted());
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
            moved[index] = match *node {
                Node::False => Literal::FALSE,
                Node::Input(number) => match known {
                    Some((input, value)) if input == number => Literal::FALSE.not_if(value),
                    _ => graph.input(number),
                },
                Node::And(a, b) => graph.and(of(&moved, a), of(&moved, b)),
            };
        }
        let outputs = outputs.iter().map(|output| of(&moved, *output)).collect();
        (graph, outputs)
    }
}
