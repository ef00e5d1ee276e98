//! Error feedback: each weight is rounded to the codebook with the errors of
//! the weights before it in mind.
//!
//! Rounding every weight to its nearest value minimises the error of each
//! weight, but what matters is the error of their weighted sum. Weights are
//! rounded one after the other, and each one first takes up what of the errors
//! so far it can make good, as the covariance C of the activations tells. With
//! C = R·Rᵀ, R upper triangular, the error eᵀ·C·e = |Rᵀ·e|² is a sum of
//! squares, one for each weight and the ones before it, and weight i is rounded
//! from w_i + Σ_{j<i} R_ji·e_j / R_ii (Babai's nearest-plane rounding; the same
//! as GPTQ with a codebook in place of a grid). Then the codebook is refitted
//! by least squares, and the rounding repeated.

use super::cluster::{Clustering, compact, nearest_index};
use super::covariance::Covariance;
use crate::net::Geometry;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use std::ops::Range;

/// Share of the mean variance that is added to every variance, so that
/// activations that hardly vary in the samples do not take up any error.
const DAMPING: f64 = 0.01;
/// Rounds of rounding and refitting.
const ROUNDS: usize = 3;

/// Rounds a layer's weights to the values of `start`, with error feedback and
/// refitted values. Returns the best of `start` and all rounds by the expected
/// squared error on the layer's outputs.
pub fn refine(weights: &[f32], geometry: &Geometry, covariance: &Covariance, start: Clustering) -> Clustering {
    refine_as(weights, geometry, covariance, start, false)
}

/// The same with values of both signs of the magnitudes of `start`.
pub fn refine_symmetric(
    weights: &[f32],
    geometry: &Geometry,
    covariance: &Covariance,
    start: Clustering,
) -> Clustering {
    let magnitudes = Unknowns::of(&start.codebook, true).values;
    let values: Vec<f32> = magnitudes.iter().flat_map(|m| [-m, *m]).collect();
    let place = |index: &u32| {
        let value = start.codebook[*index as usize];
        values.iter().position(|v| v.to_bits() == value.to_bits()).unwrap_or_default() as u32
    };
    let assignment = start.assignment.iter().map(place).collect();
    refine_as(weights, geometry, covariance, sorted(values, assignment), true)
}

fn refine_as(
    weights: &[f32],
    geometry: &Geometry,
    covariance: &Covariance,
    start: Clustering,
    symmetric: bool,
) -> Clustering {
    let Some(factors) =
        (0..geometry.groups).map(|group| Factor::new(covariance.group(group))).collect::<Option<Vec<_>>>()
    else {
        return compact(start);
    };
    let layer = Layer { weights, geometry, covariance, factors, symmetric };
    let mut codebook = start.codebook.clone();
    let mut best = (layer.error(&start), start);
    for _ in 0..ROUNDS {
        let rounded = layer.round(&codebook);
        let refitted = layer.refit(rounded.clone());
        codebook = refitted.codebook.clone();
        for found in [rounded, refitted] {
            let error = layer.error(&found);
            if error < best.0 {
                best = (error, found);
            }
        }
    }
    compact(best.1)
}

/// Mean squared error that a clustering puts on a layer's outputs, summed over
/// the output channels, once bias correction has taken its mean out.
pub fn output_error(weights: &[f32], geometry: &Geometry, covariance: &Covariance, clustering: &Clustering) -> f64 {
    let difference =
        |w: usize| f64::from(weights[w]) - f64::from(clustering.codebook[clustering.assignment[w] as usize]);
    channels(geometry)
        .map(|(group, at)| {
            let e = DVector::from_iterator(at.len(), at.map(difference));
            e.dot(&(covariance.group(group) * &e))
        })
        .sum()
}

/// Group and weights of each output channel.
fn channels(geometry: &Geometry) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    let (size, of_group) = (geometry.macs_per_output(), geometry.out_channels / geometry.groups);
    (0..geometry.out_channels).map(move |channel| (channel / of_group, channel * size..(channel + 1) * size))
}

/// A group's covariance as R·Rᵀ, in the order in which weights are rounded.
struct Factor {
    /// Position of the weight that is rounded first, second, ...
    order: Vec<usize>,
    /// Lower triangular, of the reversed order: R_ji = lower[n-1-j, n-1-i].
    lower: DMatrix<f64>,
}

impl Factor {
    /// None if the matrix cannot be factored, even damped.
    fn new(covariance: &DMatrix<f64>) -> Option<Self> {
        let n = covariance.nrows();
        let damping = DAMPING * covariance.diagonal().mean();
        // The weights that matter most come first, when all others can still
        // make good what their rounding costs.
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| covariance[(*b, *b)].total_cmp(&covariance[(*a, *a)]).then(a.cmp(b)));
        let reversed = DMatrix::from_fn(n, n, |i, j| {
            let (from, to) = (order[n - 1 - i], order[n - 1 - j]);
            covariance[(from, to)] + if i == j { damping.max(f64::MIN_POSITIVE) } else { 0.0 }
        });
        Some(Self { order, lower: Cholesky::<f64, Dyn>::new(reversed)?.unpack() })
    }

    fn entry(&self, j: usize, i: usize) -> f64 {
        let n = self.order.len();
        self.lower[(n - 1 - j, n - 1 - i)]
    }
}

struct Layer<'a> {
    weights: &'a [f32],
    geometry: &'a Geometry,
    covariance: &'a Covariance,
    factors: Vec<Factor>,
    /// Values of the codebook come in pairs of opposite sign.
    symmetric: bool,
}

/// What a refit chooses: the values of a codebook, or their magnitudes.
struct Unknowns {
    values: Vec<f32>,
    /// For each value of the codebook the index of its unknown, and its sign.
    of_value: Vec<(usize, f64)>,
}

impl Unknowns {
    fn of(codebook: &[f32], symmetric: bool) -> Self {
        if !symmetric {
            return Self { values: codebook.to_vec(), of_value: (0..codebook.len()).map(|i| (i, 1.0)).collect() };
        }
        let mut values: Vec<f32> = codebook.iter().map(|value| value.abs()).collect();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup_by_key(|value| value.to_bits());
        let of_value = codebook.iter().map(|value| {
            let index = values.binary_search_by(|v| v.total_cmp(&value.abs())).unwrap_or_default();
            (index, if value.is_sign_negative() { -1.0 } else { 1.0 })
        });
        Self { of_value: of_value.collect(), values }
    }
}

impl Layer<'_> {
    fn error(&self, clustering: &Clustering) -> f64 {
        output_error(self.weights, self.geometry, self.covariance, clustering)
    }

    /// Each weight's value with error feedback.
    fn round(&self, codebook: &[f32]) -> Clustering {
        let mut assignment = vec![0; self.weights.len()];
        for (group, at) in channels(self.geometry) {
            let factor = &self.factors[group];
            let mut errors: Vec<f64> = Vec::with_capacity(at.len());
            for (i, position) in factor.order.iter().enumerate() {
                let index = at.start + position;
                let weight = f64::from(self.weights[index]);
                let carried: f64 = errors.iter().enumerate().map(|(j, e)| factor.entry(j, i) * e).sum();
                let target = weight + carried / factor.entry(i, i);
                assignment[index] = nearest_index(codebook, target) as u32;
                errors.push(weight - f64::from(codebook[assignment[index] as usize]));
            }
        }
        Clustering { codebook: codebook.to_vec(), assignment }
    }

    /// The values that make the outputs' squared error least for an assignment.
    fn refit(&self, clustering: Clustering) -> Clustering {
        let Unknowns { values, of_value } = Unknowns::of(&clustering.codebook, self.symmetric);
        let k = values.len();
        let mut normal = DMatrix::<f64>::zeros(k, k);
        let mut right = DVector::<f64>::zeros(k);
        let now = clustering.weights();
        let difference = |w: usize| f64::from(self.weights[w]) - f64::from(now[w]);
        let unknown = |w: usize| of_value[clustering.assignment[w] as usize];
        for (group, at) in channels(self.geometry) {
            let covariance = self.covariance.group(group);
            for (i, wi) in at.clone().enumerate() {
                let (a, sign) = unknown(wi);
                for (j, wj) in at.clone().enumerate() {
                    let c = sign * covariance[(j, i)];
                    let (b, other) = unknown(wj);
                    normal[(a, b)] += other * c;
                    // Fitted as corrections, so that damping pulls towards no change.
                    right[a] += c * difference(wj);
                }
            }
        }
        let damping = 1e-3 * normal.diagonal().mean().max(f64::MIN_POSITIVE);
        (0..k).for_each(|i| normal[(i, i)] += damping);
        let Some(factor) = Cholesky::new(normal) else { return clustering };
        let change = factor.solve(&right);
        let fitted: Vec<f32> = values.iter().zip(change.iter()).map(|(c, d)| (f64::from(*c) + d) as f32).collect();
        if !fitted.iter().all(|value| value.is_finite()) {
            return clustering;
        }
        let codebook = of_value.iter().map(|(index, sign)| if *sign < 0.0 { -fitted[*index] } else { fitted[*index] });
        sorted(codebook.collect(), clustering.assignment)
    }
}

/// A clustering with its codebook in ascending order.
fn sorted(values: Vec<f32>, assignment: Vec<u32>) -> Clustering {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut place = vec![0; values.len()];
    order.iter().enumerate().for_each(|(at, index)| place[*index] = at as u32);
    Clustering {
        codebook: order.iter().map(|index| values[*index]).collect(),
        assignment: assignment.into_iter().map(|index| place[index as usize]).collect(),
    }
}
