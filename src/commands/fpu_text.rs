//! Cases as lines of hexadecimal numbers, as TestFloat writes and reads them.

use axp_spec::FpuConfig;
use axp_testbench::unit::{Answer, Case};
use thiserror::Error;

/// What is wrong with a line.
#[derive(Error, Debug, PartialEq, Eq)]
#[error("line {line}: {what}")]
pub struct LineError {
    /// Number of the line, from 1.
    pub line: u64,
    what: String,
}

/// Marks a byte that is no hexadecimal digit.
const NO_DIGIT: u8 = 0xFF;

/// The value of each byte as a hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

/// Longest part of a faulty number that a message shows.
const SHOWN: usize = 40;

/// Reads and writes the cases of one operation.
#[derive(Clone, Debug)]
pub struct CaseText {
    operands: usize,
    operand_bits: u32,
    result_bits: u32,
    line: u64,
}

impl CaseText {
    /// The lines of a configuration's cases, from line 1.
    pub fn of(config: &FpuConfig) -> Self {
        Self {
            operands: config.operation.operands(),
            operand_bits: config.operand_bits(),
            result_bits: config.result_bits(),
            line: 0,
        }
    }

    /// Appends the cases of whole lines. Columns after the operands are
    /// ignored, and so are blank lines.
    ///
    /// # Errors
    /// The first line that holds no case; those before it have been appended.
    pub fn read(&mut self, lines: &[u8], cases: &mut Vec<Case>) -> Result<(), LineError> {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        for line in lines.split(|byte| *byte == b'\n') {
            self.line += 1;
            let mut rest = line;
            let Some(a) = self.number(&mut rest)? else { continue };
            let b = match self.operands {
                1 => 0,
                _ => self.number(&mut rest)?.ok_or_else(|| self.error("2 operands are needed, and 1 is there"))?,
            };
            cases.push(Case { a, b });
        }
        Ok(())
    }

    /// The number at the front of `rest`, if there is any.
    #[inline]
    fn number(&self, rest: &mut &[u8]) -> Result<Option<u64>, LineError> {
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let text = &rest[blanks..];
        let (mut value, mut length, mut lost) = (0u64, 0, 0);
        for byte in text {
            let digit = DIGITS[usize::from(*byte)];
            if digit == NO_DIGIT {
                break;
            }
            lost |= value >> 60;
            value = value << 4 | u64::from(digit);
            length += 1;
        }
        *rest = &text[length..];
        match rest.first() {
            None if length == 0 => Ok(None),
            Some(byte) if !byte.is_ascii_whitespace() => Err(self.error(&format!(
                "{:?} is no hexadecimal number: write digits 0 to 9 and A to F without a prefix",
                word(text)
            ))),
            _ if lost != 0 || value.unbounded_shr(self.operand_bits) != 0 => {
                Err(self.error(&format!("{} has more than {} bits", word(text), self.operand_bits)))
            }
            _ => Ok(Some(value)),
        }
    }

    fn error(&self, what: &str) -> LineError {
        LineError { line: self.line, what: what.to_owned() }
    }

    /// Appends a line for each case: operands, result, flags.
    pub fn write(&self, cases: &[Case], answers: &[Answer], text: &mut Vec<u8>) {
        for (case, answer) in cases.iter().zip(answers) {
            hex(text, case.a, self.operand_bits);
            text.push(b' ');
            if self.operands == 2 {
                hex(text, case.b, self.operand_bits);
                text.push(b' ');
            }
            hex(text, answer.result, self.result_bits);
            text.push(b' ');
            hex(text, answer.flags.into(), 8);
            text.push(b'\n');
        }
    }
}

/// Appends a number with as many digits as its width needs.
#[inline]
fn hex(text: &mut Vec<u8>, value: u64, bits: u32) {
    let digits = bits.div_ceil(4) as usize;
    let mut all = [0; 16];
    for (index, digit) in all.iter_mut().rev().enumerate() {
        *digit = b"0123456789ABCDEF"[(value >> (4 * index) & 15) as usize];
    }
    text.extend_from_slice(&all[16 - digits..]);
}

/// The first word of a text, safe to print.
fn word(text: &[u8]) -> String {
    let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    word[..word.len().min(SHOWN)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::{FixedFormat, FloatFormat, FpuOperation, Rounding};

    fn text(operation: FpuOperation, format: FloatFormat) -> CaseText {
        CaseText::of(&FpuConfig::new(operation, format, Rounding::NearestEven))
    }

    #[test]
    fn lines_of_testfloat_are_read_and_written() {
        let mut fp32 = text(FpuOperation::Mul, FloatFormat::Binary32);
        let mut cases = Vec::new();
        fp32.read(b"8683F7FF C07F3FFF 07839504 01\r\n\n  \t\n00000000 deadbeef", &mut cases).unwrap();
        assert_eq!(cases, [Case { a: 0x8683_F7FF, b: 0xC07F_3FFF }, Case { a: 0, b: 0xDEAD_BEEF }]);
        let mut out = Vec::new();
        fp32.write(&cases[..1], &[Answer { result: 0x0783_9504, flags: 1 }], &mut out);
        assert_eq!(out, b"8683F7FF C07F3FFF 07839504 01\n");
        out.clear();
        let to_fixed = FpuOperation::ToFixed(FixedFormat { width: 9, last_bit: 0 });
        text(to_fixed, FloatFormat::E4m3).write(
            &[Case { a: 0xC, b: 0 }],
            &[Answer { result: 1, flags: 0x10 }],
            &mut out,
        );
        assert_eq!(out, b"0C 001 10\n");
    }

    #[test]
    fn faulty_lines_are_named() {
        let refuse = |lines: &str| {
            let mut cases = Vec::new();
            let error = text(FpuOperation::Add, FloatFormat::Binary16).read(lines.as_bytes(), &mut cases).unwrap_err();
            (cases.len(), error.to_string())
        };
        assert_eq!(refuse("1 2\n\n3\n4 5").0, 1);
        assert_eq!(refuse("1 2\n\n3\n4 5").1, "line 3: 2 operands are needed, and 1 is there");
        assert_eq!(refuse("1 10000").1, "line 1: 10000 has more than 16 bits");
        assert_eq!(refuse("10000000000000001 1").1, "line 1: 10000000000000001 has more than 16 bits");
        assert_eq!(refuse("0000000000000000000001 12G4 x").0, 0);
        for (line, shown) in [("12G4 1", "\"12G4\""), ("0x12 1", "\"0x12\""), ("1 -2", "\"-2\""), ("# 1 2", "\"#\"")] {
            let message = refuse(line).1;
            assert!(message.starts_with("line 1: ") && message.contains(shown), "{message}");
        }
        assert!(refuse("\u{1b}[31m 1").1.contains("\\\\x1b[31m"));
    }

    #[test]
    fn sixty_four_bits_fit() {
        let fixed = FpuOperation::FromFixed(FixedFormat { width: 64, last_bit: 0 });
        let mut cases = Vec::new();
        text(fixed, FloatFormat::Binary32).read(b"FFFFFFFFFFFFFFFF\n", &mut cases).unwrap();
        assert_eq!(cases, [Case { a: u64::MAX, b: 0 }]);
    }
}
