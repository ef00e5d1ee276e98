//! The generated arithmetic units against golden: as RTL in Verilator and Icarus,
//! and as synthesised gates. Whole 8-bit formats; slices of the larger ones,
//! whose full runs are the example `fpu_proof`.

use axp_golden::float::families;
use axp_hdl::{Rtl, fpu};
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, MultiplierStyle, Rounding};
use axp_testbench::dut::{Body, Dut};
use axp_testbench::synth::Goal;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::unit::gates;
use axp_testbench::unit::proof::{self, Verdict};
use axp_testbench::unit::{Case, UnitError, icarus, verilated};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const SMALL: [FloatFormat; 2] = [FloatFormat::E4m3, FloatFormat::E5m2];
const SIXTEEN: [FloatFormat; 2] = [FloatFormat::Bfloat16, FloatFormat::Binary16];

fn go() -> AtomicBool {
    AtomicBool::new(false)
}

fn compare(config: &FpuConfig, dut: &Dut, cases: impl Iterator<Item = Case> + Send) -> Verdict {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let unit = verilated::build(dut, Body::Gated, cache, &go()).unwrap_or_else(|error| panic!("{config}: {error}"));
    proof::compare(config, &unit, cases, |_| Ok::<(), UnitError>(()))
        .unwrap_or_else(|error| panic!("{config}: {error}"))
}

#[track_caller]
fn agrees(config: &FpuConfig, verdict: &Verdict, cases: u64) {
    assert_eq!(*verdict, Verdict { cases, mismatches: 0, first: None }, "{config}");
}

fn rtl(config: &FpuConfig) -> Rtl {
    fpu::generate(config).unwrap()
}

fn gates_of(dut: &Dut) -> Dut {
    let library = CellLibrary::read(Path::new(OSU018)).unwrap_or_else(|error| panic!("{error}"));
    let goal = Goal { period: 10.0, wire_load: library.wire_load() };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    gates::netlist_of(dut, &library, goal, Some(cache), &go()).unwrap_or_else(|error| panic!("{error}"))
}

fn configs(operations: &[FpuOperation], formats: &[FloatFormat]) -> Vec<FpuConfig> {
    let mut all = Vec::new();
    for operation in operations {
        for format in formats {
            all.extend(Rounding::ALL.map(|rounding| FpuConfig::new(*operation, *format, rounding)));
        }
    }
    all
}

const ARITHMETIC: [FpuOperation; 2] = [FpuOperation::Mul, FpuOperation::Add];

#[test]
fn eight_bit_formats_exhaustively_as_rtl_and_as_gates() {
    for config in configs(&ARITHMETIC, &SMALL) {
        let dut = Dut::of(&rtl(&config));
        agrees(&config, &compare(&config, &dut, proof::exhaustive(&config)), 1 << 16);
        let gates = gates_of(&dut);
        if config.operation == FpuOperation::Mul && config.format == FloatFormat::E4m3 {
            assert!(gates.sources[0].text.contains("FAX1 "), "the tree's adders are cells of the library");
        }
        agrees(&config, &compare(&config, &gates, proof::exhaustive(&config)), 1 << 16);
    }
}

#[test]
fn other_multipliers_exhaustively_as_rtl_and_as_gates() {
    for multiplier in [MultiplierStyle::Booth, MultiplierStyle::Operator] {
        let config = FpuConfig { multiplier, ..configs(&ARITHMETIC, &SMALL)[0] };
        let dut = Dut::of(&rtl(&config));
        agrees(&config, &compare(&config, &dut, proof::exhaustive(&config)), 1 << 16);
        agrees(&config, &compare(&config, &gates_of(&dut), proof::exhaustive(&config)), 1 << 16);
    }
}

/// Pipeline cuts, with a case every cycle; one unit also as gates.
#[test]
fn pipelined_units_answer_late_and_right() {
    for (operation, stages) in [(FpuOperation::Mul, 1), (FpuOperation::Mul, 2), (FpuOperation::Add, 1)] {
        let config = FpuConfig { stages, ..FpuConfig::new(operation, FloatFormat::E5m2, Rounding::NearestEven) };
        let dut = Dut::of(&rtl(&config));
        agrees(&config, &compare(&config, &dut, proof::exhaustive(&config)), 1 << 16);
        if stages == 1 {
            agrees(&config, &compare(&config, &gates_of(&dut), proof::exhaustive(&config)), 1 << 16);
        }
        let wide = FpuConfig { format: FloatFormat::Binary32, ..config };
        let cases = proof::pairs(&wide, families::level1(wide.format));
        agrees(&wide, &compare(&wide, &Dut::of(&rtl(&wide)), cases), 1 << 14);
    }
}

#[test]
fn slices_of_the_larger_formats() {
    for config in configs(&ARITHMETIC, &SIXTEEN) {
        let cases = proof::random(&config, 500_000, 16).chain(proof::pairs(&config, families::level1(config.format)));
        let operands = families::level1(config.format).len() as u64;
        agrees(&config, &compare(&config, &Dut::of(&rtl(&config)), cases), 500_000 + operands * operands);
    }
    for config in configs(&ARITHMETIC, &[FloatFormat::Binary32]) {
        let level2 = proof::pairs(&config, families::level2(config.format)).step_by(17);
        let verdict = compare(&config, &Dut::of(&rtl(&config)), level2.chain(proof::random(&config, 200_000, 32)));
        agrees(&config, &verdict, 7_929_856u64.div_ceil(17) + 200_000);
    }
}

/// Inside, across and beyond the range of the formats.
const FIXED: [(u32, i32); 3] = [(8, -4), (16, -19), (12, 8)];

#[test]
fn conversions_of_the_small_formats_exhaustively() {
    let formats = [FloatFormat::E4m3, FloatFormat::E5m2, FloatFormat::Bfloat16, FloatFormat::Binary16];
    for (width, last_bit) in FIXED {
        let fixed = FixedFormat { width, last_bit };
        for config in configs(&[FpuOperation::ToFixed(fixed), FpuOperation::FromFixed(fixed)], &formats) {
            // Both roundings share their shape: one of them for each fixed format.
            if (config.rounding == Rounding::TowardZero) != (last_bit == -19) {
                continue;
            }
            let verdict = compare(&config, &Dut::of(&rtl(&config)), proof::exhaustive(&config));
            agrees(&config, &verdict, 1 << config.operand_bits());
        }
    }
}

/// Every number that fits is a subnormal one there.
#[test]
fn ranges_below_the_smallest_normal_number() {
    for (width, last_bit) in [(16, -24), (18, -24)] {
        let operation = FpuOperation::ToFixed(FixedFormat { width, last_bit });
        let config = FpuConfig::new(operation, FloatFormat::E4m3, Rounding::NearestEven);
        agrees(&config, &compare(&config, &Dut::of(&rtl(&config)), proof::exhaustive(&config)), 256);
    }
}

#[test]
fn conversions_as_gates() {
    let fixed = FixedFormat { width: 16, last_bit: -9 };
    for config in configs(
        &[FpuOperation::ToFixed(fixed), FpuOperation::FromFixed(fixed)],
        &[FloatFormat::E5m2, FloatFormat::Binary16],
    ) {
        let dut = gates_of(&Dut::of(&rtl(&config)));
        agrees(&config, &compare(&config, &dut, proof::exhaustive(&config)), 1 << config.operand_bits());
    }
}

#[test]
fn no_result_is_unknown_in_four_state_simulation() {
    for config in configs(&ARITHMETIC, &[FloatFormat::E4m3, FloatFormat::Binary32]) {
        let operands = families::level1(config.format);
        let cases: Vec<Case> = proof::pairs(&config, operands).step_by(11).collect();
        let answers = icarus::answers(&Dut::of(&rtl(&config)), Body::Gated, &cases, &go()).unwrap();
        let mut verdict = Verdict::default();
        verdict.add(&config, &cases, &answers);
        agrees(&config, &verdict, cases.len() as u64);
    }
}

#[test]
fn a_unit_without_flags_gives_the_same_results() {
    let config = FpuConfig { flags: false, ..configs(&ARITHMETIC, &SMALL)[0] };
    agrees(&config, &compare(&config, &Dut::of(&rtl(&config)), proof::exhaustive(&config)), 1 << 16);
}

/// The comparison can fail: a unit with one operator changed is found out.
#[test]
fn changed_operators_are_found() {
    let config = FpuConfig::new(FpuOperation::Mul, FloatFormat::E4m3, Rounding::NearestEven);
    let right = rtl(&config);
    for (part, from, to) in [
        ("axp_full_adders", " ^ ", " | "),
        ("axp_full_adders", " & ", " | "),
        ("axp_fp_mul", " ^ ", " | "),
        ("axp_fp_mul", " | ", " & "),
    ] {
        let mut dut = Dut::of(&right);
        let source = dut.sources.iter_mut().find(|source| source.file.starts_with(part)).unwrap();
        // Behind the header, whose words are no operators.
        let code = source.text.find("module axp").unwrap();
        let place = code + source.text[code..].find(from).unwrap();
        source.text.replace_range(place..place + from.len(), to);
        let verdict = compare(&config, &dut, proof::exhaustive(&config));
        assert_eq!(verdict.cases, 1 << 16);
        assert!(verdict.mismatches > 0 && verdict.first.is_some(), "{from:?} -> {to:?} in {part} survives");
    }
}

#[test]
fn a_fingerprint_is_that_of_every_character() {
    let rtl = rtl(&FpuConfig::new(FpuOperation::Add, FloatFormat::E5m2, Rounding::TowardZero));
    let print = proof::fingerprint(&rtl);
    let mut changed = rtl.clone();
    changed.modules[0].text.push(' ');
    assert_eq!(print, proof::fingerprint(&rtl.clone()));
    assert_ne!(print, proof::fingerprint(&changed));
}
