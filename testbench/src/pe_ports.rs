//! `PeInputs` and `PeOutputs` as test vectors of the generated PE.

use crate::dut::Dut;
use crate::vectors::{Layout, LayoutError};
use axp_spec::{PeInputs, PeOutputs, RowWrite};

/// What the row port carries while nothing is written: a row that would match
/// every key, so that a write that leaks does not go unnoticed.
const IDLE_ROW: RowWrite = RowWrite { address: 0, key: 0, care: 0, product: 0x3F80_0001, valid: true };

/// Writes the cycles of a PE as records.
#[derive(Clone, Debug)]
pub struct PeVectors {
    layout: Layout,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    highest_address: u64,
    values: Vec<u64>,
    expected: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Reset,
    TestEnable,
    ZeroSkip,
    RowWrite,
    RowAddress,
    RowKey,
    RowCare,
    RowProduct,
    RowValid,
    Valid,
    First,
    Last,
    Weight,
    Activation,
    OutReady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Ready,
    Valid,
    Data,
}

const INPUTS: [(&str, Input); 15] = [
    ("rst_ni", Input::Reset),
    ("test_en_i", Input::TestEnable),
    ("zero_skip_i", Input::ZeroSkip),
    ("row_we_i", Input::RowWrite),
    ("row_addr_i", Input::RowAddress),
    ("row_key_i", Input::RowKey),
    ("row_care_i", Input::RowCare),
    ("row_product_i", Input::RowProduct),
    ("row_valid_i", Input::RowValid),
    ("in_valid_i", Input::Valid),
    ("in_first_i", Input::First),
    ("in_last_i", Input::Last),
    ("in_weight_i", Input::Weight),
    ("in_activation_i", Input::Activation),
    ("out_ready_i", Input::OutReady),
];

const OUTPUTS: [(&str, Output); 3] =
    [("in_ready_o", Output::Ready), ("out_valid_o", Output::Valid), ("out_data_o", Output::Data)];

impl PeVectors {
    /// What a PE drives while it is held in reset.
    pub const IN_RESET: PeOutputs = PeOutputs { ready: true, valid: false, data: 0 };

    /// The vectors of a generated PE.
    ///
    /// # Errors
    /// Its ports are not those of a PE, or cannot be laid out.
    pub fn of(dut: &Dut) -> Result<Self, LayoutError> {
        let layout = Layout::of(dut)?;
        let unknown = |name: &str| LayoutError::Unknown(name.to_owned());
        let inputs = layout.inputs.iter().map(|field| {
            let found = INPUTS.iter().find(|(name, _)| *name == field.name);
            found.map(|(_, input)| *input).ok_or_else(|| unknown(&field.name))
        });
        let inputs = inputs.collect::<Result<Vec<Input>, LayoutError>>()?;
        let outputs = layout.outputs.iter().map(|field| {
            let found = OUTPUTS.iter().find(|(name, _)| *name == field.name);
            found.map(|(_, output)| *output).ok_or_else(|| unknown(&field.name))
        });
        let outputs = outputs.collect::<Result<Vec<Output>, LayoutError>>()?;
        for (name, expected) in OUTPUTS {
            if !outputs.contains(&expected) {
                return Err(LayoutError::Missing(format!("port {name}")));
            }
        }
        if let Some((name, _)) = INPUTS.iter().find(|(name, _)| layout.input(name).is_none()) {
            return Err(LayoutError::Missing(format!("port {name}")));
        }
        let address_bits = layout.input("row_addr_i").map_or(0, |index| layout.inputs[index].width);
        let highest_address = u64::MAX >> (u64::BITS as usize - address_bits);
        let (values, expected) = (vec![0; inputs.len()], vec![0; outputs.len()]);
        Ok(Self { layout, inputs, outputs, highest_address, values, expected })
    }

    /// The layout of the records.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends one cycle, whose outputs are compared.
    pub fn push(&mut self, records: &mut Vec<u8>, inputs: &PeInputs, outputs: &PeOutputs) {
        self.push_cycle(records, true, true, inputs, outputs);
    }

    /// Appends a reset: two cycles, of which the second is compared (a
    /// synchronous reset needs one clock edge). `disturbance` is what the
    /// other inputs carry meanwhile; it must have no effect.
    pub fn push_reset(&mut self, records: &mut Vec<u8>, disturbance: &PeInputs) {
        self.push_cycle(records, false, false, disturbance, &Self::IN_RESET);
        self.push_cycle(records, false, true, disturbance, &Self::IN_RESET);
    }

    fn push_cycle(&mut self, records: &mut Vec<u8>, run: bool, check: bool, inputs: &PeInputs, outputs: &PeOutputs) {
        // An address that the port cannot carry is past the last row: no write.
        let row = inputs.row.as_ref().filter(|row| u64::from(row.address) <= self.highest_address);
        let write = row.is_some();
        let row = row.unwrap_or(&IDLE_ROW);
        for ((value, input), field) in self.values.iter_mut().zip(&self.inputs).zip(&self.layout.inputs) {
            let bits = match input {
                Input::Reset => u64::from(run),
                Input::TestEnable => 0,
                Input::ZeroSkip => u64::from(inputs.zero_skip),
                Input::RowWrite => u64::from(write),
                Input::RowAddress => u64::from(row.address),
                Input::RowKey => row.key,
                Input::RowCare => row.care,
                Input::RowProduct => u64::from(row.product),
                Input::RowValid => u64::from(row.valid),
                Input::Valid => u64::from(inputs.valid),
                Input::First => u64::from(inputs.first),
                Input::Last => u64::from(inputs.last),
                Input::Weight => u64::from(inputs.weight),
                Input::Activation => u64::from(inputs.activation),
                Input::OutReady => u64::from(inputs.out_ready),
            };
            // The ports of a narrow format carry the low bits.
            *value = bits & u64::MAX >> (u64::BITS as usize - field.width);
        }
        for (value, output) in self.expected.iter_mut().zip(&self.outputs) {
            *value = match output {
                Output::Ready => u64::from(outputs.ready),
                Output::Valid => u64::from(outputs.valid),
                Output::Data => u64::from(outputs.data),
            };
        }
        self.layout.push(records, check, &self.values, &self.expected);
    }

    /// Reads the outputs part of one record.
    pub fn outputs(&self, part: &[u8]) -> PeOutputs {
        let mut outputs = PeOutputs::default();
        for (field, output) in self.layout.outputs.iter().zip(&self.outputs) {
            let value = field.read(part);
            match output {
                Output::Ready => outputs.ready = value != 0,
                Output::Valid => outputs.valid = value != 0,
                Output::Data => outputs.data = value as u32,
            }
        }
        outputs
    }
}
