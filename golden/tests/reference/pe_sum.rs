//! The PE as numbers: against the host's multiply-accumulate chain, and the
//! rules for hits and zeros.

use crate::host;
use crate::operands::{any_encoding, network_value};
use axp_golden::am::{Am, Pattern};
use axp_golden::float;
use axp_golden::pe::{self, SumOutcome};
use axp_spec::design::CHANNEL_EXPONENTS;
use axp_spec::{Accumulator, AmImage, AmRow, FloatFormat::Binary32, PeConfig, RowWrite};
use proptest::prelude::*;

const ROWS: usize = 16;

fn config() -> PeConfig {
    PeConfig::pair("pe", ROWS)
}

/// With a pipelined adder.
fn interleaved() -> PeConfig {
    PeConfig { adder_stages: 1, ..config() }
}

/// The plain FPU PE on the host: a multiply and an add a pair, nothing fused.
fn host_chain(operands: &[(u32, u32)], zero_skip: bool) -> u32 {
    let chain = operands.iter().fold(0f32, |sum, (weight, activation)| {
        let (w, a) = (f32::from_bits(*weight), f32::from_bits(*activation));
        if zero_skip && a == 0.0 { sum } else { sum + w * a }
    });
    host::canonical(chain)
}

fn operands() -> impl Strategy<Value = Vec<(u32, u32)>> {
    let pair = prop_oneof![
        10 => (network_value(), network_value()),
        1 => (network_value(), any_encoding()),
        1 => (any_encoding(), network_value()),
    ];
    prop::collection::vec(pair, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn an_empty_memory_is_the_plain_fpu_chain(operands in operands(), zero_skip: bool) {
        let outcome = pe::sum(&config(), &Am::new(&config()), zero_skip, operands.iter().copied());
        prop_assert_eq!(outcome.data, host_chain(&operands, zero_skip));
        let zeros = operands.iter().filter(|(_, a)| f32::from_bits(*a) == 0.0).count() as u64;
        let skipped = if zero_skip { zeros } else { 0 };
        prop_assert_eq!(
            outcome,
            SumOutcome { data: outcome.data, hits: 0, misses: operands.len() as u64 - skipped, skipped, ..SumOutcome::default() }
        );
    }

    /// Every second pair to each of two chains, skipped ones counted.
    #[test]
    fn interleaved_sums_are_two_host_chains(operands in operands(), zero_skip: bool) {
        let every_second = |from| operands.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
        let [even, odd] = [0, 1].map(|from| f32::from_bits(host_chain(&every_second(from), zero_skip)));
        let found = pe::sum(&interleaved(), &Am::new(&config()), zero_skip, operands.iter().copied());
        let in_order = pe::sum(&config(), &Am::new(&config()), zero_skip, operands.iter().copied());
        prop_assert_eq!(found, SumOutcome { data: host::canonical(even + odd), ..in_order });
    }

    #[test]
    fn exact_rows_change_no_bit(operands in operands(), choice in prop::collection::vec(any::<prop::sample::Index>(), ROWS), zero_skip: bool) {
        // Rows for pairs of this very stream, as far as they can be stored.
        let loadable = |(weight, activation): &(u32, u32)| {
            let product = float::mul(Binary32, (*weight).into(), (*activation).into()).bits as u32;
            let finite = [*weight, *activation, product].iter().all(|x| f32::from_bits(*x).is_finite());
            finite.then(|| AmRow::exact(Binary32, *weight, *activation, product))
        };
        let candidates: Vec<AmRow> = operands.iter().filter_map(loadable).collect();
        prop_assume!(!candidates.is_empty());
        let mut am = Am::new(&config());
        am.load(&AmImage { rows: choice.iter().map(|index| *index.get(&candidates)).collect() }).unwrap();

        let with_rows = pe::sum(&config(), &am, zero_skip, operands.iter().copied());
        prop_assert_eq!(with_rows.data, host_chain(&operands, zero_skip));
        let stored = choice.iter().any(|index| (index.get(&candidates).key as u32) << 1 != 0);
        prop_assert!(with_rows.hits > 0 || zero_skip && !stored, "some row was taken from the stream");
        prop_assert_eq!(with_rows.hits + with_rows.misses + with_rows.skipped, operands.len() as u64);
    }

    /// With partial rows the chain is the host's with the stored products put
    /// in place; which those are is decided here by comparing prefixes.
    #[test]
    fn partial_rows_put_their_products_into_the_chain(
        operands in operands(),
        rows in prop::collection::vec((network_value(), network_value(), 0..23u32, -8f32..8.0), 0..ROWS),
        zero_skip: bool,
    ) {
        let image = AmImage {
            rows: rows.iter().map(|(w, a, m, p)| Pattern::partial(Binary32, *w, *a, *m).row(p.to_bits())).collect(),
        };
        let mut am = Am::new(&config());
        am.load(&image).unwrap();
        let mut expected = SumOutcome::default();
        let mut sum = 0f32;
        for (weight, activation) in &operands {
            let stored = rows.iter().find(|(w, a, m, _)| w == weight && a >> (23 - m) == activation >> (23 - m));
            let (w, a) = (f32::from_bits(*weight), f32::from_bits(*activation));
            if zero_skip && a == 0.0 {
                expected.skipped += 1;
            } else if let Some((_, _, _, product)) = stored {
                expected.hits += 1;
                sum += product;
            } else {
                expected.misses += 1;
                sum += w * a;
            }
        }
        expected.data = host::canonical(sum);
        prop_assert_eq!(pe::sum(&config(), &am, zero_skip, operands.iter().copied()), expected);
    }

    /// The host's binary64 scales, rounds and converts exactly up to 53 bits.
    #[test]
    fn fixed_point_sums_are_host_integers(
        operands in operands(),
        width in 8u32..=53,
        stored in any::<i32>(),
        range in prop_oneof![110u32..150, 0u32..256],
        zero_skip: bool,
    ) {
        let product_width = width.min(20);
        let config = PeConfig { accumulator: Accumulator::Fixed { width, product_width }, ..config() };
        // One row, whose product is known, for the weight of the first pair.
        let stored = i64::from(stored >> (32 - product_width));
        let weight = operands.first().map_or(ONE, |(weight, _)| *weight);
        let mut am = Am::new(&config);
        let care = Binary32.key_of(u32::MAX, 0x4000_0000);
        let product = stored as u32 & ((1 << product_width) - 1);
        am.write(&RowWrite { address: 2, key: Binary32.key_of(weight, 0), care, product, valid: true });

        let last_bit = range as i32 + 2 - 127 - width as i32;
        let unit = 2f64.powi(last_bit);
        let limit = 2f64.powi(width as i32 - 1);
        let (mut sum, mut overflow, mut invalid) = (0f64, false, false);
        for (w, a) in &operands {
            let (x, y) = (f32::from_bits(*w), f32::from_bits(*a));
            if zero_skip && y == 0.0 {
                continue;
            }
            let hit = *w == weight && a & 0x4000_0000 == 0 && x.is_finite();
            let units = if hit { stored as f64 } else { (f64::from(x * y) / unit).round_ties_even() };
            invalid |= units.is_nan();
            let addend = if units.is_nan() { 0.0 } else { units.clamp(-limit, limit - 1.0) };
            overflow |= !units.is_nan() && addend != units;
            let total = sum + addend;
            sum = total.clamp(-limit, limit - 1.0);
            overflow |= sum != total;
        }
        let found = pe::sum(&config, &am, pe::Settings { zero_skip, range }, operands.iter().copied());
        prop_assert_eq!((found.overflow, found.invalid), (overflow, invalid));
        // An integer zero is +0; what is rounded to zero keeps its sign.
        let expected = if sum == 0.0 { 0.0 } else { (sum * unit) as f32 };
        prop_assert_eq!(found.data, expected.to_bits());
    }

    #[test]
    fn the_epilogue_is_one_host_multiplication_and_one_addition(
        sum in any_encoding(),
        bias in any_encoding(),
        has_bias: bool,
        exponent in prop_oneof![Just(0), -20..5, CHANNEL_EXPONENTS],
    ) {
        let scaled = match exponent {
            0 => f32::from_bits(sum),
            exponent => f32::from_bits(host::canonical(f32::from_bits(sum) * 2_f32.powi(exponent))),
        };
        let expected = if has_bias { host::canonical(scaled + f32::from_bits(bias)) } else { scaled.to_bits() };
        let epilogue = pe::Epilogue { exponent, bias: has_bias.then_some(bias) };
        prop_assert_eq!(epilogue.apply(sum), expected);
    }
}

const ONE: u32 = 0x3F80_0000;
const INFINITY: u32 = 0x7F80_0000;

#[test]
fn skipped_zeros_leave_the_accumulator_whatever_the_weight() {
    let am = Am::new(&config());
    for zero in [0, 0x8000_0000] {
        for weight in [0, ONE, INFINITY, 0x7FC0_0001, 0xFF80_0000] {
            let outcome = pe::sum(&config(), &am, true, [(ONE, ONE), (weight, zero)]);
            assert_eq!(outcome, SumOutcome { data: ONE, hits: 0, misses: 1, skipped: 1, ..SumOutcome::default() });
        }
    }
    let not_skipped = pe::sum(&config(), &am, false, [(INFINITY, 0)]);
    assert_eq!(
        not_skipped,
        SumOutcome { data: host::CANONICAL_NAN, hits: 0, misses: 1, skipped: 0, ..SumOutcome::default() }
    );
}

#[test]
fn subnormal_activations_and_zero_weights_are_not_skipped() {
    let am = Am::new(&config());
    let two_to_the_23 = 0x4B00_0000;
    assert_eq!(pe::sum(&config(), &am, true, [(two_to_the_23, 1)]).data, 0x0080_0000);
    let zero_weight = pe::sum(&config(), &am, true, [(0, ONE), (0x8000_0000, INFINITY)]);
    assert_eq!(
        zero_weight,
        SumOutcome { data: host::CANONICAL_NAN, hits: 0, misses: 2, skipped: 0, ..SumOutcome::default() }
    );
}

#[test]
fn zero_skip_comes_before_the_memory() {
    let mut am = Am::new(&config());
    am.write(&RowWrite { address: 0, key: Binary32.key_of(ONE, 0), care: u64::MAX, product: ONE, valid: true });
    assert_eq!(
        pe::sum(&config(), &am, false, [(ONE, 0)]),
        SumOutcome { data: ONE, hits: 1, misses: 0, skipped: 0, ..SumOutcome::default() }
    );
    assert_eq!(
        pe::sum(&config(), &am, true, [(ONE, 0)]),
        SumOutcome { data: 0, hits: 0, misses: 0, skipped: 1, ..SumOutcome::default() }
    );
}

#[test]
fn a_sum_starts_at_plus_zero() {
    let am = Am::new(&config());
    assert_eq!(pe::sum(&config(), &am, false, []).data, 0);
    // +0 + -0 is +0: the start is an operand like any other.
    assert_eq!(pe::sum(&config(), &am, false, [(ONE, 0x8000_0000)]).data, 0);
}

/// 2^24 + 1 is a tie, and loses the 1; only apart from 2^24 do ones add up.
#[test]
fn positions_decide_the_interleaved_sum() {
    let (am, large) = (Am::new(&config()), 0x4B80_0000);
    let sum =
        |zero_skip, operands: &[(u32, u32)]| pe::sum(&interleaved(), &am, zero_skip, operands.iter().copied()).data;
    let ones_at_odd = [(large, ONE), (ONE, ONE), (ONE, 0), (ONE, ONE)];
    let ones_at_even = [(large, ONE), (ONE, 0), (ONE, ONE), (ONE, 0), (ONE, ONE)];
    for zero_skip in [false, true] {
        assert_eq!(sum(zero_skip, &ones_at_odd), large + 1, "1 + 1, then 2^24 + 2");
        assert_eq!(sum(zero_skip, &ones_at_even), large, "2^24 + 1 twice; a skipped pair has a position");
    }
    assert_eq!(sum(true, &[]), 0);
    assert_eq!(sum(true, &[(0x8000_0000, ONE)]), 0, "+0 + -0");
    assert_eq!(sum(true, &[(ONE, ONE)]), ONE);
}

/// Hits and misses alike, with the memory's product in its place.
#[test]
fn interleaved_sums_take_products_from_the_memory() {
    let mut am = Am::new(&config());
    let (two, five) = (0x4000_0000, 0x40A0_0000);
    am.write(&RowWrite { address: 3, key: Binary32.key_of(two, two), care: u64::MAX, product: five, valid: true });
    let outcome = pe::sum(&interleaved(), &am, true, [(ONE, ONE), (two, two), (ONE, 0), (two, ONE)]);
    assert_eq!(
        outcome,
        SumOutcome { data: 0x4100_0000, hits: 1, misses: 2, skipped: 1, ..SumOutcome::default() },
        "1 + (5 + 2) = 8"
    );
}
