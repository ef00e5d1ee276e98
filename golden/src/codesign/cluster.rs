//! Clustering of a layer's weights: one-dimensional k-means with k-means++.
//!
//! Each weight counts as much as the energy of the activations that it meets:
//! with an importance of Σa² a weight, the k-means objective Σ importance·(w−c)²
//! is the expected squared error that clustering puts on the layer's outputs.
//! That matters where batch-norm scales are folded into depthwise kernels and
//! the channels' activations differ by orders of magnitude.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// How many times k-means starts anew; the best result is kept.
const RESTARTS: usize = 8;
/// So few distinct weights are clustered by dynamic programming, which finds the optimum: with hardly
/// more weights than values, all starts can end far from it.
const FEW_POINTS: usize = 64;
/// Most Lloyd iterations of one start. One dimension converges in far fewer.
const MAX_ITERATIONS: usize = 200;

/// Weights as indices into a short list of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// The values, ascending, no two with the same encoding.
    pub codebook: Vec<f32>,
    /// For each weight, in the order given, its index in the codebook.
    pub assignment: Vec<u32>,
}

impl Clustering {
    /// The clustered weights, in the order of the originals.
    pub fn weights(&self) -> Vec<f32> {
        self.assignment.iter().map(|index| self.codebook[*index as usize]).collect()
    }
}

/// The random numbers of one layer: a generator seeded with the design's seed
/// and moved 2^128 numbers ahead a layer, so that a layer's result does not
/// depend on the layers before it.
pub fn layer_rng(seed: u64, layer: usize) -> Xoshiro256PlusPlus {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..layer).for_each(|_| rng.jump());
    rng
}

/// No clustering: the codebook holds every distinct weight, bit for bit.
pub fn distinct(weights: &[f32]) -> Clustering {
    let mut codebook = weights.to_vec();
    codebook.sort_unstable_by(f32::total_cmp);
    codebook.dedup_by_key(|w| w.to_bits());
    let index = |w: &f32| codebook.binary_search_by(|c| c.total_cmp(w)).unwrap_or_default() as u32;
    let assignment = weights.iter().map(index).collect();
    Clustering { codebook, assignment }
}

/// Clusters finite weights around at most `k` values that minimise
/// Σ importance·(weight − value)²: exactly where there are few distinct weights, or else as far
/// as Lloyd's iteration from k-means++ starts gets.
///
/// `importance` has one entry a weight, each finite and at least 0; an
/// importance of 0 still gets its nearest value. Returns fewer than `k` values
/// where there are fewer distinct weights, and then the clustering is exact.
/// `k` = 0 counts as 1.
pub fn k_means(weights: &[f32], importance: &[f64], k: usize, rng: &mut Xoshiro256PlusPlus) -> Clustering {
    debug_assert_eq!(weights.len(), importance.len());
    let k = k.max(1);
    let exact = distinct(weights);
    if exact.codebook.len() <= k {
        return exact;
    }
    let points = Points::new(&exact, importance);
    let best = if exact.codebook.len() <= FEW_POINTS {
        points.optimal(k)
    } else {
        (0..RESTARTS)
            .map(|_| points.lloyd(points.plus_plus(k, rng)))
            .min_by(|a, b| points.inertia(a).total_cmp(&points.inertia(b)))
            .unwrap_or_default()
    };

    let values: Vec<f32> = best.windows(2).filter_map(|edge| points.mean(edge[0], edge[1])).map(|c| c as f32).collect();
    nearest(weights, values)
}

/// Clusters finite weights around at most `columns` magnitudes, each with both signs:
/// [`k_means`] of the weights' magnitudes.
///
/// The codebook holds a magnitude with a sign only where a weight has it.
pub fn symmetric_k_means(
    weights: &[f32],
    importance: &[f64],
    columns: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> Clustering {
    let magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    let folded = k_means(&magnitudes, importance, columns, rng);
    let signed = weights.iter().zip(folded.weights()).map(|(w, magnitude)| magnitude.copysign(*w));
    distinct(&signed.collect::<Vec<f32>>())
}

/// Assigns each weight to its nearest value, and drops values that nothing is
/// assigned to.
fn nearest(weights: &[f32], mut values: Vec<f32>) -> Clustering {
    values.sort_unstable_by(f32::total_cmp);
    values.dedup_by(|a, b| a == b);
    let assignment = weights.iter().map(|w| nearest_index(&values, f64::from(*w)) as u32).collect();
    compact(Clustering { codebook: values, assignment })
}

/// Index of the nearest of some ascending values, the lower one of two at the
/// same distance; 0 if there are none.
pub(super) fn nearest_index(values: &[f32], target: f64) -> usize {
    let above = values.partition_point(|value| f64::from(*value) < target);
    let distance = |index: usize| (f64::from(values[index]) - target).abs();
    match above {
        0 => 0,
        _ if above == values.len() => above - 1,
        _ if distance(above) < distance(above - 1) => above,
        _ => above - 1,
    }
}

/// The clustering without values of the same encoding as the one before, or
/// that nothing is assigned to.
pub(super) fn compact(clustering: Clustering) -> Clustering {
    let Clustering { codebook, mut assignment } = clustering;
    let mut used = vec![false; codebook.len()];
    assignment.iter().for_each(|index| used[*index as usize] = true);
    let mut kept: Vec<f32> = Vec::with_capacity(codebook.len());
    let mut place = vec![0; codebook.len()];
    for (index, value) in codebook.iter().enumerate().filter(|(index, _)| used[*index]) {
        if kept.last().is_none_or(|last| last.to_bits() != value.to_bits()) {
            kept.push(*value);
        }
        place[index] = kept.len() as u32 - 1;
    }
    assignment.iter_mut().for_each(|index| *index = place[*index as usize]);
    Clustering { codebook: kept, assignment }
}

/// Distinct weights in ascending order with running sums of their mass, so
/// that the mean and the error of any run of them costs O(1).
struct Points {
    value: Vec<f64>,
    /// Σ mass, Σ mass·value and Σ mass·value² of all points before each one.
    sums: Vec<[f64; 3]>,
}

impl Points {
    fn new(exact: &Clustering, importance: &[f64]) -> Self {
        let mut mass = vec![0.0; exact.codebook.len()];
        for (index, extra) in exact.assignment.iter().zip(importance) {
            mass[*index as usize] += extra;
        }
        // Without any importance at all, every weight counts the same; and no
        // point may be weightless, or a cluster of such points has no mean.
        let total: f64 = mass.iter().sum();
        let floor = if total > 0.0 { total * 1e-9 / mass.len() as f64 } else { 1.0 };
        let value: Vec<f64> = exact.codebook.iter().map(|w| f64::from(*w)).collect();
        let mut sums = vec![[0.0; 3]];
        for (v, m) in value.iter().zip(&mass) {
            let m = m + floor;
            let [a, b, c] = sums[sums.len() - 1];
            sums.push([a + m, b + m * v, c + m * v * v]);
        }
        Self { value, sums }
    }

    fn between(&self, from: usize, to: usize) -> [f64; 3] {
        std::array::from_fn(|i| self.sums[to][i] - self.sums[from][i])
    }

    /// Mean of the points `from..to`; none for an empty run.
    fn mean(&self, from: usize, to: usize) -> Option<f64> {
        let [mass, moment, _] = self.between(from, to);
        // Rounding in the sums must not put a mean outside its points.
        (to > from).then(|| (moment / mass).clamp(self.value[from], self.value[to - 1]))
    }

    /// Σ mass·(value − mean)² over the runs that `edges` cuts the points into.
    fn inertia(&self, edges: &[usize]) -> f64 {
        edges
            .windows(2)
            .filter(|edge| edge[1] > edge[0])
            .map(|edge| {
                let [mass, moment, square] = self.between(edge[0], edge[1]);
                (square - moment * moment / mass).max(0.0)
            })
            .sum()
    }

    /// The edges of at most `k` runs with the least inertia, in O(k·n²).
    fn optimal(&self, k: usize) -> Vec<usize> {
        let n = self.value.len();
        // Of the first `to` points in so many runs: the least inertia, and where the last run begins.
        let mut least: Vec<f64> = (0..=n).map(|to| self.inertia(&[0, to])).collect();
        let mut begins = vec![vec![0; n + 1]];
        for _ in 1..k {
            let best = |to: usize| {
                let with = |from: usize| (least[from] + self.inertia(&[from, to]), from);
                (0..=to).map(with).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
            };
            let (next, begin) = (0..=n).map(best).unzip();
            least = next;
            begins.push(begin);
        }
        let mut edges = vec![n];
        for begin in begins.iter().rev() {
            edges.push(begin[edges[edges.len() - 1]]);
        }
        edges.reverse();
        edges
    }

    /// k-means++: each next centre is a point drawn with a probability
    /// proportional to its mass times its squared distance to the nearest
    /// centre so far (Arthur and Vassilvitskii, 2007). Returns the centres,
    /// ascending.
    fn plus_plus(&self, k: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let mut centres: Vec<f64> = Vec::with_capacity(k);
        let mut distance = vec![f64::INFINITY; self.value.len()];
        while centres.len() < k {
            let weight = |i: usize| {
                let mass = self.between(i, i + 1)[0];
                if centres.is_empty() { mass } else { mass * distance[i] }
            };
            let total: f64 = (0..self.value.len()).map(weight).sum();
            if total <= 0.0 {
                break;
            }
            let mut left = uniform(rng) * total;
            let drawn = (0..self.value.len()).find(|i| {
                left -= weight(*i);
                left < 0.0
            });
            // Rounding can leave a little over after the last point.
            let centre = self.value[drawn.unwrap_or(self.value.len() - 1)];
            for (d, v) in distance.iter_mut().zip(&self.value) {
                *d = d.min((v - centre) * (v - centre));
            }
            centres.push(centre);
        }
        centres.sort_unstable_by(f64::total_cmp);
        centres
    }

    /// Lloyd's iteration until nothing changes. Returns the edges of the runs:
    /// cluster i holds the points `edges[i]..edges[i + 1]`, possibly none.
    fn lloyd(&self, mut centres: Vec<f64>) -> Vec<usize> {
        let mut edges = Vec::new();
        for _ in 0..MAX_ITERATIONS {
            let inner =
                centres.windows(2).map(|c| self.value.partition_point(|value| *value <= c[0] + (c[1] - c[0]) / 2.0));
            let next: Vec<usize> = std::iter::once(0).chain(inner).chain([self.value.len()]).collect();
            if next == edges {
                break;
            }
            edges = next;
            // An empty cluster is dropped: its neighbours already serve its points.
            centres = edges.windows(2).filter_map(|edge| self.mean(edge[0], edge[1])).collect();
        }
        edges
    }
}

/// Uniform in [0, 1), 53 bits.
pub(super) fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(weights: &[f32], importance: &[f64], clustered: &Clustering) -> f64 {
        let square = |(w, c): (&f32, f32)| (f64::from(*w) - f64::from(c)).powi(2);
        weights.iter().zip(clustered.weights()).map(square).zip(importance).map(|(e, m)| e * m).sum()
    }

    /// Exact one-dimensional k-means by dynamic programming, O(k·n²).
    fn optimum(weights: &[f32], importance: &[f64], k: usize) -> f64 {
        let points = Points::new(&distinct(weights), importance);
        let n = points.value.len();
        let mut best = vec![f64::INFINITY; n + 1];
        best[0] = 0.0;
        for _ in 0..k {
            best = (0..=n)
                .map(|to| (0..=to).map(|from| best[from] + points.inertia(&[from, to])).fold(f64::INFINITY, f64::min))
                .collect();
        }
        best[n]
    }

    proptest! {
        #[test]
        fn every_weight_gets_its_nearest_value(
            weights in prop::collection::vec(-4.0_f32..4.0, 1..200),
            k in 1_usize..40,
            seed: u64,
        ) {
            let importance = vec![1.0; weights.len()];
            let found = k_means(&weights, &importance, k, &mut layer_rng(seed, 3));
            prop_assert_eq!(found.assignment.len(), weights.len());
            prop_assert!(!found.codebook.is_empty() && found.codebook.len() <= k);
            prop_assert!(found.codebook.windows(2).all(|c| c[0] < c[1]));
            for (w, index) in weights.iter().zip(&found.assignment) {
                let distance = |c: &f32| (f64::from(*w) - f64::from(*c)).abs();
                let nearest = found.codebook.iter().map(distance).fold(f64::INFINITY, f64::min);
                prop_assert_eq!(distance(&found.codebook[*index as usize]), nearest);
            }
            prop_assert_eq!(&found, &k_means(&weights, &importance, k, &mut layer_rng(seed, 3)));
        }

        #[test]
        fn close_to_the_optimum(
            weights in prop::collection::vec(-4.0_f32..4.0, 10..60),
            masses in prop::collection::vec(0.01_f64..10.0, 60),
            k in 1_usize..8,
        ) {
            let importance = &masses[..weights.len()];
            let found = error(&weights, importance, &k_means(&weights, importance, k, &mut layer_rng(1, 0)));
            let best = optimum(&weights, importance, k);
            prop_assert!(found >= best * (1.0 - 1e-5) - 1e-9, "{found} {best}");
            prop_assert!(found <= best * 1.5 + 1e-6, "{found} {best}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn lloyd_comes_close_to_the_optimum(
            weights in prop::collection::vec(-4.0_f32..4.0, FEW_POINTS + 20..FEW_POINTS + 60),
            masses in prop::collection::vec(0.01_f64..10.0, FEW_POINTS + 60),
            k in 1_usize..8,
        ) {
            let importance = &masses[..weights.len()];
            prop_assume!(distinct(&weights).codebook.len() > FEW_POINTS);
            let found = error(&weights, importance, &k_means(&weights, importance, k, &mut layer_rng(1, 0)));
            let best = optimum(&weights, importance, k);
            prop_assert!(found >= best * (1.0 - 1e-5) - 1e-9 && found <= best * 1.5 + 1e-6, "{found} {best}");
        }

        #[test]
        fn few_weights_are_clustered_at_the_optimum(
            weights in prop::collection::vec(-4.0_f32..4.0, 10..60),
            masses in prop::collection::vec(0.01_f64..10.0, 60),
            k in 1_usize..8,
        ) {
            let importance = &masses[..weights.len()];
            let found = error(&weights, importance, &k_means(&weights, importance, k, &mut layer_rng(1, 0)));
            let best = optimum(&weights, importance, k);
            // Values are rounded to binary32.
            prop_assert!(found <= best * (1.0 + 1e-4) + 1e-6, "{found} {best}");
        }
    }

    #[test]
    fn few_distinct_weights_are_kept_exactly() {
        let weights = [0.5, -0.0, 0.0, 0.5, -1.25];
        for k in [4, 5, 256] {
            let found = k_means(&weights, &[1.0; 5], k, &mut layer_rng(0, 0));
            assert_eq!(found.weights().map_bits(), weights.to_vec().map_bits());
            assert_eq!(found.codebook.len(), 4);
        }
        let constant = k_means(&[0.75; 9], &[0.0; 9], 16, &mut layer_rng(0, 0));
        assert_eq!((constant.codebook, constant.assignment), (vec![0.75], vec![0; 9]));
        assert_eq!(k_means(&[], &[], 4, &mut layer_rng(0, 0)).codebook, Vec::<f32>::new());
    }

    #[test]
    fn weights_that_nothing_meets_still_find_a_value() {
        let found = k_means(&[1.0, 2.0, 3.0, 100.0], &[0.0; 4], 2, &mut layer_rng(0, 0));
        assert_eq!(found.codebook, [2.0, 100.0]);
        let found = k_means(&[1.0, 2.0, 3.0, 100.0], &[0.0, 0.0, 1.0, 0.0], 2, &mut layer_rng(0, 0));
        assert_eq!(found.codebook.len(), 2);
    }

    #[test]
    fn importance_moves_the_values() {
        let weights = [0.0, 1.0, 10.0, 11.0];
        let found = k_means(&weights, &[3.0, 1.0, 1.0, 3.0], 2, &mut layer_rng(7, 0));
        assert_eq!(found.codebook, [0.25, 10.75]);
    }

    #[test]
    fn layers_draw_different_numbers() {
        assert_ne!(layer_rng(1, 0).next_u64(), layer_rng(1, 1).next_u64());
        assert_eq!(layer_rng(1, 1).next_u64(), layer_rng(1, 1).next_u64());
    }

    trait MapBits {
        fn map_bits(self) -> Vec<u32>;
    }

    impl MapBits for Vec<f32> {
        fn map_bits(self) -> Vec<u32> {
            self.into_iter().map(f32::to_bits).collect()
        }
    }
}
