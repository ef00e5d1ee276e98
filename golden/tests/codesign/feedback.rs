//! Covariance and error feedback against direct sums over operands.

use crate::layers::{Layer, layer};
use axp_golden::codesign::cluster::{Clustering, k_means, layer_rng};
use axp_golden::codesign::covariance::Covariance;
use axp_golden::codesign::feedback::{Feedback, refine};
use proptest::prelude::*;

fn covariance(layer: &Layer) -> Covariance {
    Covariance::collect(&layer.geometry, &layer.samples.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Mean over samples and positions of the squared change of each output about
/// its channel's mean, summed over the channels, for a change of the weights.
fn output_error(layer: &Layer, change: &[f64]) -> f64 {
    let geometry = &layer.geometry;
    let mut outputs = vec![Vec::new(); geometry.out_channels];
    for sample in &layer.samples {
        for output in 0..geometry.outputs() {
            let terms =
                geometry.operands(output).map(|(w, input)| change[w] * input.map_or(0.0, |i| f64::from(sample[i])));
            outputs[geometry.channel_of(output)].push(terms.sum::<f64>());
        }
    }
    let of_channel = |values: &Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
    };
    outputs.iter().map(of_channel).sum()
}

fn change(weights: &[f32], clustered: &Clustering) -> Vec<f64> {
    weights.iter().zip(clustered.weights()).map(|(w, c)| f64::from(*w) - f64::from(c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn covariance_predicts_the_output_error(layer in layer(5, false)) {
        let found = covariance(&layer);
        let delta: Vec<f64> = layer.clustering.weights().iter().map(|w| f64::from(*w)).collect();
        let size = layer.geometry.macs_per_output();
        let predicted: f64 = (0..layer.geometry.out_channels).map(|channel| {
            let c = found.group(channel / (layer.geometry.out_channels / layer.geometry.groups));
            let e = &delta[channel * size..][..size];
            (0..size).flat_map(|i| (0..size).map(move |j| (i, j))).map(|(i, j)| e[i] * c[(i, j)] * e[j]).sum::<f64>()
        }).sum();
        let expected = output_error(&layer, &delta);
        // -2000 among the activations costs digits.
        prop_assert!((predicted - expected).abs() <= 1e-7 * (1.0 + expected.abs()) + 1e-2, "{predicted} {expected}");
    }

    #[test]
    fn feedback_never_makes_it_worse(layer in layer(5, false), seed: u64, k in 1_usize..5) {
        // Weights that are all different.
        let weights: Vec<f32> = (0..layer.geometry.weights()).map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0).collect();
        let start = k_means(&weights, &vec![1.0; weights.len()], k, &mut layer_rng(seed, 0));
        let found = refine(&weights, &layer.geometry, &covariance(&layer), start.clone());
        prop_assert_eq!(found.assignment.len(), weights.len());
        prop_assert!(found.codebook.len() <= start.codebook.len() && !found.codebook.is_empty());
        prop_assert!(found.codebook.windows(2).all(|c| c[0] <= c[1]));
        let (before, after) = (output_error(&layer, &change(&weights, &start)), output_error(&layer, &change(&weights, &found)));
        prop_assert!(after <= before * (1.0 + 1e-6) + 1e-2, "{before} {after}");
        prop_assert_eq!(&refine(&weights, &layer.geometry, &covariance(&layer), start), &found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_shared_codebook_keeps_its_significands_and_powers(
        layer in layer(5, false),
        fractions in 1_u32..5,
        powers in 1_i32..5,
        scale in -3_i32..3,
    ) {
        let weights: Vec<f32> = (0..layer.geometry.weights()).map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0).collect();
        let significands = (0..fractions).map(|f| 1.0 + (f as f32 + 0.5) / fractions as f32);
        let mut codebook: Vec<f32> =
            significands.flat_map(|f| (0..powers).map(move |k| f * 2_f32.powi(k + scale))).flat_map(|m| [-m, m]).collect();
        codebook.sort_by(f32::total_cmp);
        let distance = |w: f32, index: usize| (codebook[index] - w).abs();
        let nearest = |w: &f32| {
            (0..codebook.len()).min_by(|a, b| distance(*w, *a).total_cmp(&distance(*w, *b))).unwrap() as u32
        };
        let start = Clustering { assignment: weights.iter().map(nearest).collect(), codebook: codebook.clone() };
        let covariance = covariance(&layer);
        // Channels count differently, and the order must be that of the channels.
        let importance: Vec<f64> = (0..layer.geometry.out_channels).map(|channel| 4_f64.powi(channel as i32)).collect();
        let found = Feedback::new(&layer.geometry, &covariance).refine_shared(&weights, Some(&importance), start.clone());
        prop_assert_eq!(found.codebook.len(), codebook.len());
        let parts = |value: &f32| (value.abs().to_bits() & 0x007F_FFFF, value.to_bits() >> 23);
        let mut of_found: Vec<u32> = found.codebook.iter().map(|value| parts(value).0).collect();
        of_found.sort_unstable();
        of_found.dedup();
        prop_assert!(of_found.len() <= fractions as usize, "{of_found:x?}");
        let exponents = |codebook: &[f32]| codebook.iter().map(|value| parts(value).1).collect::<Vec<_>>();
        prop_assert_eq!(exponents(&found.codebook), exponents(&codebook));
        let error = |clustering: &Clustering| -> f64 {
            let size = layer.geometry.macs_per_output();
            let all = change(&weights, clustering);
            let of_channel = |channel: usize| {
                let own: Vec<f64> =
                    all.iter().enumerate().map(|(w, e)| if w / size == channel { *e } else { 0.0 }).collect();
                importance[channel] * output_error(&layer, &own)
            };
            (0..layer.geometry.out_channels).map(of_channel).sum()
        };
        let (before, after) = (error(&start), error(&found));
        prop_assert!(after <= before * (1.0 + 1e-6) + 1e-2 * importance.iter().sum::<f64>(), "{before} {after}");
    }
}

/// Two inputs that always agree: what one weight loses the other can make good.
#[test]
fn errors_are_made_good_where_activations_agree() {
    let geometry = axp_golden::net::Geometry::dense(1, 2, 1);
    let samples: Vec<Vec<f32>> = (0..32).map(|i| vec![i as f32, i as f32]).collect();
    let covariance = Covariance::collect(&geometry, &samples.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let start = Clustering { codebook: vec![0.0, 1.0], assignment: vec![0, 0] };
    // Rounded one by one, both become 0 and the sum loses 0.8.
    let found = refine(&[0.4, 0.4], &geometry, &covariance, start);
    let sum: f32 = found.weights().iter().sum();
    assert!((sum - 0.8).abs() < 0.01, "{found:?}");
}
