//! The pipeline of a plain PE whose operands are narrower than its products.

use super::control::Token;
use super::output::output_buffer;
use super::ports::{Ports, WeightPort};
use super::seldom::Seldom;
use super::sum::Finished;
use super::{fixed, sum};
use crate::circuit::{Circuit, Value, concat, literal};
use crate::fpu::{integer_multiplier, ripple_add, widening_multiplier};
use axp_spec::{Accumulator, NarrowOperands, PeConfig};

/// One multiply-accumulate a cycle, `latency()` cycles from `last` to the result; ports
/// are those of any other PE, the operands' as wide as they are.
///
/// ```text
///  weight ──┬─► operands ──┼─► multiplier ──┼─► product ──┼─► + ──┼─► sum
///  activ. ──┘ (not skipped)│                │             │       └─► output, skid
/// ```
///
/// The operands are clocked when a pair is accepted and not skipped, the product one
/// edge later, the accumulator one after that, where it changes.
///
/// ```text
/// clk_i        _/‾\_/‾\_/‾\_/‾\_/‾\_/‾\_
/// in_valid_i   _/‾‾‾\___________________
/// in_last_i    _/‾‾‾\___________________
/// out_valid_o  _________________/‾‾‾\___    with a floating-point sum
/// ```
pub(super) fn describe(config: &PeConfig, operands: NarrowOperands) -> Circuit {
    let mut c = Circuit::new(&config.name, &doc(config, operands));
    let ports = Ports::of(&mut c, config);
    let run = ports.run.clone();
    let mut seldom = Seldom::begin(&mut c);
    // A memory, through which alone a weight has an index, is refused beforehand.
    let (WeightPort::Value { weight, .. } | WeightPort::Index { sign: weight, .. }) = &ports.weight;
    let magnitude = match operands {
        NarrowOperands::Bfloat16 => ports.activation.slice(0, operands.width() - 1),
        NarrowOperands::Int8 => ports.activation.clone(),
    };
    let zero = c.net("zero", magnitude.none(), "the activation is zero");
    let skip = c.net("skip", &ports.zero_skip & zero, "the pair leaves the sum untouched");
    let counts = c.net("counts", &ports.valid & !skip, "the pair has a product");
    let token = Token {
        valid: None,
        first: c.net("first", &ports.valid & &ports.first, "the pair starts a sum"),
        last: c.net("last", &ports.valid & &ports.last, "the pair ends a sum"),
        recalled: None,
        multiplied: counts,
    };
    let multiplies = c.net("multiplies", &run & &token.multiplied, "the pair enters, to the multiplier");
    let pair = c.register("operands", &concat(&[weight, &ports.activation]), &multiplies);
    token.seldom_high().iter().for_each(|flag| seldom.follows(flag));
    let token = token.next(&mut c, "s1", &run, &mut seldom);

    let width = operands.width();
    let (weight, activation) = (pair.slice(width, width), pair.slice(0, width));
    let multiplier = match operands {
        NarrowOperands::Bfloat16 => widening_multiplier(config.multiplier),
        NarrowOperands::Int8 => integer_multiplier(width),
    };
    let next = c.instance("multiplier", multiplier, &[("a_i", &weight), ("b_i", &activation)]).port("result_o");
    let moves = c.net("product_moves", &run & &token.multiplied, "the pair has a product");
    let product = c.register("product", &next, &moves);
    let enters = sum::Enters { first: token.first.clone(), counts: token.multiplied.clone(), moves };
    let finished = match (operands, config.accumulator, &ports.range) {
        (NarrowOperands::Int8, ..) => {
            let token = token.next(&mut c, "sum", &run, &mut seldom);
            wrapping_sum(&mut c, config.format.width(), &token, &product, (&run, &mut seldom))
        }
        (_, Accumulator::Fixed { width, .. }, Some(range)) => {
            let token = token.next(&mut c, "sum", &run, &mut seldom);
            let products = fixed::Products { multiplied: product, stored: None };
            fixed::describe(&mut c, (config.format, width), &token, &products, range, (&run, &mut seldom))
        }
        _ => sum::describe(&mut c, config, &token, (&next, &product), &enters, (&run, &mut seldom)),
    };

    let inputs =
        [("result_valid_i", &finished.valid), ("result_i", &finished.result), ("out_ready_i", &ports.out_ready)];
    let buffer =
        seldom.with(&mut c, |c| c.instance("buffer", output_buffer(finished.result.width(), config.reset), &inputs));
    c.define(&run, buffer.port("run_o"));
    let offered = c.output("out_valid_o", buffer.port("out_valid_o"), "a result is offered");
    seldom.finish(&mut c, &run, &[&finished.valid, &offered, &!&run]);
    let (word, width) = (buffer.port("out_data_o"), config.format.width());
    let of = if operands == NarrowOperands::Int8 { "two's complement" } else { config.format.name() };
    let doc = format!("sum, {of}; 0 after reset, held while out_valid_o is low");
    c.output("out_data_o", word.slice(0, width), &doc);
    if word.width() > width {
        c.output("out_overflow_o", word.bit(width), "with it: the sum, or a product of it, was out of range");
        c.output("out_invalid_o", word.bit(width + 1), "with it: a product was a NaN");
    }
    c
}

/// What a PE is, in one line.
fn doc(config: &PeConfig, operands: NarrowOperands) -> String {
    let sum = match (operands, config.accumulator) {
        (_, Accumulator::Fixed { width, .. }) => format!("sums of {width} bits"),
        (NarrowOperands::Int8, _) => "sums of 32 bits".to_owned(),
        (NarrowOperands::Bfloat16, _) => format!("sums in {}", config.format),
    };
    format!("processing element: {} multiply-accumulate, {sum}", operands.name())
}

/// An integer of `width` bits that wraps.
fn wrapping_sum(
    c: &mut Circuit,
    width: u32,
    token: &Token,
    product: &Value,
    control: (&Value, &mut Seldom),
) -> Finished {
    let sign = product.top();
    let mut extended = vec![&sign; (width - product.width()) as usize];
    extended.push(product);
    let extended = concat(&extended);
    let ended = fixed::integer_sum(c, width, token, control, None, |c, before, restart| {
        let inputs = [("before_i", before), ("restart_i", restart), ("addend_i", &extended)];
        c.instance("adder", wrapping_adder(width), &inputs).port("after_o")
    });
    let arms = [(&ended.empty, &literal(0, width))];
    let result = c.choose("whole", &arms, &ended.total, "the finished sum, 0 without a product");
    Finished { valid: ended.valid, result }
}

/// The next value of a sum that wraps; combinational.
///
/// | port | width | |
/// |---|---|---|
/// | `before_i`, `after_o` | W | the sum |
/// | `restart_i` | 1 | it counts as 0 before |
/// | `addend_i` | W | what is added |
fn wrapping_adder(width: u32) -> Circuit {
    let mut c = Circuit::new(&format!("axp_wrapping_sum_w{width}"), "sum that wraps, combinational");
    let before = c.input("before_i", width, "the sum so far");
    let restart = c.input("restart_i", 1, "the sum counts as 0");
    let addend = c.input("addend_i", width, "what is added");
    let base = c.choose("base", &[(&restart, &literal(0, width))], &before, "what the product is added to");
    let total = ripple_add(&mut c, "sum", (&base, &addend), &literal(0, 1));
    c.output("after_o", total.sum, "the next sum");
    c
}
