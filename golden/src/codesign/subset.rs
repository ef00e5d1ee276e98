//! Random subsets of calibration samples.

use super::cluster::{layer_rng, uniform};
use crate::net::Samples;

/// Two thirds of the samples, in their order: another choice for each `number`, the same for
/// the same seed and number. At least one sample of any.
pub fn two_thirds(samples: &Samples, seed: u64, number: u32) -> Samples {
    let rng = &mut layer_rng(seed, number as usize);
    let mut order: Vec<usize> = (0..samples.len()).collect();
    // Fisher and Yates.
    for last in (1..order.len()).rev() {
        order.swap(last, (uniform(rng) * (last + 1) as f64) as usize);
    }
    order.truncate((2 * samples.len()).div_ceil(3));
    order.sort_unstable();
    samples.select(&order)
}
