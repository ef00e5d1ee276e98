//! Counts and accuracy.

use std::ops::AddAssign;

/// What a mapped layer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerStats {
    /// Multiply-accumulates, padding included.
    pub macs: u64,
    /// Those with an activation of ±0, padding included.
    pub zeros: u64,
    /// Those whose product came from the AM. A zero that the PE skips does not
    /// search and is not a hit.
    pub hits: u64,
    /// Hits with a nonzero activation.
    pub nonzero_hits: u64,
    /// Outputs during whose sum a fixed-point accumulator saturated.
    pub overflows: u64,
    /// Outputs in whose sum a fixed-point accumulator met a NaN.
    pub invalid: u64,
}

impl LayerStats {
    /// Hits among all MACs, 0 to 1.
    pub fn hit_rate(&self) -> f64 {
        ratio(self.hits, self.macs)
    }

    /// Hits among MACs with a nonzero activation, 0 to 1.
    pub fn nonzero_hit_rate(&self) -> f64 {
        ratio(self.nonzero_hits, self.macs - self.zeros)
    }

    /// Zero activations among all MACs, 0 to 1.
    pub fn zero_rate(&self) -> f64 {
        ratio(self.zeros, self.macs)
    }
}

/// 0 where there is nothing to count.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl AddAssign for LayerStats {
    fn add_assign(&mut self, other: Self) {
        self.macs += other.macs;
        self.zeros += other.zeros;
        self.hits += other.hits;
        self.nonzero_hits += other.nonzero_hits;
        self.overflows += other.overflows;
        self.invalid += other.invalid;
    }
}

impl std::iter::Sum for LayerStats {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |mut total, one| {
            total += one;
            total
        })
    }
}

/// What a set of samples gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The class of each sample: the index of the largest output, the lowest
    /// of equal ones.
    pub predictions: Vec<usize>,
    /// Share of samples whose prediction is their label, 0 to 1; `None`
    /// without labels.
    pub accuracy: Option<f64>,
    /// Counts for each mapped layer, summed over the samples; empty for the
    /// float baseline.
    pub layers: Vec<LayerStats>,
}

impl Evaluation {
    /// Compares predictions with labels, if there are any.
    pub(super) fn new(predictions: Vec<usize>, labels: Option<&[usize]>, layers: Vec<LayerStats>) -> Self {
        let accuracy = labels.map(|labels| {
            let right = predictions.iter().zip(labels).filter(|(prediction, label)| prediction == label).count();
            ratio(right as u64, predictions.len() as u64)
        });
        Self { predictions, accuracy, layers }
    }

    /// Share of samples on which this and another evaluation agree, 0 to 1.
    pub fn agreement(&self, other: &Self) -> f64 {
        let same = self.predictions.iter().zip(&other.predictions).filter(|(a, b)| a == b).count();
        ratio(same as u64, self.predictions.len() as u64)
    }

    /// All layers together.
    pub fn total(&self) -> LayerStats {
        self.layers.iter().copied().sum()
    }
}

/// Index of the largest value, the lowest of equal ones. NaN is never largest;
/// 0 if there is nothing else.
pub fn top1(output: &[f32]) -> usize {
    let mut best: Option<usize> = None;
    for (index, value) in output.iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|b| *value > output[b]) {
            best = Some(index);
        }
    }
    best.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top1_takes_the_lowest_of_equals_and_never_nan() {
        assert_eq!(top1(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(top1(&[f32::NAN, -1.0, -2.0]), 1);
        assert_eq!(top1(&[f32::NEG_INFINITY; 2]), 0);
        assert_eq!(top1(&[f32::NAN]), 0);
        assert_eq!(top1(&[-0.0, 0.0]), 0);
    }

    #[test]
    fn rates_of_nothing_are_zero() {
        assert_eq!(LayerStats::default().hit_rate(), 0.0);
        let stats = LayerStats { macs: 8, zeros: 4, hits: 4, nonzero_hits: 3, ..LayerStats::default() };
        assert_eq!((stats.hit_rate(), stats.nonzero_hit_rate(), stats.zero_rate()), (0.5, 0.75, 0.5));
        assert_eq!([stats, stats].into_iter().sum::<LayerStats>().macs, 16);
    }
}
