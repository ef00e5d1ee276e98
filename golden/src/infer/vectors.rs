//! Layers with few output positions: all output channels of a group at once.
//!
//! At one position every output channel of a group meets the same activations.
//! Each activation, in the order of the number rules, adds its products to all
//! these sums.

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
    pub(super) fn new(geometry: &Geometry, weights: &[f32], lookup: Option<&Lookup>) -> Self {
        let stores = lookup.map_or(Vec::new(), |lookup| {
            let rows = &lookup.products.stored;
            (0..lookup.classes.len())
                .map(|class| rows.iter().any(|row| row.get(class).is_some_and(|product| !product.is_nan())))
                .collect()
        });
        let indices = lookup.map_or(Vec::new(), |lookup| turn(geometry, &lookup.assignment));
        Self { weights: turn(geometry, weights), indices, stores }
    }

    /// Sums of all outputs, without bias.
    pub(super) fn run(
        &self,
        geometry: &Geometry,
        lookup: Option<&Lookup>,
        zero_skip: bool,
        input: &[f32],
    ) -> (Vec<f32>, LayerStats) {
        let (outs, macs) = (geometry.out_channels / geometry.groups, geometry.macs_per_output());
        let mut stats = LayerStats { macs: geometry.macs(), ..LayerStats::default() };
        let mut output = vec![0.0f32; geometry.outputs()];
        let mut sums = vec![0.0f32; outs];
        let mut products = vec![0.0f32; lookup.map_or(0, |lookup| lookup.codebook.len())];
        for position in 0..geometry.positions() {
            for group in 0..geometry.groups {
                sums.fill(0.0);
                let first = geometry.output_index(group * outs, position);
                for (mac, (_, source)) in geometry.operands(first).enumerate() {
                    let activation = source.map_or(0.0, |source| input[source]);
                    let zero = activation == 0.0;
                    stats.zeros += u64::from(zero) * outs as u64;
                    let at = (group * macs + mac) * outs;
                    let weights = &self.weights[at..][..outs];
                    let Some(lookup) = lookup else {
                        multiply(&mut sums, weights, activation);
                        continue;
                    };
                    let class = lookup.classes.class(activation);
                    let hits = lookup.counts.of(group, mac)[usize::from(class)];
                    stats.hits += hits.all();
                    stats.nonzero_hits += hits.nonzero();
                    if zero && zero_skip {
                        continue;
                    }
                    if !self.stores[usize::from(class)] {
                        multiply(&mut sums, weights, activation);
                        continue;
                    }
                    let indices = &self.indices[at..][..outs];
                    let product = |weight: usize| match lookup.products.stored[weight].get(usize::from(class)) {
                        Some(stored) if !stored.is_nan() => *stored,
                        _ => lookup.codebook[weight] * activation,
                    };
                    if products.len() > outs {
                        for (sum, index) in sums.iter_mut().zip(indices) {
                            *sum += product(*index as usize);
                        }
                    } else {
                        products.iter_mut().enumerate().for_each(|(weight, slot)| *slot = product(weight));
                        for (sum, index) in sums.iter_mut().zip(indices) {
                            *sum += products[*index as usize];
                        }
                    }
                }
                for (channel, sum) in (group * outs..).zip(&sums) {
                    output[geometry.output_index(channel, position)] = *sum;
                }
            }
        }
        (output, stats)
    }
}

#[inline]
fn multiply(sums: &mut [f32], weights: &[f32], activation: f32) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += weight * activation;
    }
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
