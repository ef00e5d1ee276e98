//! Speed of the arithmetic: one configured unit, every operation and format.

use axp_golden::float;
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, Rounding};
use divan::{Bencher, black_box, counter::ItemsCount};

const CASES: u64 = 4096;

fn main() {
    divan::main();
}

#[divan::bench(args = FloatFormat::ALL)]
fn mul(bencher: Bencher, format: FloatFormat) {
    run(bencher, format, FpuOperation::Mul);
}

#[divan::bench(args = FloatFormat::ALL)]
fn add(bencher: Bencher, format: FloatFormat) {
    run(bencher, format, FpuOperation::Add);
}

#[divan::bench(args = FloatFormat::ALL)]
fn to_fixed(bencher: Bencher, format: FloatFormat) {
    run(bencher, format, FpuOperation::ToFixed(FixedFormat { width: 32, last_bit: -16 }));
}

#[divan::bench(args = FloatFormat::ALL)]
fn from_fixed(bencher: Bencher, format: FloatFormat) {
    run(bencher, format, FpuOperation::FromFixed(FixedFormat { width: 32, last_bit: -16 }));
}

/// Operands spread over all encodings by the golden ratio.
fn run(bencher: Bencher, format: FloatFormat, operation: FpuOperation) {
    let config = FpuConfig::new(operation, format, Rounding::NearestEven);
    let operand = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - config.operand_bits());
    let cases: Vec<(u64, u64)> = (0..CASES).map(|i| (operand(i), operand(i + CASES))).collect();
    bencher.counter(ItemsCount::new(CASES)).bench_local(|| {
        cases.iter().fold(0, |mix, (a, b)| {
            let outcome = float::evaluate(black_box(&config), *a, *b);
            mix ^ outcome.bits ^ u64::from(outcome.flags.bits())
        })
    });
}
