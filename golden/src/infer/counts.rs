//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit. Most classes hit with
//! the same weights; those that do are of one kind.

use super::classes::{MINUS_ZERO, NOTHING};
use super::lanes::{Kernel, Lanes};
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
    /// For each class of zeros, and for what no row matches, its [`FIELDS`], see [`fields`].
    few: [[bool; FIELDS]; FEW],
    /// Those of the classes after them, up to `common`.
    most: [bool; FIELDS],
    common: usize,
}

/// Classes that are looked at one by one.
const FEW: usize = NOTHING as usize + 1;
/// What matters of a class: whether it hits with all weights, hits with a nonzero activation, is a
/// zero; and whether it hits with some weights and not with others.
const FIELDS: usize = 4;

/// The [`FIELDS`] of a class.
fn fields(products: &Products, class: usize) -> [bool; FIELDS] {
    let hit = |hits: &Vec<bool>| hits.get(class).is_some_and(|hit| *hit);
    let (all, none) = (products.hits.iter().all(hit), !products.hits.iter().any(hit));
    let zero = class <= usize::from(MINUS_ZERO);
    [all, all && !zero, zero, !all && !none]
}

/// New numbers for classes, so that those that do the same as most come one after the other; and
/// the number after the last one of these. The first [`FEW`] stay.
pub(super) fn order(classes: usize, products: &Products) -> (Vec<u16>, usize) {
    let fields: Vec<[bool; FIELDS]> = (0..classes).map(|class| fields(products, class)).collect();
    let times = |of: &[bool; FIELDS]| fields[FEW..].iter().filter(|other| *other == of).count();
    let mut kinds = fields.get(FEW..).unwrap_or_default().to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let most = kinds.into_iter().max_by_key(times);
    let mut order: Vec<usize> = (0..classes).collect();
    // Stable: otherwise they stay in their order.
    order.sort_by_key(|class| *class >= FEW && Some(fields[*class]) != most);
    let common = FEW + most.map_or(0, |most| times(&most));
    let mut new_of = vec![0; classes];
    (0..).zip(order).for_each(|(new, old)| new_of[old] = new);
    (new_of, common)
}

impl Counts {
    /// `classes` are in the order of [`order`], which says how many are common.
    pub(super) fn new(
        geometry: &Geometry,
        (classes, common): (usize, usize),
        products: &Products,
        assignment: &[u32],
    ) -> Self {
        let macs = geometry.macs_per_output();
        let zeros = usize::from(MINUS_ZERO) + 1;
        // A kind for each zero, and one for each set of weights that hit.
        let column = |class: usize| -> Vec<bool> {
            products.hits.iter().map(|hits| hits.get(class).copied().unwrap_or(false)).collect()
        };
        let mut members: Vec<Vec<bool>> = (0..zeros.min(classes)).map(column).collect();
        let mut known: HashMap<Vec<bool>, u16> = HashMap::new();
        // There are at most as many kinds as classes, which have 16 bits.
        let mut kind_of: Vec<u16> = (0..zeros.min(classes)).map(|class| class as u16).collect();
        for class in zeros..classes {
            let column = column(class);
            // Most classes are of the kind of the one before.
            let before = kind_of[class - 1];
            let kind = if class > zeros && members[usize::from(before)] == column {
                before
            } else {
                *known.entry(column).or_insert_with_key(|column| {
                    members.push(column.clone());
                    (members.len() - 1) as u16
                })
            };
            kind_of.push(kind);
        }
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
        let of_class = |class: usize| if class < classes { fields(products, class) } else { [false; FIELDS] };
        let (few, most) = (std::array::from_fn(of_class), of_class(FEW));
        Self { kind_of, kinds, macs, hits, outs, few, most, common }
    }

    /// Counts zeros and hits of all activations in the planes of a layer.
    #[inline(always)]
    fn count(&self, window: &Window, planes: &[u32], classes: &[u16]) -> LayerStats {
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

    /// Whether the two zeros do the same, with all weights alike.
    pub(super) fn zeros_are_alike(&self) -> bool {
        let [plus, minus, _] = self.few;
        plus == minus && !plus[FIELDS - 1]
    }

    /// Counts where all nonzero activations hit with all weights, and zeros are alike.
    #[inline(always)]
    fn count_hits(&self, window: &Window, planes: &[u32]) -> LayerStats {
        let reads_of_plane: u64 = window.reads.iter().copied().map(u64::from).sum();
        let (outs, zeros) = (self.outs as u64, window.zeros(planes));
        let nonzero_hits = outs * (reads_of_plane * window.channels as u64 - zeros);
        let hits = nonzero_hits + if self.few[0][0] { outs * zeros } else { 0 };
        LayerStats { zeros: outs * zeros, hits, nonzero_hits, ..LayerStats::default() }
    }

    /// How many activations have each of the [`FIELDS`]; `None` where one of them hits with some
    /// weights and not with others.
    #[inline(always)]
    fn count_uniform(&self, window: &Window, classes: &[u16]) -> Option<[u64; FIELDS]> {
        let reads_of_plane: u64 = window.reads.iter().copied().map(u64::from).sum();
        let mut times = [0_u64; FEW];
        for plane in classes.chunks_exact(window.size).take(window.channels) {
            // An element is read by each weight at most once, and weights are below 2^20.
            for (classes, reads) in plane.chunks(1 << 10).zip(window.reads.chunks(1 << 10)) {
                // Each wraps never, and so can be many at once.
                let mut of_chunk = [0_u32; FEW];
                let greatest = classes.iter().copied().fold(0, u16::max);
                if usize::from(greatest) >= self.common {
                    return None;
                }
                for (class, reads) in classes.iter().zip(reads) {
                    for (number, times) in of_chunk.iter_mut().enumerate() {
                        *times = times.wrapping_add(if usize::from(*class) == number { *reads } else { 0 });
                    }
                }
                times.iter_mut().zip(of_chunk).for_each(|(all, times)| *all += u64::from(times));
            }
        }
        let rest = reads_of_plane * window.channels as u64 - times.iter().sum::<u64>();
        let mut fields = [0; FIELDS];
        for (of_class, times) in self.few.iter().chain([&self.most]).zip(times.into_iter().chain([rest])) {
            for (field, set) in fields.iter_mut().zip(of_class) {
                *field += if *set { times } else { 0 };
            }
        }
        (fields[FIELDS - 1] == 0).then_some(fields)
    }
}

/// Counts zeros and hits of all activations in the planes of a layer.
pub(super) struct CountOf<'a> {
    pub counts: &'a Counts,
    pub window: &'a Window,
    pub planes: &'a [u32],
    /// Of the elements of the planes.
    pub classes: &'a [u16],
    /// Whether all weights hit with all nonzero activations, and zeros are alike: classes tell no
    /// more then, and may be left out.
    pub all_hit: bool,
}

impl Kernel for CountOf<'_> {
    type Output = LayerStats;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> LayerStats {
        let Self { counts, window, planes, classes, all_hit } = self;
        if all_hit { counts.count_hits(window, planes) } else { counts.count(window, planes, classes) }
    }
}
