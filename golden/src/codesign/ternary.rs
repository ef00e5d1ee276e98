//! Filling the associative memory: ternary rows that merge keys.
//!
//! Rows by frequency spend one row a key, and most of the keys of a layer
//! belong to small activations whose products hardly matter. Here a row may
//! also ignore the sign, lower exponent bits, or all fraction bits, wherever
//! that costs little. For each weight the disjoint rows are leaves of a binary
//! tree over the activation's bits, exponent first, with the sign tested
//! anywhere or nowhere; dynamic programming over the tree finds the rows that
//! maximise
//!
//! ```text
//! Σ over rows of  hits − error_price · w²·Σ(a − ā)² − row_price
//! ```
//!
//! exactly. The row price is then bisected until the rows of all weights fit
//! the memory; what room is left goes to the best of the rows that the next
//! lower price would add.

use super::fill::{Cube, Fill, assemble, excludes_special, zero_rows};
use super::profile::{FRACTION_BITS, MacCounts, Moments, Pair};

/// Exponent bits of a binary32 value.
const EXPONENT_BITS: u32 = 8;
/// Bits of a magnitude: all but the sign.
const MAGNITUDE_BITS: u32 = 31;
/// Steps of the bisection of the row price, each halving its logarithm's range.
const PRICE_STEPS: usize = 18;

/// What the rows of a layer are traded against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Most rows, those for zeros included.
    pub rows: usize,
    /// Hits that one unit of squared error on the layer's sums is worth.
    pub error_price: f64,
    /// PE's zero-skip bit: no row is spent on zeros.
    pub zero_skip: bool,
}

/// A layer's activations as one tree a weight, ready to be filled at any price.
pub struct Forest {
    trees: Vec<Tree>,
}

impl Forest {
    /// The trees of the pairs of a profile with `fraction_bits` wide keys.
    pub fn new(pairs: &[Pair], codebook: &[f32], fraction_bits: u32) -> Self {
        let mut of_cluster = vec![Vec::new(); codebook.len()];
        pairs.iter().for_each(|pair| of_cluster[pair.cluster as usize].push(*pair));
        let tree = |(cluster, pairs): (usize, Vec<Pair>)| Tree::new(cluster, &pairs, codebook[cluster], fraction_bits);
        Self { trees: of_cluster.into_iter().enumerate().filter(|(_, pairs)| !pairs.is_empty()).map(tree).collect() }
    }

    /// At most `budget.rows` rows; none compares more fraction bits than the
    /// keys have.
    pub fn fill(&self, codebook: &[f32], counts: &MacCounts, budget: &Budget) -> Fill {
        let zeros = zero_rows(codebook, counts, budget.rows, budget.zero_skip);
        let room = budget.rows - zeros.rows.len();
        let cubes: Vec<Cube> =
            self.within(room, budget.error_price).into_iter().flat_map(|(tree, prices)| tree.cubes(prices)).collect();
        assemble(zeros, cubes, codebook, counts)
    }

    /// Prices for each tree at which all their rows together fit `room`.
    fn within(&self, room: usize, error: f64) -> Vec<(&Tree, Prices)> {
        let rows_at = |row: f64| self.trees.iter().map(|tree| tree.best(Prices { row, error }).rows).sum::<usize>();
        // At a price below one hit every row pays, above every possible gain none.
        let most: u64 = self.trees.iter().map(Tree::count).max().unwrap_or(0);
        let (mut low, mut high) = (0.5, most as f64 + 1.0);
        if rows_at(low) <= room {
            return self.trees.iter().map(|tree| (tree, Prices { row: low, error })).collect();
        }
        for _ in 0..PRICE_STEPS {
            let middle = (low * high).sqrt();
            if rows_at(middle) <= room { high = middle } else { low = middle }
        }
        self.spend_the_rest(room, Prices { row: low, error }, Prices { row: high, error })
    }

    /// Moves single trees from the high to the low price while their rows fit,
    /// the largest gain first.
    fn spend_the_rest(&self, room: usize, low: Prices, high: Prices) -> Vec<(&Tree, Prices)> {
        let mut used = 0;
        let mut moves = Vec::new();
        let mut chosen: Vec<(&Tree, Prices)> = Vec::with_capacity(self.trees.len());
        for (index, tree) in self.trees.iter().enumerate() {
            let (dear, cheap) = (tree.best(high), tree.best(low));
            used += dear.rows;
            chosen.push((tree, high));
            // Worth without the price of the rows.
            let worth = (cheap.worth + low.row * cheap.rows as f64) - (dear.worth + high.row * dear.rows as f64);
            if cheap.rows > dear.rows {
                moves.push((worth, index, cheap.rows - dear.rows));
            }
        }
        moves.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, index, extra) in moves {
            if used + extra <= room {
                used += extra;
                chosen[index].1 = low;
            }
        }
        chosen
    }
}

/// What rows and their errors are charged, in hits.
#[derive(Clone, Copy)]
struct Prices {
    /// One row.
    row: f64,
    /// One unit of squared error on the layer's sums.
    error: f64,
}

/// The activations that one weight meets, as a binary tree over their bits.
struct Tree {
    cluster: u32,
    /// The weight's square: squared error of its products for a unit of
    /// squared activation error.
    weight_square: f64,
    depth: u32,
    /// Positive activations, then negative ones.
    signs: [Branch; 2],
}

/// Activations of one sign by rising magnitude.
struct Branch {
    magnitudes: Vec<u32>,
    moments: Vec<Moments>,
    /// Moments of all before each one.
    before: Vec<Moments>,
}

/// Positions of a branch that a node of the tree holds.
#[derive(Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
}

/// What the best rows below a node are worth, their price taken off.
#[derive(Clone, Copy, Default)]
struct Best {
    worth: f64,
    rows: usize,
}

impl Best {
    fn and(self, other: Self) -> Self {
        Self { worth: self.worth + other.worth, rows: self.rows + other.rows }
    }

    fn or(self, other: Self) -> Self {
        if other.worth > self.worth { other } else { self }
    }
}

/// The best of a node for its positive part, its negative part, and both.
#[derive(Clone, Copy, Default)]
struct Node {
    of_sign: [Best; 2],
    both: Best,
}

impl Branch {
    fn new(pairs: impl Iterator<Item = Pair>) -> Self {
        let mut branch = Self { magnitudes: Vec::new(), moments: Vec::new(), before: vec![Moments::default()] };
        let mut total = Moments::default();
        for pair in pairs {
            branch.magnitudes.push(pair.key & (u32::MAX >> 1));
            branch.moments.push(pair.moments);
            total.add_times(&pair.moments, 1);
            branch.before.push(total);
        }
        branch
    }

    fn all(&self) -> Span {
        Span { from: 0, to: self.magnitudes.len() }
    }

    /// Moments of a span in O(1), good enough to compare rows by.
    fn estimate(&self, span: Span) -> Moments {
        let (a, b) = (&self.before[span.from], &self.before[span.to]);
        Moments { count: b.count - a.count, sum: b.sum - a.sum, square: b.square - a.square }
    }

    /// Moments of a span, summed without the cancellation of `estimate`.
    fn exact(&self, span: Span) -> Moments {
        let mut total = Moments::default();
        self.moments[span.from..span.to].iter().for_each(|one| total.add_times(one, 1));
        total
    }

    /// First and last magnitude of a span.
    fn ends(&self, span: Span) -> Option<(u32, u32)> {
        (span.from < span.to).then(|| (self.magnitudes[span.from], self.magnitudes[span.to - 1]))
    }

    /// The span's parts with `bit` (counted from the top of the magnitude)
    /// clear and set, given that all bits above it agree.
    fn split(&self, span: Span, bit: u32) -> [Span; 2] {
        let mask = 1 << (MAGNITUDE_BITS - 1 - bit);
        let middle = span.from + self.magnitudes[span.from..span.to].partition_point(|m| m & mask == 0);
        [Span { from: span.from, to: middle }, Span { from: middle, to: span.to }]
    }
}

impl Tree {
    /// `pairs` of one cluster, keys ascending.
    fn new(cluster: usize, pairs: &[Pair], weight: f32, fraction_bits: u32) -> Self {
        let of_sign = |sign: u32| Branch::new(pairs.iter().copied().filter(move |pair| pair.key >> 31 == sign));
        let weight_square = f64::from(weight).powi(2);
        let depth = EXPONENT_BITS + fraction_bits;
        Self { cluster: cluster as u32, weight_square, depth, signs: [of_sign(0), of_sign(1)] }
    }

    fn count(&self) -> u64 {
        self.signs.iter().map(|branch| branch.estimate(branch.all()).count).sum()
    }

    fn all(&self) -> [Span; 2] {
        [self.signs[0].all(), self.signs[1].all()]
    }

    fn best(&self, prices: Prices) -> Best {
        self.node(self.all(), 0, prices).both
    }

    /// Leading magnitude bits that all activations of the spans share, at most
    /// the depth of the tree; none if the spans are empty.
    fn common_bits(&self, spans: [Span; 2]) -> Option<u32> {
        let ends = [0, 1].map(|sign: usize| self.signs[sign].ends(spans[sign]));
        let low = ends.iter().flatten().map(|e| e.0).min()?;
        let high = ends.iter().flatten().map(|e| e.1).max()?;
        // The encodings' top bit is the sign, which magnitudes have cleared.
        Some(((low ^ high).leading_zeros() - 1).min(self.depth))
    }

    /// The best rows for the spans, whose activations share `known` bits.
    fn node(&self, spans: [Span; 2], known: u32, prices: Prices) -> Node {
        let count = |spans: [Span; 2]| self.moments(spans).count as f64;
        let Some(common) = self.common_bits(spans).filter(|_| count(spans) > prices.row) else {
            return Node::default(); // nothing here, or nothing that pays for a row
        };
        let parts = [only(spans, 0), only(spans, 1), spans];
        let leaf = |spans| self.leaf(spans, known).map_or(Best::default(), |cube| self.worth(&cube, prices));
        let leaves = parts.map(leaf);
        // Two rows or more are not worth more than all their hits without error.
        let settled = leaves.iter().zip(parts).all(|(leaf, part)| leaf.worth >= count(part) - 2.0 * prices.row);
        let mut node = Node::default();
        if common < self.depth && !settled {
            let [p, n] = [0, 1].map(|sign: usize| self.signs[sign].split(spans[sign], common));
            let low = self.node([p[0], n[0]], common + 1, prices);
            let high = self.node([p[1], n[1]], common + 1, prices);
            node = Node {
                of_sign: [0, 1].map(|sign: usize| low.of_sign[sign].and(high.of_sign[sign])),
                both: low.both.and(high.both),
            };
        }
        let [positive, negative, both] = leaves;
        let of_sign =
            [positive.or(node.of_sign[0]).or(Best::default()), negative.or(node.of_sign[1]).or(Best::default())];
        Node { of_sign, both: both.or(node.both).or(of_sign[0].and(of_sign[1])).or(Best::default()) }
    }

    /// Moments of both signs together, good enough to compare rows by.
    fn moments(&self, spans: [Span; 2]) -> Moments {
        let mut moments = self.signs[0].estimate(spans[0]);
        moments.add_times(&self.signs[1].estimate(spans[1]), 1);
        moments
    }

    fn worth(&self, cube: &Cube, prices: Prices) -> Best {
        Best {
            worth: cube.moments.count as f64 - prices.error * self.weight_square * cube.moments.scatter() - prices.row,
            rows: 1,
        }
    }

    /// The row that serves all of the spans: the tightest one down to whole
    /// exponents, so that activations unlike any seen miss and stay exact, and
    /// then the widest one that shares no key with the rest of the tree.
    fn leaf(&self, spans: [Span; 2], known: u32) -> Option<Cube> {
        let common = self.common_bits(spans)?;
        let compared = if common > EXPONENT_BITS { known.max(EXPONENT_BITS) } else { common };
        let magnitude_care = if compared == 0 { 0 } else { (u32::MAX << (32 - compared)) >> 1 };
        let ends = [0, 1].map(|sign: usize| self.signs[sign].ends(spans[sign]));
        let sign = match ends {
            [Some(_), Some(_)] => None,
            [Some(_), None] => Some(0),
            _ => Some(1),
        };
        let care = magnitude_care | sign.map_or(0, |_| 1 << 31);
        let key = (ends.into_iter().flatten().next()?.0 & magnitude_care) | sign.unwrap_or(0) << 31;
        let cube = Cube { cluster: self.cluster, key, care, moments: self.moments(spans) };
        excludes_special(key, care).then_some(cube)
    }

    /// The rows that `best` counts.
    fn cubes(&self, prices: Prices) -> Vec<Cube> {
        let mut found = Vec::new();
        self.gather(self.all(), 0, prices, &mut found);
        found
    }

    fn gather(&self, spans: [Span; 2], known: u32, prices: Prices, found: &mut Vec<Cube>) {
        let Some(common) = self.common_bits(spans) else { return };
        let target = self.node(spans, known, prices).both.worth;
        if target <= 0.0 {
            return;
        }
        if let Some(cube) = self.leaf(spans, known)
            && self.worth(&cube, prices).worth >= target
        {
            let mut moments = self.signs[0].exact(spans[0]);
            moments.add_times(&self.signs[1].exact(spans[1]), 1);
            found.push(Cube { moments, ..cube });
            return;
        }
        if common < self.depth {
            let [p, n] = [0, 1].map(|sign: usize| self.signs[sign].split(spans[sign], common));
            let parts = [[p[0], n[0]], [p[1], n[1]]];
            let worth: f64 = parts.iter().map(|part| self.node(*part, common + 1, prices).both.worth).sum();
            if worth >= target {
                parts.into_iter().for_each(|part| self.gather(part, common + 1, prices, found));
                return;
            }
        }
        // Neither one row nor the next bit: the signs apart.
        for sign in [0, 1] {
            if spans[1 - sign].from < spans[1 - sign].to {
                self.gather(only(spans, sign), known, prices, found);
            }
        }
    }
}

/// The spans with the other sign's part emptied.
fn only(spans: [Span; 2], sign: usize) -> [Span; 2] {
    let mut kept = spans;
    kept[1 - sign].to = kept[1 - sign].from;
    kept
}

const _: () = assert!(MAGNITUDE_BITS == EXPONENT_BITS + FRACTION_BITS);
