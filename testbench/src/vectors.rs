//! The layout of test vectors: one record a clock cycle, derived from the port list.
//!
//! Both simulators read the same bytes. All integers are little endian.
//!
//! ```text
//! stream  = frame*
//! frame   = count:u32 record{count}      count = 0 is a mark: "report what you have"
//! record  = inputs outputs
//! inputs  = flag bytes (bit 0 of the first: compare the outputs of this cycle;
//!           then the one-bit inputs in port order), then the wider inputs, each
//!           in as many bytes as it needs
//! outputs = the same for the expected outputs, padded to a multiple of 4 bytes
//! ```

use crate::dut::Dut;
use axp_hdl::Port;
use thiserror::Error;

/// Most records of one frame; both benches keep a frame in memory.
pub const MAX_FRAME: usize = 1 << 16;

/// Widest port that a record carries.
pub const MAX_WIDTH: usize = 64;

/// Where one port's value stands in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The port.
    pub name: String,
    /// Its width in bits.
    pub width: usize,
    /// Byte within the record.
    pub byte: usize,
    /// Lowest bit within that byte; 0 for all but one-bit ports.
    pub bit: usize,
}

/// The layout of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Ports that are driven, in port order, the clock apart.
    pub inputs: Vec<Field>,
    /// Ports that are compared, in port order. Bytes count from the start of
    /// the outputs, not of the record.
    pub outputs: Vec<Field>,
    /// Bytes before the outputs.
    pub input_bytes: usize,
    /// Bytes of the outputs, a multiple of 4.
    pub output_bytes: usize,
}

/// Why a port list has no layout.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum LayoutError {
    /// The name could not be used in Verilog and C++ alike.
    #[error("port {0:?} cannot be simulated: use letters, digits and single '_', a letter first")]
    Name(String),
    /// The port is too wide.
    #[error("port {name} has {width} bits; test vectors carry 1 to {MAX_WIDTH}")]
    Width {
        /// The port.
        name: String,
        /// Its width in bits.
        width: usize,
    },
    /// The clock, the reset or any output is missing.
    #[error("the port list has no {0}")]
    Missing(String),
    /// A port that the testbench would not know how to drive.
    #[error("port {0} is not one of a processing element")]
    Unknown(String),
}

impl Field {
    /// Bytes that the value takes.
    pub fn bytes(&self) -> usize {
        self.width.div_ceil(8)
    }

    /// Reads the value from the part of the record that the field counts from.
    pub fn read(&self, part: &[u8]) -> u64 {
        if self.width == 1 {
            return u64::from(part[self.byte] >> self.bit & 1);
        }
        let bytes = &part[self.byte..self.byte + self.bytes()];
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn write(&self, part: &mut [u8], value: u64) {
        if self.width == 1 {
            part[self.byte] |= ((value & 1) as u8) << self.bit;
        } else {
            let bytes = self.bytes();
            part[self.byte..self.byte + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        }
    }
}

impl Layout {
    /// The layout for the ports of a design.
    ///
    /// # Errors
    /// A port that no record can carry, or a list without clock, reset or output.
    pub fn of(dut: &Dut) -> Result<Self, LayoutError> {
        for port in &dut.ports {
            check_port(port)?;
        }
        for name in [&dut.clock, &dut.reset] {
            if !dut.ports.iter().any(|port| port.name == *name) {
                return Err(LayoutError::Missing(format!("port {name}")));
            }
        }
        let (inputs, input_bytes) = place(dut.inputs(), 1);
        let (outputs, used) = place(dut.outputs(), 0);
        if outputs.is_empty() {
            return Err(LayoutError::Missing("output".into()));
        }
        Ok(Self { inputs, outputs, input_bytes, output_bytes: used.next_multiple_of(4) })
    }

    /// Bytes of one record.
    pub fn record_bytes(&self) -> usize {
        self.input_bytes + self.output_bytes
    }

    /// Appends one record. Values stand in the order of [`Self::inputs`] and
    /// [`Self::outputs`]; bits beyond a port's width must be 0.
    pub fn push(&self, records: &mut Vec<u8>, check: bool, inputs: &[u64], outputs: &[u64]) {
        debug_assert_eq!((inputs.len(), outputs.len()), (self.inputs.len(), self.outputs.len()));
        let start = records.len();
        records.resize(start + self.record_bytes(), 0);
        let (drive, expect) = records[start..].split_at_mut(self.input_bytes);
        drive[0] = u8::from(check);
        self.inputs.iter().zip(inputs).for_each(|(field, value)| field.write(drive, *value));
        self.outputs.iter().zip(outputs).for_each(|(field, value)| field.write(expect, *value));
    }

    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|field| field.name == name)
    }

    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|field| field.name == name)
    }
}

/// One-bit ports share flag bytes, the first `reserved` bits apart; wider ones
/// follow. Returns the fields in port order and the bytes used.
fn place<'a>(ports: impl Iterator<Item = &'a Port>, reserved: usize) -> (Vec<Field>, usize) {
    let ports: Vec<&Port> = ports.collect();
    let flags = reserved + ports.iter().filter(|port| port.width == 1).count();
    let mut flag = reserved;
    let mut byte = flags.div_ceil(8);
    let fields = ports
        .into_iter()
        .map(|port| {
            let mut field = Field { name: port.name.clone(), width: port.width, byte, bit: 0 };
            if port.width == 1 {
                (field.byte, field.bit) = (flag / 8, flag % 8);
                flag += 1;
            } else {
                byte += field.bytes();
            }
            field
        })
        .collect();
    (fields, byte)
}

/// Names reach generated C++ and Verilog, so they are checked although they
/// come from our own generator.
fn check_port(port: &Port) -> Result<(), LayoutError> {
    let letters = port.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let starts = port.name.starts_with(|c: char| c.is_ascii_alphabetic());
    // Verilator escapes a double underscore in C++ names.
    if !letters || !starts || port.name.contains("__") {
        return Err(LayoutError::Name(port.name.clone()));
    }
    if !(1..=MAX_WIDTH).contains(&port.width) {
        return Err(LayoutError::Width { name: port.name.clone(), width: port.width });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_hdl::Direction;

    fn dut(ports: &[(&str, Direction, usize)]) -> Dut {
        let port = |(name, direction, width): &(&str, Direction, usize)| Port {
            name: (*name).into(),
            direction: *direction,
            width: *width,
            doc: String::new(),
        };
        let ports = ports.iter().map(port).collect();
        Dut { top: "t".into(), sources: vec![], ports, clock: "clk_i".into(), reset: "rst_ni".into() }
    }

    const BASE: [(&str, Direction, usize); 3] =
        [("clk_i", Direction::Input, 1), ("rst_ni", Direction::Input, 1), ("y_o", Direction::Output, 1)];

    fn layout_with(port: (&str, Direction, usize)) -> Result<Layout, LayoutError> {
        Layout::of(&dut(&[&BASE[..], &[port]].concat()))
    }

    #[test]
    fn flags_share_bytes_and_words_take_what_they_need() {
        let layout = layout_with(("word_i", Direction::Input, 33)).unwrap();
        // A flag byte for the comparison and the reset, five bytes for the word.
        assert_eq!((layout.input_bytes, layout.output_bytes, layout.record_bytes()), (6, 4, 10));
        let mut records = Vec::new();
        layout.push(&mut records, true, &[1, 0x1_2345_6789], &[1]);
        assert_eq!(records, [0b11, 0x89, 0x67, 0x45, 0x23, 0x01, 1, 0, 0, 0]);
        let word = layout.input("word_i").unwrap();
        assert_eq!(layout.inputs[word].read(&records), 0x1_2345_6789);
    }

    #[test]
    fn port_lists_that_cannot_be_simulated_are_refused() {
        for name in ["", "a b", "a$b", "1a", "_a", "a__b", "a;", "\u{e4}"] {
            let error = layout_with((name, Direction::Input, 1)).unwrap_err();
            assert_eq!(error, LayoutError::Name(name.into()));
        }
        for width in [0, 65] {
            let error = layout_with(("wide_i", Direction::Input, width)).unwrap_err();
            assert_eq!(error, LayoutError::Width { name: "wide_i".into(), width });
        }
        assert_eq!(Layout::of(&dut(&BASE[1..])), Err(LayoutError::Missing("port clk_i".into())));
        assert_eq!(Layout::of(&dut(&BASE[..2])), Err(LayoutError::Missing("output".into())));
    }
}
