//! The ports of a PE.

use crate::am::RowPort;
use crate::circuit::{Circuit, Value};
use axp_spec::{Accumulator, PeConfig};

/// The inputs, and what is forwarded to `in_ready_o`; results are added last.
pub(super) struct Ports {
    /// What `in_ready_o` shows.
    pub run: Value,
    pub zero_skip: Value,
    /// With a fixed-point accumulator whose range is not frozen.
    pub range: Option<Value>,
    /// With a programmable memory.
    pub rows: Option<RowPort>,
    /// With a frozen memory.
    pub layer: Option<LayerPort>,
    /// With a programmable codebook.
    pub codebook: Option<CodebookPort>,
    pub valid: Value,
    pub first: Value,
    pub last: Value,
    pub weight: WeightPort,
    pub activation: Value,
    pub out_ready: Value,
}

/// How a weight comes.
pub(super) enum WeightPort {
    /// Its encoding, and its column where the memory has columns.
    Value { weight: Value, column: Option<Value> },
    /// Its sign and its column.
    Index { sign: Value, column: Value },
}

/// The port of the layer register.
pub(super) struct LayerPort {
    pub write: Value,
    pub layer: Value,
}

/// The port through which the codebook is written.
pub(super) struct CodebookPort {
    pub write: Value,
    pub column: Value,
    pub magnitude: Value,
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
        let fixed = matches!(config.accumulator, Accumulator::Fixed { .. });
        let range = (fixed && !config.is_frozen()).then(|| {
            let doc = "static: exponent field of the greatest power of two below the accumulator's limit";
            c.input("acc_range_i", format.exponent_bits(), doc)
        });
        let number = match config.accumulator {
            Accumulator::Float => format!(", {}", format.name()),
            Accumulator::Fixed { .. } => ", in units of the accumulator's last bit".to_owned(),
        };
        let rows = RowPort::of(c, config, &number);
        let layer = config.layer_bits().map(|bits| LayerPort {
            write: c.input("layer_we_i", 1, "take another layer at the clock edge; only while the PE is empty"),
            layer: c.input("layer_i", bits, "the layer whose rows are used from then on; 0 after reset"),
        });
        let codebook = config.column_bits().filter(|_| config.has_codebook() && !config.is_frozen());
        let codebook = codebook.map(|bits| CodebookPort {
            write: c.input("codebook_we_i", 1, "write the magnitude of a column at the clock edge"),
            column: c.input("codebook_addr_i", bits, "the column; past the last one nothing is written"),
            magnitude: c.input("codebook_magnitude_i", width - 1, "the magnitude of its weights; 0 after reset"),
        });
        let valid = c.input("in_valid_i", 1, "an operand pair is offered");
        c.output("in_ready_o", run.clone(), "a pair offered now is accepted; a register");
        Self {
            run,
            zero_skip,
            range,
            rows,
            layer,
            codebook,
            valid,
            first: c.input("in_first_i", 1, "the pair starts a sum from +0"),
            last: c.input("in_last_i", 1, "the pair ends a sum"),
            weight: WeightPort::of(c, config),
            activation: c.input("in_activation_i", config.operand_bits(), &format!("activation, {}", name(config))),
            out_ready: c.input("out_ready_i", 1, "a result offered now is taken"),
        }
    }
}

/// Name of what operands are given in.
fn name(config: &PeConfig) -> &'static str {
    config.operands.map_or(config.format.name(), |operands| operands.name())
}

impl WeightPort {
    fn of(c: &mut Circuit, config: &PeConfig) -> Self {
        let columns = config.column_bits();
        if let Some(bits) = columns.filter(|_| config.has_codebook()) {
            let index = c.input("in_index_i", bits + 1, "index of the weight, {sign, column}");
            return Self::Index { sign: index.top(), column: index.slice(0, bits) };
        }
        let weight = c.input("in_weight_i", config.operand_bits(), &format!("weight, {}", name(config)));
        let column = columns.map(|bits| c.input("in_column_i", bits, "column of the weight in the associative memory"));
        Self::Value { weight, column }
    }
}
