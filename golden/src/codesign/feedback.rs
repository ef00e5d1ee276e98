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
use rayon::prelude::*;
use std::ops::Range;

/// Share of the mean variance that is added to every variance, so that
/// activations that hardly vary in the samples do not take up any error.
const DAMPING: f64 = 0.01;
/// Rounds of rounding and refitting.
const ROUNDS: usize = 3;
/// Output channels that are rounded together, so that a column of the factor is read once
/// for all of them.
const LANES: usize = 8;
/// Elements of covariance matrices that a refit looks at, about: of layers with more, it looks
/// at some output channels only, which are plenty for a codebook.
const REFIT_ELEMENTS: usize = 1 << 31;

/// Rounds a layer's weights to the values of `start`, with error feedback and
/// refitted values. Returns the best of `start` and all rounds by the expected
/// squared error on the layer's outputs.
pub fn refine(weights: &[f32], geometry: &Geometry, covariance: &Covariance, start: Clustering) -> Clustering {
    Feedback::new(geometry, covariance).refine(weights, start)
}

/// Mean squared error that a clustering puts on a layer's outputs, summed over
/// the output channels, once bias correction has taken its mean out.
pub fn output_error(weights: &[f32], geometry: &Geometry, covariance: &Covariance, clustering: &Clustering) -> f64 {
    error_of(weights, geometry, covariance, clustering, 1, None)
}

/// The same of every so many channels.
fn error_of(
    weights: &[f32],
    geometry: &Geometry,
    covariance: &Covariance,
    clustering: &Clustering,
    every: usize,
    importance: Option<&[f64]>,
) -> f64 {
    let difference =
        |w: usize| f64::from(weights[w]) - f64::from(clustering.codebook[clustering.assignment[w] as usize]);
    let error = |Channel { group, weights, index }: Channel| {
        let e = DVector::from_iterator(weights.len(), weights.map(difference));
        importance.map_or(1.0, |importance| importance[index]) * e.dot(&(covariance.group(group) * &e))
    };
    // Summed in order, whatever the threads did.
    let errors: Vec<f64> = channels(geometry, every).into_par_iter().map(error).collect();
    errors.into_iter().sum()
}

/// An output channel.
struct Channel {
    index: usize,
    group: usize,
    /// Places of its weights in the tensor.
    weights: Range<usize>,
}

/// Every so many output channels.
fn channels(geometry: &Geometry, every: usize) -> Vec<Channel> {
    let (size, of_group) = (geometry.macs_per_output(), geometry.out_channels / geometry.groups);
    let channel = |index| Channel { index, group: index / of_group, weights: index * size..(index + 1) * size };
    (0..geometry.out_channels).step_by(every).map(channel).collect()
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

    /// Rounds the weights of at most [`LANES`] channels, which lie one after the other.
    fn round(&self, weights: &[f32], codebook: &[f32], assignment: &mut [u32]) {
        let n = self.order.len();
        let lanes = weights.len() / n.max(1);
        // Of the weight that is rounded last first, as the factor has them.
        let mut errors = vec![[0.0_f64; LANES]; n];
        for (i, position) in self.order.iter().enumerate() {
            let at = n - 1 - i;
            let column = self.lower.column(at);
            let mut carried = [0.0; LANES];
            for (of_column, error) in column.as_slice()[at + 1..].iter().zip(&errors[at + 1..]) {
                carried.iter_mut().zip(error).for_each(|(sum, error)| *sum += of_column * error);
            }
            for lane in 0..lanes {
                let index = lane * n + position;
                let weight = f64::from(weights[index]);
                let target = weight + carried[lane] / column[at];
                let value = nearest_index(codebook, target);
                assignment[index] = value as u32;
                errors[at][lane] = weight - f64::from(codebook[value]);
            }
        }
    }
}

/// What error feedback needs to know of a layer, for codebooks of any size.
pub struct Feedback<'a> {
    geometry: &'a Geometry,
    covariance: &'a Covariance,
    /// None if one of them cannot be factored.
    factors: Option<Vec<Factor>>,
}

impl<'a> Feedback<'a> {
    /// Factors the covariances.
    pub fn new(geometry: &'a Geometry, covariance: &'a Covariance) -> Self {
        let factor = |group| Factor::new(covariance.group(group));
        Self { geometry, covariance, factors: (0..geometry.groups).into_par_iter().map(factor).collect() }
    }

    /// See [`refine`].
    pub fn refine(&self, weights: &[f32], start: Clustering) -> Clustering {
        compact(self.refine_as(weights, start, Unknown::Value, None))
    }

    /// The same with values of both signs of the magnitudes of `start`. `importance` says how much
    /// the squared error of each output channel counts; without it, all count the same.
    pub fn refine_symmetric(&self, weights: &[f32], importance: Option<&[f64]>, start: Clustering) -> Clustering {
        let magnitudes = Unknowns::of(&start.codebook, Unknown::Magnitude).values;
        let values: Vec<f32> = magnitudes.iter().flat_map(|m| [-m, *m]).collect();
        let place = |index: &u32| {
            let value = start.codebook[*index as usize];
            values.iter().position(|v| v.to_bits() == value.to_bits()).unwrap_or_default() as u32
        };
        let assignment = start.assignment.iter().map(place).collect();
        compact(self.refine_as(weights, sorted(values, assignment), Unknown::Magnitude, importance))
    }

    /// The same with the values of a codebook ±f·2^k, all of which stay in the codebook, used or not:
    /// a refit chooses the f.
    pub fn refine_shared(&self, weights: &[f32], importance: Option<&[f64]>, start: Clustering) -> Clustering {
        self.refine_as(weights, start, Unknown::Significand, importance)
    }

    /// See [`output_error`].
    pub fn output_error(&self, weights: &[f32], clustering: &Clustering) -> f64 {
        output_error(weights, self.geometry, self.covariance, clustering)
    }

    fn refine_as(
        &self,
        weights: &[f32],
        start: Clustering,
        unknown: Unknown,
        importance: Option<&[f64]>,
    ) -> Clustering {
        let Some(factors) = &self.factors else { return start };
        let elements = self.geometry.out_channels * self.geometry.macs_per_output().pow(2);
        let every = elements.div_ceil(REFIT_ELEMENTS).max(1);
        let (geometry, covariance) = (self.geometry, self.covariance);
        let layer = Layer { weights, geometry, covariance, factors, unknown, every, importance };
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
        best.1
    }
}

struct Layer<'a> {
    weights: &'a [f32],
    geometry: &'a Geometry,
    covariance: &'a Covariance,
    factors: &'a [Factor],
    /// What a refit chooses.
    unknown: Unknown,
    /// Refits and errors look at one of so many channels.
    every: usize,
    /// How much the squared error of each output channel counts; if none, all the same.
    importance: Option<&'a [f64]>,
}

/// What a refit chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    /// Each value of the codebook.
    Value,
    /// A magnitude, for the values of both signs.
    Magnitude,
    /// A significand, for the values of both signs and any power of two.
    Significand,
}

/// What a refit chooses in a codebook.
struct Unknowns {
    values: Vec<f32>,
    /// For each value of the codebook the index of its unknown, and what multiplies that.
    of_value: Vec<(usize, f64)>,
}

impl Unknowns {
    fn of(codebook: &[f32], unknown: Unknown) -> Self {
        // An unknown, and the positive factor that makes a magnitude of it.
        let parts = |value: f32| match unknown {
            Unknown::Value => (value, 1.0),
            Unknown::Magnitude => (value.abs(), 1.0),
            Unknown::Significand => match f64::from(value.abs()) {
                magnitude if magnitude > 0.0 => {
                    let power = f64::from_bits(magnitude.to_bits() & 0x7FF0_0000_0000_0000);
                    ((magnitude / power) as f32, power)
                }
                _ => (0.0, 1.0),
            },
        };
        let mut values: Vec<f32> = codebook.iter().map(|value| parts(*value).0).collect();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup_by_key(|value| value.to_bits());
        let of_value = codebook.iter().map(|value| {
            let (of_unknown, factor) = parts(*value);
            let index = values.binary_search_by(|v| v.total_cmp(&of_unknown)).unwrap_or_default();
            (index, if unknown != Unknown::Value && value.is_sign_negative() { -factor } else { factor })
        });
        Self { of_value: of_value.collect(), values }
    }
}

impl Layer<'_> {
    fn error(&self, clustering: &Clustering) -> f64 {
        error_of(self.weights, self.geometry, self.covariance, clustering, self.every, self.importance)
    }

    /// Each weight's value with error feedback.
    fn round(&self, codebook: &[f32]) -> Clustering {
        let of_group = self.weights.len() / self.geometry.groups;
        let tile = LANES * self.geometry.macs_per_output();
        let mut assignment = vec![0; self.weights.len()];
        let groups = self.weights.par_chunks(of_group.max(1)).zip(assignment.par_chunks_mut(of_group.max(1)));
        groups.zip(self.factors).for_each(|((weights, assignment), factor)| {
            let tiles = weights.par_chunks(tile.max(1)).zip(assignment.par_chunks_mut(tile.max(1)));
            tiles.for_each(|(weights, assignment)| factor.round(weights, codebook, assignment));
        });
        Clustering { codebook: codebook.to_vec(), assignment }
    }

    /// The values that make the outputs' squared error least for an assignment.
    fn refit(&self, clustering: Clustering) -> Clustering {
        let Unknowns { values, of_value } = Unknowns::of(&clustering.codebook, self.unknown);
        let k = values.len();
        let difference =
            |w: usize| f64::from(self.weights[w]) - f64::from(clustering.codebook[clustering.assignment[w] as usize]);
        let of_channel = |Channel { group, weights: at, index }: Channel| {
            let importance = self.importance.map_or(1.0, |importance| importance[index]);
            let covariance = self.covariance.group(group);
            let unknowns: Vec<(usize, f64)> = at.clone().map(|w| of_value[clustering.assignment[w] as usize]).collect();
            let differences = DVector::from_iterator(at.len(), at.map(difference));
            let (mut normal, mut right) = (DMatrix::<f64>::zeros(k, k), DVector::<f64>::zeros(k));
            let mut sums = vec![0.0; k];
            for (i, (a, sign)) in unknowns.iter().enumerate() {
                sums.fill(0.0);
                let column = covariance.column(i);
                for ((b, other), c) in unknowns.iter().zip(column.iter()) {
                    sums[*b] += other * c;
                }
                // Symmetric, so that rows and columns are the same.
                normal.column_mut(*a).iter_mut().zip(&sums).for_each(|(sum, new)| *sum += importance * sign * new);
                // Fitted as corrections, so that damping pulls towards no change.
                right[*a] += importance * sign * column.dot(&differences);
            }
            (normal, right)
        };
        let parts: Vec<_> = channels(self.geometry, self.every).into_par_iter().map(of_channel).collect();
        let zero = (DMatrix::<f64>::zeros(k, k), DVector::<f64>::zeros(k));
        let (mut normal, right) = parts.into_iter().fold(zero, |sum, channel| (sum.0 + channel.0, sum.1 + channel.1));
        let damping = 1e-3 * normal.diagonal().mean().max(f64::MIN_POSITIVE);
        (0..k).for_each(|i| normal[(i, i)] += damping);
        let Some(factor) = Cholesky::new(normal) else { return clustering };
        let change = factor.solve(&right);
        let mut fitted: Vec<f32> = values.iter().zip(change.iter()).map(|(c, d)| (f64::from(*c) + d) as f32).collect();
        if !fitted.iter().all(|value| value.is_finite()) {
            return clustering;
        }
        if self.unknown == Unknown::Significand {
            // What leaves the significands would take another power's place.
            fitted.iter_mut().for_each(|f| *f = f.clamp(1.0, 2.0_f32.next_down()));
        }
        // A power of two or its negative: exact.
        let codebook = of_value.iter().map(|(index, factor)| (f64::from(fitted[*index]) * factor) as f32);
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
