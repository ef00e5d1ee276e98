//! The ports of a PE.

use crate::circuit::{Circuit, Value};
use axp_spec::{Accumulator, PeConfig};

/// The inputs, and what is forwarded to `in_ready_o`; results are added last.
pub(super) struct Ports {
    /// What `in_ready_o` shows.
    pub run: Value,
    pub zero_skip: Value,
    /// With a fixed-point accumulator.
    pub range: Option<Value>,
    /// With a memory.
    pub rows: Option<RowPort>,
    pub valid: Value,
    pub first: Value,
    pub last: Value,
    pub weight: Value,
    /// With a factored memory.
    pub column: Option<Value>,
    pub activation: Value,
    pub out_ready: Value,
}

/// The port through which the memory is written.
pub(super) struct RowPort {
    pub write: Value,
    pub address: Value,
    /// Key and compared bits, where rows are searched.
    pub pattern: Option<(Value, Value)>,
    pub product: Value,
    pub valid: Value,
}

impl Ports {
    /// Declares them, in the order of the port list.
    pub fn of(c: &mut Circuit, config: &PeConfig) -> Self {
        let (format, width) = (config.format, config.format.width());
        c.clock();
        c.reset(config.reset);
        c.test_enable();
        let run = c.forward("run", 1, "the pipe moves");
        let zero_skip = c.input("zero_skip_i", 1, "activations of +-0 leave the sum untouched");
        let range = matches!(config.accumulator, Accumulator::Fixed { .. }).then(|| {
            let doc = "static: exponent field of the greatest power of two below the accumulator's limit";
            c.input("acc_range_i", format.exponent_bits(), doc)
        });
        let rows = config.am.map(|_| RowPort::of(c, config));
        let valid = c.input("in_valid_i", 1, "an operand pair is offered");
        c.output("in_ready_o", run.clone(), "a pair offered now is accepted; a register");
        Self {
            run,
            zero_skip,
            range,
            rows,
            valid,
            first: c.input("in_first_i", 1, "the pair starts a sum from +0"),
            last: c.input("in_last_i", 1, "the pair ends a sum"),
            weight: c.input("in_weight_i", width, &format!("weight, {format}")),
            column: config.factored_memory().map(|shape| {
                c.input("in_column_i", shape.column_bits(), "column of the weight in the associative memory")
            }),
            activation: c.input("in_activation_i", width, &format!("activation, {format}")),
            out_ready: c.input("out_ready_i", 1, "a result offered now is taken"),
        }
    }
}

impl RowPort {
    fn of(c: &mut Circuit, config: &PeConfig) -> Self {
        let width = config.format.width();
        let factored = config.factored_memory().is_some();
        let product = match config.accumulator {
            _ if factored => "its product of significands: 2 or more, fraction".to_owned(),
            Accumulator::Float => format!("its product, {}", config.format),
            Accumulator::Fixed { .. } => "its product, in units of the accumulator's last bit".to_owned(),
        };
        let address = if factored {
            "row to write, {column, mantissa bits}; past the last row nothing is written"
        } else {
            "row to write; past the last row nothing is written"
        };
        let pattern = |c: &mut Circuit| {
            let key = c.input("row_key_i", 2 * width, "its pattern, {weight, activation}");
            (key, c.input("row_care_i", 2 * width, "1 where a bit of the pattern is compared"))
        };
        Self {
            write: c.input("row_we_i", 1, "write a row of the associative memory at the clock edge"),
            address: c.input("row_addr_i", config.row_address_bits(), address),
            pattern: (!factored).then(|| pattern(c)),
            product: c.input("row_product_i", config.product_bits(), &product),
            valid: c.input("row_valid_i", 1, "whether it can match from now on"),
        }
    }
}
