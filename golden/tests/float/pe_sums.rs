//! The PE's sums in every format: APFloat's multiply-accumulate chains.

use crate::oracle::apfloat;
use axp_golden::am::{Am, Pattern};
use axp_golden::pe;
use axp_spec::{AmImage, FloatFormat, FpuConfig, FpuOperation, PeConfig, Rounding};
use proptest::prelude::*;

fn oracle(operation: FpuOperation, format: FloatFormat, a: u32, b: u32) -> u32 {
    let config = FpuConfig::new(operation, format, Rounding::NearestEven);
    apfloat::evaluate(&config, a.into(), b.into()).bits as u32
}

/// One accumulator, or two that take turns; `None` is a skipped pair.
fn chain(format: FloatFormat, sums: usize, products: &[Option<u32>]) -> u32 {
    let add = |a, b| oracle(FpuOperation::Add, format, a, b);
    let sum = |from: usize| {
        let own = products.iter().skip(from).step_by(sums).flatten();
        own.fold(0, |sum, product| add(sum, *product))
    };
    (1..sums).fold(sum(0), |total, from| add(total, sum(from)))
}

/// Any encoding, most of them near 1 so that sums do not leave the range at once.
fn encoding(format: FloatFormat) -> impl Strategy<Value = u32> {
    let one = (format.bias() as u64) << format.fraction_bits();
    let reach = 1 << format.fraction_bits();
    let near = (one - reach..one + reach, any::<bool>())
        .prop_map(move |(bits, sign)| bits | if sign { format.sign_mask() } else { 0 });
    let zero = any::<bool>().prop_map(move |sign| if sign { format.sign_mask() } else { 0 });
    prop_oneof![6 => near, 1 => zero, 2 => 0..=format.encoding_mask()].prop_map(|bits| bits as u32)
}

fn case() -> impl Strategy<Value = (FloatFormat, Vec<(u32, u32)>)> {
    prop::sample::select(FloatFormat::ALL.to_vec())
        .prop_flat_map(|format| (Just(format), prop::collection::vec((encoding(format), encoding(format)), 0..40)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn sums_are_chains_of_rounded_products((format, operands) in case(), zero_skip: bool, interleaved: bool, row in any::<prop::sample::Index>(), fraction in 0u32..24) {
        let config = PeConfig { format, adder_stages: interleaved.into(), ..PeConfig::pair("pe", 1) };
        let mut am = Am::new(&config);
        // A row for one of the pairs, with a product that only the memory can give.
        let stored = (0x5A5A_5A5A & format.largest_finite()) as u32;
        let partial = operands.get(row.index(operands.len().max(1))).map(|(w, a)| Pattern::partial(format, *w, *a, fraction));
        let pattern = partial.filter(|pattern| {
            !pattern.is_exact(format) && AmImage { rows: vec![pattern.row(stored)] }.validate(&config).is_ok()
        });
        am.load(&AmImage { rows: pattern.iter().map(|pattern| pattern.row(stored)).collect() }).unwrap();

        let magnitude = format.sign_mask() - 1;
        let is_nan_or_infinite = |bits: u32| u64::from(bits) & magnitude > format.largest_finite();
        let (mut hits, mut skipped) = (0, 0);
        let products: Vec<Option<u32>> = operands.iter().map(|(weight, activation)| {
            let matched = pattern.is_some_and(|pattern| {
                let differs = (format.key_of(*weight, *activation) ^ pattern.key()) & pattern.care();
                differs == 0 && !is_nan_or_infinite(*weight) && !is_nan_or_infinite(*activation)
            });
            if zero_skip && u64::from(*activation) & magnitude == 0 {
                skipped += 1;
                return None;
            }
            hits += u64::from(matched);
            Some(if matched { stored } else { oracle(FpuOperation::Mul, format, *weight, *activation) })
        }).collect();
        let outcome = pe::sum(&config, &am, zero_skip, operands.iter().copied());
        prop_assert_eq!(outcome.data, chain(format, if interleaved { 2 } else { 1 }, &products));
        prop_assert_eq!((outcome.hits, outcome.skipped), (hits, skipped));
        prop_assert_eq!(outcome.misses, operands.len() as u64 - hits - skipped);
    }
}
