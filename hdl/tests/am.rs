//! The associative memory in rust-hdl's simulation against a linear search.

use axp_hdl::am::PairAm;
use axp_spec::ResetStyle;
use proptest::prelude::*;
use rust_hdl::prelude::*;

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

struct Bench<const A: usize, const N: usize> {
    memory: PairAm<A, N>,
}

impl<const A: usize, const N: usize> Bench<A, N> {
    fn new(rows: usize, reset: ResetStyle) -> Self {
        let mut memory = PairAm::new(rows, reset);
        memory.connect_all();
        let mut bench = Self { memory };
        bench.memory.rst_ni.next = false;
        bench.clock();
        bench.memory.rst_ni.next = true;
        bench.settle();
        bench
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            self.memory.update_all();
            if !self.memory.has_changed() {
                return;
            }
        }
        panic!("the memory does not settle");
    }

    fn clock(&mut self) {
        for level in [false, true, false] {
            self.memory.clk_i.next = level.into();
            self.settle();
        }
    }

    fn write(&mut self, enable: bool, address: usize, row: &Row) {
        self.memory.row_we_i.next = enable;
        self.memory.row_addr_i.next = (address as u64).into();
        self.memory.row_key_weight_i.next = u64::from(row.key.0).into();
        self.memory.row_key_activation_i.next = u64::from(row.key.1).into();
        self.memory.row_care_weight_i.next = u64::from(row.care.0).into();
        self.memory.row_care_activation_i.next = u64::from(row.care.1).into();
        self.memory.row_product_i.next = u64::from(row.product).into();
        self.memory.row_valid_i.next = row.valid;
        self.settle();
        self.clock();
        self.memory.row_we_i.next = false;
        self.settle();
    }

    /// Hit, and the product on the output.
    fn search(&mut self, weight: u32, activation: u32) -> (bool, u32) {
        self.memory.weight_i.next = u64::from(weight).into();
        self.memory.activation_i.next = u64::from(activation).into();
        self.settle();
        (self.memory.hit_o.val(), self.memory.product_o.val().to_u32())
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
fn compare<const A: usize, const N: usize>(rows: usize, steps: &[Step]) -> (usize, usize) {
    let mut bench = Bench::<A, N>::new(rows, ResetStyle::Async);
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
            let (h, m) = match rows {
                1 => compare::<1, 2>(rows, &steps),
                5 => compare::<3, 8>(rows, &steps),
                _ => compare::<6, 64>(rows, &steps),
            };
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
        compare::<3, 8>(5, &steps);
    }
}

#[test]
fn reset_makes_every_row_invalid() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let mut bench = Bench::<2, 4>::new(3, reset);
        let all = Row { product: 7, valid: true, ..Row::default() };
        assert_eq!(bench.search(1, 2), (false, 0));
        bench.write(true, 2, &all);
        assert_eq!(bench.search(1, 2), (true, 7));
        bench.memory.rst_ni.next = false;
        bench.settle();
        assert_eq!(bench.search(1, 2).0, reset == ResetStyle::Sync, "an asynchronous reset needs no clock");
        bench.clock();
        assert_eq!(bench.search(1, 2), (false, 0));
        bench.memory.rst_ni.next = true;
        bench.settle();
        assert_eq!(bench.search(1, 2), (false, 0));
    }
}

#[test]
fn special_operands_never_hit() {
    let mut bench = Bench::<1, 2>::new(2, ResetStyle::Async);
    bench.write(true, 0, &Row { product: 7, valid: true, ..Row::default() });
    for special in [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFFF_FFFF, 0x7F80_0001] {
        assert!(!bench.search(special, 0x3F80_0000).0, "{special:08x} as weight");
        assert!(!bench.search(0x3F80_0000, special).0, "{special:08x} as activation");
    }
    assert_eq!(bench.search(0x7F7F_FFFF, 0xFF7F_FFFF), (true, 7));
}
