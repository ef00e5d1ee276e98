//! Ternary patterns of activation magnitudes, as good as a number of prefixes can be, or better.
//!
//! Bins of magnitudes are the leaves of a binary tree over exponent and fraction
//! bits. A prefix is a node of it and serves everything below. The nodes are chosen
//! by dynamic programming from the leaves up: for each node and number of prefixes
//! the least squared error, either of one prefix at the node or of the best split
//! of the number among its two halves. A few more prefixes than there are rows may do better
//! still, where two of them share a row (`unions`).

use super::profile::{FRACTION_BITS, Pair};
use super::unions::{Leaf, Mass, error, unite};
use std::collections::{BTreeMap, HashMap};

/// Bits of a magnitude: exponent and fraction.
const MAGNITUDE_BITS: u32 = 31;
const EXPONENT_BITS: u32 = 8;

/// Up to one prefix more for every so many patterns is tried.
const MORE: usize = 2;
/// Numbers of prefixes in a row that bring nothing, after which no more are tried.
const PATIENCE: usize = 4;

/// A pattern of the magnitude of an activation: a prefix, or several that differ in bits that it
/// does not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Its bits, in place; those that are not compared are 0.
    pub key: u32,
    /// 1 where a bit is compared.
    pub care: u32,
}

impl Pattern {
    fn prefix(depth: u32, index: u32) -> Self {
        let below = MAGNITUDE_BITS - depth;
        Self { key: index << below, care: (u32::MAX >> 1) & !((1 << below) - 1) }
    }

    /// Whether a magnitude has the pattern.
    pub fn matches(&self, magnitude: u32) -> bool {
        (magnitude ^ self.key) & self.care == 0
    }

    /// Fraction bits down to the lowest that is compared.
    pub fn fraction_bits(&self) -> u32 {
        (MAGNITUDE_BITS - self.care.trailing_zeros().min(MAGNITUDE_BITS)).saturating_sub(EXPONENT_BITS)
    }
}

/// At most `patterns` disjoint patterns that serve every activation of `pairs`; their
/// Σ (weight·(activation − mean of its pattern))² is at most what as many prefixes can reach. None is
/// infinite or a NaN. Zeros count `zeros` times with the mean square of the codebook's values.
///
/// Prefixes are as short as they can be, so that they also serve what lies around
/// the activations; what they leave out is a miss. Of `fraction_bits` wide keys no
/// pattern compares more bits than that. Fewer patterns than the exponents need may
/// leave activations out as well: then there are none.
pub fn best_patterns(
    pairs: &[Pair],
    fraction_bits: u32,
    codebook: &[f32],
    zeros: u64,
    patterns: usize,
) -> Vec<Pattern> {
    let depth = EXPONENT_BITS + fraction_bits;
    let mut bins: BTreeMap<u32, Mass> = BTreeMap::new();
    let mut add = |bin: u32, mass: Mass| {
        let sums = bins.entry(bin).or_default();
        sums.iter_mut().zip(mass).for_each(|(sum, new)| *sum += new);
    };
    for pair in pairs {
        let energy = f64::from(codebook[pair.cluster as usize]).powi(2);
        let (count, sum, square) = (pair.moments.count as f64, pair.moments.sum.abs(), pair.moments.square);
        add(
            (pair.key & (u32::MAX >> 1)) >> (FRACTION_BITS - fraction_bits),
            [energy * count, energy * sum, energy * square],
        );
    }
    if zeros > 0 {
        let mean = codebook.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / codebook.len().max(1) as f64;
        add(0, [mean * zeros as f64, 0.0, 0.0]);
    }
    let most = patterns + patterns / MORE;
    let mut tree = Tree { depth, bins: bins.into_iter().collect(), most, costs: HashMap::new() };
    let all = 0..tree.bins.len();
    let costs = tree.costs(0, 0, all.clone());
    let (mut best, mut least, mut in_vain) = (Vec::new(), f64::INFINITY, 0);
    for (prefixes, cost) in costs.iter().enumerate().skip(patterns.min(costs.len() - 1)) {
        let mut chosen = Vec::new();
        if cost.is_finite() {
            tree.choose(0, 0, all.clone(), prefixes, &mut chosen);
        }
        let Some(united) = unite(chosen, patterns).filter(|united| !united.is_empty()) else { continue };
        let total = united.iter().map(|leaf| error(leaf.mass)).sum::<f64>();
        if total < least {
            (best, least, in_vain) = (united, total, 0);
        } else {
            in_vain += 1;
        }
        if in_vain == PATIENCE {
            break;
        }
    }
    best.into_iter().map(|leaf| leaf.pattern).collect()
}

struct Tree {
    depth: u32,
    bins: Vec<(u32, Mass)>,
    most: usize,
    /// For each node the least error with at most as many patterns as the index says.
    costs: HashMap<(u32, u32), Vec<f64>>,
}

type Run = std::ops::Range<usize>;

impl Tree {
    /// The error of one pattern for the bins of a node; none if it would match
    /// infinities.
    fn alone(&self, depth: u32, index: u32, run: &Run) -> Option<f64> {
        let exponent = if depth > EXPONENT_BITS { index >> (depth - EXPONENT_BITS) } else { index };
        let special = exponent + 1 == 1 << depth.min(EXPONENT_BITS);
        (!special).then(|| error(self.mass(run)))
    }

    fn mass(&self, run: &Run) -> Mass {
        let sum = |mass: Mass, (_, bin): &(u32, Mass)| [mass[0] + bin[0], mass[1] + bin[1], mass[2] + bin[2]];
        self.bins[run.clone()].iter().fold([0.0; 3], sum)
    }

    /// The bins of the lower half of a node, and of the upper one.
    fn halves(&self, depth: u32, index: u32, run: &Run) -> [Run; 2] {
        let upper = (2 * index + 1) << (self.depth - depth - 1);
        let middle = run.start + self.bins[run.clone()].partition_point(|(bin, _)| *bin < upper);
        [run.start..middle, middle..run.end]
    }

    fn costs(&mut self, depth: u32, index: u32, run: Run) -> Vec<f64> {
        if run.is_empty() {
            return vec![0.0];
        }
        if let Some(known) = self.costs.get(&(depth, index)) {
            return known.clone();
        }
        let alone = self.alone(depth, index, &run).unwrap_or(f64::INFINITY);
        let mut costs = vec![alone; run.len().min(self.most) + 1];
        costs[0] = f64::INFINITY;
        if depth < self.depth {
            let [low, high] = self.halves(depth, index, &run);
            let (low, high) = (self.costs(depth + 1, 2 * index, low), self.costs(depth + 1, 2 * index + 1, high));
            for (patterns, cost) in costs.iter_mut().enumerate() {
                *cost = cost.min(split(&low, &high, patterns).0);
            }
        }
        self.costs.insert((depth, index), costs.clone());
        costs
    }

    /// The prefixes of the best choice of at most so many.
    fn choose(&mut self, depth: u32, index: u32, run: Run, patterns: usize, chosen: &mut Vec<Leaf>) {
        if run.is_empty() {
            return;
        }
        let costs = self.costs(depth, index, run.clone());
        let patterns = patterns.min(costs.len() - 1);
        // The shorter of equals.
        if self.alone(depth, index, &run).is_some_and(|alone| alone <= costs[patterns]) {
            chosen.push(Leaf { pattern: Pattern::prefix(depth, index), mass: self.mass(&run) });
            return;
        }
        if depth == self.depth {
            return;
        }
        let [low, high] = self.halves(depth, index, &run);
        let of_low = self.costs(depth + 1, 2 * index, low.clone());
        let of_high = self.costs(depth + 1, 2 * index + 1, high.clone());
        let (_, first) = split(&of_low, &of_high, patterns);
        self.choose(depth + 1, 2 * index, low, first, chosen);
        self.choose(depth + 1, 2 * index + 1, high, patterns - first, chosen);
    }
}

/// The least error of two halves with at most so many patterns together, and how
/// many of them the first one gets.
fn split(low: &[f64], high: &[f64], patterns: usize) -> (f64, usize) {
    let cost = |first: usize| low[first] + high[(patterns - first).min(high.len() - 1)];
    let mut best = (f64::INFINITY, 0);
    for first in 0..low.len().min(patterns + 1) {
        if cost(first) < best.0 {
            best = (cost(first), first);
        }
    }
    best
}
