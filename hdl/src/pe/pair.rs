//! The PE of the `pair` organisation.

use super::control::Token;
use super::output::output_buffer;
use super::sum;
use crate::am::pair_memory;
use crate::circuit::{Circuit, Value, concat, vector};
use crate::fpu;
use axp_spec::{FpuConfig, FpuOperation, PeConfig, Rounding};

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
/// | A | not skipped | product |
/// | A + 1 | its sum changes | accumulator; output buffer at `last` |
///
/// A is 2 and one more for each cut of the multiplier. With a cut in the adder
/// there are two sums and three more stages, see `sum`.
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
    let doc = format!("processing element: {} ternary rows, {format} multiply-accumulate", config.am.rows);
    let mut c = Circuit::new(&config.name, &doc);
    let ports = Ports::of(&mut c, config);

    // Stage 0: search and skip on the input bus.
    let run = ports.run.clone();
    let memory = c.instance(
        "memory",
        pair_memory(config),
        &[
            ("row_we_i", &ports.row_write),
            ("row_addr_i", &ports.row_address),
            ("row_key_i", &ports.row_key),
            ("row_care_i", &ports.row_care),
            ("row_product_i", &ports.row_product),
            ("row_valid_i", &ports.row_valid),
            ("weight_i", &ports.weight),
            ("activation_i", &ports.activation),
        ],
    );
    let zero = c.net("zero", ports.activation.slice(0, width - 1).none(), "the activation is +-0");
    let skip = c.net("skip", &ports.zero_skip & zero, "the pair leaves the sum untouched");
    let hit = memory.port("hit_o");
    let accept = c.net("accept", &ports.valid & &run, "an operand pair enters");
    let mut token = Token { valid: ports.valid, first: ports.first, last: ports.last, skip, hit };
    let entering = Token { valid: accept, ..token.clone() };
    let multiplies = c.net("multiplies", entering.multiplied(), "the pair goes to the multiplier");
    let recalls = c.net("recalls", entering.recalled(), "its product comes from the memory");
    let operands = c.register("operands", &concat(&[&ports.weight, &ports.activation]), &multiplies);
    let mut stored = c.register("stored", &memory.port("product_o"), &recalls);
    token = token.next(&mut c, "s1", &run);

    // Multiply, or take the stored product along.
    let (weight, activation) = (operands.slice(width, width), operands.slice(0, width));
    let mut enables = Vec::new();
    for cut in 0..config.multiplier_stages {
        let stage = cut + 1;
        let enable = c.net(&format!("s{stage}_multiplies"), &run & token.multiplied(), "this cut is clocked");
        enables.push(enable);
        let moves = c.net(&format!("s{stage}_recalls"), &run & token.recalled(), "the stored product moves on");
        stored = c.register(&format!("stored_{stage}"), &stored, &moves);
        token = token.next(&mut c, &format!("s{}", stage + 1), &run);
    }
    let enables = (!enables.is_empty()).then(|| vector(&enables));
    let mut inputs = vec![("a_i", &weight), ("b_i", &activation)];
    inputs.extend(enables.iter().map(|enables| ("en_i", enables)));
    let multiplied = c.instance("multiplier", fpu::assemble(&multiplier(config)), &inputs).port("result_o");
    let product = c.choose("next_product", &[(&token.hit, &stored)], &multiplied, "product of the pair");
    let moves = c.net("product_moves", &run & &token.valid & !&token.skip, "the pair has a product");
    let product = c.register("product", &product, &moves);
    let token = token.to_sum(&mut c, &run);

    // Add, and offer what is finished.
    let finished = sum::describe(&mut c, config, &token, &product, &run);
    let buffer = c.instance(
        "buffer",
        output_buffer(width, config.reset),
        &[("result_valid_i", &finished.valid), ("result_i", &finished.result), ("out_ready_i", &ports.out_ready)],
    );
    c.define(&run, buffer.port("run_o"));
    c.output("out_valid_o", buffer.port("out_valid_o"), "a result is offered");
    let doc = format!("sum, {format}; 0 after reset, held while out_valid_o is low");
    c.output("out_data_o", buffer.port("out_data_o"), &doc);
    c
}

/// The multiplier of a PE.
fn multiplier(config: &PeConfig) -> FpuConfig {
    let unit = FpuConfig::new(FpuOperation::Mul, config.format, Rounding::NearestEven);
    FpuConfig { flags: false, multiplier: config.multiplier, stages: config.multiplier_stages, ..unit }
}

/// The ports of a PE, clock, reset and results apart.
struct Ports {
    /// What `in_ready_o` shows.
    run: Value,
    zero_skip: Value,
    row_write: Value,
    row_address: Value,
    row_key: Value,
    row_care: Value,
    row_product: Value,
    row_valid: Value,
    valid: Value,
    first: Value,
    last: Value,
    weight: Value,
    activation: Value,
    out_ready: Value,
}

impl Ports {
    fn of(c: &mut Circuit, config: &PeConfig) -> Self {
        let (format, width) = (config.format, config.format.width());
        c.clock();
        c.reset(config.reset);
        c.test_enable();
        let run = c.forward("run", 1, "the pipe moves");
        Self {
            zero_skip: c.input("zero_skip_i", 1, "activations of +-0 leave the sum untouched"),
            row_write: c.input("row_we_i", 1, "write a row of the associative memory at the clock edge"),
            row_address: c.input(
                "row_addr_i",
                config.row_address_bits(),
                "row to write; past the last row nothing is written",
            ),
            row_key: c.input("row_key_i", 2 * width, "its pattern, {weight, activation}"),
            row_care: c.input("row_care_i", 2 * width, "1 where a bit of the pattern is compared"),
            row_product: c.input("row_product_i", width, &format!("its product, {format}")),
            row_valid: c.input("row_valid_i", 1, "whether it can match from now on"),
            valid: c.input("in_valid_i", 1, "an operand pair is offered"),
            run: {
                c.output("in_ready_o", run.clone(), "a pair offered now is accepted; a register");
                run
            },
            first: c.input("in_first_i", 1, "the pair starts a sum from +0"),
            last: c.input("in_last_i", 1, "the pair ends a sum"),
            weight: c.input("in_weight_i", width, &format!("weight, {format}")),
            activation: c.input("in_activation_i", width, &format!("activation, {format}")),
            out_ready: c.input("out_ready_i", 1, "a result offered now is taken"),
        }
    }
}
