//! The pipeline of a PE: search, multiply, add, hand over.

use super::control::Token;
use super::output::output_buffer;
use super::ports::{Ports, RowPort, WeightPort};
use super::{fixed, sum};
use crate::am::{factored_memory, pair_memory};
use crate::circuit::{Circuit, Instance, Value, concat, vector};
use crate::fpu;
use axp_spec::{Accumulator, FpuConfig, FpuOperation, PeConfig, Rounding};

/// One multiply-accumulate a cycle, `latency()` cycles from `last` to the result.
///
/// ```text
///            stage 0 (bus)      │ stage 1 …          │ stage A              │
///  weight ──┬─► search ─► hit ──┼─► stored product ──┤                      │
///  activ. ──┤                   │                    ├─► product ─► + ──────┼─► sum
///           └─► FPU operands ───┼─► multiplier ──────┤                      └─► output, skid
///               (misses only)   │  (misses only)     │
/// ```
///
/// | edge | clocked when | what |
/// |---|---|---|
/// | 1 | accepted, hit, not skipped | stored product |
/// | 1 | accepted, miss, not skipped | FPU operands |
/// | 2 … | the same | a cut of the multiplier, and the stored product beside it |
/// | A | not skipped | product; where the memory stores units of a fixed-point sum, the one that it is |
/// | A + 1 | its sum changes | accumulator; output buffer at `last` |
///
/// A is 2 and one more for each cut of the multiplier. With a cut in the adder
/// there are two sums and three more stages, see `sum`; with a fixed-point sum
/// one more, see `fixed`. Without a memory nothing is searched or stored. A
/// factored memory gives numbers of the format, so that with a fixed-point sum
/// one conversion behind register A serves hits and misses, and rounds them alike.
///
/// `in_ready_o` is low exactly while a result waits in the skid register; then
/// no register of the pipe changes. Rows can be written at any time.
///
/// ```text
/// clk_i        _/‾\_/‾\_/‾\_/‾\_/‾\_
/// in_valid_i   _/‾‾‾\_______________
/// in_last_i    _/‾‾‾\_______________
/// out_valid_o  _____________/‾‾‾\___    without cuts
/// ```
pub(super) fn describe(config: &PeConfig) -> Circuit {
    let (format, width) = (config.format, config.format.width());
    let mut c = Circuit::new(&config.name, &doc(config));
    let ports = Ports::of(&mut c, config);
    let run = ports.run.clone();

    // Stage 0: search and skip on the input bus.
    let WeightPort::Value { weight, column } = &ports.weight else { unimplemented!() };
    let memory = ports.rows.as_ref().map(|rows| memory(&mut c, config, rows, (weight, column), &ports.activation));
    let zero = c.net("zero", ports.activation.slice(0, width - 1).none(), "the activation is +-0");
    let skip = c.net("skip", &ports.zero_skip & zero, "the pair leaves the sum untouched");
    let accept = c.net("accept", &ports.valid & &run, "an operand pair enters");
    let hit = memory.as_ref().map(|memory| memory.port("hit_o"));
    let mut token = Token { valid: ports.valid, first: ports.first, last: ports.last, skip, hit };
    let entering = Token { valid: accept, ..token.clone() };
    let multiplies = c.net("multiplies", entering.multiplied(), "the pair goes to the multiplier");
    let operands = c.register("operands", &concat(&[weight, &ports.activation]), &multiplies);
    let mut stored = memory.map(|memory| {
        let recalls = c.net("recalls", entering.recalled(), "its product comes from the memory");
        c.register("stored", &memory.port("product_o"), &recalls)
    });
    token = token.next(&mut c, "s1", &run);

    // Multiply, and take the stored product along.
    let mut enables = Vec::new();
    for stage in 1..=config.multiplier_stages {
        enables.push(c.net(&format!("s{stage}_multiplies"), &run & token.multiplied(), "this cut is clocked"));
        stored = stored.map(|stored| move_on(&mut c, &format!("stored_{stage}"), &stored, &token, &run));
        token = token.next(&mut c, &format!("s{}", stage + 1), &run);
    }
    let enables = (!enables.is_empty()).then(|| vector(&enables));
    let (weight, activation) = (operands.slice(width, width), operands.slice(0, width));
    let mut inputs = vec![("a_i", &weight), ("b_i", &activation)];
    inputs.extend(enables.iter().map(|enables| ("en_i", enables)));
    let multiplied = c.instance("multiplier", fpu::assemble(&multiplier(config)), &inputs).port("result_o");

    // Add, and offer what is finished.
    let units = config.stores_units();
    let product = match (&token.hit, &stored) {
        (Some(hit), Some(stored)) if !units => {
            // A factored memory can leave out the lower bits of the fraction.
            let stored = stored.above(width - stored.width());
            c.choose("next_product", &[(hit, &stored)], &multiplied, "product of the pair")
        }
        _ => multiplied,
    };
    let (moves, doc) = if units {
        (token.multiplied(), "the multiplier's product moves on")
    } else {
        (token.counts(), "the pair has a product")
    };
    let moves = c.net("product_moves", &run & moves, doc);
    let product = c.register("product", &product, &moves);
    let finished = match (config.accumulator, &ports.range) {
        (Accumulator::Fixed { width, .. }, Some(range)) => {
            let stored = stored.filter(|_| units);
            let stored = stored.map(|stored| move_on(&mut c, "stored_product", &stored, &token, &run));
            let token = if units { token } else { token.without_hit() }.next(&mut c, "sum", &run);
            let products = fixed::Products { multiplied: product, stored };
            fixed::describe(&mut c, (format, width), &token, &products, range, &run)
        }
        _ => {
            let token = token.without_hit().next(&mut c, "sum", &run);
            sum::describe(&mut c, config, &token, &product, &run)
        }
    };
    let buffer = c.instance(
        "buffer",
        output_buffer(finished.result.width(), config.reset),
        &[("result_valid_i", &finished.valid), ("result_i", &finished.result), ("out_ready_i", &ports.out_ready)],
    );
    c.define(&run, buffer.port("run_o"));
    c.output("out_valid_o", buffer.port("out_valid_o"), "a result is offered");
    let word = buffer.port("out_data_o");
    c.output(
        "out_data_o",
        word.slice(0, width),
        &format!("sum, {format}; 0 after reset, held while out_valid_o is low"),
    );
    if word.width() > width {
        c.output("out_overflow_o", word.bit(width), "with it: the sum, or a product of it, was out of range");
        c.output("out_invalid_o", word.bit(width + 1), "with it: a product was a NaN");
    }
    c
}

/// What a PE is, in one line.
fn doc(config: &PeConfig) -> String {
    let memory = match (&config.am, config.factored_memory()) {
        (_, Some(shape)) => format!("{} columns of {} significand products, ", shape.columns, 1 << shape.mantissa_bits),
        (Some(am), None) => format!("{} ternary rows, ", am.rows),
        (None, None) => String::new(),
    };
    let sum = match config.accumulator {
        Accumulator::Float => String::new(),
        Accumulator::Fixed { width, .. } => format!(", sums of {width} bits"),
    };
    format!("processing element: {memory}{} multiply-accumulate{sum}", config.format)
}

/// The memory, searched for the pair on the input bus.
fn memory(c: &mut Circuit, config: &PeConfig, rows: &RowPort, (weight, column): (&Value, &Option<Value>), activation: &Value) -> Instance {
    let mut inputs = vec![
        ("row_we_i", &rows.write),
        ("row_addr_i", &rows.address),
        ("row_product_i", &rows.product),
        ("row_valid_i", &rows.valid),
        ("weight_i", weight),
        ("activation_i", activation),
    ];
    if let Some((key, care)) = &rows.pattern {
        inputs.extend([("row_key_i", key), ("row_care_i", care)]);
    }
    inputs.extend(column.iter().map(|column| ("column_i", column)));
    let memory = match config.factored_memory() {
        Some(shape) => factored_memory(config, shape),
        None => pair_memory(config),
    };
    c.instance("memory", memory, &inputs)
}

/// A stored product one stage later.
fn move_on(c: &mut Circuit, name: &str, stored: &Value, token: &Token, run: &Value) -> Value {
    let moves = c.net(&format!("{name}_moves"), run & token.recalled(), "the stored product moves on");
    c.register(name, stored, &moves)
}

/// The multiplier of a PE.
fn multiplier(config: &PeConfig) -> FpuConfig {
    let unit = FpuConfig::new(FpuOperation::Mul, config.format, Rounding::NearestEven);
    FpuConfig { flags: false, multiplier: config.multiplier, stages: config.multiplier_stages, ..unit }
}
