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
    config: PeConfig,
}

impl PeSim {
    /// A PE that has been reset.
    ///
    /// # Errors
    /// [`HdlError::Config`] if the configuration is not valid.
    pub fn new(config: &PeConfig) -> Result<Self, HdlError> {
        let mut sim = Self { pe: pe::describe(config)?, config: config.clone() };
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
        let fixed = matches!(self.config.accumulator, Accumulator::Fixed { .. });
        let outputs = PeOutputs {
            ready: self.pe.read("in_ready_o") == 1,
            valid: self.pe.read("out_valid_o") == 1,
            data: self.pe.read("out_data_o") as u32,
            overflow: fixed && self.pe.read("out_overflow_o") == 1,
            invalid: fixed && self.pe.read("out_invalid_o") == 1,
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
        let config = &self.config;
        let row = inputs.row.unwrap_or_default();
        let codebook = inputs.codebook.unwrap_or_default();
        let columns = config.column_bits().unwrap_or(0);
        // An address past the port's width writes nothing: do not let it wrap.
        let fits = |address: u32, bits: u32| u64::from(address) >> bits == 0;
        let write = inputs.row.is_some() && fits(row.address, config.row_address_bits());
        let column_mask = (1u128 << columns) - 1;
        let sign = u128::from(inputs.weight >> (config.format.width() - 1) & 1);
        for (port, value) in [
            ("zero_skip_i", inputs.zero_skip.into()),
            ("acc_range_i", inputs.range.into()),
            ("row_we_i", write.into()),
            ("row_addr_i", row.address.into()),
            ("row_key_i", row.key.into()),
            ("row_care_i", row.care.into()),
            ("row_product_i", row.product.into()),
            ("row_valid_i", row.valid.into()),
            ("layer_we_i", inputs.layer.is_some().into()),
            ("layer_i", inputs.layer.unwrap_or(0).into()),
            ("codebook_we_i", (inputs.codebook.is_some() && fits(codebook.column, columns)).into()),
            ("codebook_addr_i", codebook.column.into()),
            ("codebook_magnitude_i", codebook.magnitude.into()),
            ("in_valid_i", inputs.valid.into()),
            ("in_first_i", inputs.first.into()),
            ("in_last_i", inputs.last.into()),
            ("in_weight_i", inputs.weight.into()),
            ("in_column_i", inputs.column.into()),
            ("in_index_i", sign << columns | u128::from(inputs.column) & column_mask),
            ("in_activation_i", inputs.activation.into()),
            ("out_ready_i", inputs.out_ready.into()),
        ] {
            if self.pe.has_input(port) {
                self.pe.drive(port, value);
            }
        }
    }
}
