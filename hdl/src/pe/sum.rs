//! The floating-point sum: one adder in a loop, or two interleaved sums through a
//! pipelined one.

use super::control::Token;
use super::seldom::Seldom;
use crate::circuit::{Circuit, Value, literal, vector};
use crate::fpu::{self, Addend};
use axp_spec::{FpuConfig, FpuOperation, PeConfig, Rounding};

/// A finished sum.
pub(super) struct Finished {
    /// There is one, and the pipe moves.
    pub valid: Value,
    /// The result, for a fixed-point accumulator below its two flags.
    pub result: Value,
}

/// The adder of a PE with two sums.
pub(super) fn adder(config: &PeConfig) -> FpuConfig {
    let unit = FpuConfig::new(FpuOperation::Add, config.format, Rounding::NearestEven);
    FpuConfig { flags: false, stages: config.adder_stages, ..unit }
}

/// A pair on its way into the product register.
pub(super) struct Enters {
    /// It starts a sum.
    pub first: Value,
    /// It has a product.
    pub counts: Value,
    /// It has one, and the pipe moves.
    pub moves: Value,
}

/// Adds `product` of the pair that `token` was a stage before to its sum; `enters` is the
/// pair behind it, on its way into the product register with the product `next`.
pub(super) fn describe(
    c: &mut Circuit,
    config: &PeConfig,
    token: &Token,
    (next, product): (&Value, &Value),
    enters: &Enters,
    (run, seldom): (&Value, &mut Seldom),
) -> Finished {
    if config.is_interleaved() {
        let token = token.without_source(c).next(c, "sum", run, seldom);
        interleaved(c, config, &token, product, run)
    } else {
        let last = seldom.register(c, "sum_last", &token.last);
        seldom.follows(&last);
        single(c, config, &last, (next, product), enters, (run, seldom))
    }
}

/// One sum, an addition a cycle, through the accumulating adder.
///
/// ```text
///             product ─► product register ─► + ─► sum, not rounded ─┬─► round ─► result
///                                            ▲                      │   a clock after last
///                fresh ? 0 : round ──────────┘                      │
///                            ▲                                      │
///                            └──────────────────────────────────────┘
/// ```
///
/// The sum of the pairs before is stored when the next product arrives, together with
/// it, so that both operands of the adder change at once, and not for skipped pairs. It
/// is stored at `last` too, if none arrives.
fn single(
    c: &mut Circuit,
    config: &PeConfig,
    last: &Value,
    (next, product): (&Value, &Value),
    enters: &Enters,
    (run, seldom): (&Value, &mut Seldom),
) -> Finished {
    // Stage A - 1: a pair is about to enter the adder.
    let restarts = c.forward("restarts", 1, "the sum has no product yet");
    let restart = c.net("restart", &enters.first | &restarts, "the sum counts as 0");
    // After reset there is no product: the registers may hold anything.
    let counts = c.net("enters", enters.counts.clone(), "the pair has a product");
    let begun = c.net("begun_next", !(&restart & !&counts), "the sum has a product");
    let begun = seldom.register(c, "begun", &begun);
    c.define(&restarts, !&begun);
    seldom.follows(&restarts);

    // Stage A.
    let moves = c.net("sum_moves", &enters.moves | (run & last), "the sum takes the product in the register");
    let addend = Addend { product, next, enters: &counts, restart: &restart, moves: &moves };
    let sum = fpu::accumulate(c, config.format, &addend);

    // Stage B: the sum is complete.
    let filled = c.net("filled", last & begun, "a sum that has a product ends");
    let ended = seldom.register(c, "ended", &vector(&[last.clone(), filled]));
    seldom.follows(&ended);
    let finished = c.net("finished", run & ended.bit(0), "the sum is complete");
    let wanted = c.net("wanted", run & ended.bit(1), "and it is not 0 for want of products");
    let result = sum.encoding(c, &wanted);
    Finished { valid: finished, result }
}

/// Two sums through an adder with a cut. Pairs at even positions go to one,
/// pairs at odd positions to the other, so that no addition waits for the one
/// before. A second adder, whose operand registers are clocked at `last` alone,
/// makes even + odd: at one pair a cycle the first one has no slot free for it.
///
/// ```text
///           stage A     │ stage B          │ stage C       │ stage D
/// product ─► + 1st half ┼─► + 2nd half ─┬──┼─► even        │
///   sum[odd?] ▲         │               ├──┼─► odd         │
///             └─────────┼───────────────┼──┼─◄ sum[odd?]   │
///                       │   at last     └──┼─► even + odd ─┼─► 2nd half ─► result
/// ```
fn interleaved(c: &mut Circuit, config: &PeConfig, a: &Token, product: &Value, run: &Value) -> Finished {
    let zero = literal(0, config.format.width());
    let unit = || fpu::assemble(&adder(config));

    // Stage A: which sum, and whether it still counts as +0.
    // An interleaved PE keeps the flag.
    let valid = a.valid.clone().unwrap_or_else(|| a.counts());
    let enters = c.net("enters", run & &valid, "a pair enters the adder");
    let next_odd = c.forward("next_odd", 1, "the next pair has an odd position");
    let after_first = c.forward("after_first", 1, "the pair before was the first of its sum");
    let odd = c.net("position_odd", !&a.first & &next_odd, "the pair has an odd position");
    let fresh = c.net("fresh", &a.first | &after_first, "its sum counts as +0");
    let turned = c.net("position_even", !&odd, "the pair has an even position");
    let stored = c.reset_register("position", &vector(&[turned, a.first.clone()]), &enters);
    c.define(&next_odd, stored.bit(0));
    c.define(&after_first, stored.bit(1));
    let (even_sum, odd_sum) = (
        c.forward("even_sum", zero.width(), "sum of the even positions"),
        c.forward("odd_sum", zero.width(), "sum of the odd positions"),
    );
    let base = c.choose("base", &[(&fresh, &zero), (&odd, &odd_sum)], &even_sum, "what the product is added to");
    let adds = c.net("adds", run & &a.multiplied, "the pair has a product");
    let inputs = [("en_i", &adds), ("a_i", &base), ("b_i", product)];
    let sum = c.instance("adder", unit(), &inputs).port("result_o");

    // Stage B: the sum is complete.
    let flags = [&valid, &a.last, &a.multiplied, &odd, &fresh, &a.first].map(Value::clone);
    let b = c.reset_register("stage_b_flags", &vector(&flags), run);
    let mut flag = |bit, name: &str, doc| c.net(&format!("stage_b_{name}"), b.bit(bit), doc);
    let (valid, last) = (flag(0, "valid", "this stage holds a pair"), flag(1, "last", "it ends a sum"));
    let (counts, odd) = (flag(2, "counts", "it has a product"), flag(3, "odd", "it has an odd position"));
    let (fresh, alone) = (flag(4, "fresh", "its sum counts as +0"), flag(5, "alone", "the other sum counts as +0"));
    let own = c.choose("own_sum", &[(&fresh, &zero), (&odd, &odd_sum)], &even_sum, "its sum before it");
    let own = c.choose("own_next", &[(&counts, &sum)], &own, "its sum with it");
    let changes = c.net("changes", run & &valid & (&counts | &fresh), "its sum changes");
    let even_moves = c.net("even_moves", &changes & !&odd, "the even sum changes");
    let odd_moves = c.net("odd_moves", &changes & &odd, "the odd sum changes");
    let stored = c.reset_register("even", &own, &even_moves);
    c.define(&even_sum, stored);
    let stored = c.reset_register("odd", &own, &odd_moves);
    c.define(&odd_sum, stored);

    // Stages C and D: even + odd, from operands that are clocked at `last` alone.
    let other = c.choose("other_sum", &[(&alone, &zero), (&odd, &even_sum)], &odd_sum, "the other sum");
    let ends = c.net("ends", run & &last, "both sums are complete");
    let left = c.register("total_left", &own, &ends);
    let right = c.register("total_right", &other, &ends);
    let c_valid = c.reset_register("stage_c_valid", &last, run);
    let halves = c.net("halves", run & &c_valid, "even + odd goes on");
    let total =
        c.instance("final_adder", unit(), &[("en_i", &halves), ("a_i", &left), ("b_i", &right)]).port("result_o");
    let d_valid = c.reset_register("stage_d_valid", &c_valid, run);
    let finished = c.net("finished", run & d_valid, "the sum is complete");
    Finished { valid: finished, result: total }
}
