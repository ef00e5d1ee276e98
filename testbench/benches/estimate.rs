//! Speed of an energy estimate from the table that comes with the program.

use axp_spec::PeConfig;
use axp_testbench::energy::estimate::{Activity, EnergyTable};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// One design on a network of so many layers.
#[divan::bench(args = [1, 5, 20])]
fn a_design(bencher: Bencher, layers: usize) {
    let table = EnergyTable::bundled().expect("a test parses it");
    let library = table.rows.first().map(|row| row.library_sha256.clone()).unwrap_or_default();
    let config = PeConfig::factored("bench", 16, 3);
    let activity =
        Activity { hits: 0.9, misses: 0.1, bus_bits: 9.0, key_bits: 6.0, sum_bits: 8.0, ..Activity::default() };
    let layers = vec![(1000, activity); layers];
    bencher.bench_local(|| table.estimate(black_box(&library), black_box(&config), black_box(&layers)));
}
