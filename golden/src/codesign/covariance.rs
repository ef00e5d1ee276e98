//! How the operands of a layer's sums vary together.

use crate::net::Geometry;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// In so many parts, at most, sums are made: their number is fixed, so that the result
/// does not depend on the number of threads, and small, because each part has a matrix.
const PARTS: usize = 4;
/// Fewest samples of a part.
const CHUNK: usize = 16;
/// Multiplications that a group's matrix may take, about: of layers that would take more,
/// every so many output positions are looked at, but at least [`PER_OPERAND`] times as many
/// as there are operands.
const MULTIPLICATIONS: usize = 8_000_000_000;
const PER_OPERAND: usize = 4;

/// Covariance of the activations that an output channel's weights meet, for
/// each group of the layer, padding included.
///
/// For a change e of one output channel's weights, eᵀ·C·e is the mean squared
/// change of that channel's outputs once its bias has taken the mean out.
#[derive(Clone, Debug)]
pub struct Covariance {
    groups: Vec<DMatrix<f64>>,
}

impl Covariance {
    /// Measures the covariance on samples, each one flat input tensor.
    pub fn collect(geometry: &Geometry, samples: &[&[f32]]) -> Self {
        let groups = (0..geometry.groups).into_par_iter().map(|group| of_group(geometry, samples, group)).collect();
        Self { groups }
    }

    /// The matrix of a group: `macs_per_output` rows and columns, in the order
    /// of the weights of an output channel.
    pub fn group(&self, group: usize) -> &DMatrix<f64> {
        &self.groups[group]
    }
}

fn of_group(geometry: &Geometry, samples: &[&[f32]], group: usize) -> DMatrix<f64> {
    let size = geometry.macs_per_output();
    let channel = group * (geometry.out_channels / geometry.groups);
    let outputs: Vec<usize> =
        (0..geometry.outputs()).filter(|output| geometry.channel_of(*output) == channel).collect();
    let enough = (PER_OPERAND * size).max(MULTIPLICATIONS / size.pow(2).max(1));
    // Odd, so that not every row of an image is looked at in the same columns.
    let every = (outputs.len() * samples.len()).div_ceil(enough).clamp(1, outputs.len().max(1)) | 1;
    let sources: Vec<Option<usize>> =
        outputs.iter().step_by(every).flat_map(|output| geometry.operands(*output).map(|(_, input)| input)).collect();
    let partial: Vec<(DMatrix<f64>, DVector<f64>)> = samples
        .par_chunks(samples.len().div_ceil(PARTS).max(CHUNK))
        .map(|chunk| {
            let mut square = DMatrix::zeros(size, size);
            let mut sum = DVector::zeros(size);
            for sample in chunk {
                let value = |source: &Option<usize>| source.map_or(0.0, |source| f64::from(sample[source]));
                let operands = DMatrix::from_iterator(size, sources.len() / size, sources.iter().map(value));
                square.gemm(1.0, &operands, &operands.transpose(), 1.0);
                sum += operands.column_sum();
            }
            (square, sum)
        })
        .collect();
    let count = (samples.len() * sources.len() / size.max(1)).max(1) as f64;
    let mut square = DMatrix::zeros(size, size);
    let mut mean = DVector::zeros(size);
    for (of_square, of_sum) in partial {
        square += of_square;
        mean += of_sum;
    }
    mean /= count;
    square / count - &mean * mean.transpose()
}
