//! `PeInputs` and `PeOutputs` as test vectors of the generated PE.

use crate::dut::Dut;
use crate::vectors::{Layout, LayoutError};
use axp_spec::{CodebookWrite, PeInputs, PeOutputs, RowWrite};

/// What the row port carries while nothing is written: a row that would match
/// every key, so that a write that leaks does not go unnoticed.
const IDLE_ROW: RowWrite = RowWrite { address: 0, key: 0, care: 0, product: 0x3F80_0001, valid: true };

/// The same for the codebook and the layer register.
const IDLE_WORD: CodebookWrite = CodebookWrite { column: 0, magnitude: 0x3F80_0001 };
const IDLE_LAYER: u32 = u32::MAX;

/// Writes the cycles of a PE as records.
#[derive(Clone, Debug)]
pub struct PeVectors {
    layout: Layout,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    highest_address: u64,
    highest_column: u64,
    /// Width of the column in an index, and place of the sign in a weight.
    column_bits: u32,
    sign_bit: u32,
    values: Vec<u64>,
    expected: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Reset,
    TestEnable,
    ZeroSkip,
    Range,
    RowWrite,
    RowAddress,
    RowKey,
    RowCare,
    RowProduct,
    RowValid,
    LayerWrite,
    Layer,
    CodebookWrite,
    CodebookColumn,
    CodebookMagnitude,
    Valid,
    First,
    Last,
    Weight,
    Column,
    Index,
    Activation,
    OutReady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Ready,
    Valid,
    Data,
    Overflow,
    Invalid,
}

/// When a port is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// In every PE.
    Core,
    /// In one with a programmable memory.
    Rows,
    /// In one of these whose rows are searched for.
    Patterns,
    /// In one with a frozen memory.
    Layers,
    /// In one with a programmable codebook.
    Codebook,
    /// In one that is given weights by value.
    Value,
    /// In one of these whose memory has columns.
    Columns,
    /// In one that is given weights by index.
    Index,
    /// In one with a fixed-point accumulator whose range is a port.
    Range,
    /// In one with a fixed-point accumulator.
    Fixed,
}

const INPUTS: [(&str, Part, Input); 23] = [
    ("rst_ni", Part::Core, Input::Reset),
    ("test_en_i", Part::Core, Input::TestEnable),
    ("zero_skip_i", Part::Core, Input::ZeroSkip),
    ("acc_range_i", Part::Range, Input::Range),
    ("row_we_i", Part::Rows, Input::RowWrite),
    ("row_addr_i", Part::Rows, Input::RowAddress),
    ("row_key_i", Part::Patterns, Input::RowKey),
    ("row_care_i", Part::Patterns, Input::RowCare),
    ("row_product_i", Part::Rows, Input::RowProduct),
    ("row_valid_i", Part::Rows, Input::RowValid),
    ("layer_we_i", Part::Layers, Input::LayerWrite),
    ("layer_i", Part::Layers, Input::Layer),
    ("codebook_we_i", Part::Codebook, Input::CodebookWrite),
    ("codebook_addr_i", Part::Codebook, Input::CodebookColumn),
    ("codebook_magnitude_i", Part::Codebook, Input::CodebookMagnitude),
    ("in_valid_i", Part::Core, Input::Valid),
    ("in_first_i", Part::Core, Input::First),
    ("in_last_i", Part::Core, Input::Last),
    ("in_weight_i", Part::Value, Input::Weight),
    ("in_column_i", Part::Columns, Input::Column),
    ("in_index_i", Part::Index, Input::Index),
    ("in_activation_i", Part::Core, Input::Activation),
    ("out_ready_i", Part::Core, Input::OutReady),
];

const OUTPUTS: [(&str, Part, Output); 5] = [
    ("in_ready_o", Part::Core, Output::Ready),
    ("out_valid_o", Part::Core, Output::Valid),
    ("out_data_o", Part::Core, Output::Data),
    ("out_overflow_o", Part::Fixed, Output::Overflow),
    ("out_invalid_o", Part::Fixed, Output::Invalid),
];

impl PeVectors {
    /// What a PE drives while it is held in reset.
    pub const IN_RESET: PeOutputs = PeOutputs { ready: true, valid: false, data: 0, overflow: false, invalid: false };

    /// The vectors of a generated PE.
    ///
    /// # Errors
    /// Its ports are not those of a PE, or cannot be laid out.
    pub fn of(dut: &Dut) -> Result<Self, LayoutError> {
        let layout = Layout::of(dut)?;
        let unknown = |name: &str| LayoutError::Unknown(name.to_owned());
        let inputs = layout.inputs.iter().map(|field| {
            let found = INPUTS.iter().find(|(name, ..)| *name == field.name);
            found.map(|(.., input)| *input).ok_or_else(|| unknown(&field.name))
        });
        let inputs = inputs.collect::<Result<Vec<Input>, LayoutError>>()?;
        let outputs = layout.outputs.iter().map(|field| {
            let found = OUTPUTS.iter().find(|(name, ..)| *name == field.name);
            found.map(|(.., output)| *output).ok_or_else(|| unknown(&field.name))
        });
        let outputs = outputs.collect::<Result<Vec<Output>, LayoutError>>()?;
        // A part is there whole or not at all.
        let known = INPUTS.iter().map(|(name, part, _)| (*name, *part));
        let known: Vec<_> = known.chain(OUTPUTS.iter().map(|(name, part, _)| (*name, *part))).collect();
        let present = |name: &str| layout.inputs.iter().chain(&layout.outputs).any(|field| field.name == name);
        for (name, part) in &known {
            let wanted = *part == Part::Core || known.iter().any(|(other, of)| of == part && present(other));
            if wanted && !present(name) {
                return Err(LayoutError::Missing(format!("port {name}")));
            }
        }
        if present("in_weight_i") == present("in_index_i") {
            return Err(LayoutError::Missing("one way to give weights, in_weight_i or in_index_i".into()));
        }
        if present("row_we_i") && !present("row_key_i") && !present("in_column_i") && !present("in_index_i") {
            return Err(LayoutError::Missing("a way to find rows, row_key_i, in_column_i or in_index_i".into()));
        }
        let highest = |port: &str| {
            let bits = layout.input(port).map_or(0, |index| layout.inputs[index].width);
            u64::MAX.checked_shr(u64::BITS - bits as u32).unwrap_or(0)
        };
        let (highest_address, highest_column) = (highest("row_addr_i"), highest("codebook_addr_i"));
        // The sign stands above the column; the weight's format is the activation's.
        let field = |port: &str| layout.input(port).map_or(1, |index| layout.inputs[index].width as u32);
        let (column_bits, sign_bit) = (field("in_index_i") - 1, field("in_activation_i") - 1);
        let (values, expected) = (vec![0; inputs.len()], vec![0; outputs.len()]);
        Ok(Self { layout, inputs, outputs, highest_address, highest_column, column_bits, sign_bit, values, expected })
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
        let word = inputs.codebook.as_ref().filter(|word| u64::from(word.column) <= self.highest_column);
        let learns = word.is_some();
        let word = word.unwrap_or(&IDLE_WORD);
        let sign = u64::from(inputs.weight >> self.sign_bit & 1);
        let index = sign << self.column_bits | u64::from(inputs.column) & ((1 << self.column_bits) - 1);
        for ((value, input), field) in self.values.iter_mut().zip(&self.inputs).zip(&self.layout.inputs) {
            let bits = match input {
                Input::Reset => u64::from(run),
                Input::TestEnable => 0,
                Input::ZeroSkip => u64::from(inputs.zero_skip),
                Input::Range => u64::from(inputs.range),
                Input::RowWrite => u64::from(write),
                Input::RowAddress => u64::from(row.address),
                Input::RowKey => row.key,
                Input::RowCare => row.care,
                Input::RowProduct => u64::from(row.product),
                Input::RowValid => u64::from(row.valid),
                Input::LayerWrite => u64::from(inputs.layer.is_some()),
                Input::Layer => inputs.layer.unwrap_or(IDLE_LAYER).into(),
                Input::CodebookWrite => u64::from(learns),
                Input::CodebookColumn => u64::from(word.column),
                Input::CodebookMagnitude => u64::from(word.magnitude),
                Input::Valid => u64::from(inputs.valid),
                Input::First => u64::from(inputs.first),
                Input::Last => u64::from(inputs.last),
                Input::Weight => u64::from(inputs.weight),
                Input::Column => u64::from(inputs.column),
                Input::Index => index,
                Input::Activation => u64::from(inputs.activation),
                Input::OutReady => u64::from(inputs.out_ready),
            };
            // The ports of a narrow format, or of a column, carry the low bits.
            *value = bits & u64::MAX >> (u64::BITS as usize - field.width);
        }
        for (value, output) in self.expected.iter_mut().zip(&self.outputs) {
            *value = match output {
                Output::Ready => u64::from(outputs.ready),
                Output::Valid => u64::from(outputs.valid),
                Output::Data => u64::from(outputs.data),
                Output::Overflow => u64::from(outputs.overflow),
                Output::Invalid => u64::from(outputs.invalid),
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
                Output::Overflow => outputs.overflow = value != 0,
                Output::Invalid => outputs.invalid = value != 0,
            }
        }
        outputs
    }
}
