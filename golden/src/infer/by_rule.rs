//! Sums by the number rules themselves, pair by pair: slow, for any memory.

use super::stats::LayerStats;
use crate::am::{Am, Operands};
use crate::net::Geometry;
use crate::pe::{Settings, sum_operands};
use axp_spec::PeConfig;

/// A PE with a layer in its memory, and the layer's weights as they are sent to it.
#[derive(Clone, Debug)]
pub(super) struct ByRule {
    pub config: PeConfig,
    pub am: Am,
    pub settings: Settings,
    /// The distinct weights, and the column of each.
    pub codebook: Vec<f32>,
    pub columns: Vec<u32>,
    /// For each element of the weight tensor its index among them.
    pub assignment: Vec<u32>,
}

impl ByRule {
    /// What the memory is searched with for a weight, by its index in the codebook.
    pub(super) fn operands(&self, weight: usize, activation: u32) -> Operands {
        Operands { column: self.columns[weight], weight: self.codebook[weight].to_bits(), activation }
    }

    /// One sum, without bias; counts everything.
    pub(super) fn sum(&self, geometry: &Geometry, input: &[f32], output: usize) -> (f32, LayerStats) {
        let operands: Vec<Operands> = geometry
            .operands(output)
            .map(|(weight, source)| {
                let activation = source.map_or(0, |source| input[source].to_bits());
                self.operands(self.assignment[weight] as usize, activation)
            })
            .collect();
        let outcome = sum_operands(&self.config, &self.am, self.settings, operands.iter().copied());
        let zeros = operands.iter().filter(|pair| pair.activation << 1 == 0);
        let zero_hits = match self.settings.zero_skip {
            true => 0,
            false => zeros.clone().filter(|pair| self.am.product(**pair).is_some()).count() as u64,
        };
        let stats = LayerStats {
            macs: operands.len() as u64,
            zeros: zeros.count() as u64,
            hits: outcome.hits,
            nonzero_hits: outcome.hits - zero_hits,
            overflows: outcome.overflow.into(),
            invalid: outcome.invalid.into(),
        };
        (f32::from_bits(outcome.data), stats)
    }

    /// Sums of all outputs, without bias.
    pub(super) fn run(&self, geometry: &Geometry, input: &[f32]) -> (Vec<f32>, LayerStats) {
        let mut total = LayerStats::default();
        let sum = |index| {
            let (sum, stats) = self.sum(geometry, input, index);
            total += stats;
            sum
        };
        let sums = (0..geometry.outputs()).map(sum).collect();
        (sums, total)
    }
}
