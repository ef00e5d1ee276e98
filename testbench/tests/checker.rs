//! The checker itself: faults put into the Verilog must be found, in the right cycle and on the right signal.

mod stimuli;

use axp_golden::pe::CyclePe;
use axp_hdl::{Rtl, generate};
use axp_spec::{PeConfig, PeInputs, PeOutputs};
use axp_testbench::backend::{Backend, Simulated};
use axp_testbench::compare::{Difference, compare};
use axp_testbench::dut::{Body, Dut};
use axp_testbench::icarus;
use axp_testbench::pe_ports::PeVectors;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Cycles of the reset that comes before a stimulus.
const RESET: u64 = 2;

fn config() -> PeConfig {
    PeConfig::pair("axp_pe_faulty", 4)
}

/// The PE with one piece of text replaced in the modules of this name.
fn faulty(module: &str, from: &str, to: &str) -> Rtl {
    let mut rtl = generate(&config()).unwrap();
    let mut replaced = 0;
    for module in rtl.modules.iter_mut().filter(|m| m.name.starts_with(module)) {
        replaced += module.text.matches(from).count();
        module.text = module.text.replace(from, to);
    }
    assert_eq!(replaced, 1, "{from:?} must stand once in {module}");
    rtl
}

/// Some thousand cycles of the usual random cases, one after the other.
fn stimulus() -> Vec<PeInputs> {
    let settings = Config { rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(settings);
    let cases = stimuli::cases(200);
    (0..20).flat_map(|_| cases.new_tree(&mut runner).unwrap().current().stimulus(&config())).collect()
}

fn golden(stimulus: &[PeInputs]) -> Vec<PeOutputs> {
    let mut pe = CyclePe::new(&config());
    stimulus.iter().map(|inputs| pe.step(inputs)).collect()
}

/// The first output that differs, in port order, as a simulator names it.
fn first_difference(expected: &[PeOutputs], actual: &[PeOutputs]) -> Option<(u64, &'static str, u64, u64)> {
    expected.iter().zip(actual).enumerate().find_map(|(index, (e, a))| {
        let signals = [
            ("in_ready_o", u64::from(e.ready), u64::from(a.ready)),
            ("out_valid_o", u64::from(e.valid), u64::from(a.valid)),
            ("out_data_o", u64::from(e.data), u64::from(a.data)),
        ];
        let (name, expected, actual) = signals.into_iter().find(|(_, expected, actual)| expected != actual)?;
        Some((index as u64 + RESET, name, expected, actual))
    })
}

fn parsed(difference: &Difference) -> (u64, &str, u64, u64) {
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    (difference.cycle, &difference.signal, number(&difference.expected), number(&difference.actual))
}

/// What the comparing bench reports first about this hardware.
fn reported(rtl: &Rtl, stimulus: &[PeInputs], expected: &[PeOutputs]) -> Option<Difference> {
    let dut = Dut::of(rtl);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let simulator = icarus::build(&dut, Body::Gated, cache, &AtomicBool::new(false)).unwrap();
    let mut vectors = PeVectors::of(&dut).unwrap();
    let (_, sections) = compare(&simulator, None, None, |writer, _| {
        vectors.push_reset(writer.records()?, &stimulus[0]);
        for (inputs, outputs) in stimulus.iter().zip(expected) {
            vectors.push(writer.records()?, inputs, outputs);
        }
        Ok(())
    })
    .unwrap();
    let section = &sections[0];
    assert_eq!(section.mismatches == 0, section.first.is_none());
    section.first.clone()
}

/// The outputs of this hardware, without any comparison in the bench.
fn outputs(rtl: &Rtl, stimulus: &[PeInputs]) -> Vec<PeOutputs> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Simulated::icarus(rtl, Body::Gated, cache).unwrap().run(stimulus).unwrap()
}

#[test]
fn the_unbroken_design_passes() {
    let stimulus = stimulus();
    let expected = golden(&stimulus);
    assert_eq!(reported(&generate(&config()).unwrap(), &stimulus, &expected), None);
    // The stimulus that the faults below are put to is a thorough one.
    let mut counts = stimuli::Counts::default();
    counts.add(&config(), &stimulus, &expected);
    counts.assert_cover(&config());
}

#[test]
fn a_wrong_expectation_is_found_on_every_output() {
    let stimulus = stimulus();
    let rtl = generate(&config()).unwrap();
    let right = golden(&stimulus);
    for (cycle, name) in [(17, "in_ready_o"), (900, "out_valid_o"), (1234, "out_data_o")] {
        let mut wrong = right.clone();
        match name {
            "in_ready_o" => wrong[cycle].ready ^= true,
            "out_valid_o" => wrong[cycle].valid ^= true,
            _ => wrong[cycle].data ^= 1 << 31,
        }
        let difference = reported(&rtl, &stimulus, &wrong).unwrap();
        assert_eq!(Some(parsed(&difference)), first_difference(&wrong, &right));
        assert_eq!((difference.cycle, difference.signal.as_str()), (cycle as u64 + RESET, name));
    }
}

#[test]
fn a_flipped_bit_of_the_stored_products_is_found_where_it_first_shows() {
    let stimulus = stimulus();
    let expected = golden(&stimulus);
    // What golden says of a PE whose row port is wired this way.
    let rewired: Vec<PeInputs> = stimulus
        .iter()
        .map(|inputs| {
            let mut inputs = *inputs;
            inputs.row.iter_mut().for_each(|row| row.product ^= 1 << 22);
            inputs
        })
        .collect();
    let predicted = first_difference(&expected, &golden(&rewired));
    let rtl = faulty("axp_pe_faulty", ".row_product_i(row_product_i)", ".row_product_i(row_product_i ^ 32'h00400000)");
    let difference = reported(&rtl, &stimulus, &expected).unwrap();
    assert_eq!(Some(parsed(&difference)), predicted);
    assert_eq!(difference.signal, "out_data_o");
}

#[test]
fn a_skid_buffer_that_never_stops_the_pipe_is_found_at_the_first_freeze() {
    let stimulus = stimulus();
    let expected = golden(&stimulus);
    let frozen = expected.iter().position(|outputs| !outputs.ready).unwrap() as u64;
    let rtl = faulty("axp_output_buffer", "assign run_o = ~skid_occupied;", "assign run_o = 1'b1;");
    let difference = reported(&rtl, &stimulus, &expected).unwrap();
    assert_eq!(parsed(&difference), (frozen + RESET, "in_ready_o", 0, 1));
}

/// Faults all over the design, each of which some stimulus must bring to light.
#[test]
fn seeded_faults_are_found_where_the_outputs_first_differ() {
    let faults: &[(&str, &str, &str)] = &[
        // Matching: a don't-care bit compared, the valid bit ignored, the wrong row of two.
        ("axp_am_row", "& storage_care_o", "| storage_care_o"),
        ("axp_am_row", "(search_i ^ storage_key_o) & ", "(search_i ^ storage_key_o) | "),
        ("axp_am_row", "match_o = valid_q_o & ~(|differs)", "match_o = valid_q_o | ~(|differs)"),
        ("axp_pair_am", "assign below_2 = ~any_0_1;", "assign below_2 = any_0_1;"),
        ("axp_pair_am", "assign select_1 = below_1 & row_1_match_o;", "assign select_1 = row_1_match_o;"),
        // The output: a result lost, a result taken twice, the skid's data mixed up.
        ("axp_output_buffer", "result_valid_i & ~free", "result_valid_i & free"),
        ("axp_output_buffer", "skid_occupied ? skid_q_o : arriving", "skid_occupied ? arriving : skid_q_o"),
        ("axp_output_buffer", "out_ready_i | ~occupied", "out_ready_i & ~occupied"),
        // The control: wires of the top module.
        ("axp_pe_faulty", "assign fresh_next = enters & restart;", "assign fresh_next = enters & restarts;"),
        ("axp_pe_faulty", ".hit_o(memory_hit_o)", ".hit_o()"),
        ("axp_pe_faulty", "assign restart = s1_first | restarts;", "assign restart = s1_first;"),
        ("axp_pe_faulty", "assign filled = sum_last_q_o & begun_q_o;", "assign filled = sum_last_q_o;"),
        // The sum: operands in the wrong order, the near path's sum on far, a lost sticky bit.
        ("axp_accumulate_align", "assign product_lower = ~swap_i & there;", "assign product_lower = swap_i & there;"),
        (
            "axp_accumulate_align",
            "assign aligned_o = {align_by_1, align_lost};",
            "assign aligned_o = {align_by_1, 1'b0};",
        ),
        ("axp_accumulate_near", "assign far = ~near_i;", "assign far = near_i;"),
    ];
    let stimulus = stimulus();
    let expected = golden(&stimulus);
    for (module, from, to) in faults {
        let rtl = faulty(module, from, to);
        let difference = reported(&rtl, &stimulus, &expected).unwrap_or_else(|| panic!("{from:?} -> {to:?} survives"));
        assert!(difference.cycle >= RESET, "{from:?} -> {to:?}: {difference:?}");
        if difference.actual.contains(['x', 'z']) {
            continue;
        }
        // The same from the outputs themselves, compared here.
        let seen = first_difference(&expected, &outputs(&rtl, &stimulus));
        assert_eq!(Some(parsed(&difference)), seen, "{from:?} -> {to:?}");
    }
}
