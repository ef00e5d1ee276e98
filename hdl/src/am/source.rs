//! Where a memory's rows come from: the row port, or the layer register.

use super::storage::Rows;
use crate::circuit::{Circuit, Value};
use axp_spec::{Organisation, PeConfig};

/// The port through which rows are written; the same at a PE and at its memory.
pub(crate) struct RowPort {
    pub write: Value,
    pub address: Value,
    /// Key and compared bits, where rows are searched.
    pub pattern: Option<(Value, Value)>,
    pub product: Value,
    pub valid: Value,
}

impl RowPort {
    /// Declares its inputs; `None` in a PE without a programmable memory.
    ///
    /// `number` says what a product is a number of. A memory stores words of some width
    /// and leaves it empty: one memory serves PEs whose numbers differ.
    pub fn of(c: &mut Circuit, config: &PeConfig, number: &str) -> Option<Self> {
        let organisation = config.organisation().filter(|_| !config.is_frozen())?;
        let width = config.format.width();
        let (address, product, pattern) = match organisation {
            Organisation::Pair => (
                "row to write; past the last row nothing is written",
                format!("its product{number}"),
                Some((2 * width, "its pattern, {weight, activation}")),
            ),
            Organisation::Grid(_) => (
                "row to write, {pattern, column}; where there is none nothing is written",
                format!("magnitude of its product{number}"),
                Some((width - 1, "its pattern, a magnitude of the activation")),
            ),
            Organisation::Factored(_) => (
                "row to write, {column, mantissa bits}; past the last row nothing is written",
                "its product of significands: 2 or more, fraction".to_owned(),
                None,
            ),
        };
        Some(Self {
            write: c.input("row_we_i", 1, "write a row of the associative memory at the clock edge"),
            address: c.input("row_addr_i", config.row_address_bits(), address),
            pattern: pattern.map(|(bits, doc)| {
                let key = c.input("row_key_i", bits, doc);
                (key, c.input("row_care_i", bits, "1 where a bit of the pattern is compared"))
            }),
            product: c.input("row_product_i", config.product_bits(), &product),
            valid: c.input("row_valid_i", 1, "whether it can match from now on"),
        })
    }

    /// The inputs of a memory that is written through this port.
    pub fn inputs(&self) -> Vec<(&'static str, &Value)> {
        let mut inputs = vec![
            ("row_we_i", &self.write),
            ("row_addr_i", &self.address),
            ("row_product_i", &self.product),
            ("row_valid_i", &self.valid),
        ];
        inputs.extend(self.pattern.iter().flat_map(|(key, care)| [("row_key_i", key), ("row_care_i", care)]));
        inputs
    }
}

/// What a memory reads.
pub(super) enum Source {
    /// Rows that are written.
    Port(Rows),
    /// Rows that are built in, by the layer that runs.
    Layer(Value),
}

impl Source {
    /// Declares the inputs of a memory: the row port with clock, reset and test enable,
    /// or the layer. The rows' clock is a branch that runs while a row is written.
    ///
    /// # Panics
    /// If the configuration has no memory.
    pub fn of(c: &mut Circuit, config: &PeConfig) -> Self {
        if let Some(bits) = config.layer_bits() {
            return Self::Layer(c.input("layer_i", bits, "the layer that runs"));
        }
        c.clock();
        c.reset(config.reset);
        c.test_enable();
        match RowPort::of(c, config, "") {
            Some(port) => Self::Port(Rows::of(c, config.storage(), port)),
            None => panic!("a memory in a PE that has none"),
        }
    }
}
