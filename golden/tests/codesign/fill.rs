//! Rows against the calibration operands they were made from.

use crate::exact::is_nearest;
use crate::layers::{Layer, layer};
use axp_golden::am::Am;
use axp_golden::codesign::fill::{Fill, by_frequency};
use axp_golden::codesign::ternary::{Budget, Forest};
use axp_spec::{AmImage, AmRow, PeConfig};
use proptest::prelude::*;

fn frequent(layer: &Layer, fraction_bits: u32, rows: usize, zero_skip: bool) -> Fill {
    let clusters = layer.classes().clusters(&layer.clustering);
    let profile = layer.activations().profile(fraction_bits);
    let codebook = &layer.clustering.codebook;
    by_frequency(|visit| profile.pairs(&clusters, visit), codebook, &layer.counts(), fraction_bits, rows, zero_skip)
}

fn ternary(layer: &Layer, fraction_bits: u32, budget: &Budget) -> Fill {
    let codebook = &layer.clustering.codebook;
    Forest::new(&layer.pairs(fraction_bits), codebook, fraction_bits).fill(codebook, &layer.counts(), budget)
}

/// Searches every operand of every sample in the reference memory, and compares
/// hits, errors and products with what the fill says of itself.
fn check(layer: &Layer, fill: &Fill, rows: usize, zero_skip: bool) -> Result<(), TestCaseError> {
    let image = AmImage { rows: fill.rows.clone() };
    let config = PeConfig::pair("t", rows.max(1));
    prop_assert_eq!(image.validate(&config), Ok(()));
    let mut am = Am::new(&config);
    prop_assert!(am.load(&image).is_ok());

    let mut behind: Vec<Vec<(f32, f64)>> = vec![Vec::new(); fill.rows.len()];
    let (mut hits, mut nonzero_hits, mut error) = (0, 0, 0.0);
    for (cluster, activation) in layer.operands() {
        let (w, a) = (layer.clustering.codebook[cluster as usize], activation.unwrap_or(0.0));
        let Some(hit) = am.search(w.to_bits(), a.to_bits()).filter(|_| !(zero_skip && a == 0.0)) else { continue };
        hits += 1;
        let product = f64::from(f32::from_bits(hit.product));
        if a == 0.0 {
            prop_assert_eq!(hit.product, 0, "the row for zeros comes first");
        } else {
            nonzero_hits += 1;
            behind[hit.row].push((w, f64::from(a)));
            error += (product - f64::from(w) * f64::from(a)).powi(2);
        }
    }
    prop_assert_eq!((fill.hits, fill.nonzero_hits), (hits, nonzero_hits));
    // The product is rounded to binary32, the fill's own figure is not.
    prop_assert!((fill.error - error).abs() <= 1e-6 * error + 1e-6, "{} {error}", fill.error);

    for (row, met) in fill.rows.iter().zip(behind) {
        let product = f32::from_bits(row.product.0);
        let Some((w, _)) = met.first() else {
            prop_assert_eq!(row.product.0, 0, "only the row for zeros may serve nothing else");
            continue;
        };
        prop_assert!(met.iter().all(|(other, _)| other.to_bits() == w.to_bits()), "one row, one weight");
        // The values are such that these sums are exact, unless a row serves
        // subnormals and others.
        let tiny = met.iter().filter(|(_, a)| a.abs() < f64::from(f32::MIN_POSITIVE)).count();
        if tiny > 0 && tiny < met.len() {
            continue;
        }
        let mean = met.iter().map(|(_, a)| a).sum::<f64>() / met.len() as f64;
        prop_assert!(is_nearest(*w, mean, product), "{w} {mean} {product}");
        if row.is_exact(axp_spec::FloatFormat::Binary32) {
            prop_assert_eq!(product.to_bits(), (w * mean as f32).to_bits());
        }
    }
    Ok(())
}

/// Whether some key matches both rows.
fn overlap(a: &AmRow, b: &AmRow) -> bool {
    (a.key ^ b.key) & a.care & b.care == 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn frequent_rows_do_what_they_say(
        layer in layer(5, false),
        fraction_bits in 0_u32..=23,
        rows in 0_usize..40,
        zero_skip: bool,
    ) {
        let fill = frequent(&layer, fraction_bits, rows, zero_skip);
        prop_assert!(fill.rows.len() <= rows);
        check(&layer, &fill, rows, zero_skip)?;
    }

    #[test]
    fn the_most_frequent_pairs_get_the_rows(layer in layer(5, false), fraction_bits in 0_u32..=23, rows in 0_usize..20) {
        let mut counts: Vec<u64> = layer.pairs(fraction_bits).iter().map(|pair| pair.moments.count).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        let fill = frequent(&layer, fraction_bits, rows, true);
        prop_assert_eq!(fill.rows.len(), rows.min(counts.len()));
        prop_assert_eq!(fill.nonzero_hits, counts.iter().take(rows).sum::<u64>());
        prop_assert_eq!(frequent(&layer, fraction_bits, rows, true), fill);
    }

    #[test]
    fn merged_rows_do_what_they_say(
        layer in layer(5, false),
        fraction_bits in 0_u32..=6,
        rows in 0_usize..40,
        zero_skip: bool,
        error_price in prop_oneof![Just(0.0), 1e-3_f64..1e3],
    ) {
        let fill = ternary(&layer, fraction_bits, &Budget { rows, error_price, zero_skip });
        prop_assert!(fill.rows.len() <= rows);
        check(&layer, &fill, rows, zero_skip)?;
        let operands = fill.rows.iter().filter(|row| row.care >> 32 == 0xFFFF_FFFF).collect::<Vec<_>>();
        for (index, row) in operands.iter().enumerate() {
            prop_assert!(operands[..index].iter().all(|other| !overlap(row, other)), "{:?}", fill.rows);
            prop_assert_eq!(row.care as u32 & !axp_golden::codesign::profile::key_mask(fraction_bits), 0);
        }
    }

    #[test]
    fn merging_never_loses_to_frequency(layer in layer(5, false), fraction_bits in 0_u32..=6, rows in 0_usize..40) {
        let free = ternary(&layer, fraction_bits, &Budget { rows, error_price: 0.0, zero_skip: true });
        let frequent = frequent(&layer, fraction_bits, free.rows.len(), true);
        prop_assert!(free.hits >= frequent.hits, "{} {}", free.hits, frequent.hits);
    }
}
