//! Who says what a result and its flags must be.

pub mod apfloat;
pub mod softfloat;
pub mod table;

use axp_golden::float::{self, Outcome};
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};

/// `*` and `+`, each in both roundings.
pub fn mul_and_add(format: FloatFormat) -> impl Iterator<Item = FpuConfig> {
    [FpuOperation::Mul, FpuOperation::Add]
        .into_iter()
        .flat_map(move |operation| Rounding::ALL.map(|rounding| FpuConfig::new(operation, format, rounding)))
}

/// Compares one case with SoftFloat and with APFloat, as far as they have the format.
pub fn check(config: &FpuConfig, a: u64, b: u64) {
    let ours = float::evaluate(config, a, b);
    check_against_softfloat(config, a, b, ours);
    check_against_apfloat(config, a, b, ours);
}

/// Value and every flag; SoftFloat decides.
pub fn check_against_softfloat(config: &FpuConfig, a: u64, b: u64, ours: Outcome) {
    if let Some(expected) = softfloat::evaluate(config, a, b) {
        assert_eq!(ours, expected, "{config}: {a:x}, {b:x}: SoftFloat differs");
    }
}

/// Value and every flag that [`apfloat::evaluate`] documents as comparable.
pub fn check_against_apfloat(config: &FpuConfig, a: u64, b: u64, ours: Outcome) {
    let expected = apfloat::evaluate(config, a, b);
    let comparable = apfloat::comparable(config.rounding, ours);
    assert_eq!(comparable, expected, "{config}: {a:x}, {b:x}: APFloat differs");
}
