//! Which tininess it is: the cases that tell "after rounding" from "before".

use crate::oracle::{apfloat, softfloat};
use axp_golden::float;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};

/// In each format two products just below the smallest normal number n, as
/// (n, 1 - u / 2) and (n + one quantum, 1 - u), u the spacing of numbers at 1.
/// Both round to n. With an unbounded exponent the first is exact, hence tiny;
/// the second, n (1 - u²), rounds to n as well and is tiny only before rounding.
fn telling_products(format: FloatFormat) -> [(u64, u64); 2] {
    let normal = 1u64 << format.fraction_bits();
    let one = (format.bias() as u64) << format.fraction_bits();
    [(normal, one - 1), (normal + 1, one - 2)]
}

fn product(format: FloatFormat, rounding: Rounding) -> FpuConfig {
    FpuConfig::new(FpuOperation::Mul, format, rounding)
}

#[test]
fn tininess_is_detected_after_rounding_in_every_format() {
    for format in FloatFormat::ALL {
        let config = product(format, Rounding::NearestEven);
        let normal = 1u64 << format.fraction_bits();
        let [tiny, not_tiny] = telling_products(format).map(|(a, b)| float::evaluate(&config, a, b));
        assert_eq!([tiny.bits, not_tiny.bits], [normal; 2], "{format}");
        assert_eq!([tiny.flags.bits(), not_tiny.flags.bits()], [3, 1], "{format}: underflow and inexact, inexact");
    }
}

/// Toward zero nothing rounds up to the smallest normal number.
#[test]
fn toward_zero_both_are_tiny() {
    for format in FloatFormat::ALL {
        let config = product(format, Rounding::TowardZero);
        for (a, b) in telling_products(format) {
            let outcome = float::evaluate(&config, a, b);
            assert_eq!((outcome.bits, outcome.flags.bits()), ((1 << format.fraction_bits()) - 1, 3), "{format}");
        }
    }
}

/// The build of SoftFloat that decides the flags has the same rule.
#[test]
fn softfloat_is_built_for_tininess_after_rounding() {
    for format in [FloatFormat::Binary32, FloatFormat::Binary16] {
        let config = product(format, Rounding::NearestEven);
        let flags = telling_products(format)
            .map(|(a, b)| softfloat::evaluate(&config, a, b).map(|outcome| outcome.flags.bits()));
        assert_eq!(flags, [Some(3), Some(1)], "{format}");
    }
}

/// Why APFloat's underflow is not compared: it asks whether the result that it
/// delivers is subnormal, so that neither product counts.
#[test]
fn apfloat_looks_at_the_delivered_result() {
    use rustc_apfloat::{Float, Status, ieee::Single};
    let config = product(FloatFormat::Binary32, Rounding::NearestEven);
    for (a, b) in telling_products(FloatFormat::Binary32) {
        let theirs = Single::from_bits(a.into()) * Single::from_bits(b.into());
        assert_eq!(theirs.status, Status::INEXACT);
        let ours = float::evaluate(&config, a, b);
        assert_eq!(apfloat::comparable(Rounding::NearestEven, ours), apfloat::evaluate(&config, a, b));
    }
}
