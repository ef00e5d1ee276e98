//! Fixed-point sums of 8 bits at their limits, in rust-hdl's simulation: results by hand.

use axp_hdl::sim::PeSim;
use axp_spec::{Accumulator, PeConfig, PeInputs, RowWrite};

/// Range of a sum of 8 bits whose last bit counts 1.
const UNITS: u32 = 127 + 6;

/// What comes of a sum: value, overflow, invalid.
type Sum = (f32, bool, bool);

fn config(memory: PeConfig) -> PeConfig {
    PeConfig { accumulator: Accumulator::Fixed { width: 8, product_width: 7 }, ..memory }
}

fn pair(activation: f32) -> PeInputs {
    let activation = activation.to_bits();
    PeInputs { valid: true, zero_skip: true, weight: 1.0_f32.to_bits(), activation, ..idle() }
}

fn idle() -> PeInputs {
    PeInputs { range: UNITS, out_ready: true, ..PeInputs::default() }
}

/// The sums of these pairs, offered as they are accepted; the receiver takes a result in
/// one cycle of so many.
fn run(config: &PeConfig, rows: &[RowWrite], pairs: &[PeInputs], takes: usize) -> Vec<Sum> {
    let mut pe = PeSim::new(config).unwrap();
    for row in rows {
        pe.step(&PeInputs { row: Some(*row), ..idle() });
    }
    let (mut sums, mut offered) = (Vec::new(), pairs.iter().peekable());
    for cycle in 0..(pairs.len() + 10) * takes * 2 {
        let ready = cycle % takes == takes - 1;
        let inputs = offered.peek().map_or_else(idle, |pair| **pair);
        let seen = pe.step(&PeInputs { out_ready: ready, ..inputs });
        if seen.ready {
            offered.next();
        }
        if seen.valid && ready {
            sums.push((f32::from_bits(seen.data), seen.overflow, seen.invalid));
        }
    }
    assert_eq!(offered.next(), None, "all pairs enter");
    sums
}

/// Sums with their pairs, first and last set. An activation of 0 is skipped.
fn sums(of: &[&[f32]]) -> Vec<PeInputs> {
    let with = |(place, activation): (usize, &f32), length: usize| PeInputs {
        first: place == 0,
        last: place + 1 == length,
        ..pair(*activation)
    };
    of.iter().flat_map(|sum| sum.iter().enumerate().map(move |pair| with(pair, sum.len()))).collect()
}

/// Rows of one column for the weight 1 and all activations of 1 to 1.75 times a power of two.
fn rows() -> Vec<RowWrite> {
    let row = |prefix: u32| RowWrite {
        address: prefix,
        key: 0,
        care: 0,
        // Of a word of 7 bits the top one says 2 or more, below it is the fraction.
        product: prefix << 4,
        valid: true,
    };
    (0..4).map(row).collect()
}

#[test]
fn sums_stop_at_the_limits_and_say_so() {
    let infinity = f32::INFINITY;
    let cases: [(&[&[f32]], &[Sum]); 8] = [
        // Past the greatest number with the last pair, then a sum without a product.
        (&[&[100.0, 40.0], &[0.0], &[1.0]], &[(127.0, true, false), (0.0, false, false), (1.0, false, false)]),
        // Past the least one, then a sum that begins in the next cycle.
        (&[&[-100.0, -40.0], &[5.0, 6.0]], &[(-128.0, true, false), (11.0, false, false)]),
        // The limit is what more is added to, and stays known as one.
        (&[&[100.0, 40.0, -28.0], &[1.0]], &[(99.0, true, false), (1.0, false, false)]),
        (&[&[-100.0, -40.0, 0.0, 28.0, 28.0]], &[(-72.0, true, false)]),
        // Far from the first pair and from the last one.
        (&[&[100.0, 1.0, 1.0, 40.0, -28.0, 1.0, 1.0, 1.0, 1.0, 1.0]], &[(104.0, true, false)]),
        // A product that is out of range itself; the least number is not.
        (
            &[&[160.0], &[-160.0, 8.0], &[-128.0]],
            &[(127.0, true, false), (-120.0, true, false), (-128.0, false, false)],
        ),
        // Twice past the limit, and back past the other one.
        (&[&[112.0, 112.0, 112.0, -112.0, -112.0, -112.0]], &[(-128.0, true, false)]),
        // What is no number counts as 0 and is told; an infinity is the limit.
        (
            &[&[f32::NAN, 3.0], &[infinity, -1.0], &[2.0]],
            &[(3.0, false, true), (126.0, true, false), (2.0, false, false)],
        ),
    ];
    let memories =
        [(config(PeConfig::plain("axp_test")), Vec::new()), (config(PeConfig::factored("axp_test", 1, 2)), rows())];
    for (config, rows) in &memories {
        for (pairs, expected) in cases {
            for takes in [1, 2, 5] {
                let found = run(config, rows, &sums(pairs), takes);
                assert_eq!(found, expected, "{pairs:?}, {} rows, one cycle of {takes}", rows.len());
            }
        }
    }
}

#[test]
fn a_sum_that_goes_on_behind_its_result_keeps_limit_and_flag() {
    for (config, rows) in
        [(config(PeConfig::plain("axp_test")), Vec::new()), (config(PeConfig::factored("axp_test", 1, 2)), rows())]
    {
        let last = |activation: f32| PeInputs { last: true, ..pair(activation) };
        let pairs = [PeInputs { first: true, ..pair(100.0) }, last(40.0), last(-7.0)];
        let expected = [(127.0, true, false), (120.0, true, false)];
        assert_eq!(run(&config, &rows, &pairs, 1), expected, "{} rows", rows.len());
    }
}
