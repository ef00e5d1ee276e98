//! binary32 multiply and add against the host's IEEE arithmetic.

use axp_golden::float;
use axp_spec::FloatFormat::Binary32;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200_000))]
    #[test]
    fn values(a: u32, b: u32) {
        let canon = |x: f32| if x.is_nan() { 0x7FC0_0000 } else { x.to_bits() };
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        prop_assert_eq!(float::mul(Binary32, a.into(), b.into()).bits as u32, canon(x * y));
        prop_assert_eq!(float::add(Binary32, a.into(), b.into()).bits as u32, canon(x + y));
    }
}
