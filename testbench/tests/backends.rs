//! One suite for every backend: golden = rust-hdl = Verilator = Icarus, every output of every cycle.
//!
//! Each configuration is built once; the cases go through one process each.

mod frozen;
mod stimuli;

use axp_hdl::{Rtl, generate};
use axp_spec::{Accumulator, FloatFormat, MultiplierStyle, NarrowOperands, PeConfig, PeInputs, ResetStyle, Storage};
use axp_testbench::backend::{Backend, Golden, RustHdl, Simulated};
use axp_testbench::dut::Body;
use frozen::{Shape, faint, frozen, index};
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};
use std::cell::RefCell;
use std::path::Path;
use stimuli::{Counts, cases};

/// Longest case, in cycles after its first rows.
const STEPS: usize = 200;

/// Built simulators stay from one run to the next.
fn cache() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn rtl(config: &PeConfig) -> Rtl {
    generate(config).unwrap()
}

/// Runs random cases through golden and a backend. Any difference fails with
/// the shortest case that shows it, which is then kept beside this file.
fn suite(config: &PeConfig, backend: impl Backend, count: u32) {
    let settings = Config {
        cases: count,
        rng_seed: RngSeed::Fixed(config.rows() as u64),
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let golden = RefCell::new(Golden::new(config));
    let backend = RefCell::new(backend);
    let counts = RefCell::new(Counts::default());
    let fail = |error: String| TestCaseError::fail(error);
    let verdict = TestRunner::new(settings).run(&cases(STEPS), |case| {
        let stimulus = case.stimulus(config);
        let mut backend = backend.borrow_mut();
        let expected = golden.borrow_mut().run(&stimulus).map_err(|error| fail(error.to_string()))?;
        let found = backend.run(&stimulus).map_err(|error| fail(format!("{}: {error}", backend.name())))?;
        if let Some(cycle) = (0..expected.len()).find(|cycle| expected[*cycle] != found[*cycle]) {
            let (golden, other) = (expected[cycle], found[cycle]);
            return Err(fail(format!("cycle {cycle}: golden {golden:x?}, {} {other:x?}", backend.name())));
        }
        counts.borrow_mut().add(config, &stimulus, &expected);
        Ok(())
    });
    if let Err(error) = verdict {
        panic!("{}: {error}", config.name);
    }
    let counts = counts.into_inner();
    println!("{} {}: {counts:?}", config.name, backend.borrow().name());
    if count >= 100 {
        counts.assert_cover(config);
    }
}

/// The tests of one configuration: name, configuration, and how many cases
/// Verilator, rust-hdl's simulation and Icarus get, by their speed.
macro_rules! suites {
    ($($name:ident: $config:expr, $verilator:expr, $rust_hdl:expr, $icarus:expr;)*) => {$(
        mod $name {
            use super::*;

            fn config() -> PeConfig {
                PeConfig { name: stringify!($name).into(), ..$config }
            }

            #[test]
            fn verilator_gated() {
                let backend = Simulated::verilator(&rtl(&config()), Body::Gated, cache());
                suite(&config(), backend.unwrap_or_else(|error| panic!("{error}")), $verilator);
            }

            #[test]
            fn verilator_clock_enable() {
                let backend = Simulated::verilator(&rtl(&config()), Body::ClockEnable, cache());
                suite(&config(), backend.unwrap_or_else(|error| panic!("{error}")), $verilator);
            }

            #[test]
            fn rust_hdl() {
                suite(&config(), RustHdl::new(&config()), $rust_hdl);
            }

            #[test]
            fn icarus_gated() {
                let backend = Simulated::icarus(&rtl(&config()), Body::Gated, cache());
                suite(&config(), backend.unwrap_or_else(|error| panic!("{error}")), $icarus);
            }

            #[test]
            fn icarus_clock_enable() {
                let backend = Simulated::icarus(&rtl(&config()), Body::ClockEnable, cache());
                suite(&config(), backend.unwrap_or_else(|error| panic!("{error}")), $icarus);
            }
        }
    )*};
}

fn sync(config: PeConfig) -> PeConfig {
    PeConfig { reset: ResetStyle::Sync, ..config }
}

/// Pipeline cuts in the multiplier and in the adder.
fn cut(multiplier_stages: u32, adder_stages: u32, config: PeConfig) -> PeConfig {
    PeConfig { multiplier_stages, adder_stages, ..config }
}

fn fixed(width: u32, product_width: u32, config: PeConfig) -> PeConfig {
    PeConfig { accumulator: Accumulator::Fixed { width, product_width }, ..config }
}

fn short(product_bits: u32, mut config: PeConfig) -> PeConfig {
    config.am.as_mut().unwrap().product_bits = Some(product_bits);
    config
}

fn narrow(format: FloatFormat, config: PeConfig) -> PeConfig {
    PeConfig { format, ..config }
}

fn operands(operands: NarrowOperands, config: PeConfig) -> PeConfig {
    PeConfig { operands: Some(operands), ..config }
}

fn latches(mut config: PeConfig) -> PeConfig {
    config.am.as_mut().unwrap().storage = Storage::Latches;
    config
}

suites! {
    r1: PeConfig::pair("", 1), 1000, 200, 100;
    r2: PeConfig::pair("", 2), 1000, 200, 100;
    r5_sync: sync(PeConfig::pair("", 5)), 1000, 200, 100;
    r32: PeConfig::pair("", 32), 1000, 100, 30;
    r64_sync: sync(PeConfig::pair("", 64)), 1000, 50, 20;
    r128: PeConfig::pair("", 128), 1000, 25, 10;
    r4_mul1: cut(1, 0, PeConfig::pair("", 4)), 1000, 100, 100;
    r4_add1_sync: sync(cut(0, 1, PeConfig::pair("", 4))), 1000, 100, 100;
    r8_mul2_add1: cut(2, 1, PeConfig::pair("", 8)), 1000, 100, 100;
    r4_booth_mul2: PeConfig { multiplier: MultiplierStyle::Booth, ..cut(2, 0, PeConfig::pair("", 4)) }, 1000, 100, 50;
    r4_operator_mul1_add1: PeConfig { multiplier: MultiplierStyle::Operator, ..cut(1, 1, PeConfig::pair("", 4)) }, 1000, 100, 50;
    r8_bf16: narrow(FloatFormat::Bfloat16, PeConfig::pair("", 8)), 1000, 200, 100;
    r8_bf16_mul2_add1: narrow(FloatFormat::Bfloat16, cut(2, 1, PeConfig::pair("", 8))), 1000, 100, 100;
    r5_fp16_add1: narrow(FloatFormat::Binary16, cut(0, 1, PeConfig::pair("", 5))), 1000, 100, 100;
    r4_e4m3_mul1: narrow(FloatFormat::E4m3, cut(1, 0, PeConfig::pair("", 4))), 1000, 200, 100;
    plain: PeConfig::plain(""), 1000, 200, 100;
    plain_bf16_mul1_add1: narrow(FloatFormat::Bfloat16, cut(1, 1, PeConfig::plain(""))), 1000, 100, 100;
    plain_bf16_operands: operands(NarrowOperands::Bfloat16, PeConfig::plain("")), 1000, 200, 100;
    plain_bf16_operands_fixed24: operands(NarrowOperands::Bfloat16, fixed(24, 24, PeConfig::plain(""))), 1000, 200, 100;
    plain_int8_sync: sync(operands(NarrowOperands::Int8, PeConfig::plain(""))), 1000, 200, 100;
    plain_fixed24: fixed(24, 24, PeConfig::plain("")), 1000, 200, 100;
    plain_fp16_fixed64_sync: sync(narrow(FloatFormat::Binary16, fixed(64, 32, PeConfig::plain("")))), 1000, 200, 100;
    r4_fixed24: fixed(24, 18, PeConfig::pair("", 4)), 1000, 200, 100;
    r4_fixed40_mul2: fixed(40, 32, cut(2, 0, PeConfig::pair("", 4))), 1000, 100, 100;
    r4_bf16_fixed20_mul1: narrow(FloatFormat::Bfloat16, fixed(20, 14, cut(1, 0, PeConfig::pair("", 4)))), 1000, 200, 100;
    r2_e4m3_fixed8: narrow(FloatFormat::E4m3, fixed(8, 8, PeConfig::pair("", 2))), 1000, 200, 100;
    c16m3: PeConfig::factored("", 16, 3), 1000, 50, 20;
    c3m2_sync: sync(PeConfig::factored("", 3, 2)), 1000, 200, 100;
    c1m4_add1: cut(0, 1, PeConfig::factored("", 1, 4)), 1000, 100, 100;
    c5m0_mul2_add1: cut(2, 1, PeConfig::factored("", 5, 0)), 1000, 100, 100;
    c16m3_fixed24: fixed(24, 12, PeConfig::factored("", 16, 3)), 1000, 50, 20;
    c4m2_fixed40_mul2_sync: sync(fixed(40, 24, cut(2, 0, PeConfig::factored("", 4, 2)))), 1000, 100, 100;
    c2m7_bf16_mul1: narrow(FloatFormat::Bfloat16, cut(1, 0, PeConfig::factored("", 2, 7))), 1000, 20, 10;
    c3m3_fp16_fixed32: narrow(FloatFormat::Binary16, fixed(32, 9, PeConfig::factored("", 3, 3))), 1000, 200, 100;
    c4m3_e4m3_mul1_add1: narrow(FloatFormat::E4m3, cut(1, 1, PeConfig::factored("", 4, 3))), 1000, 200, 100;
    c6m2_e4m3_fixed12: narrow(FloatFormat::E4m3, fixed(12, 3, PeConfig::factored("", 6, 2))), 1000, 200, 100;
    c4m2_e5m2_fixed16: narrow(FloatFormat::E5m2, fixed(16, 3, PeConfig::factored("", 4, 2))), 1000, 200, 100;
    c4m2_short: short(9, PeConfig::factored("", 4, 2)), 1000, 100, 100;
    c3m2_short_mul1_sync: sync(short(7, cut(1, 0, PeConfig::factored("", 3, 2)))), 1000, 100, 100;
    c8m2_frozen_short: frozen(index(short(9, PeConfig::factored("", 8, 2))), 3, Shape::Whole), 1000, 100, 50;
    c4m2_short_add1: short(9, cut(0, 1, PeConfig::factored("", 4, 2))), 1000, 100, 100;
    c3m0_frozen_fixed24: frozen(index(fixed(24, 9, PeConfig::factored("", 3, 0))), 2, Shape::Whole), 1000, 100, 50;
    c3m7_bf16_frozen: frozen(narrow(FloatFormat::Bfloat16, index(PeConfig::factored("", 3, 7))), 2, Shape::Whole), 1000, 20, 10;
    c3m2_frozen_e4m3_fixed8: frozen(narrow(FloatFormat::E4m3, index(fixed(8, 3, PeConfig::factored("", 3, 2)))), 2, Shape::Whole), 1000, 100, 50;
    c4m2_index: index(PeConfig::factored("", 4, 2)), 1000, 100, 100;
    c3m1_index_fixed24_mul1: index(cut(1, 0, fixed(24, 9, PeConfig::factored("", 3, 1)))), 1000, 100, 100;
    c8m2_shared_fixed16: frozen(index(fixed(16, 6, PeConfig::factored("", 8, 2))), 3, Shape::Shared), 1000, 100, 50;
    c8m2_shared_fixed10: frozen(index(fixed(10, 4, PeConfig::factored("", 8, 2))), 3, Shape::Shared), 1000, 100, 50;
    c8m1_shared_short: frozen(index(short(9, PeConfig::factored("", 8, 1))), 2, Shape::Shared), 1000, 100, 50;
    c7m2_shared_e4m3: frozen(narrow(FloatFormat::E4m3, index(PeConfig::factored("", 7, 2))), 2, Shape::Shared), 1000, 100, 50;
    c8m2_frozen_fixed24: frozen(index(fixed(24, 9, PeConfig::factored("", 8, 2))), 3, Shape::Whole), 1000, 100, 50;
    c5m2_frozen_mul1_add1: frozen(index(cut(1, 1, PeConfig::factored("", 5, 2))), 2, Shape::Whole), 1000, 100, 50;
    c5m2_ragged_fixed24: frozen(index(fixed(24, 12, PeConfig::factored("", 5, 2))), 3, Shape::Ragged), 1000, 100, 50;
    c3m2_frozen_value_sync: sync(frozen(PeConfig::factored("", 3, 2), 1, Shape::Whole)), 1000, 100, 50;
    c3m2_frozen_fp16_fixed24: frozen(narrow(FloatFormat::Binary16, index(fixed(24, 9, PeConfig::factored("", 3, 2)))), 2, Shape::Whole), 1000, 100, 50;
    c3m2_frozen_e4m3: frozen(narrow(FloatFormat::E4m3, index(PeConfig::factored("", 3, 2))), 2, Shape::Whole), 1000, 100, 50;
    g4c3: PeConfig::grid("", 4, 3), 1000, 100, 100;
    g5c2_fixed24_sync: sync(fixed(24, 18, PeConfig::grid("", 5, 2))), 1000, 100, 100;
    g3c4_index_fixed32: index(fixed(32, 31, PeConfig::grid("", 3, 4))), 1000, 100, 100;
    g3c4_bf16_index_add1: narrow(FloatFormat::Bfloat16, index(cut(0, 1, PeConfig::grid("", 3, 4)))), 1000, 100, 100;
    g6c4_frozen_fixed24: frozen(index(fixed(24, 18, PeConfig::grid("", 6, 4))), 3, Shape::Whole), 1000, 100, 50;
    g6c3_ragged_mul1: frozen(cut(1, 0, PeConfig::grid("", 6, 3)), 2, Shape::Ragged), 1000, 100, 50;
    g6c4_faint_fixed10: faint(frozen(index(fixed(10, 7, PeConfig::grid("", 6, 4))), 3, Shape::Whole)), 1000, 100, 50;
    g7c3_faint_ragged: faint(frozen(PeConfig::grid("", 7, 3), 2, Shape::Ragged)), 1000, 100, 50;
    r6_frozen: frozen(PeConfig::pair("", 6), 2, Shape::Whole), 1000, 100, 50;
    r6_frozen_fixed24: frozen(fixed(24, 18, PeConfig::pair("", 6)), 3, Shape::Ragged), 1000, 100, 50;
    r4_latch: latches(PeConfig::pair("", 4)), 1000, 200, 100;
    r5_latch_bf16_fixed20_sync: sync(latches(narrow(FloatFormat::Bfloat16, fixed(20, 14, PeConfig::pair("", 5))))), 1000, 100, 100;
    c4m2_latch_fixed24: latches(fixed(24, 12, PeConfig::factored("", 4, 2))), 1000, 100, 100;
    c3m1_latch_index_mul1_sync: sync(latches(index(cut(1, 0, PeConfig::factored("", 3, 1))))), 1000, 100, 100;
    g4c3_latch: latches(PeConfig::grid("", 4, 3)), 1000, 100, 100;
    g3c2_latch_index_fixed24_sync: sync(latches(index(fixed(24, 18, PeConfig::grid("", 3, 2))))), 1000, 100, 100;
    r4_e5m2_add1_sync: sync(narrow(FloatFormat::E5m2, cut(0, 1, PeConfig::pair("", 4)))), 1000, 200, 100;
}

/// Sums of one pair, so that every product is seen. A product of bfloat16 numbers is
/// exact but at both ends of the range: there most of these are.
#[test]
fn products_of_bfloat16_at_the_ends_of_the_range() {
    let config = operands(NarrowOperands::Bfloat16, PeConfig::plain("ends_bf16_operands"));
    let mut bits = 1_u64;
    let mut mixed = move || {
        bits = bits.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (bits >> 33) as u32
    };
    let mut pair = |number: u32| {
        let weight = mixed() & 0xFFFF;
        let exponent = (weight >> 7 & 0xFF) as i32;
        // Exponent fields of the product from -30 to 4, and from 250 to 257.
        let wanted = if number.is_multiple_of(4) { 250 + (mixed() % 8) as i32 } else { (mixed() % 35) as i32 - 30 };
        let other = (wanted + 127 - exponent).clamp(0, 255) as u32;
        let activation = mixed() & 0x807F | other << 7;
        (weight, activation)
    };
    let stimulus: Vec<PeInputs> = (0..1 << 20)
        .map(|number| {
            let (weight, activation) = pair(number);
            PeInputs {
                valid: true,
                first: true,
                last: true,
                weight,
                activation,
                out_ready: true,
                ..PeInputs::default()
            }
        })
        .collect();
    let expected = Golden::new(&config).run(&stimulus).unwrap();
    let mut verilator = Simulated::verilator(&rtl(&config), Body::ClockEnable, cache()).unwrap();
    let found = verilator.run(&stimulus).unwrap();
    assert!(expected == found, "{:?}", (0..expected.len()).find(|cycle| expected[*cycle] != found[*cycle]));
    let magnitude = |outputs: &axp_spec::PeOutputs| outputs.data & 0x7FFF_FFFF;
    let subnormal = expected.iter().filter(|outputs| (1..0x80_0000).contains(&magnitude(outputs))).count();
    let infinite = expected.iter().filter(|outputs| magnitude(outputs) == 0x7F80_0000).count();
    assert!(subnormal > 100_000 && infinite > 50_000, "{subnormal} {infinite}");
}
