//! Memories with columns: patterns, products, symmetric codebooks.

use axp_golden::am::rounded_product;
use axp_golden::codesign::cluster::{layer_rng, symmetric_k_means};
use axp_golden::codesign::factored::{Words, significands};
use axp_golden::codesign::grid::{self, Units};
use axp_golden::codesign::patterns::{Pattern, best_patterns};
use axp_golden::codesign::product::round_significand;
use axp_golden::codesign::profile::{Moments, Pair};
use axp_spec::{Accumulator, AmImage, FactoredConfig, FloatFormat::Binary32, GridConfig, PeConfig};
use proptest::prelude::*;

/// Fraction bits of the keys.
const BITS: u32 = 2;

fn pair(cluster: u32, activation: f32, count: u64) -> Pair {
    let (a, n) = (f64::from(activation), count as f64);
    let key = activation.to_bits() & u32::MAX << (23 - BITS);
    Pair { cluster, key, moments: Moments { count, sum: a * n, square: a * a * n } }
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    let activation = prop_oneof![3 => 0.01f32..4.0, 1 => -8.0f32..8.0, 1 => 1e-20f32..1e20];
    proptest::collection::vec((0..3u32, activation, 1..100u64), 1..25)
        .prop_map(|all| all.into_iter().map(|(cluster, activation, count)| pair(cluster, activation, count)).collect())
}

const CODEBOOK: [f32; 3] = [-0.5, 0.25, 1.5];

/// Σ (weight·(activation − mean of its pattern))²; none if one has no pattern.
fn error(patterns: &[Pattern], pairs: &[Pair]) -> Option<f64> {
    let mut sums = vec![[0.0; 3]; patterns.len()];
    for pair in pairs {
        let found = patterns.iter().position(|pattern| pattern.matches(pair.key & (u32::MAX >> 1)))?;
        let energy = f64::from(CODEBOOK[pair.cluster as usize]).powi(2);
        let Moments { count, sum, square } = pair.moments;
        let new = [energy * count as f64, energy * sum.abs(), energy * square];
        sums[found].iter_mut().zip(new).for_each(|(sum, new)| *sum += new);
    }
    Some(sums.iter().filter(|[mass, ..]| *mass > 0.0).map(|[m, s, q]| (q - s * s / m).max(0.0)).sum())
}

/// Every way to serve the pairs by at most so many prefixes below a node.
fn least(pairs: &[Pair], depth: u32, index: u32, patterns: usize) -> f64 {
    let node = Pattern { key: index << (31 - depth), care: (u32::MAX >> 1) & !((1 << (31 - depth)) - 1) };
    let here: Vec<Pair> = pairs.iter().copied().filter(|pair| node.matches(pair.key & (u32::MAX >> 1))).collect();
    if here.is_empty() {
        return 0.0;
    }
    if patterns == 0 {
        return f64::INFINITY;
    }
    let finite = node.care & !node.key & 0x7F80_0000 != 0;
    let alone = if finite { error(&[node], &here).unwrap_or(f64::INFINITY) } else { f64::INFINITY };
    if depth == 8 + BITS {
        return alone;
    }
    let half = |side: u32, patterns| least(&here, depth + 1, 2 * index + side, patterns);
    (0..=patterns).map(|first| half(0, first) + half(1, patterns - first)).fold(alone, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn patterns_are_disjoint_finite_and_as_good_as_any_prefixes(pairs in pairs(), patterns in 2..6usize) {
        let found = best_patterns(&pairs, BITS, &CODEBOOK, 0, patterns);
        let expected = least(&pairs, 0, 0, patterns);
        prop_assert!(found.len() <= patterns);
        // Two prefixes in one pattern may serve what as many prefixes cannot.
        prop_assert!(expected.is_infinite() || !found.is_empty());
        for (index, pattern) in found.iter().enumerate() {
            prop_assert_eq!(pattern.key & !pattern.care, 0);
            prop_assert!(pattern.care & !pattern.key & 0x7F80_0000 != 0);
            prop_assert!(pattern.fraction_bits() <= BITS);
            let overlaps = |other: &Pattern| (other.key ^ pattern.key) & other.care & pattern.care == 0;
            prop_assert!(!found[..index].iter().any(overlaps));
        }
        if found.is_empty() {
            return Ok(());
        }
        let reached = error(&found, &pairs).expect("every activation is served");
        let scale: f64 = pairs.iter().map(|pair| pair.moments.square).sum();
        prop_assert!(reached <= expected + 1e-9 * scale, "{reached} {expected}");
    }

    #[test]
    fn significands_are_rounded_as_the_reference_does(word_bits in 2..=24u32, weight in 0..1u32 << 23, activation in 0..1u32 << 23) {
        let value = |fraction: u32| f64::from(f32::from_bits(0x3F80_0000 | fraction));
        let expected = rounded_product(Binary32, word_bits, weight, activation);
        prop_assert_eq!(round_significand(word_bits, value(weight), value(activation)), expected);
    }

    #[test]
    fn a_factored_row_is_near_the_products_it_stands_for(pairs in pairs(), word_bits in 8..=16u32) {
        let shape = FactoredConfig { columns: 3, mantissa_bits: BITS };
        let magnitudes = CODEBOOK.map(f32::abs);
        let of_cluster = |cluster: u32| Some((cluster, magnitudes[cluster as usize]));
        let image = significands(shape, Words::whole(word_bits), &magnitudes, &pairs, of_cluster);
        let accumulator = Accumulator::Fixed { width: 24, product_width: word_bits };
        let config = PeConfig { accumulator, ..PeConfig::factored("a", 3, BITS) };
        prop_assert_eq!(image.validate(&config), Ok(()));
        prop_assert_eq!(image.rows.len(), 12);
        for row in &image.rows {
            let (column, weight, activation) = shape.parts(Binary32, row.key);
            let significand = |fraction: u32| f64::from(f32::from_bits(0x3F80_0000 | fraction));
            let low = significand(weight) * significand(activation);
            let high = significand(weight) * (significand(activation) + 0.25);
            let stored = word_bits - 1;
            let (carry, fraction) = (row.product.0 >> stored, row.product.0 & ((1 << stored) - 1));
            let value = (1.0 + f64::from(fraction) / f64::from(1_u32 << stored)) * f64::from(1 + carry);
            let unit = 2.0 / f64::from(1_u32 << stored);
            prop_assert!(value >= low - unit && value <= high + unit, "{column} {low} {value} {high}");
        }
    }

    #[test]
    fn coarser_rows_are_those_of_a_smaller_memory_and_shorter_products_end_in_zeros(
        pairs in pairs(), bits in 8..=16u32, (coarser, shorter) in (0..=BITS, 0..6u32),
    ) {
        let magnitudes = CODEBOOK.map(f32::abs);
        let rows = |mantissa_bits: u32, words: Words| {
            let shape = FactoredConfig { columns: 3, mantissa_bits };
            significands(shape, words, &magnitudes, &pairs, |cluster| Some((cluster, magnitudes[cluster as usize]))).rows
        };
        let found = rows(BITS, Words { bits, shorter, coarser });
        let small = rows(BITS - coarser, Words::whole(bits - shorter));
        let whole = rows(BITS, Words::whole(bits));
        for (index, (row, whole)) in found.iter().zip(&whole).enumerate() {
            prop_assert_eq!((row.key, row.care), (whole.key, whole.care));
            prop_assert_eq!(row.product.0, small[index >> coarser].product.0 << shorter);
        }
    }

    #[test]
    fn a_symmetric_codebook_has_few_magnitudes(
        weights in proptest::collection::vec(-4.0f32..4.0, 1..200),
        columns in 1..12usize,
        seed: u64,
    ) {
        let importance = vec![1.0; weights.len()];
        let found = symmetric_k_means(&weights, &importance, columns, &mut layer_rng(seed, 1));
        let mut magnitudes: Vec<u32> = found.codebook.iter().map(|w| w.abs().to_bits()).collect();
        magnitudes.sort_unstable();
        magnitudes.dedup();
        prop_assert!(magnitudes.len() <= columns);
        prop_assert!(found.codebook.windows(2).all(|c| c[0].total_cmp(&c[1]).is_lt()));
        prop_assert!(found.weights().iter().zip(&weights).all(|(a, b)| a.is_sign_negative() == b.is_sign_negative()));
    }
}

#[test]
fn two_exponents_that_differ_in_one_bit_share_a_pattern_where_that_is_best() {
    // Exponents 124 and 126 are seldom met, and beside them three values often.
    let often = [0.25, 0.375, 1.0].map(|value| pair(0, value, 1000));
    let pairs: Vec<Pair> = often.into_iter().chain([0.125, 0.5].map(|value| pair(0, value, 1))).collect();
    let found = best_patterns(&pairs, BITS, &CODEBOOK, 0, 4);
    let reached = error(&found, &pairs).unwrap();
    assert!(reached < 0.5 * least(&pairs, 0, 0, 4), "{reached} {found:x?}");
    assert!(found.contains(&Pattern { key: 124 << 23, care: 0xFD << 23 }), "{found:x?}");
    assert_eq!(found.iter().map(Pattern::fraction_bits).max(), Some(1));
}

#[test]
fn grid_products_are_rounded_once_and_never_too_wide() {
    let pairs = [pair(0, 1.0, 3), pair(0, 1.125, 1), pair(1, -2.5, 2)];
    let patterns = best_patterns(&pairs, BITS, &CODEBOOK, 5, 3);
    assert_eq!(error(&patterns, &pairs), Some(0.0 + error(&patterns, &pairs).unwrap()));
    let shape = GridConfig { patterns: 3, columns: 2 };
    let activations = grid::representatives(&patterns, 2, &pairs, 5, Some);
    let magnitudes = [0.5, 0.25];
    let config =
        PeConfig { accumulator: Accumulator::Fixed { width: 16, product_width: 8 }, ..PeConfig::grid("a", 3, 2) };
    let rows = |range: u32, shorter: u32| {
        let format = config.accumulator_format(range).unwrap();
        let units = Units { format, bits: 8, shorter };
        grid::rows(shape, &patterns, &magnitudes, &activations, Some(units)).map(|image: AmImage| (image, format))
    };
    // A unit of 2^-7 holds 0.625 in 8 bits, one of 2^-9 does not.
    let (image, format) = rows(134, 0).unwrap();
    assert_eq!(format.last_bit, -7);
    assert_eq!(image.validate(&config), Ok(()));
    let of = |image: &AmImage, activation: f32, column: usize| {
        let pattern = patterns.iter().position(|pattern| pattern.matches(activation.to_bits())).unwrap();
        image.rows[2 * pattern + column].product.0
    };
    // The mean of three times 1 and once 1.125 is 1.03125; half of it 66 units.
    assert_eq!((of(&image, 1.0, 0), of(&image, 2.5, 1), of(&image, 0.0, 0)), (66, 80, 0));
    // In steps of 4 units 66 is a tie, and goes to the even one.
    let (shorter, _) = rows(134, 2).unwrap();
    assert_eq!((of(&shorter, 1.0, 0), of(&shorter, 2.5, 1), of(&shorter, 0.0, 0)), (64, 80, 0));
    assert!(rows(132, 0).is_none() && rows(132, 2).is_none());
    // A product of binary32 always fits.
    let float = grid::rows(shape, &patterns, &magnitudes, &activations, None).unwrap();
    assert_eq!(float.validate(&PeConfig::grid("a", 3, 2)), Ok(()));
}
