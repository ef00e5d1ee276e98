//! The PE in rust-hdl's simulation: timing, holding, skid and freeze, and sums
//! against a chain of host additions.

use axp_hdl::sim::PeSim;
use axp_spec::{PeConfig, PeInputs, PeOutputs, ResetStyle, RowWrite};
use proptest::prelude::*;
use std::collections::VecDeque;

fn pe(rows: usize) -> PeSim {
    PeSim::new(&PeConfig::pair("axp_test", rows)).unwrap()
}

fn mac(first: bool, last: bool, weight: f32, activation: f32) -> PeInputs {
    PeInputs {
        valid: true,
        first,
        last,
        weight: weight.to_bits(),
        activation: activation.to_bits(),
        out_ready: true,
        ..PeInputs::default()
    }
}

fn idle() -> PeInputs {
    PeInputs { out_ready: true, ..PeInputs::default() }
}

fn exact(address: u32, weight: f32, activation: f32, product: f32) -> PeInputs {
    let row = RowWrite {
        address,
        key: u64::from(weight.to_bits()) << 32 | u64::from(activation.to_bits()),
        care: u64::MAX,
        product: product.to_bits(),
        valid: true,
    };
    PeInputs { row: Some(row), ..idle() }
}

fn canonical(value: f32) -> u32 {
    if value.is_nan() { 0x7FC0_0000 } else { value.to_bits() }
}

#[test]
fn reset_shows_ready_and_zero() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let mut config = PeConfig::pair("axp_test", 4);
        config.reset = reset;
        let mut pe = PeSim::new(&config).unwrap();
        assert_eq!(pe.step(&idle()), PeOutputs { ready: true, valid: false, data: 0, ..PeOutputs::default() });
    }
}

#[test]
fn the_latency_is_four_for_hit_miss_and_zero() {
    let config = PeConfig::pair("axp_test", 4);
    let mut pe = PeSim::new(&config).unwrap();
    pe.step(&exact(1, 2.0, 3.0, 100.0));
    let zero = PeInputs { zero_skip: true, ..mac(true, true, 5.0, -0.0) };
    for (what, transfer, result) in
        [("hit", mac(true, true, 2.0, 3.0), 100.0f32), ("miss", mac(true, true, 4.0, 3.0), 12.0), ("zero", zero, 0.0)]
    {
        let before = pe.step(&transfer);
        assert!(before.ready && !before.valid, "{what}");
        for cycle in 1..config.latency() {
            assert!(!pe.step(&idle()).valid, "{what}: result after {cycle} cycles");
        }
        let after = pe.step(&idle());
        assert_eq!(
            after,
            PeOutputs { ready: true, valid: true, data: result.to_bits(), ..PeOutputs::default() },
            "{what}"
        );
        let held = pe.step(&idle());
        assert_eq!(
            held,
            PeOutputs { ready: true, valid: false, data: result.to_bits(), ..PeOutputs::default() },
            "{what}: data is held"
        );
    }
}

#[test]
fn a_row_serves_operands_of_later_cycles_only() {
    let mut pe = pe(2);
    // The write and the operands it matches in the same cycle: a miss.
    let same = PeInputs { row: exact(0, 2.0, 3.0, 100.0).row, ..mac(true, true, 2.0, 3.0) };
    pe.step(&same);
    pe.step(&mac(true, true, 2.0, 3.0));
    pe.step(&idle());
    pe.step(&idle());
    assert_eq!(pe.step(&idle()).data, 6.0f32.to_bits());
    assert_eq!(pe.step(&idle()).data, 100.0f32.to_bits());
}

#[test]
fn an_address_past_the_last_row_writes_nothing() {
    let mut pe = pe(3);
    for address in [3, 4, 5, 1024, u32::MAX] {
        pe.step(&exact(address, 2.0, 3.0, 100.0));
    }
    pe.step(&mac(true, true, 2.0, 3.0));
    for _ in 0..3 {
        pe.step(&idle());
    }
    assert_eq!(pe.step(&idle()).data, 6.0f32.to_bits());
}

#[test]
fn the_accumulator_starts_at_zero_and_goes_on_after_last() {
    let mut pe = pe(1);
    // No `first` after reset; then `last` without a new `first`.
    for (first, last, activation) in [(false, true, 1.0), (false, true, 2.0), (true, true, 4.0)] {
        pe.step(&mac(first, last, 1.0, activation));
    }
    pe.step(&idle());
    let sums: Vec<u32> = (0..3).map(|_| pe.step(&idle())).map(|o| if o.valid { o.data } else { 0 }).collect();
    assert_eq!(sums, [1.0f32, 3.0, 4.0].map(f32::to_bits));
}

#[test]
fn a_result_that_is_held_back_freezes_the_pipe() {
    let mut pe = pe(2);
    let stop = |inputs: PeInputs| PeInputs { out_ready: false, ..inputs };
    // One sum a cycle against a receiver that takes nothing.
    let mut accepted = 0;
    for cycle in 0..12 {
        let seen = pe.step(&stop(mac(true, true, 1.0, (accepted + 1) as f32)));
        accepted += u32::from(seen.ready);
        // 1 fills the output in cycle 4, 2 the skid in cycle 5: from then on nothing enters.
        assert_eq!(seen.ready, cycle <= 4, "cycle {cycle}");
        assert_eq!(seen.valid, cycle >= 4, "cycle {cycle}");
        assert_eq!(seen.data, if cycle >= 4 { 1.0f32.to_bits() } else { 0 }, "cycle {cycle}");
    }
    assert_eq!(accepted, 5);
    // Rows can be written while the pipe stands still.
    pe.step(&stop(exact(0, 1.0, 9.0, 90.0)));
    // The receiver takes all; in the first cycle the skid is still occupied.
    assert_eq!(
        pe.step(&mac(true, true, 1.0, 9.0)),
        PeOutputs { ready: false, valid: true, data: 1.0f32.to_bits(), ..PeOutputs::default() }
    );
    assert_eq!(
        pe.step(&mac(true, true, 1.0, 9.0)),
        PeOutputs { ready: true, valid: true, data: 2.0f32.to_bits(), ..PeOutputs::default() }
    );
    for result in [3.0f32, 4.0, 5.0, 90.0] {
        assert_eq!(
            pe.step(&idle()),
            PeOutputs { ready: true, valid: true, data: result.to_bits(), ..PeOutputs::default() }
        );
    }
    assert!(!pe.step(&idle()).valid);
}

#[test]
fn zero_skip_leaves_the_sum_whatever_the_weight() {
    let mut pe = pe(1);
    let skip = |inputs: PeInputs| PeInputs { zero_skip: true, ..inputs };
    pe.step(&skip(mac(true, false, f32::NAN, 0.0)));
    pe.step(&skip(mac(false, false, 2.0, 3.0)));
    pe.step(&skip(mac(false, false, f32::INFINITY, -0.0)));
    pe.step(&skip(mac(false, true, 0.0, 7.0)));
    // Without the bit a zero is an operand like any other.
    pe.step(&mac(true, true, f32::INFINITY, 0.0));
    pe.step(&idle());
    pe.step(&idle());
    assert_eq!(pe.step(&idle()).data, 6.0f32.to_bits());
    assert_eq!(pe.step(&idle()).data, 0x7FC0_0000);
}

#[test]
fn every_size_of_the_menu_can_be_built_and_used() {
    for bits in 1..=7 {
        let rows = if bits == 7 { 65 } else { 1 << bits };
        let mut pe = pe(rows);
        pe.step(&exact(rows as u32 - 1, 2.0, 3.0, 100.0));
        pe.step(&mac(true, true, 2.0, 3.0));
        for _ in 0..3 {
            pe.step(&idle());
        }
        assert_eq!(pe.step(&idle()).data, 100.0f32.to_bits(), "{rows} rows");
    }
    assert!(PeSim::new(&PeConfig::pair("axp_test", 1025)).is_err());
}

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => prop::sample::select(vec![1.0f32, -2.0, 0.5, 3.0, 0.0, -0.0]).prop_map(f32::to_bits),
        2 => any::<u32>(),
        1 => prop::sample::select(vec![1u32, 0x007F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7FC0_0000]),
    ]
}

fn cycle() -> impl Strategy<Value = PeInputs> {
    let row = (0u32..10, value(), value(), any::<u8>(), -8i8..8, prop::bool::weighted(0.9)).prop_map(
        |(address, weight, activation, dont_care, product, valid)| {
            let care = u64::MAX << (dont_care % 24);
            let key = (u64::from(weight) << 32 | u64::from(activation)) & care;
            RowWrite { address, key, care, product: f32::from(product).to_bits(), valid }
        },
    );
    let flags =
        (prop::bool::weighted(0.8), prop::bool::weighted(0.3), prop::bool::weighted(0.3), prop::bool::weighted(0.6));
    (flags, value(), value(), prop::option::weighted(0.3, row)).prop_map(
        |((valid, first, last, out_ready), weight, activation, row)| PeInputs {
            zero_skip: false,
            range: 0,
            row,
            valid,
            first,
            last,
            weight,
            activation,
            out_ready,
            ..PeInputs::default()
        },
    )
}

/// What the results must be, by host arithmetic and a list of rows.
#[derive(Default)]
struct Chain {
    rows: [Option<RowWrite>; 5],
    sum: f32,
    results: VecDeque<u32>,
}

impl Chain {
    fn accept(&mut self, inputs: &PeInputs) {
        let key = u64::from(inputs.weight) << 32 | u64::from(inputs.activation);
        let (weight, activation) = (f32::from_bits(inputs.weight), f32::from_bits(inputs.activation));
        let matching = self.rows.iter().flatten().find(|row| (row.key ^ key) & row.care == 0);
        let finite = weight.is_finite() && activation.is_finite();
        let product = match matching {
            Some(row) if finite => f32::from_bits(row.product),
            _ => weight * activation,
        };
        let base = if inputs.first { 0.0 } else { self.sum };
        let skipped = inputs.zero_skip && activation == 0.0;
        self.sum = if skipped { base } else { base + product };
        if inputs.last {
            self.results.push_back(canonical(self.sum));
        }
    }

    fn write(&mut self, row: &RowWrite) {
        if let Some(slot) = self.rows.get_mut(row.address as usize) {
            *slot = row.valid.then_some(*row);
        }
    }
}

proptest! {
    #[test]
    fn results_are_the_chains_in_order(cycles in prop::collection::vec(cycle(), 1..300), zero_skip: bool, sync: bool) {
        let mut config = PeConfig::pair("axp_test", 5);
        config.reset = if sync { ResetStyle::Sync } else { ResetStyle::Async };
        let mut pe = PeSim::new(&config).unwrap();
        let mut chain = Chain::default();
        let drain = std::iter::repeat_n(idle(), 8);
        let mut offered: Option<u32> = None;
        let mut last_data = 0;
        for cycle in cycles.into_iter().chain(drain) {
            let inputs = PeInputs { zero_skip, ..cycle };
            let seen = pe.step(&inputs);
            if let Some(data) = offered {
                prop_assert!(seen.valid && seen.data == data, "an offered result was withdrawn");
            }
            if !seen.valid {
                prop_assert_eq!(seen.data, last_data, "data changed while valid is low");
            }
            last_data = seen.data;
            offered = (seen.valid && !inputs.out_ready).then_some(seen.data);
            if seen.valid && inputs.out_ready {
                prop_assert_eq!(Some(seen.data), chain.results.pop_front());
            }
            if seen.ready && inputs.valid {
                chain.accept(&inputs);
            }
            if let Some(row) = &inputs.row {
                chain.write(row);
            }
        }
        prop_assert!(chain.results.is_empty(), "results are missing: {:08x?}", chain.results);
    }
}
