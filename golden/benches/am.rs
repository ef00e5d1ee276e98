//! Speed of one search of the associative memory.

use axp_golden::am::{Am, Pattern};
use axp_spec::{AmImage, FloatFormat::Binary32, PeConfig};
use divan::{Bencher, black_box, counter::ItemsCount};

fn main() {
    divan::main();
}

/// Rows that differ in the activation; row `i` is keyed by 1.0 and `i + 1`.
fn memory(rows: usize) -> Am {
    let config = PeConfig::pair("bench", rows);
    let mut am = Am::new(&config);
    let row = |i: usize| Pattern::partial(Binary32, 1f32.to_bits(), (i as f32 + 1.0).to_bits(), 8).row(0);
    am.load(&AmImage { rows: (0..rows).map(row).collect() }).expect("finite rows with partial keys load");
    am
}

/// A thousand searches a sample, of keys that hit the rows in turn.
#[divan::bench(args = [8, 32, 128])]
fn hits(bencher: Bencher, rows: usize) {
    let am = memory(rows);
    bencher.counter(ItemsCount::new(1000usize)).bench_local(|| {
        (0..1000)
            .filter(|i| am.search(black_box(1f32.to_bits()), black_box((i % rows) as f32 + 1.0).to_bits()).is_some())
            .count()
    });
}

/// A thousand searches a sample, of keys that match no row.
#[divan::bench(args = [8, 32, 128])]
fn misses(bencher: Bencher, rows: usize) {
    let am = memory(rows);
    bencher.counter(ItemsCount::new(1000usize)).bench_local(|| {
        (0..1000).filter(|i| am.search(black_box(2f32.to_bits()), black_box(*i as f32).to_bits()).is_some()).count()
    });
}
