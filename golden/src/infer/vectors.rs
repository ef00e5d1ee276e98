//! Layers with few output positions: all output channels of a group at once.
//!
//! At one position every output channel of a group meets the same activations.
//! Each activation, in the order of the number rules, adds its products to all
//! these sums.

use super::arithmetic::{Arithmetic, Sums};
use super::lookup::Lookup;
use super::stats::LayerStats;
use crate::net::Geometry;

/// The weights of a layer, turned so that those of one activation lie side by
/// side.
#[derive(Clone, Debug)]
pub(super) struct Vectors {
    /// `[group, mac, output channel of the group]`.
    weights: Vec<f32>,
    /// The same of the indices into the codebook; empty without AM rows.
    indices: Vec<u32>,
    /// For each class whether any weight has a stored product for it.
    stores: Vec<bool>,
}

impl Vectors {
    pub(super) fn new<A: Arithmetic>(geometry: &Geometry, weights: &[f32], lookup: Option<&Lookup<A>>) -> Self {
        let stores = lookup.map_or(Vec::new(), |lookup| {
            let rows = &lookup.products.stored;
            (0..lookup.classes.len())
                .map(|class| rows.iter().any(|row| row.get(class).is_some_and(|product| !A::is_miss(*product))))
                .collect()
        });
        let indices = lookup.map_or(Vec::new(), |lookup| turn(geometry, &lookup.assignment));
        Self { weights: turn(geometry, weights), indices, stores }
    }

    /// Sums of all outputs, without bias; `None` for those that [`Arithmetic::total`]
    /// leaves to the number rules.
    pub(super) fn run<A: Arithmetic>(
        &self,
        arithmetic: &A,
        geometry: &Geometry,
        lookup: Option<&Lookup<A>>,
        zero_skip: bool,
        input: &[f32],
    ) -> (Vec<Option<f32>>, LayerStats) {
        let (outs, macs) = (geometry.out_channels / geometry.groups, geometry.macs_per_output());
        let mut stats = LayerStats { macs: geometry.macs(), ..LayerStats::default() };
        let mut output = vec![None; geometry.outputs()];
        let mut sums = Sums::new(arithmetic, outs);
        let mut products = vec![A::NOTHING; lookup.map_or(0, |lookup| lookup.codebook.len())];
        for position in 0..geometry.positions() {
            for group in 0..geometry.groups {
                sums.clear(arithmetic);
                let first = geometry.output_index(group * outs, position);
                for (mac, (_, source)) in geometry.operands(first).enumerate() {
                    let activation = source.map_or(0.0, |source| input[source]);
                    let zero = activation == 0.0;
                    stats.zeros += u64::from(zero) * outs as u64;
                    let at = (group * macs + mac) * outs;
                    let weights = &self.weights[at..][..outs];
                    let Some(lookup) = lookup else {
                        multiply(arithmetic, &mut sums, weights, activation);
                        continue;
                    };
                    let class = lookup.classes.class(activation);
                    let hits = lookup.counts.of(group, mac)[usize::from(lookup.counts.kind(class))];
                    stats.hits += hits.all();
                    stats.nonzero_hits += hits.nonzero();
                    if zero && zero_skip {
                        continue;
                    }
                    if !self.stores[usize::from(class)] {
                        multiply(arithmetic, &mut sums, weights, activation);
                        continue;
                    }
                    let indices = &self.indices[at..][..outs];
                    let product = |weight: usize| match lookup.products.stored[weight].get(usize::from(class)) {
                        Some(stored) if !A::is_miss(*stored) => *stored,
                        _ => arithmetic.multiply(lookup.codebook[weight], activation),
                    };
                    if products.len() > outs {
                        sums.add(0, outs, indices.iter().map(|index| product(*index as usize)));
                    } else {
                        products.iter_mut().enumerate().for_each(|(weight, slot)| *slot = product(weight));
                        sums.add(0, outs, indices.iter().map(|index| products[*index as usize]));
                    }
                }
                for local in 0..outs {
                    let index = geometry.output_index(group * outs + local, position);
                    output[index] = sums.total(arithmetic, local);
                }
            }
        }
        (output, stats)
    }
}

#[inline]
fn multiply<A: Arithmetic>(arithmetic: &A, sums: &mut Sums<A>, weights: &[f32], activation: f32) {
    sums.add(0, weights.len(), weights.iter().map(|weight| arithmetic.multiply(*weight, activation)));
}

/// `[output channel, mac]` to `[group, mac, output channel of the group]`.
fn turn<T: Copy>(geometry: &Geometry, values: &[T]) -> Vec<T> {
    let (outs, macs) = (geometry.out_channels / geometry.groups, geometry.macs_per_output());
    (0..geometry.groups)
        .flat_map(|group| (0..macs).map(move |mac| (group, mac)))
        .flat_map(|(group, mac)| (group * outs..(group + 1) * outs).map(move |channel| channel * macs + mac))
        .map(|index| values[index])
        .collect()
}
