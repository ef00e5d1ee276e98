//! Codebooks of few significands, each at several powers of two.
//!
//! A `factored` memory stores products of significands and adds exponents beside them, so weights
//! that differ by a power of two have the same products. A codebook ±f·2^k of a few significands f and
//! neighbouring k is far finer for small weights than one of as many products without the powers, and as fine
//! for large ones.

use super::super::cluster::{Clustering, nearest_index};

/// Most iterations of choosing values and significands.
const MAX_ITERATIONS: usize = 40;
/// Weights that significands are chosen by: of layers with more, every so many, which are plenty for a codebook.
const MOST_WEIGHTS: usize = 1 << 16;
/// Where significands start, see [`start`]: of several results the best is taken.
const STARTS: [f64; 2] = [0.5, 0.0];
/// Greatest significand: below 2, in binary32.
const GREATEST: f64 = 2.0 - 1.0 / (1_u64 << 23) as f64;

/// A codebook ±f·2^k of `fractions` significands f at `exponents` powers of two that makes Σ
/// importance·(weight − value)² small, and each weight's nearest value: Lloyd's iteration with
/// the sum over all powers in place of a mean. The codebook holds all values, used or not.
pub(super) fn shared_k_means(weights: &[f32], importance: &[f64], fractions: u32, exponents: u32) -> Clustering {
    let greatest = weights.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
    let top = (f64::from(greatest).to_bits() >> 52) as i32 - 1023;
    // A codebook with few powers may do without the greatest weights.
    let powers = [top, top - 1].map(|top| Powers { least: (top + 1 - exponents as i32).max(-126), count: exponents });
    let starts = powers.into_iter().flat_map(|powers| STARTS.map(|place| (powers, place)));
    let found = starts.map(|(powers, place)| (powers, lloyd(weights, importance, start(fractions, place), powers)));
    let best = found.min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let codebook = best.map_or(Vec::new(), |(powers, (significands, _))| powers.codebook(&significands));
    let assignment = weights.iter().map(|w| nearest_index(&codebook, f64::from(*w)) as u32).collect();
    Clustering { codebook, assignment }
}

/// Significands that are evenly spread, each at this `place` of its part.
fn start(fractions: u32, place: f64) -> Vec<f64> {
    (0..fractions).map(|f| 1.0 + (f64::from(f) + place) / f64::from(fractions)).collect()
}

/// Powers of two from one on.
#[derive(Clone, Copy, Debug)]
struct Powers {
    least: i32,
    count: u32,
}

impl Powers {
    fn all(self) -> impl Iterator<Item = f64> {
        (0..self.count).map(move |k| 2_f64.powi(self.least + k as i32))
    }

    /// All values of both signs, ascending.
    fn codebook(self, significands: &[f64]) -> Vec<f32> {
        let magnitudes = self.all().flat_map(|power| significands.iter().map(move |f| (f * power) as f32));
        let mut values: Vec<f32> = magnitudes.flat_map(|m| [-m, m]).filter(|value| value.is_finite()).collect();
        values.sort_by(f32::total_cmp);
        values.dedup_by_key(|value| value.to_bits());
        values
    }
}

/// Significands that nothing moves any more, and their error.
fn lloyd(weights: &[f32], importance: &[f64], mut significands: Vec<f64>, powers: Powers) -> (Vec<f64>, f64) {
    let total: f64 = importance.iter().sum();
    // No weight may be weightless, as in k-means.
    let floor = if total > 0.0 { total * 1e-9 / weights.len().max(1) as f64 } else { 1.0 };
    let every = weights.len().div_ceil(MOST_WEIGHTS).max(1);
    let mut error = f64::INFINITY;
    for _ in 0..MAX_ITERATIONS {
        let places = Places::new(&significands, powers);
        let mut sums = vec![[0.0_f64; 2]; significands.len()];
        let mut found = 0.0;
        for (weight, importance) in weights.iter().zip(importance).step_by(every) {
            let magnitude = f64::from(weight.abs());
            let (index, power) = places.nearest(magnitude);
            let mass = importance + floor;
            sums[index][0] += mass * power * magnitude;
            sums[index][1] += mass * power * power;
            found += mass * (magnitude - significands[index] * power).powi(2);
        }
        if found >= error * (1.0 - 1e-6) {
            break;
        }
        error = found;
        for (significand, [weighted, square]) in significands.iter_mut().zip(sums) {
            if square > 0.0 {
                *significand = (weighted / square).clamp(1.0, GREATEST);
            }
        }
    }
    (significands, error)
}

/// The magnitudes of a codebook, ascending, with what makes each.
struct Places {
    magnitudes: Vec<f32>,
    parts: Vec<(usize, f64)>,
}

impl Places {
    fn new(significands: &[f64], powers: Powers) -> Self {
        let parts = powers.all().flat_map(|power| (0..significands.len()).map(move |index| (index, power)));
        let magnitude = |(index, power): (usize, f64)| ((significands[index] * power) as f32, (index, power));
        let mut all: Vec<(f32, (usize, f64))> = parts.map(magnitude).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (magnitudes, parts) = all.into_iter().unzip();
        Self { magnitudes, parts }
    }

    fn nearest(&self, magnitude: f64) -> (usize, f64) {
        self.parts[nearest_index(&self.magnitudes, magnitude)]
    }
}

/// The magnitudes of a whole codebook in the order of the columns of a memory: `fractions` of the
/// least power of two, as many of the next one, ..., so that the lowest bits of a column tell the
/// significand and the others the power, in logic too. A codebook with fewer has each of them several times.
pub(super) fn magnitudes(codebook: &[f32], fractions: u32) -> Vec<f32> {
    let mut by_power: Vec<(u32, Vec<f32>)> = Vec::new();
    let mut positive: Vec<f32> = codebook.iter().copied().filter(|value| value.is_sign_positive()).collect();
    positive.sort_by(f32::total_cmp);
    positive.dedup_by_key(|value| value.to_bits());
    for value in positive {
        match by_power.last_mut() {
            Some((power, values)) if *power == value.to_bits() >> 23 => values.push(value),
            _ => by_power.push((value.to_bits() >> 23, vec![value])),
        }
    }
    let slots = fractions as usize;
    let of_power = |(_, values): (u32, Vec<f32>)| (0..slots).map(move |slot| values[slot * values.len() / slots]);
    by_power.into_iter().flat_map(of_power).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_go_by_power_then_significand() {
        let codebook = Powers { least: 0, count: 3 }.codebook(&[1.0, 1.5]);
        assert_eq!(codebook, [-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!(magnitudes(&codebook, 2), [1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        // Half as many are each there twice, and one that got lost is made up for.
        assert_eq!(magnitudes(&codebook[8..10], 4), [2.0, 2.0, 3.0, 3.0]);
        assert_eq!(magnitudes(&[1.0, 1.25, 1.5, 2.0, 2.5, 3.0], 4), [1.0, 1.0, 1.25, 1.5, 2.0, 2.0, 2.5, 3.0]);
    }

    #[test]
    fn weights_that_are_powers_of_two_times_few_values_are_kept() {
        let weights = [1.0, -1.5, 0.25, 0.375, -0.1875, 0.125];
        let found = shared_k_means(&weights, &[1.0; 6], 2, 4);
        assert_eq!(found.weights(), weights);
        let constant = shared_k_means(&[0.0; 3], &[0.0; 3], 2, 4);
        assert!(constant.weights().iter().all(|w| w.abs() < 1e-30));
        assert_eq!(shared_k_means(&[], &[], 2, 3).assignment, Vec::<u32>::new());
    }

    proptest! {
        #[test]
        fn every_weight_gets_its_nearest_value(
            weights in prop::collection::vec(-4.0_f32..4.0, 1..100),
            fractions in 1_u32..9,
            exponents in 1_u32..9,
        ) {
            let found = shared_k_means(&weights, &vec![1.0; weights.len()], fractions, exponents);
            prop_assert!(found.codebook.len() <= (2 * fractions * exponents) as usize);
            prop_assert!(found.codebook.windows(2).all(|two| two[0] < two[1]));
            let mut known: Vec<u32> = magnitudes(&found.codebook, fractions).iter().map(|m| m.to_bits() & 0x007F_FFFF).collect();
            known.sort_unstable();
            known.dedup();
            prop_assert!(known.len() <= fractions as usize);
            prop_assert_eq!(magnitudes(&found.codebook, fractions).len(), (fractions * exponents) as usize);
            for (weight, value) in weights.iter().zip(found.weights()) {
                let distance = |value: f32| (f64::from(*weight) - f64::from(value)).abs();
                let nearest = found.codebook.iter().map(|value| distance(*value)).fold(f64::INFINITY, f64::min);
                prop_assert_eq!(distance(value), nearest);
            }
        }
    }
}
