//! The PE cycle by cycle: order, latency, backpressure, reset, row writes.
//!
//! Every cycle of every test runs through [`Checked`], which predicts all
//! outputs from the transactions alone: how many clock edges each sum still
//! needs and how many results wait, not which register holds them.

use crate::checked::{Checked, ROWS, config};
use crate::operands::{any_encoding, network_value};
use axp_golden::am::{Am, Pattern};
use axp_golden::pe::{self, CyclePe};
use axp_spec::pe::{MAX_ADDER_STAGES, MAX_MULTIPLIER_STAGES};
use axp_spec::{AmImage, AmRow, FloatFormat::Binary32, PeConfig, PeInputs, PeOutputs, RowWrite};
use proptest::prelude::*;
use proptest::sample::Index;

/// Every way to cut the pipe.
fn cuts() -> impl Strategy<Value = PeConfig> {
    (0..=MAX_MULTIPLIER_STAGES, 0..=MAX_ADDER_STAGES).prop_map(|(multiplier_stages, adder_stages)| PeConfig {
        multiplier_stages,
        adder_stages,
        ..config()
    })
}

fn pair(weight: u32, activation: u32, first: bool, last: bool) -> PeInputs {
    PeInputs { valid: true, first, last, weight, activation, ..PeInputs::default() }
}

/// Streams of pairs, each with its own zero-skip bit.
fn stream() -> impl Strategy<Value = Vec<PeInputs>> {
    let operand = || prop_oneof![12 => network_value(), 1 => any_encoding()];
    let last = prop_oneof![Just(0.1), Just(0.5), Just(1.0)];
    last.prop_flat_map(move |last| {
        let flags = (prop::bool::weighted(0.4), prop::bool::weighted(last), any::<bool>());
        let one = (operand(), operand(), flags).prop_map(|(weight, activation, (first, last, zero_skip))| PeInputs {
            zero_skip,
            ..pair(weight, activation, first, last)
        });
        prop::collection::vec(one, 1..80)
    })
}

/// Rows that agree with pairs of the stream in some bits of the activation.
fn image_for(stream: &[PeInputs], choice: &[(Index, u32, f32)]) -> AmImage {
    let rows = choice.iter().filter_map(|(index, bits, product)| {
        let pair = index.get(stream);
        let finite = [pair.weight, pair.activation].iter().all(|x| f32::from_bits(*x).is_finite());
        let pattern = Pattern::partial(Binary32, pair.weight, pair.activation, *bits);
        finite.then(|| pattern.row(product.to_bits()))
    });
    AmImage { rows: rows.collect() }
}

fn choice() -> impl Strategy<Value = Vec<(Index, u32, f32)>> {
    prop::collection::vec((any::<Index>(), 0..23u32, -8f32..8.0), 0..=ROWS)
}

/// A pattern of 1s of random density, and one 0, so that nothing waits for ever.
fn holes() -> impl Strategy<Value = Vec<bool>> {
    prop_oneof![Just(0.0), Just(0.2), Just(0.6), Just(0.95)].prop_flat_map(|density| {
        prop::collection::vec(prop::bool::weighted(density), 0..60).prop_map(|mut holes| {
            holes.push(false);
            holes
        })
    })
}

/// The sums of a stream by the numeric model: each `last` ends the sum of all
/// pairs since the latest `first`. The skipped pairs are left out beforehand,
/// since `pe::sum` has one zero-skip bit for the whole sum.
fn sums_of(stream: &[PeInputs], am: &Am) -> Vec<u32> {
    let mut sums = Vec::new();
    let mut start = 0;
    for (at, pair) in stream.iter().enumerate() {
        if pair.first {
            start = at;
        }
        if pair.last {
            let kept = stream[start..=at].iter().filter(|pair| !(pair.zero_skip && pair.activation << 1 == 0));
            sums.push(pe::sum(&config(), am, false, kept.map(|pair| (pair.weight, pair.activation))).data);
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn results_are_the_sums_in_order_under_any_stalls(
        config in cuts(), stream in stream(), choice in choice(), gaps in holes(), stalls in holes(),
    ) {
        let image = image_for(&stream, &choice);
        let mut checked = Checked::of(&config, &image);
        checked.run(&stream, &gaps, &stalls);
        if config.adder_stages == 0 {
            prop_assert_eq!(&checked.taken, &sums_of(&stream, &checked.am));
        }
        for (accepted, taken) in checked.accepted_lasts.iter().zip(&checked.taken_in) {
            prop_assert!(taken - accepted >= u64::from(config.latency()));
        }
    }

    /// Hit, miss and skip alike: one latency, one pair a cycle, never a stall.
    #[test]
    fn without_stalls_the_latency_is_constant(
        config in cuts(), stream in stream(), choice in choice(), gaps in holes(),
    ) {
        let mut checked = Checked::of(&config, &image_for(&stream, &choice));
        checked.run(&stream, &gaps, &[false]);
        let lasts = stream.iter().filter(|pair| pair.last).count();
        prop_assert_eq!((checked.accepted_lasts.len(), checked.taken_in.len()), (lasts, lasts));
        for (accepted, taken) in checked.accepted_lasts.iter().zip(&checked.taken_in) {
            prop_assert_eq!(taken - accepted, u64::from(config.latency()));
        }
        prop_assert_eq!(checked.frozen_cycles, 0);
    }

    /// Rows are rewritten and invalidated at any time, also while the pipe is
    /// frozen; [`Checked`] looks each pair up in the rows of its own cycle.
    #[test]
    fn a_row_write_affects_later_operands_only(
        config in cuts(),
        stream in stream(),
        choice in choice(),
        writes in prop::collection::vec((any::<Index>(), 0..ROWS as u32 + 1, 0..24u32, any::<bool>()), 1..40),
        write_cycles in prop::collection::vec(any::<bool>(), 1..40),
        stalls in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let mut checked = Checked::of(&config, &image_for(&stream, &choice));
        let mut waiting = stream.iter().peekable();
        for cycle in 0..200 {
            let offered = waiting.peek().map_or(PeInputs::default(), |pair| **pair);
            let (index, address, bits, valid) = &writes[cycle % writes.len()];
            let row = write_cycles[cycle % write_cycles.len()].then(|| {
                // A product that tells this write from every other one.
                let pair = index.get(&stream);
                let row = Pattern::partial(Binary32, pair.weight, pair.activation, *bits).row(0);
                let product = (cycle as f32).to_bits();
                RowWrite { address: *address, key: row.key, care: row.care, product, valid: *valid }
            });
            let inputs = PeInputs { row, out_ready: !stalls[cycle % stalls.len()], ..offered };
            if checked.step(&inputs).ready {
                waiting.next();
            }
        }
    }

    /// What a cycle shows was decided before it: outputs come from registers.
    #[test]
    fn outputs_do_not_depend_on_the_inputs_of_their_cycle(
        config in cuts(), stream in stream(), other in stream(), stalls in holes(),
    ) {
        let mut pe = CyclePe::new(&config);
        for (cycle, (pair, other)) in stream.iter().zip(other.iter().cycle()).enumerate() {
            let inputs = PeInputs { out_ready: !stalls[cycle % stalls.len()], ..*pair };
            let other = PeInputs { out_ready: !inputs.out_ready, ..*other };
            let shown = pe.outputs();
            prop_assert_eq!(pe.clone().step(&other), shown);
            prop_assert_eq!(pe.step(&inputs), shown);
        }
    }

    #[test]
    fn reset_forgets_everything(
        config in cuts(), stream in stream(), choice in choice(), stalls in holes(), stop in 0..40usize,
    ) {
        let mut checked = Checked::of(&config, &image_for(&stream, &choice));
        for (cycle, pair) in stream.iter().take(stop).enumerate() {
            checked.step(&PeInputs { out_ready: !stalls[cycle % stalls.len()], ..*pair });
        }
        checked.pe.reset();
        prop_assert_eq!(&checked.pe, &CyclePe::new(&config));
        prop_assert_eq!(checked.pe.outputs(), PeOutputs { ready: true, valid: false, data: 0, ..PeOutputs::default() });
        prop_assert_eq!(checked.pe.am().valid_rows(), 0);
    }
}

const ONE: u32 = 0x3F80_0000;
const TWO: u32 = 0x4000_0000;

/// The table in the documentation of `CyclePe`, signal by signal.
#[test]
fn the_documented_waveform() {
    let in_valid = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let in_first = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let in_last = [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let in_ready = [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1];
    let out_valid = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0];
    let out_ready = [1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1];
    let (a, b) = (3f32.to_bits(), ONE);
    let out_data = [0, 0, 0, 0, 0, 0, a, a, a, a, b, b];
    let mut checked = Checked::new(&AmImage::default());
    for cycle in 0..in_valid.len() {
        let inputs = PeInputs {
            valid: in_valid[cycle] == 1,
            out_ready: out_ready[cycle] == 1,
            ..pair(ONE, ONE, in_first[cycle] == 1, in_last[cycle] == 1)
        };
        let expected = PeOutputs {
            ready: in_ready[cycle] == 1,
            valid: out_valid[cycle] == 1,
            data: out_data[cycle],
            ..PeOutputs::default()
        };
        assert_eq!(checked.step(&inputs), expected, "in cycle {cycle}");
    }
}

#[test]
fn a_stream_without_first_continues_the_sum() {
    let mut checked = Checked::new(&AmImage::default());
    let stream = [
        pair(ONE, ONE, false, true), // after reset the accumulator is +0
        pair(ONE, TWO, false, true), // after a `last` it still holds the sum
        pair(TWO, TWO, true, true),
        pair(ONE, ONE, false, false),
        pair(ONE, ONE, false, true),
    ];
    checked.run(&stream, &[false], &[false]);
    assert_eq!(checked.taken, [1f32, 3.0, 4.0, 6.0].map(f32::to_bits));
}

/// With a sum a cycle and a receiver that always takes, no cycle is lost.
#[test]
fn one_result_a_cycle_is_sustained() {
    let mut checked = Checked::new(&AmImage::default());
    for cycle in 0..100u32 {
        let inputs = PeInputs { out_ready: true, ..pair((cycle as f32).to_bits(), ONE, true, true) };
        assert!(checked.step(&inputs).ready);
    }
    let expected: Vec<u32> = (0..96).map(|cycle| (cycle as f32).to_bits()).collect();
    assert_eq!(checked.taken, expected);
}

/// The pair in the very cycle of the write misses, the next one hits; a pair
/// that has hit keeps its product though the row is gone before it is added.
#[test]
fn row_writes_around_one_pair() {
    let write = |product: f32, valid| {
        let AmRow { key, care, .. } = AmRow::exact(Binary32, ONE, TWO, 0);
        Some(RowWrite { address: 3, key, care, product: product.to_bits(), valid })
    };
    let mut checked = Checked::new(&AmImage::default());
    let offered = PeInputs { out_ready: true, ..pair(ONE, TWO, true, true) };
    for row in [write(10.0, true), write(20.0, true), write(30.0, false), None] {
        checked.step(&PeInputs { row, ..offered });
    }
    for _ in 0..4 {
        checked.step(&PeInputs { valid: false, ..offered });
    }
    assert_eq!(checked.taken, [2f32, 10.0, 20.0, 2.0].map(f32::to_bits));
}

#[test]
fn rows_can_be_written_while_the_pipe_is_frozen() {
    let mut checked = Checked::new(&AmImage::default());
    let offered = PeInputs { out_ready: false, ..pair(ONE, ONE, true, true) };
    while checked.step(&offered).ready {}
    let write = RowWrite { address: 0, key: Binary32.key_of(ONE, ONE), care: u64::MAX, product: TWO, valid: true };
    checked.step(&PeInputs { row: Some(write), ..offered });
    assert_eq!(checked.pe.am().valid_rows(), 1);
    // The stalled sender's next pair finds the new row; those inside keep theirs.
    let inside = checked.results.len();
    let go = PeInputs { out_ready: true, ..offered };
    while !checked.step(&go).ready {}
    checked.run(&[], &[false], &[false]);
    let expected: Vec<u32> = std::iter::repeat_n(ONE, inside).chain([TWO]).collect();
    assert_eq!(checked.taken, expected);
}
