//! The profile against an enumeration of every multiply-accumulate.

use crate::layers::layer;
use axp_golden::codesign::profile::{MacCounts, Zeros, key_mask};
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn counts_every_pair(layer in layer(5, true), fraction_bits in 0_u32..=23) {
        let mut expected = BTreeMap::new();
        for (cluster, activation) in layer.operands() {
            if let Some(a) = activation.filter(|a| a.is_finite() && *a != 0.0) {
                let bin = expected.entry((a.to_bits() & key_mask(fraction_bits), cluster)).or_insert((0, 0.0, 0.0));
                let a = f64::from(a);
                *bin = (bin.0 + 1, bin.1 + a, bin.2 + a * a);
            }
        }
        let found = layer.pairs(fraction_bits);
        // Same bins in the same order: by key, then cluster.
        prop_assert!(found.iter().map(|pair| (pair.key, pair.cluster)).eq(expected.keys().copied()));
        for (pair, (count, sum, square)) in found.iter().zip(expected.values()) {
            prop_assert_eq!(pair.moments.count, *count);
            prop_assert_eq!(pair.moments.sum, *sum);
            prop_assert_eq!(pair.moments.square, *square);
        }
    }

    #[test]
    fn counts_zeros_padding_and_specials_apart(layer in layer(5, true)) {
        let mut expected = MacCounts::default();
        for (_, activation) in layer.operands() {
            expected.macs += 1;
            match activation {
                None => expected.padding += 1,
                Some(a) if !a.is_finite() => expected.special += 1,
                Some(a) if a != 0.0 => {}
                Some(a) if a.is_sign_negative() => expected.zeros.negative += 1,
                Some(_) => expected.zeros.positive += 1,
            }
        }
        prop_assert_eq!(layer.counts(), expected);
    }

    #[test]
    fn importance_is_how_much_each_weights_activations_vary(layer in layer(5, false)) {
        // By class: elements of the same channel that meet the same weights share a mean.
        let classes = layer.classes();
        let of_input = classes.of_inputs();
        let mut values = vec![Vec::new(); classes.len()];
        for sample in &layer.samples {
            sample.iter().zip(&of_input).for_each(|(a, class)| values[*class as usize].push(f64::from(*a)));
        }
        let mut expected = vec![0.0; layer.geometry.weights()];
        for (class, values) in values.iter().enumerate() {
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let scatter: f64 = values.iter().map(|a| (a - mean).powi(2)).sum();
            classes.weights(class).for_each(|weight| expected[weight] += scatter);
        }
        for (found, expected) in layer.activations().profile(4).importance(&classes).iter().zip(expected) {
            prop_assert!((found - expected).abs() <= 1e-9 * (1.0 + expected), "{found} {expected}");
        }
    }

    #[test]
    fn classes_hold_inputs_that_meet_the_same_weights(layer in layer(5, false)) {
        let classes = layer.classes();
        let of_input = classes.of_inputs();
        let mut met = vec![Vec::new(); layer.geometry.inputs()];
        for output in 0..layer.geometry.outputs() {
            for (weight, input) in layer.geometry.operands(output) {
                input.into_iter().for_each(|input| met[input].push(weight));
            }
        }
        for (mut met, class) in met.into_iter().zip(of_input) {
            met.sort_unstable();
            let mut expected: Vec<usize> = classes.weights(class as usize).collect();
            expected.sort_unstable();
            prop_assert_eq!(met, expected);
        }
    }
}

#[test]
fn zeros_of_both_signs_are_zeros_and_subnormals_are_not() {
    assert_eq!(Zeros { positive: 2, negative: 1 }.total(), 3);
    let counts = MacCounts { macs: 10, zeros: Zeros { positive: 2, negative: 1 }, padding: 3, special: 1 };
    assert_eq!((counts.all_zeros(), counts.nonzero()), (6, 4));
}
