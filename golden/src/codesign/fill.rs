//! Filling the associative memory: rows by frequency, as in the paper.
//!
//! A row compares the whole weight and the top bits of the activation, and
//! stores the weight's product with the mean of the calibration activations
//! behind its key. One further row serves the zeros, whatever the weight.

use super::product::round_product;
use super::profile::{MacCounts, Moments, Pair, key_mask};
use axp_spec::{AmRow, Bits32, FloatFormat::Binary32};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Exponent field of a binary32 encoding.
const EXPONENT: u32 = 0x7F80_0000;

/// Rows and what they do to the calibration samples they were made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fill {
    /// The rows: those for zeros first, then by falling number of hits.
    pub rows: Vec<AmRow>,
    /// Multiply-accumulates that match a row.
    pub hits: u64,
    /// Those with a nonzero activation.
    pub nonzero_hits: u64,
    /// Σ (w·(a − ā))² over the hits: the squared error that the rows' products
    /// put on the layer's sums if their errors are independent.
    pub error: f64,
}

/// One row for activations, before its weight is attached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cube {
    /// Index of the weight in the codebook.
    pub cluster: u32,
    /// Activation pattern; 0 where `care` is 0.
    pub key: u32,
    /// Activation bits that are compared.
    pub care: u32,
    /// The activations that it matches, one for each multiply-accumulate.
    pub moments: Moments,
}

impl Cube {
    /// The row with its product. None where no finite product exists.
    fn row(&self, codebook: &[f32]) -> Option<AmRow> {
        let weight = codebook[self.cluster as usize];
        // A row that matches one value stores RNE32(w·a) of exactly it, not of
        // a mean that binary64 sums may have moved.
        let activation = if self.care == u32::MAX { f64::from(f32::from_bits(self.key)) } else { self.moments.mean() };
        let product = round_product(weight, activation)?;
        let (key, care) = (Binary32.key_of(weight.to_bits(), self.key), Binary32.key_of(u32::MAX, self.care));
        Some(AmRow { key, care, product: Bits32::from(product) })
    }
}

/// At most `rows` rows: those for the zeros that occur, then the most frequent
/// {weight, activation key} pairs.
///
/// `pairs` hands out every pair of a profile with `fraction_bits` wide keys
/// (see [`super::profile::Profile::pairs`]). Equally frequent pairs are taken
/// in the order of their cluster, then their key. With `zero_skip` no zero is
/// ever looked up, and no row is spent on them.
pub fn by_frequency(
    pairs: impl FnOnce(&mut dyn FnMut(Pair)),
    codebook: &[f32],
    counts: &MacCounts,
    fraction_bits: u32,
    rows: usize,
    zero_skip: bool,
) -> Fill {
    let zeros = zero_rows(codebook, counts, rows, zero_skip);
    let room = rows - zeros.rows.len();
    let mut best: BinaryHeap<Reverse<Ranked>> = BinaryHeap::with_capacity(room + 1);
    pairs(&mut |pair| {
        let ranked = Ranked(pair);
        if best.len() < room || best.peek().is_some_and(|worst| ranked > worst.0) {
            best.push(Reverse(ranked));
            if best.len() > room {
                best.pop();
            }
        }
    });
    let care = key_mask(fraction_bits);
    let cubes = best.into_iter().map(|Reverse(Ranked(pair))| Cube {
        cluster: pair.cluster,
        key: pair.key,
        care,
        moments: pair.moments,
    });
    assemble(zeros, cubes.collect(), codebook, counts)
}

/// Zero rows and cubes as one image, with what it does to the samples.
pub(super) fn assemble(zeros: ZeroRows, mut cubes: Vec<Cube>, codebook: &[f32], counts: &MacCounts) -> Fill {
    if zeros.unserved {
        // Without a row for zeros ahead of it, a row for subnormals would
        // serve zeros as well, and not exactly.
        cubes.retain(|cube| cube.key << 1 != 0);
    }
    cubes.sort_unstable_by_key(|cube| (Reverse(cube.moments.count), cube.cluster, cube.key, cube.care));
    let zero_hits = if zeros.rows.is_empty() { 0 } else { counts.all_zeros() };
    let mut fill = Fill { rows: zeros.rows, hits: zero_hits, ..Fill::default() };
    for cube in &cubes {
        if let Some(row) = cube.row(codebook) {
            let weight = f64::from(codebook[cube.cluster as usize]);
            fill.rows.push(row);
            fill.hits += cube.moments.count;
            fill.nonzero_hits += cube.moments.count;
            fill.error += weight * weight * cube.moments.scatter();
        }
    }
    fill
}

/// The rows for zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct ZeroRows {
    /// Rows that together match every zero there was, whatever the weight; or none.
    pub rows: Vec<AmRow>,
    /// Zeros are looked up, and no row serves them.
    pub unserved: bool,
}

/// Rows that match ±0 (or +0 alone, where no −0 occurs) for every weight of
/// the codebook and store +0.
///
/// The product of a finite weight with ±0 is ±0, and adding +0 for −0 changes
/// nothing: the accumulator starts at +0 and a sum is −0 only if both terms
/// are. The weight's bits are ignored but for one exponent bit that is 0 in
/// it, which keeps infinities and NaN out; one row is enough unless weights
/// lie on both sides of 2, and no rows are made if they do not all fit.
pub(super) fn zero_rows(codebook: &[f32], counts: &MacCounts, rows: usize, zero_skip: bool) -> ZeroRows {
    if zero_skip || counts.all_zeros() == 0 {
        return ZeroRows::default();
    }
    let activation_care = if counts.zeros.negative > 0 { u32::MAX >> 1 } else { u32::MAX };
    let row = |bit: u32| AmRow { key: 0, care: Binary32.key_of(bit, activation_care), product: Bits32(0) };
    let mut left: Vec<u32> = codebook.iter().map(|w| w.to_bits()).collect();
    let mut made = Vec::new();
    while !left.is_empty() {
        let bits = (23..31).rev().map(|bit| 1_u32 << bit);
        let Some(bit) = bits.max_by_key(|bit| (left.iter().filter(|w| *w & bit == 0).count(), *bit)) else { break };
        let before = left.len();
        left.retain(|w| w & bit != 0);
        if left.len() == before {
            break; // only weights that are not finite are left
        }
        made.push(row(bit));
    }
    if made.len() > rows {
        ZeroRows { rows: Vec::new(), unserved: true }
    } else {
        ZeroRows { rows: made, unserved: false }
    }
}

/// Whether an activation pattern keeps infinities and NaN out.
pub(super) fn excludes_special(key: u32, care: u32) -> bool {
    care & !key & EXPONENT != 0
}

/// Order of pairs by frequency, the earlier cluster and key first among equals.
#[derive(PartialEq)]
struct Ranked(Pair);

impl Ranked {
    fn rank(&self) -> (u64, Reverse<u32>, Reverse<u32>) {
        (self.0.moments.count, Reverse(self.0.cluster), Reverse(self.0.key))
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}
