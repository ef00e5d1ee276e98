//! The FPU in rust-hdl's simulation against the host's binary32 arithmetic.

use axp_hdl::circuit::Circuit;
use axp_hdl::fpu::{describe, leading_zeros};
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};
use proptest::prelude::*;

fn canonical(value: f32) -> u32 {
    if value.is_nan() { 0x7FC0_0000 } else { value.to_bits() }
}

struct Fpu {
    mul: Circuit,
    add: Circuit,
}

impl Fpu {
    fn new() -> Self {
        let unit = |operation| {
            let config = FpuConfig::new(operation, FloatFormat::Binary32, Rounding::NearestEven);
            describe(&FpuConfig { flags: false, ..config }).unwrap()
        };
        Self { mul: unit(FpuOperation::Mul), add: unit(FpuOperation::Add) }
    }

    /// Product and sum of two encodings.
    fn compute(&mut self, a: u32, b: u32) -> (u32, u32) {
        let [product, sum] = [&mut self.mul, &mut self.add].map(|unit| {
            unit.drive("a_i", a.into());
            unit.drive("b_i", b.into());
            unit.settle();
            unit.read("result_o") as u32
        });
        (product, sum)
    }

    fn check(&mut self, a: u32, b: u32) {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        let expected = (canonical(x * y), canonical(x + y));
        let found = self.compute(a, b);
        assert_eq!(found, expected, "{a:08x} and {b:08x}: product and sum {found:08x?} instead of {expected:08x?}");
    }
}

/// Encodings around which rounding, normalisation and special cases change.
fn corners() -> Vec<u32> {
    let exponents = [0, 1, 2, 23, 24, 25, 63, 64, 103, 126, 127, 128, 150, 151, 190, 191, 230, 252, 253, 254, 255];
    let fractions = [0, 1, 2, 0x2A_AAAA, 0x3F_FFFF, 0x40_0000, 0x40_0001, 0x55_5555, 0x7F_FFFE, 0x7F_FFFF];
    let magnitudes = exponents.iter().flat_map(|e| fractions.iter().map(move |f| e << 23 | f));
    magnitudes.flat_map(|m: u32| [m, m | 1 << 31]).collect()
}

#[test]
fn every_pair_of_corners() {
    let mut fpu = Fpu::new();
    let corners = corners();
    assert_eq!(corners.len(), 420);
    for a in &corners {
        for b in &corners {
            fpu.check(*a, *b);
        }
    }
}

/// Operands of one pair, biased to where something happens: any bits, subnormal
/// operands, products near the ends of the exponent range, sums that cancel,
/// sums with a distance at which the sticky bit decides.
fn pairs() -> impl Strategy<Value = (u32, u32)> {
    let bits = (any::<u32>(), any::<u32>());
    let subnormal =
        (0u32..0x0080_0000, any::<u32>(), any::<bool>()).prop_map(|(a, b, sign)| (a | u32::from(sign) << 31, b));
    let product = (any::<u32>(), any::<u32>(), prop_oneof![100u32..130, 375u32..388]).prop_map(|(a, b, sum)| {
        let e = (a >> 23 & 0xFF).clamp(sum.saturating_sub(254), sum.min(254));
        let with = |bits: u32, exponent: u32| bits & 0x807F_FFFF | exponent << 23;
        (with(a, e), with(b, sum - e))
    });
    let cancel = (any::<u32>(), any::<u32>(), 0u32..26, any::<bool>()).prop_map(|(a, noise, bits, up)| {
        let near =
            if up { a.wrapping_add(noise & ((1 << bits) - 1)) } else { a.wrapping_sub(noise & ((1 << bits) - 1)) };
        (a, near ^ 1 << 31)
    });
    let apart = (any::<u32>(), any::<u32>(), 0u32..30, 0u32..24).prop_map(|(a, b, distance, clear)| {
        let e = (a >> 23 & 0xFF).saturating_sub(distance);
        (a, (b & 0x807F_FFFF & !((1 << clear) - 1)) | e << 23)
    });
    prop_oneof![bits, subnormal, product, cancel, apart]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn product_and_sum_are_the_hosts(pairs in prop::collection::vec(pairs(), 100)) {
        let mut fpu = Fpu::new();
        for (a, b) in pairs {
            fpu.check(a, b);
            fpu.check(b, a);
        }
    }

    #[test]
    fn leading_zeros_are_the_hosts(word: u32, shift in 0u32..32, width in 2u32..33) {
        let mut counter = leading_zeros(width);
        let most = if width.is_power_of_two() { width - 1 } else { width };
        for word in [word, word >> shift, 1 << shift, 0] {
            let word = word >> (32 - width);
            counter.drive("value_i", word.into());
            counter.settle();
            prop_assert_eq!(counter.read("count_o"), u128::from((word.leading_zeros() + width - 32).min(most)));
        }
    }
}
