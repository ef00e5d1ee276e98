//! Every product looked up row by row: slow, for any image.

use super::stats::LayerStats;
use crate::am::Am;
use crate::net::Geometry;

/// Sums of all outputs, without bias.
pub(super) fn search(
    geometry: &Geometry,
    weights: &[f32],
    am: &Am,
    zero_skip: bool,
    input: &[f32],
) -> (Vec<f32>, LayerStats) {
    let mut stats = LayerStats { macs: geometry.macs(), ..LayerStats::default() };
    let mut output = Vec::with_capacity(geometry.outputs());
    for index in 0..geometry.outputs() {
        let mut sum = 0.0f32;
        for (weight, source) in geometry.operands(index) {
            let (weight, activation) = (weights[weight], source.map_or(0.0, |source| input[source]));
            let zero = activation == 0.0;
            stats.zeros += u64::from(zero);
            if zero && zero_skip {
                continue;
            }
            sum += match am.search(weight.to_bits(), activation.to_bits()) {
                Some(hit) => {
                    stats.hits += 1;
                    stats.nonzero_hits += u64::from(!zero);
                    f32::from_bits(hit.product)
                }
                None => weight * activation,
            };
        }
        output.push(sum);
    }
    (output, stats)
}
