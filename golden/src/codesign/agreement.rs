//! How far a design's outputs are from the float network's, without labels.

use crate::infer::top1;
use serde::{Deserialize, Serialize};

/// Top-1 agreement of two networks on the same samples, and what it says of
/// the accuracy lost.
///
/// A few hundred samples hold a handful of disagreements at most, so their
/// share alone is a coarse estimate: at a true rate of 1 % and 200 samples its
/// standard error is 0.7 points. The smoothed rate uses all pairs of samples
/// instead: it asks how often the disturbance of one sample's margin would
/// overcome the margin of another, both in units of how far the float network
/// spreads the sample's classes.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Samples compared.
    pub samples: usize,
    /// Share of samples with the same top-1 class, 0 to 1.
    pub top1: f64,
    /// Smoothed share of samples with another class, 0 to 1.
    pub smoothed_disagreement: f64,
    /// Accuracy that the smoothed disagreements cost if the float network's
    /// probabilities are right, 0 to 1.
    pub expected_loss: f64,
    /// Accuracy that the disagreements cost if the float network's
    /// probabilities are right, 0 to 1.
    pub flip_loss: f64,
    /// Its standard error.
    pub flip_loss_error: f64,
    /// Mean Kullback-Leibler divergence of the design's class probabilities
    /// from the float network's, in nats.
    pub divergence: f64,
}

impl Agreement {
    /// Compares two outputs a sample: the float network's and the design's.
    pub fn new(reference: &[Vec<f32>], outputs: &[Vec<f32>]) -> Self {
        let samples = reference.len().min(outputs.len());
        if samples == 0 {
            return Self::default();
        }
        let n = samples as f64;
        let same = reference.iter().zip(outputs).filter(|(r, o)| top1(r) == top1(o)).count();
        let margins: Vec<Margin> = reference.iter().zip(outputs).filter_map(|(r, o)| Margin::new(r, o)).collect();
        let (mut flips, mut loss) = (0_u64, 0.0);
        for margin in &margins {
            let flipped = margins.iter().filter(|other| margin.before + other.change < 0.0).count();
            flips += flipped as u64;
            loss += flipped as f64 * margin.lead;
        }
        let lost: Vec<f64> = reference.iter().zip(outputs).map(|(r, o)| lost(r, o)).collect();
        let flip_loss = lost.iter().sum::<f64>() / n;
        let variance = lost.iter().map(|l| (l - flip_loss).powi(2)).sum::<f64>() / n;
        let pairs = (margins.len() as f64).powi(2).max(1.0);
        Self {
            samples,
            top1: same as f64 / n,
            smoothed_disagreement: flips as f64 / pairs,
            expected_loss: loss / pairs,
            flip_loss,
            flip_loss_error: (variance / n).sqrt(),
            divergence: reference.iter().zip(outputs).map(|(r, o)| divergence(r, o)).sum::<f64>() / n,
        }
    }

    /// Share of samples with another top-1 class, 0 to 1.
    pub fn disagreement(&self) -> f64 {
        if self.samples == 0 { 0.0 } else { 1.0 - self.top1 }
    }
}

/// How clearly the float network decides on a sample.
struct Margin {
    /// Log-odds of the best class against the second one, over the standard
    /// deviation of the sample's log-probabilities.
    before: f64,
    /// What the design adds to it, in the same unit.
    change: f64,
    /// Probability of the best class less that of the second one.
    lead: f64,
}

impl Margin {
    /// None with fewer than two classes, or an output that is not a number.
    fn new(reference: &[f32], output: &[f32]) -> Option<Self> {
        let (before, after) = (log_probabilities(reference), log_probabilities(output));
        let best = top1(reference);
        let rival = (0..before.len()).filter(|i| *i != best).max_by(|a, b| before[*a].total_cmp(&before[*b]))?;
        let margin = before[best] - before[rival];
        let change = after[best] - after[rival] - margin;
        let lead = before[best].exp() - before[rival].exp();
        let mean = before.iter().sum::<f64>() / before.len() as f64;
        let spread = (before.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / before.len() as f64).sqrt().max(1e-9);
        let (margin, change) = (margin / spread, change / spread);
        (margin.is_finite() && change.is_finite()).then_some(Self { before: margin, change, lead })
    }
}

/// Smallest probability told apart from 0.
const FLOOR: f64 = 1e-12;

/// Logarithms of class probabilities: of the outputs themselves where they are
/// a distribution already (a network that ends in softmax), of their softmax
/// otherwise.
fn log_probabilities(output: &[f32]) -> Vec<f64> {
    let values: Vec<f64> = output.iter().map(|v| f64::from(*v)).collect();
    let total: f64 = values.iter().sum();
    if values.iter().all(|v| (0.0..=1.0).contains(v)) && (total - 1.0).abs() < 1e-3 {
        return values.iter().map(|v| v.max(FLOOR).ln()).collect();
    }
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = values.iter().map(|v| (v - largest).exp()).sum::<f64>().ln() + largest;
    values.iter().map(|v| v - scale).collect()
}

fn lost(reference: &[f32], output: &[f32]) -> f64 {
    let p = log_probabilities(reference);
    p[top1(reference)].exp() - p[top1(output)].exp()
}

fn divergence(reference: &[f32], output: &[f32]) -> f64 {
    let (p, q) = (log_probabilities(reference), log_probabilities(output));
    p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q.max(FLOOR.ln()))).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_network_agrees_with_itself(outputs in prop::collection::vec(prop::collection::vec(-9.0_f32..9.0, 4), 1..30)) {
            let found = Agreement::new(&outputs, &outputs);
            prop_assert_eq!((found.top1, found.disagreement()), (1.0, 0.0));
            prop_assert_eq!((found.smoothed_disagreement, found.expected_loss), (0.0, 0.0));
            prop_assert!(found.divergence < 1e-12);
        }

        #[test]
        fn shares_are_shares(
            pairs in prop::collection::vec((prop::collection::vec(-9.0_f32..9.0, 3), prop::collection::vec(-9.0_f32..9.0, 3)), 1..30),
        ) {
            let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let found = Agreement::new(&a, &b);
            prop_assert!((0.0..=1.0).contains(&found.top1) && (0.0..=1.0).contains(&found.smoothed_disagreement));
            prop_assert!(found.expected_loss >= 0.0 && found.expected_loss <= found.smoothed_disagreement);
            prop_assert!(found.divergence >= 0.0 && found.divergence.is_finite());
        }
    }

    #[test]
    fn one_changed_class_of_four() {
        let reference = vec![vec![2.0, 0.0], vec![0.0, 2.0], vec![3.0, 0.0], vec![0.5, 0.0]];
        let mut outputs = reference.clone();
        outputs[3] = vec![-0.5, 0.0];
        let found = Agreement::new(&reference, &outputs);
        assert_eq!((found.samples, found.top1), (4, 0.75));
        // Of two classes every margin is twice the spread, and the one change is
        // minus four times: it overcomes each of the four margins.
        assert_eq!(found.smoothed_disagreement, 4.0 / 16.0);
        assert!(found.divergence > 0.0);
    }

    #[test]
    fn softmax_outputs_and_logits_say_the_same() {
        let logits = [vec![1.0_f32, -0.5, 0.25]];
        let total: f32 = logits[0].iter().map(|v| v.exp()).sum();
        let probabilities: Vec<f32> = logits[0].iter().map(|v| v.exp() / total).collect();
        let (a, b) = (log_probabilities(&logits[0]), log_probabilities(&probabilities));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }
}
