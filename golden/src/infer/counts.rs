//! Hits counted without looking at every multiply-accumulate.
//!
//! All output channels of a group meet the same activation at the same kernel
//! position, so its class alone tells how many of them hit.

use super::classes::Classes;
use super::products::Products;
use crate::net::Geometry;

/// For each (input channel, kernel position) and class: how many of the
/// group's output channels hit.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    classes: usize,
    hits: Vec<u32>,
}

impl Counts {
    pub(super) fn new(geometry: &Geometry, classes: &Classes, products: &Products, assignment: &[u32]) -> Self {
        let (len, macs) = (classes.len(), geometry.macs_per_output());
        let outs = geometry.out_channels / geometry.groups;
        let mut hits = vec![0; geometry.groups * macs * len];
        for (channel, weights) in assignment.chunks_exact(macs).enumerate() {
            let group = channel / outs;
            for (mac, weight) in weights.iter().enumerate() {
                let row = &mut hits[(group * macs + mac) * len..][..len];
                for (count, hit) in row.iter_mut().zip(&products.hits[*weight as usize]) {
                    *count += hit;
                }
            }
        }
        Self { classes: len, hits }
    }

    /// The counts, by class, of MAC `mac` (input channel of the group, kernel
    /// row, kernel column) of `group`.
    pub(super) fn of(&self, geometry: &Geometry, group: usize, mac: usize) -> &[u32] {
        &self.hits[(group * geometry.macs_per_output() + mac) * self.classes..][..self.classes]
    }
}
