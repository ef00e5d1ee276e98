//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit.

use super::classes::{Classes, MINUS_ZERO};
use super::products::Products;
use crate::net::Geometry;

/// Hits, and hits with a nonzero activation in the upper half of the word:
/// both come with one look-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair(u64);

impl Pair {
    pub(super) fn all(self) -> u64 {
        self.0 & u64::from(u32::MAX)
    }

    pub(super) fn nonzero(self) -> u64 {
        self.0 >> 32
    }

    /// Adds `other` if `mask` is all ones, nothing if it is 0. The two halves
    /// stay apart as long as fewer than 2^32 hits are added up.
    #[inline]
    pub(super) fn add_masked(&mut self, other: Self, mask: u64) {
        self.0 += other.0 & mask;
    }
}

/// For each (input channel, kernel position) and class: how many of the
/// group's output channels hit.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    classes: usize,
    macs: usize,
    hits: Vec<Pair>,
}

impl Counts {
    pub(super) fn new(geometry: &Geometry, classes: &Classes, products: &Products, assignment: &[u32]) -> Self {
        let (len, macs) = (classes.len(), geometry.macs_per_output());
        let outs = geometry.out_channels / geometry.groups;
        let mut hits = vec![Pair::default(); geometry.groups * macs * len];
        let mut uses = vec![0u64; products.hits.len()];
        for (unit, pairs) in hits.chunks_exact_mut(len).enumerate() {
            let (group, mac) = (unit / macs, unit % macs);
            let weights = (group * outs..(group + 1) * outs).map(|channel| assignment[channel * macs + mac] as usize);
            weights.clone().for_each(|weight| uses[weight] += 1);
            for weight in weights {
                let count = std::mem::take(&mut uses[weight]);
                if count > 0 {
                    for (pair, hit) in pairs.iter_mut().zip(&products.hits[weight]) {
                        pair.0 += count * u64::from(*hit);
                    }
                }
            }
            let first_nonzero = usize::from(MINUS_ZERO) + 1;
            pairs[first_nonzero..].iter_mut().for_each(|pair| pair.0 |= pair.0 << 32);
        }
        Self { classes: len, macs, hits }
    }

    /// The counts, by class, of MAC `mac` (input channel of the group, kernel
    /// row, kernel column) of `group`.
    pub(super) fn of(&self, group: usize, mac: usize) -> &[Pair] {
        &self.hits[(group * self.macs + mac) * self.classes..][..self.classes]
    }
}
