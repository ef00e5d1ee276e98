//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit. Most classes hit with
//! the same weights; those that do are of one kind.

use super::arithmetic::Arithmetic;
use super::classes::MINUS_ZERO;
use super::products::Products;
use crate::net::Geometry;
use std::collections::HashMap;

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

/// For each (input channel, kernel position) and kind of class: how many of the
/// group's output channels hit.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// The kind of each class; those of the two zeros are theirs alone.
    kind_of: Vec<u16>,
    kinds: usize,
    macs: usize,
    hits: Vec<Pair>,
}

impl Counts {
    pub(super) fn new<A: Arithmetic>(
        geometry: &Geometry,
        classes: usize,
        products: &Products<A>,
        assignment: &[u32],
    ) -> Self {
        let macs = geometry.macs_per_output();
        let zeros = usize::from(MINUS_ZERO) + 1;
        // A kind for each zero, and one for each set of weights that hit.
        let column = |class: usize| -> Vec<u32> {
            products.hits.iter().map(|hits| hits.get(class).copied().unwrap_or(0)).collect()
        };
        let mut members: Vec<Vec<u32>> = (0..zeros.min(classes)).map(column).collect();
        let mut known: HashMap<Vec<u32>, u16> = HashMap::new();
        let kind_of: Vec<u16> = (0..classes)
            .map(|class| {
                if class < zeros {
                    return class as u16;
                }
                // There are at most as many kinds as classes, which have 16 bits.
                *known.entry(column(class)).or_insert_with_key(|column| {
                    members.push(column.clone());
                    (members.len() - 1) as u16
                })
            })
            .collect();
        let kinds = members.len();
        let outs = geometry.out_channels / geometry.groups;
        let mut hits = vec![Pair::default(); geometry.groups * macs * kinds];
        let mut uses = vec![0u64; products.hits.len()];
        for (unit, pairs) in hits.chunks_exact_mut(kinds).enumerate() {
            let (group, mac) = (unit / macs, unit % macs);
            let weights = (group * outs..(group + 1) * outs).map(|channel| assignment[channel * macs + mac] as usize);
            weights.clone().for_each(|weight| uses[weight] += 1);
            for weight in weights {
                let count = std::mem::take(&mut uses[weight]);
                if count > 0 {
                    for (pair, hit) in pairs.iter_mut().zip(&members) {
                        pair.0 += count * u64::from(hit[weight]);
                    }
                }
            }
            pairs[zeros..].iter_mut().for_each(|pair| pair.0 |= pair.0 << 32);
        }
        Self { kind_of, kinds, macs, hits }
    }

    /// The kind of a class.
    #[inline]
    pub(super) fn kind(&self, class: u16) -> u16 {
        self.kind_of[usize::from(class)]
    }

    /// The counts, by kind of class, of MAC `mac` (input channel of the group,
    /// kernel row, kernel column) of `group`.
    pub(super) fn of(&self, group: usize, mac: usize) -> &[Pair] {
        &self.hits[(group * self.macs + mac) * self.kinds..][..self.kinds]
    }
}
