//! Speed of the PE model: clock cycles, pairs of a sum, single operations.

use axp_golden::am::{Am, Pattern};
use axp_golden::float;
use axp_golden::pe::{self, CyclePe};
use axp_spec::{AmImage, FloatFormat::Binary32, PeConfig, PeInputs};
use divan::{Bencher, black_box, counter::ItemsCount};

const ROWS: usize = 128;
const PAIRS: usize = 4096;

fn main() {
    divan::main();
}

/// Pairs of which about `hit_percent` in a hundred match one of the rows, each
/// row equally often; the rest match none.
fn stream(hit_percent: usize) -> (AmImage, Vec<(u32, u32)>) {
    let weight = |i: usize| (0.125 * (i % 16) as f32 - 1.06).to_bits();
    let activation = |i: usize| (1.0 + (i / 16) as f32).to_bits();
    let row = |i: usize| Pattern::partial(Binary32, weight(i), activation(i), 8).row(1f32.to_bits());
    let pair = |i: usize| {
        let spread = (i * 2_654_435_761 % (1 << 32)) >> 16;
        let row = spread % ROWS;
        let hit = spread * 37 % 100 < hit_percent;
        (weight(row), if hit { activation(row) } else { (0.3 + spread as f32 * 1e-6).to_bits() })
    };
    (AmImage { rows: (0..ROWS).map(row).collect() }, (0..PAIRS).map(pair).collect())
}

fn config() -> PeConfig {
    PeConfig::pair("bench", ROWS)
}

#[divan::bench(args = [0, 50, 100])]
fn cycle_step(bencher: Bencher, hit_percent: usize) {
    let (image, pairs) = stream(hit_percent);
    let mut pe = CyclePe::new(&config());
    pe.load(&image).expect("finite rows with partial keys load");
    let inputs = |(at, (weight, activation)): (usize, &(u32, u32))| PeInputs {
        valid: true,
        first: at % 64 == 0,
        last: at % 64 == 63,
        weight: *weight,
        activation: *activation,
        out_ready: true,
        ..PeInputs::default()
    };
    let cycles: Vec<PeInputs> = pairs.iter().enumerate().map(inputs).collect();
    bencher
        .counter(ItemsCount::new(PAIRS))
        .bench_local(|| cycles.iter().fold(0, |mix, inputs| mix ^ pe.step(black_box(inputs)).data));
}

#[divan::bench(args = [0, 50, 100])]
fn sum(bencher: Bencher, hit_percent: usize) {
    let (image, pairs) = stream(hit_percent);
    let mut am = Am::new(&config());
    am.load(&image).expect("finite rows with partial keys load");
    bencher
        .counter(ItemsCount::new(PAIRS))
        .bench_local(|| pe::sum(&config(), &am, false, black_box(&pairs).iter().copied()));
}

#[divan::bench]
fn float_multiply(bencher: Bencher) {
    let (_, pairs) = stream(0);
    bencher.counter(ItemsCount::new(PAIRS)).bench_local(|| {
        pairs.iter().fold(0, |mix, (a, b)| mix ^ float::mul(Binary32, black_box(*a).into(), (*b).into()).bits)
    });
}

#[divan::bench]
fn float_add(bencher: Bencher) {
    let (_, pairs) = stream(0);
    bencher.counter(ItemsCount::new(PAIRS)).bench_local(|| {
        pairs.iter().fold(0, |mix, (a, b)| mix ^ float::add(Binary32, black_box(*a).into(), (*b).into()).bits)
    });
}
