//! Sums of a PE with a factored memory against host chains, and cycle by cycle.

use crate::factored::{COLUMNS, config, host_product, operand};
use crate::host;
use axp_golden::am::{Am, Operands, rounded_product};
use axp_golden::pe::{self, CyclePe, Settings, SumOutcome};
use axp_spec::FloatFormat::Binary32;
use axp_spec::{Accumulator, AmImage, AmRow, Bits32, PeConfig, PeInputs, RowWrite};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Pairs of a stream whose weights come from a codebook: a column each.
#[derive(Clone, Debug)]
struct Stream {
    operands: Vec<Operands>,
}

/// Weights of a codebook with either sign and any power of two, since a column
/// serves them all; activations of a few fractions, so that rows are met again.
fn stream() -> impl Strategy<Value = Stream> {
    let codebook = prop::collection::vec(any::<u32>(), COLUMNS as usize);
    let fractions = prop::collection::vec(any::<u32>(), 1..6);
    (codebook, fractions).prop_flat_map(|(codebook, fractions)| {
        let scale = prop_oneof![8 => operand(), 1 => Just(0), 1 => Just(1 << 31)];
        let pair = (0..COLUMNS, scale, operand(), any::<prop::sample::Index>(), 0..10u32);
        let pair = pair.prop_map(move |(column, scale, activation, fraction, kind)| {
            let with = |bits: u32, fraction: u32| bits & 0xFF80_0000 | fraction & 0x7F_FFFF;
            let weight = if scale << 1 == 0 { scale } else { with(scale, codebook[column as usize]) };
            let activation = match kind {
                0 => activation,
                1 => activation & 1 << 31,
                _ => with(activation, *fraction.get(&fractions)),
            };
            Operands { column, weight, activation }
        });
        prop::collection::vec(pair, 1..60).prop_map(|operands| Stream { operands })
    })
}

/// Rows for every `keep`th pair of normal numbers in the stream, whose words are
/// the products of the significands as they stand there.
fn image(config: &PeConfig, stream: &Stream, keep: usize) -> AmImage {
    let shape = config.factored_memory().unwrap();
    let normal = |bits: u32| f32::from_bits(bits).is_normal();
    let wanted = stream.operands.iter().filter(|pair| normal(pair.weight) && normal(pair.activation)).step_by(keep);
    let rows: BTreeMap<u32, AmRow> = wanted
        .map(|Operands { column, weight, activation }| {
            let product = rounded_product(Binary32, config.product_bits(), *weight, *activation);
            let key = shape.key(Binary32, *column, *weight, *activation);
            let row = AmRow { key, care: shape.care(Binary32), product: Bits32(product) };
            (shape.address(Binary32, *column, *activation), row)
        })
        .collect();
    AmImage { rows: rows.into_values().collect() }
}

/// What becomes of a pair, by the host: the product of a hit, of a miss, or a skip.
fn host_pair(
    config: &PeConfig,
    image: &AmImage,
    zero_skip: bool,
    pair: &Operands,
    counts: &mut SumOutcome,
) -> Option<f32> {
    let shape = config.factored_memory().unwrap();
    let Operands { column, weight, activation } = *pair;
    if zero_skip && activation << 1 == 0 {
        counts.skipped += 1;
        return None;
    }
    let prefix = |fraction: u32| (fraction & 0x7F_FFFF) >> (23 - shape.mantissa_bits);
    let selected = image.rows.iter().find(|row| {
        let (of, _, fraction) = shape.parts(Binary32, row.key);
        (of, prefix(fraction)) == (column, prefix(activation))
    });
    let word = selected.map(|row| row.product.0);
    match host_product(word, config.product_bits(), weight, activation) {
        Some(product) => {
            counts.hits += 1;
            Some(product)
        }
        None => {
            counts.misses += 1;
            Some(f32::from_bits(weight) * f32::from_bits(activation))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// m = 23: with exact words, whatever hits, the sum is the plain chain.
    #[test]
    fn exact_rows_change_no_bit(stream in stream(), keep in 1..4usize, zero_skip: bool, interleaved: bool) {
        let config = PeConfig { adder_stages: interleaved.into(), ..config(23, 24) };
        let image = image(&config, &stream, keep);
        let mut am = Am::new(&config);
        am.load(&image).unwrap();
        let sums = if interleaved { 2 } else { 1 };
        let mut chains = [0f32; 2];
        let mut expected = SumOutcome::default();
        for (position, pair) in stream.operands.iter().enumerate() {
            host_pair(&config, &image, zero_skip, pair, &mut expected);
            let [w, a] = [pair.weight, pair.activation].map(f32::from_bits);
            if !(zero_skip && a == 0.0) {
                chains[position % sums] += w * a;
            }
        }
        let total = if interleaved { chains[0] + chains[1] } else { chains[0] };
        expected.data = host::canonical(total);
        prop_assert_eq!(pe::sum_operands(&config, &am, zero_skip, stream.operands.iter().copied()), expected);
    }

    /// Fewer mantissa bits: the host's chain with the scaled words in place.
    #[test]
    fn prefix_rows_put_their_products_into_the_chain(
        stream in stream(), keep in 1..3usize, mantissa_bits in 0..=23u32, zero_skip: bool,
    ) {
        let config = config(mantissa_bits, 24);
        let mut image = image(&config, &stream, keep);
        if mantissa_bits < 23 {
            // Words that no multiplication gives.
            image.rows.iter_mut().for_each(|row| row.product.0 ^= 0x1F_0001);
        }
        let mut am = Am::new(&config);
        am.load(&image).unwrap();
        let mut expected = SumOutcome::default();
        let products: Vec<_> = stream.operands.iter().map(|pair| host_pair(&config, &image, zero_skip, pair, &mut expected)).collect();
        expected.data = host::canonical(products.into_iter().flatten().fold(0f32, |sum, product| sum + product));
        prop_assert_eq!(pe::sum_operands(&config, &am, zero_skip, stream.operands.iter().copied()), expected);
    }

    /// A fixed-point accumulator rounds the product of a hit like that of a miss.
    #[test]
    fn fixed_point_sums_are_host_integers(
        stream in stream(),
        keep in 1..3usize,
        (mantissa_bits, product_width) in (0..12u32, 2..=24u32),
        width in 8..=53u32,
        range in prop_oneof![110u32..150, 0u32..256],
        zero_skip: bool,
    ) {
        let accumulator = Accumulator::Fixed { width, product_width };
        let config = PeConfig { accumulator, ..config(mantissa_bits, 24) };
        let image = image(&config, &stream, keep);
        let mut am = Am::new(&config);
        am.load(&image).unwrap();
        let unit = 2f64.powi(range as i32 + 2 - 127 - width as i32);
        let limit = 2f64.powi(width as i32 - 1);
        let (mut expected, mut sum) = (SumOutcome::default(), 0f64);
        for pair in &stream.operands {
            let Some(product) = host_pair(&config, &image, zero_skip, pair, &mut expected) else { continue };
            let units = (f64::from(product) / unit).round_ties_even();
            let addend = if units.is_nan() { 0.0 } else { units.clamp(-limit, limit - 1.0) };
            expected.invalid |= units.is_nan();
            let total = sum + addend;
            sum = total.clamp(-limit, limit - 1.0);
            expected.overflow |= !units.is_nan() && addend != units || sum != total;
        }
        expected.data = if sum == 0.0 { 0 } else { ((sum * unit) as f32).to_bits() };
        let found = pe::sum_operands(&config, &am, Settings { zero_skip, range }, stream.operands.iter().copied());
        prop_assert_eq!(found, expected);
    }

    /// One pair a cycle, whatever it is; a row counts from the next cycle on.
    #[test]
    fn cycles_give_the_same_sums(
        stream in stream(), keep in 1..3usize, (multiplier_stages, adder_stages) in (0..3u32, 0..2u32), late in 0..60usize,
    ) {
        let config = PeConfig { multiplier_stages, adder_stages, ..config(3, 24) };
        let mut pe = CyclePe::new(&config);
        let image = image(&config, &stream, keep);
        pe.load(&image).unwrap();
        let mut am = pe.am().clone();
        let shape = config.factored_memory().unwrap();
        let mut shown = Vec::new();
        let mut expected = Vec::new();
        let drain = vec![None; config.latency() as usize];
        for (cycle, pair) in stream.operands.iter().map(Some).chain(drain).enumerate() {
            let base = pair.map_or(PeInputs::default(), |pair| PeInputs {
                valid: true,
                first: true,
                last: true,
                weight: pair.weight,
                activation: pair.activation,
                column: pair.column,
                ..PeInputs::default()
            });
            let row = pair.filter(|_| cycle == late).map(|pair| RowWrite {
                address: shape.address(Binary32, pair.column, pair.activation),
                product: 0x12_3456,
                valid: true,
                ..RowWrite::default()
            });
            if let Some(pair) = pair {
                expected.push(pe::sum_operands(&config, &am, false, [*pair]).data);
            }
            row.iter().for_each(|write| am.write(write));
            let outputs = pe.step(&PeInputs { row, out_ready: true, ..base });
            prop_assert!(outputs.ready);
            prop_assert_eq!(outputs.valid, cycle >= config.latency() as usize);
            shown.extend(outputs.valid.then_some(outputs.data));
        }
        prop_assert_eq!(shown, expected);
    }
}

#[test]
fn zeros_are_hits_with_a_sign_and_need_no_row() {
    let config = config(3, 24);
    let am = Am::new(&config);
    let (minus, one, infinity, subnormal) = (1 << 31, 1f32.to_bits(), f32::INFINITY.to_bits(), 1);
    let product = |weight, activation| am.product(Operands { column: 0, weight, activation });
    assert_eq!([product(0, one), product(minus, one), product(minus, minus)], [Some(0), Some(minus), Some(0)]);
    assert_eq!([product(one, 0), product(one, minus)], [Some(0), Some(minus)]);
    for odd in [infinity, infinity | minus, 0x7FC0_0000, subnormal] {
        assert_eq!([product(0, odd), product(odd, 0)], [None, None], "{odd:x}");
    }
    assert_eq!(product(one, one), None, "no row");
    // Skipped before it is looked up.
    let skipped = pe::sum_operands(&config, &am, true, [Operands { column: 0, weight: 0, activation: 0 }]);
    assert_eq!((skipped.hits, skipped.skipped), (0, 1));
}
