//! Circuits: what the builder refuses, and what registers do.

use axp_hdl::circuit::{Circuit, concat, literal, vector};
use axp_spec::ResetStyle;
use proptest::prelude::*;

fn refused(build: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let error = std::panic::catch_unwind(build).expect_err("this was accepted");
    let text = error.downcast_ref::<String>().cloned();
    text.or_else(|| error.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn with_inputs(build: impl FnOnce(&mut Circuit)) {
    build(&mut Circuit::new("axp_test", "a test"));
}

#[test]
fn mistakes_in_a_description_are_found_when_it_is_built() {
    let message = refused(|| with_inputs(|c| drop(c.input("a_i", 8, "a") + c.input("b_i", 9, "b"))));
    assert!(message.contains("Add of"), "{message}");
    let message = refused(|| drop(literal(16, 4)));
    assert_eq!(message, "0x10 does not fit 4 bits");
    let message = refused(|| with_inputs(|c| drop(c.input("a_i", 8, "a").slice(5, 4))));
    assert!(message.starts_with("bits 5 to 8 of"), "{message}");
    let message = refused(|| with_inputs(|c| drop(concat(&[&!c.input("a_i", 8, "a"), &literal(0, 1)]))));
    assert!(message.contains("name"), "{message}");
    let message = refused(|| with_inputs(|c| drop((c.input("a_i", 8, "a"), c.input("a_i", 8, "a")))));
    assert_eq!(message, "axp_test: two nets named \"a_i\"");
    let message = refused(|| {
        with_inputs(|c| {
            let a = c.input("a_i", 1, "a");
            c.register("bank", &a, &a);
        })
    });
    assert_eq!(message, "axp_test: a register without a clock");
    let message = refused(|| {
        with_inputs(|c| {
            let a = c.input("a_i", 1, "a");
            c.define(&a, literal(0, 1));
        })
    });
    assert!(message.contains("does not wait for a definition"), "{message}");
    let message = refused(|| {
        with_inputs(|c| {
            let late = c.forward("late", 1, "never defined");
            c.output("q_o", late, "q");
            c.settle();
        })
    });
    assert_eq!(message, "axp_test: [\"late\"] not defined");
    let message = refused(|| {
        with_inputs(|c| {
            let late = c.forward("late", 1, "its own complement");
            c.define(&late, !&late);
            c.settle();
        })
    });
    assert!(message.contains("is on a loop"), "{message}");
}

/// A counter inside a counter: state in an instance, and a net that is read
/// before it is driven.
#[test]
fn registers_inside_instances_take_part() {
    let counter = || {
        let mut c = Circuit::new("axp_counter", "counts while enabled");
        c.clock();
        c.reset(ResetStyle::Async);
        c.test_enable();
        let enable = c.input("en_i", 1, "count");
        let count = c.forward("count", 8, "the count");
        let next = c.net("next", &count + literal(1, 8), "the next one");
        let stored = c.reset_register("state", &next, &enable);
        c.define(&count, stored);
        c.output("count_o", count.clone(), "the count");
        c.output("full_o", count.all(), "the last count");
        c
    };
    let mut c = Circuit::new("axp_test", "two counters, the second counts the wraps of the first");
    c.clock();
    c.reset(ResetStyle::Async);
    c.test_enable();
    let wraps = c.forward("wraps", 1, "the first is full");
    let second = c.instance("second", counter(), &[("en_i", &wraps)]);
    let first = c.instance("first", counter(), &[("en_i", &literal(1, 1))]);
    c.define(&wraps, first.port("full_o"));
    c.output("low_o", first.port("count_o"), "low");
    c.output("high_o", second.port("count_o"), "high");
    c.drive("rst_ni", 0);
    c.settle();
    c.drive("rst_ni", 1);
    for cycle in 0..1000_u128 {
        c.settle();
        assert_eq!((c.read("high_o") << 8) + c.read("low_o"), cycle);
        for level in [1, 0] {
            c.drive("clk_i", level);
            c.settle();
        }
    }
    c.drive("rst_ni", 0);
    c.settle();
    assert_eq!((c.read("high_o"), c.read("low_o")), (0, 0));
}

#[test]
fn a_register_loads_at_a_rising_edge_if_enabled_and_holds_otherwise() {
    let mut c = Circuit::new("axp_test", "one register");
    c.clock();
    c.test_enable();
    let enable = c.input("en_i", 1, "enable");
    let data = c.input("d_i", 8, "data");
    let stored = c.register("bank", &data, &enable);
    c.output("q_o", stored, "stored");
    let mut step = |clock: u128, enable: u128, data: u128| {
        c.drive("en_i", enable);
        c.drive("d_i", data);
        c.settle();
        c.drive("clk_i", clock);
        c.settle();
        c.read("q_o")
    };
    assert_eq!(step(0, 1, 7), 0);
    assert_eq!(step(1, 1, 7), 7);
    assert_eq!(step(1, 1, 8), 7, "the clock has not risen again");
    assert_eq!(step(0, 1, 9), 7, "a falling edge");
    assert_eq!(step(1, 0, 9), 7, "not enabled");
    step(0, 1, 10);
    assert_eq!(step(1, 1, 10), 10);
}

proptest! {
    /// Parts put side by side in any way and taken apart again are what they were.
    #[test]
    fn parts_of_parts_are_parts_of_the_whole(word: u64, cuts in prop::collection::vec(1u32..64, 1..6), from in 0u32..64, width in 1u32..64) {
        let mut c = Circuit::new("axp_test", "parts");
        let whole = c.input("a_i", 64, "a");
        let mut ends: Vec<u32> = cuts.into_iter().chain([0, 64]).collect();
        ends.sort_unstable();
        ends.dedup();
        let parts: Vec<_> = ends.windows(2).map(|end| whole.slice(end[0], end[1] - end[0])).collect();
        let joined = concat(&parts.iter().rev().chain([&literal(5, 3)]).collect::<Vec<_>>());
        let width = width.min(67 - from);
        c.output("part_o", joined.slice(from, width), "a part");
        c.output("bits_o", vector(&(0..64).map(|bit| whole.bit(bit)).collect::<Vec<_>>()), "all bits, one by one");
        c.drive("a_i", word.into());
        c.settle();
        let expected = ((u128::from(word) << 3 | 5) >> from) & ((1 << width) - 1);
        prop_assert_eq!(c.read("part_o"), expected);
        prop_assert_eq!(c.read("bits_o"), u128::from(word));
    }
}
