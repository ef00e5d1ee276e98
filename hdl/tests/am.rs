//! The associative memory in rust-hdl's simulation against a linear search.

use axp_hdl::am::pair_memory;
use axp_hdl::circuit::Circuit;
use axp_spec::{PeConfig, ResetStyle, Storage};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    key: (u32, u32),
    care: (u32, u32),
    product: u32,
    valid: bool,
}

impl Row {
    fn matches(&self, weight: u32, activation: u32) -> bool {
        self.valid
            && (self.key.0 ^ weight) & self.care.0 == 0
            && (self.key.1 ^ activation) & self.care.1 == 0
            && weight >> 23 & 0xFF != 0xFF
            && activation >> 23 & 0xFF != 0xFF
    }
}

struct Bench {
    memory: Circuit,
}

impl Bench {
    fn new(rows: usize, reset: ResetStyle) -> Self {
        Self::of(&PeConfig { reset, ..PeConfig::pair("axp_test", rows) })
    }

    fn of(config: &PeConfig) -> Self {
        let memory = pair_memory(config);
        let mut bench = Self { memory };
        bench.memory.drive("rst_ni", 0);
        bench.clock();
        bench.memory.drive("rst_ni", 1);
        bench.memory.settle();
        bench
    }

    fn clock(&mut self) {
        for level in [0, 1, 0] {
            self.memory.drive("clk_i", level);
            self.memory.settle();
        }
    }

    fn write(&mut self, enable: bool, address: usize, row: &Row) {
        let pair = |(weight, activation): (u32, u32)| u128::from(weight) << 32 | u128::from(activation);
        for (port, value) in [
            ("row_we_i", enable.into()),
            ("row_addr_i", address as u128),
            ("row_key_i", pair(row.key)),
            ("row_care_i", pair(row.care)),
            ("row_product_i", row.product.into()),
            ("row_valid_i", row.valid.into()),
        ] {
            self.memory.drive(port, value);
        }
        self.memory.settle();
        self.clock();
        self.memory.drive("row_we_i", 0);
        self.memory.settle();
    }

    /// Hit, and the product on the output.
    fn search(&mut self, weight: u32, activation: u32) -> (bool, u32) {
        self.memory.drive("weight_i", weight.into());
        self.memory.drive("activation_i", activation.into());
        self.memory.settle();
        (self.memory.read("hit_o") == 1, self.memory.read("product_o") as u32)
    }
}

/// A few values, so that rows and searches meet; infinity among them.
fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        5 => Just(0x3F80_0000u32),
        3 => Just(0x3F81_0000),
        2 => Just(0xBF80_0001),
        1 => Just(0x7F80_0000),
        1 => any::<u32>(),
    ]
}

fn care() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(u32::MAX), 1 => Just(0xFFFF_0000), 1 => Just(0xFF80_0000), 1 => Just(0u32), 1 => any::<u32>()]
}

fn row() -> impl Strategy<Value = Row> {
    (value(), value(), care(), care(), any::<u32>(), prop::bool::weighted(0.9))
        .prop_map(|(w, a, cw, ca, product, valid)| Row { key: (w & cw, a & ca), care: (cw, ca), product, valid })
}

type Step = (bool, usize, Row, Vec<(u32, u32)>);

fn steps(addresses: usize) -> impl Strategy<Value = Vec<Step>> {
    let searches = prop::collection::vec((value(), value()), 4);
    prop::collection::vec((prop::bool::weighted(0.9), 0..addresses, row(), searches), 1..40)
}

/// Runs the steps on both; says how many searches hit, and how many of those
/// matched more than one row.
fn compare(rows: usize, steps: &[Step]) -> (usize, usize) {
    let found = compare_stored(rows, Storage::Flops, steps);
    assert_eq!(compare_stored(rows, Storage::Latches, steps), found);
    found
}

fn compare_stored(rows: usize, storage: Storage, steps: &[Step]) -> (usize, usize) {
    let mut config = PeConfig::pair("axp_test", rows);
    config.am.as_mut().unwrap().storage = storage;
    let mut bench = Bench::of(&config);
    let mut model = vec![Row::default(); rows];
    let (mut hits, mut multiple) = (0, 0);
    for (enable, address, row, searches) in steps {
        bench.write(*enable, *address, row);
        if let (true, Some(slot)) = (*enable, model.get_mut(*address)) {
            *slot = *row;
        }
        for (weight, activation) in searches {
            let found = bench.search(*weight, *activation);
            let matching: Vec<&Row> = model.iter().filter(|row| row.matches(*weight, *activation)).collect();
            hits += usize::from(!matching.is_empty());
            multiple += usize::from(matching.len() > 1);
            assert_eq!(found.0, !matching.is_empty(), "hit of {weight:08x}, {activation:08x} in {model:08x?}");
            if let Some(first) = matching.first() {
                assert_eq!(found.1, first.product, "product of {weight:08x}, {activation:08x} in {model:08x?}");
            }
        }
    }
    (hits, multiple)
}

#[test]
fn searches_find_the_lowest_matching_row() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut hits, mut multiple, mut searches) = (0, 0, 0);
    for _ in 0..60 {
        // One row; a number of rows that is no power of two, with addresses past the last; a vector past one word.
        for (rows, addresses) in [(1, 2), (5, 8), (37, 64)] {
            let steps = steps(addresses).new_tree(&mut runner).unwrap().current();
            let (h, m) = compare(rows, &steps);
            hits += h;
            multiple += m;
            searches += 4 * steps.len();
        }
    }
    assert!(searches > 5000, "{searches} searches");
    assert!(hits * 10 > searches * 3, "{hits} of {searches} searches hit");
    assert!(multiple * 20 > searches, "{multiple} of {searches} searches matched several rows");
}

proptest! {
    #[test]
    fn any_contents_any_search(steps in steps(8)) {
        compare(5, &steps);
    }
}

#[test]
fn reset_makes_every_row_invalid() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let mut bench = Bench::new(3, reset);
        let all = Row { product: 7, valid: true, ..Row::default() };
        assert_eq!(bench.search(1, 2), (false, 0));
        bench.write(true, 2, &all);
        assert_eq!(bench.search(1, 2), (true, 7));
        bench.memory.drive("rst_ni", 0);
        bench.memory.settle();
        assert_eq!(bench.search(1, 2).0, reset == ResetStyle::Sync, "an asynchronous reset needs no clock");
        bench.clock();
        assert_eq!(bench.search(1, 2), (false, 0));
        bench.memory.drive("rst_ni", 1);
        bench.memory.settle();
        assert_eq!(bench.search(1, 2), (false, 0));
    }
}

#[test]
fn special_operands_never_hit() {
    let mut bench = Bench::new(2, ResetStyle::Async);
    bench.write(true, 0, &Row { product: 7, valid: true, ..Row::default() });
    for special in [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFFF_FFFF, 0x7F80_0001] {
        assert!(!bench.search(special, 0x3F80_0000).0, "{special:08x} as weight");
        assert!(!bench.search(0x3F80_0000, special).0, "{special:08x} as activation");
    }
    assert_eq!(bench.search(0x7F7F_FFFF, 0xFF7F_FFFF), (true, 7));
}
