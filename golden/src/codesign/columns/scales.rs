//! Powers of two for a layer's output channels, so that channels of different scale share a codebook.
//!
//! Batch normalisation that is folded into the weights, of a depthwise layer above all, leaves
//! channels whose weights differ by orders of magnitude, and a codebook for all of them has few
//! values for the small ones. Divided by a power of two each, channels look alike. Whoever collects the
//! PE's sums multiplies by the same power ([`crate::pe::Epilogue`]), which adds to an exponent
//! and costs the PE nothing.

use super::super::cluster::{Clustering, nearest_index};

/// Greatest distance of two channels' exponents: what is smaller hardly counts.
const SPREAD: i32 = 40;

/// The exponent of each output channel's power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChannelScales {
    exponents: Vec<i32>,
    /// Weights of a channel.
    of_channel: usize,
}

impl ChannelScales {
    /// Of channels that all stay as they are.
    pub fn none(weights: usize, channels: usize) -> Self {
        Self { exponents: vec![0; channels], of_channel: weights / channels.max(1) }
    }

    /// Brings the root mean square of all channels within a factor of √2 of each other. The greatest stay as they are.
    pub fn level(weights: &[f32], channels: usize) -> Self {
        let none = Self::none(weights.len(), channels);
        let power = |channel: &[f32]| {
            let square: f64 = channel.iter().map(|w| f64::from(*w).powi(2)).sum();
            // Half of the logarithm of the mean square.
            (square > 0.0).then(|| ((square / channel.len() as f64).log2() / 2.0).round() as i32)
        };
        let powers: Vec<Option<i32>> = weights.chunks(none.of_channel.max(1)).map(power).collect();
        none.with(|channel| powers.get(channel).copied().flatten())
    }

    /// Lets each channel take the neighbouring power with which it is nearer to a codebook for
    /// scaled weights, by the sum of `importance` times the squared distance.
    pub fn fitted(&self, weights: &[f32], importance: &[f64], clustering: &Clustering) -> Self {
        let error = |channel: usize, exponent: i32| -> f64 {
            let at = channel * self.of_channel..(channel + 1) * self.of_channel;
            let scale = 2_f64.powi(exponent);
            let error = |(w, importance): (&f32, &f64)| {
                let target = f64::from(*w) / scale;
                let value = clustering.codebook[nearest_index(&clustering.codebook, target)];
                importance * ((target - f64::from(value)) * scale).powi(2)
            };
            weights[at.clone()].iter().zip(&importance[at]).map(error).sum()
        };
        self.with(|channel| {
            let own = self.exponents[channel];
            let all_zero = weights[channel * self.of_channel..][..self.of_channel].iter().all(|w| *w == 0.0);
            // Its own where another one is no better.
            let choices = [own, own - 1, own + 1].map(|exponent| (error(channel, exponent), exponent));
            let best = choices.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(own, |(_, exponent)| exponent);
            (!all_zero).then_some(best)
        })
    }

    /// Exponents up to 0; channels without one get 0.
    fn with(&self, exponent: impl Fn(usize) -> Option<i32>) -> Self {
        let found: Vec<Option<i32>> = (0..self.exponents.len()).map(exponent).collect();
        let greatest = found.iter().flatten().copied().max().unwrap_or(0);
        let relative = |exponent: &Option<i32>| exponent.map_or(0, |exponent| (exponent - greatest).max(-SPREAD));
        Self { exponents: found.iter().map(relative).collect(), of_channel: self.of_channel }
    }

    /// The weights divided by their channels' powers; exact but for overflow, where a weight stays finite.
    pub fn divided(&self, weights: &[f32]) -> Vec<f32> {
        let divided = |(at, w): (usize, &f32)| {
            (f64::from(*w) / self.power(at)).clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
        };
        weights.iter().enumerate().map(divided).collect()
    }

    /// What counts so much of weights counts so much of divided weights.
    pub fn importance(&self, importance: &[f64]) -> Vec<f64> {
        importance.iter().enumerate().map(|(at, importance)| importance * self.power(at).powi(2)).collect()
    }

    /// Squares of the channels' powers.
    pub fn squares(&self) -> Vec<f64> {
        self.exponents.iter().map(|exponent| 2_f64.powi(2 * exponent)).collect()
    }

    /// The exponents, or nothing where no channel is scaled.
    pub fn exponents(&self) -> Vec<i32> {
        if self.exponents.iter().all(|exponent| *exponent == 0) { Vec::new() } else { self.exponents.clone() }
    }

    fn power(&self, weight: usize) -> f64 {
        self.exponents.get(weight / self.of_channel.max(1)).map_or(1.0, |exponent| 2_f64.powi(*exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn channels_are_levelled_below_the_greatest() {
        let weights = [4.0, -4.0, 0.5, 0.5, 0.0, -0.0, 3.0, 3.5];
        let scales = ChannelScales::level(&weights, 4);
        assert_eq!(scales.exponents, [0, -3, 0, 0]);
        assert_eq!(scales.divided(&weights), [4.0, -4.0, 4.0, 4.0, 0.0, -0.0, 3.0, 3.5]);
        assert_eq!(ChannelScales::level(&[1.0, 1.2, 0.9], 3).exponents(), Vec::<i32>::new());
        assert_eq!(ChannelScales::level(&[], 0).exponents(), Vec::<i32>::new());
    }

    #[test]
    fn a_channel_takes_the_power_with_which_it_meets_the_codebook() {
        let weights = [3.0, 3.0, 2.1, 2.1];
        let codebook = Clustering { codebook: vec![3.0, 4.2], assignment: vec![0, 0, 0, 0] };
        let fitted = ChannelScales::level(&weights, 2).fitted(&weights, &[1.0; 4], &codebook);
        assert_eq!((fitted.exponents(), fitted.divided(&weights)), (vec![0, -1], vec![3.0, 3.0, 4.2, 4.2]));
    }

    proptest! {
        #[test]
        fn division_is_exact_and_taken_back_by_the_powers(
            channels in prop::collection::vec((prop::collection::vec(-2.0_f32..2.0, 3), -30..30_i32), 1..6),
        ) {
            let scaled = |(weights, e): &(Vec<f32>, i32)| weights.iter().map(|w| w * 2_f32.powi(*e)).collect::<Vec<_>>();
            let weights: Vec<f32> = channels.iter().flat_map(scaled).collect();
            let scales = ChannelScales::level(&weights, channels.len());
            prop_assert!(scales.exponents.iter().all(|exponent| (-SPREAD..=0).contains(exponent)));
            for (at, (divided, weight)) in scales.divided(&weights).iter().zip(&weights).enumerate() {
                prop_assert_eq!(divided * 2_f32.powi(scales.exponents[at / 3]), *weight);
            }
        }
    }
}
