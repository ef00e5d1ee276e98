//! The long runs, opt-in, on all cores, with progress on standard error:
//!
//! ```text
//! cargo test --release -p axp-golden --no-default-features --test float -- --ignored --nocapture --test-threads 1
//! ```
//!
//! with a test's name after `--` for one of them. `AXP_SWEEP_PART=100` runs one
//! case block in a hundred, to see how long the whole would take.

use crate::oracle::table::Table;
use crate::oracle::{check, mul_and_add};
use axp_golden::float::{self, families};
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many random pairs a configuration gets.
const RANDOM_PAIRS: u64 = 100_000_000;

#[test]
#[ignore = "32 million cases; see the module's comment"]
fn every_pair_of_the_large_family_of_binary32() {
    let family = families::level2(FloatFormat::Binary32);
    for config in mul_and_add(FloatFormat::Binary32) {
        sweep(&format!("{config}, level 2"), family.len() as u64, |row| {
            let a = family[row as usize];
            family.iter().for_each(|b| check(&config, a, *b));
            family.len() as u64
        });
    }
}

#[test]
#[ignore = "400 million cases; see the module's comment"]
fn random_pairs_of_binary32() {
    mul_and_add(FloatFormat::Binary32).for_each(|config| random_pairs(&config));
}

#[test]
#[ignore = "17 billion cases; see the module's comment"]
fn every_product_of_16_bit_formats() {
    for format in [FloatFormat::Binary16, FloatFormat::Bfloat16] {
        let table = Table::of(format);
        for rounding in Rounding::ALL {
            let config = FpuConfig::new(FpuOperation::Mul, format, rounding);
            sweep(&format!("{config}, all pairs"), 1 << 16, |a| {
                for b in 0..1 << 16 {
                    let ours = float::rounded::mul(format, rounding, a, b);
                    let expected = table.evaluate(&config, a, b);
                    assert!(ours == expected, "{config}: {a:x}, {b:x}: {ours:?}, not {expected:?}");
                }
                1 << 16
            });
        }
    }
}

#[test]
#[ignore = "400 million cases and the large families; see the module's comment"]
fn sums_of_16_bit_formats() {
    for format in [FloatFormat::Binary16, FloatFormat::Bfloat16] {
        let family = families::level2(format);
        for config in mul_and_add(format).filter(|config| config.operation == FpuOperation::Add) {
            sweep(&format!("{config}, level 2"), family.len() as u64, |row| {
                let a = family[row as usize];
                family.iter().for_each(|b| check(&config, a, *b));
                family.len() as u64
            });
            random_pairs(&config);
        }
    }
}

/// Uniformly random bit patterns, the same ones in every run.
fn random_pairs(config: &FpuConfig) {
    const BLOCK: u64 = 100_000;
    let mask = u64::MAX >> (64 - config.format.width());
    sweep(&format!("{config}, random"), RANDOM_PAIRS / BLOCK, |block| {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(block);
        for _ in 0..BLOCK {
            check(config, random.next_u64() & mask, random.next_u64() & mask);
        }
        BLOCK
    });
}

/// Runs blocks 0 to `blocks` on all cores; a block returns its number of cases.
fn sweep(name: &str, blocks: u64, block: impl Fn(u64) -> u64 + Sync) {
    let part = std::env::var("AXP_SWEEP_PART").map_or(1, |part| part.parse().expect("AXP_SWEEP_PART is a number"));
    let blocks = blocks.div_ceil(part);
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let (next, finished, cases) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= blocks {
                break;
            }
            cases.fetch_add(block(index * part), Ordering::Relaxed);
            let done = finished.fetch_add(1, Ordering::Relaxed) + 1;
            if done * 10 / blocks > (done - 1) * 10 / blocks {
                eprintln!("{name}: {} %, {:.0} s", done * 100 / blocks, start.elapsed().as_secs_f64());
            }
        }
    };
    // A failed assertion in one thread fails the test when the scope ends.
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (cases, seconds) = (cases.into_inner(), start.elapsed().as_secs_f64());
    assert!(cases > 0 && finished.into_inner() == blocks);
    eprintln!("{name}: {cases} cases in {seconds:.1} s, {:.2} million a second", cases as f64 / seconds / 1e6);
}
