//! The rust-hdl simulation of a PE, cycle by cycle.

use crate::HdlError;
use crate::circuit::Circuit;
use crate::pe;
use axp_spec::{Accumulator, PeConfig, PeInputs, PeOutputs};

/// Simulates rust-hdl's description of a PE.
///
/// A cycle is inputs, settle, read the outputs, clock up, settle, clock down,
/// settle; the test enable of the clock gates stays low.
pub struct PeSim {
    pe: Circuit,
    /// How many rows the address can name; 0 without a memory.
    rows: u32,
    /// Whether rows have a pattern, or weights a column.
    patterns: bool,
    columns: bool,
    /// Whether the accumulator is fixed point.
    fixed: bool,
}

impl PeSim {
    /// A PE that has been reset.
    ///
    /// # Errors
    /// [`HdlError::Config`] if the configuration is not valid.
    pub fn new(config: &PeConfig) -> Result<Self, HdlError> {
        let mut sim = Self {
            pe: pe::describe(config)?,
            // A valid configuration has at most `MAX_ROWS`.
            rows: config.am.map_or(0, |_| 1 << config.row_address_bits()),
            patterns: config.am.is_some() && config.factored_memory().is_none(),
            columns: config.factored_memory().is_some(),
            fixed: matches!(config.accumulator, Accumulator::Fixed { .. }),
        };
        sim.drive(&PeInputs::default());
        sim.clock(false, false);
        sim.clock(true, false);
        sim.clock(false, false);
        sim.clock(false, true);
        Ok(sim)
    }

    /// Shows what the PE drives in a cycle with these inputs, then clocks it.
    pub fn step(&mut self, inputs: &PeInputs) -> PeOutputs {
        self.drive(inputs);
        self.pe.settle();
        let outputs = PeOutputs {
            ready: self.pe.read("in_ready_o") == 1,
            valid: self.pe.read("out_valid_o") == 1,
            data: self.pe.read("out_data_o") as u32,
            overflow: self.fixed && self.pe.read("out_overflow_o") == 1,
            invalid: self.fixed && self.pe.read("out_invalid_o") == 1,
        };
        self.clock(true, true);
        self.clock(false, true);
        outputs
    }

    fn clock(&mut self, level: bool, reset_n: bool) {
        self.pe.drive("clk_i", level.into());
        self.pe.drive("rst_ni", reset_n.into());
        self.pe.settle();
    }

    fn drive(&mut self, inputs: &PeInputs) {
        let row = inputs.row.unwrap_or_default();
        // An address past the port's width writes nothing: do not let it wrap.
        let write = inputs.row.is_some() && row.address < self.rows;
        if self.rows > 0 {
            for (port, value) in [
                ("row_we_i", write.into()),
                ("row_addr_i", row.address.into()),
                ("row_product_i", row.product.into()),
                ("row_valid_i", row.valid.into()),
            ] {
                self.pe.drive(port, value);
            }
        }
        if self.patterns {
            self.pe.drive("row_key_i", row.key.into());
            self.pe.drive("row_care_i", row.care.into());
        }
        if self.columns {
            self.pe.drive("in_column_i", inputs.column.into());
        }
        if self.fixed {
            self.pe.drive("acc_range_i", inputs.range.into());
        }
        for (port, value) in [
            ("zero_skip_i", inputs.zero_skip.into()),
            ("in_valid_i", inputs.valid.into()),
            ("in_first_i", inputs.first.into()),
            ("in_last_i", inputs.last.into()),
            ("in_weight_i", inputs.weight.into()),
            ("in_activation_i", inputs.activation.into()),
            ("out_ready_i", inputs.out_ready.into()),
        ] {
            self.pe.drive(port, value);
        }
    }
}
