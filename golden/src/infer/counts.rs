//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit. Most classes hit with
//! the same weights; those that do are of one kind.

use super::classes::MINUS_ZERO;
use super::products::Products;
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
    /// Whether each class hits with all weights or with none.
    uniform: bool,
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
        let uniform = members.iter().all(|hits| hits.windows(2).all(|pair| pair[0] == pair[1]));
        Self { kind_of, kinds, macs, hits, uniform }
    }

    /// Hits, and hits with a nonzero activation, of all activations in the planes of a
    /// layer.
    pub(super) fn count(&self, window: &Window, planes: &[f32], classes: &[u16]) -> [u64; 2] {
        let elements = self.hits.len() / (self.macs * self.kinds) * window.group_size();
        if self.uniform {
            let hits_of = |kind: usize| self.hits[kind].0 & u64::from(u32::MAX);
            // All output channels of a group, or none.
            let of_class: Vec<u32> = self.kind_of.iter().map(|kind| hits_of(usize::from(*kind)) as u32).collect();
            let channels = planes[..elements].chunks_exact(window.size).zip(classes.chunks_exact(window.size));
            return channels.fold([0; 2], |[mut all, mut nonzero], (values, classes)| {
                for ((value, class), reads) in values.iter().zip(classes).zip(&window.reads) {
                    let hits = u64::from(of_class[usize::from(*class)]) * u64::from(*reads);
                    all += hits;
                    nonzero += if *value == 0.0 { 0 } else { hits };
                }
                [all, nonzero]
            });
        }
        let kinds: Vec<u16> = classes[..elements].iter().map(|class| self.kind_of[usize::from(*class)]).collect();
        let mut total = [0; 2];
        for (unit, of_kind) in self.hits.chunks_exact(self.kinds).enumerate() {
            let first = unit / self.macs * window.group_size() + window.offsets[unit % self.macs];
            let hits = |base: &usize| of_kind[usize::from(kinds[first + base])].0;
            // The halves stay apart as long as fewer than 2^32 hits are added up.
            let pair: u64 = window.bases.iter().map(hits).sum();
            total[0] += pair & u64::from(u32::MAX);
            total[1] += pair >> 32;
        }
        total
    }
}
