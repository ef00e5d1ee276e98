//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit. Most classes hit with
//! the same weights; those that do are of one kind.

use super::classes::MINUS_ZERO;
use super::products::Products;
use super::stats::LayerStats;
use super::window::Window;
use crate::net::Geometry;
use std::collections::HashMap;

/// Hits, and hits with a nonzero activation in the upper half of the word:
/// both come with one look-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pair(u64);

/// For each (input channel, kernel position) and kind of class: how many of the
/// group's output channels hit.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// The kind of each class; those of the two zeros are theirs alone.
    kind_of: Vec<u16>,
    kinds: usize,
    macs: usize,
    hits: Vec<Pair>,
    /// Output channels of a group.
    outs: usize,
    /// For each class its [`FIELDS`].
    fields_of: Vec<u64>,
}

impl Counts {
    pub(super) fn new(geometry: &Geometry, classes: usize, products: &Products, assignment: &[u32]) -> Self {
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
        let fields = |class: usize| {
            let hits = &members[usize::from(kind_of[class])];
            let (all, mixed) = (hits[0] == 1, hits.iter().any(|hit| *hit != hits[0]));
            let fields = [all, all && class >= zeros, class < zeros, mixed];
            fields.iter().zip(FIELDS).map(|(set, field)| u64::from(*set) * field).sum()
        };
        let fields_of = (0..classes).map(fields).collect();
        Self { kind_of, kinds, macs, hits, outs, fields_of }
    }

    /// Counts zeros and hits of all activations in the planes of a layer.
    pub(super) fn count(&self, window: &Window, planes: &[u32], classes: &[u16]) -> LayerStats {
        let outs = self.outs as u64;
        if let Some(fields) = self.count_uniform(window, classes) {
            let [hits, nonzero_hits, zeros, _] = fields.map(|field| outs * field);
            return LayerStats { zeros, hits, nonzero_hits, ..LayerStats::default() };
        }
        let kinds: Vec<u16> = classes.iter().map(|class| self.kind_of[usize::from(*class)]).collect();
        let mut stats = LayerStats { zeros: outs * window.zeros(planes), ..LayerStats::default() };
        for (unit, of_kind) in self.hits.chunks_exact(self.kinds).enumerate() {
            let first = unit / self.macs * window.group_size() + window.offsets[unit % self.macs];
            let hits = |base: &usize| of_kind[usize::from(kinds[first + base])].0;
            // The halves stay apart as long as fewer than 2^32 hits are added up.
            let pair = window.bases.iter().map(hits).fold(0, u64::wrapping_add);
            stats.hits += pair & u64::from(u32::MAX);
            stats.nonzero_hits += pair >> 32;
        }
        stats
    }

    /// The [`FIELDS`] of all activations; `None` where one of them hits with some weights
    /// and not with others.
    fn count_uniform(&self, window: &Window, classes: &[u16]) -> Option<[u64; 4]> {
        // So many elements that no field overflows.
        let most = usize::from(u16::MAX) / *window.reads.iter().max()? as usize;
        if most == 0 {
            return None;
        }
        let mut fields = [0; 4];
        for plane in classes.chunks_exact(window.size).take(window.channels) {
            for (classes, reads) in plane.chunks(most).zip(window.reads.chunks(most)) {
                let counted =
                    |(class, reads): (&u16, &u32)| self.fields_of[usize::from(*class)].wrapping_mul(u64::from(*reads));
                let sum = classes.iter().zip(reads).map(counted).fold(0, u64::wrapping_add);
                for (index, field) in fields.iter_mut().enumerate() {
                    *field += sum >> (16 * index) & u64::from(u16::MAX);
                }
            }
        }
        (fields[3] == 0).then_some(fields)
    }
}

/// Of a class, 16 bits each and 0 or 1, so that all are counted by one addition: hits,
/// hits with a nonzero activation, is a zero, hits with some weights and not with
/// others.
const FIELDS: [u64; 4] = [1, 1 << 16, 1 << 32, 1 << 48];
