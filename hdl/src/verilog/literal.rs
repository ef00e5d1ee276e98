//! Constant bit patterns of any width, and how Verilog writes them.

use rust_hdl::prelude::VerilogLiteral;

/// An unsigned number in hex digits without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hex(String);

impl Hex {
    /// The value of a rust-hdl literal, whose own width is that of a Rust
    /// integer type and says nothing. `None` stands for no literal at all.
    pub fn of(literal: &VerilogLiteral) -> Self {
        let text = format!("{literal:x}");
        Self::from_digits(text.split_once("'h").map_or("0", |(_, digits)| digits))
    }

    fn from_digits(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self(if digits.is_empty() { "0" } else { digits }.to_owned())
    }

    /// Number of bits up to the highest one that is set; 0 for zero.
    pub fn bit_length(&self) -> usize {
        let top = self.0.chars().next().and_then(|c| c.to_digit(16)).unwrap_or(0);
        4 * (self.0.len() - 1) + (u32::BITS - top.leading_zeros()) as usize
    }

    /// The number, if it is small enough for an index.
    pub fn as_usize(&self) -> Option<usize> {
        usize::from_str_radix(&self.0, 16).ok()
    }

    /// Bits `offset .. offset + width` as a number of their own.
    pub fn bits(&self, offset: usize, width: usize) -> Self {
        Self::from_bits(width, |index| self.bit(offset + index))
    }

    /// This number above the lower `width` bits of another.
    pub fn above(&self, below: &Self, width: usize) -> Self {
        let own = |index: usize| index.checked_sub(width).map(|index| self.bit(index));
        Self::from_bits(width + self.bit_length(), |index| own(index).unwrap_or_else(|| below.bit(index)))
    }

    fn bit(&self, index: usize) -> bool {
        let digit = self.0.chars().rev().nth(index / 4).and_then(|c| c.to_digit(16)).unwrap_or(0);
        digit >> (index % 4) & 1 == 1
    }

    fn from_bits(width: usize, bit: impl Fn(usize) -> bool) -> Self {
        let digit = |place: usize| {
            let bits = (0..4).filter(|i| 4 * place + i < width && bit(4 * place + i));
            char::from_digit(bits.fold(0, |digit, i| digit | 1 << i), 16)
        };
        Self::from_digits(&(0..width.div_ceil(4)).rev().filter_map(digit).collect::<String>())
    }

    /// Verilog text of exactly `width` bits.
    pub fn verilog(&self, width: usize) -> String {
        let digits = width.div_ceil(4);
        if width <= 3 {
            let value = self.as_usize().unwrap_or(0);
            return format!("{width}'b{value:0width$b}");
        }
        format!("{width}'h{:0>digits$}", self.0)
    }
}

impl From<usize> for Hex {
    fn from(value: usize) -> Self {
        Self::from_digits(&format!("{value:x}"))
    }
}

/// Whether a rust-hdl literal came from a Rust `bool`.
pub(super) fn is_bool(literal: &VerilogLiteral) -> bool {
    format!("{literal:x}").starts_with("1'h")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::prelude::Bits;

    #[test]
    fn literals_keep_their_value_and_get_an_exact_width() {
        for (value, bits, text) in [(0_u64, 0, "8'h00"), (5, 3, "8'h05"), (255, 8, "8'hff")] {
            let hex = Hex::of(&value.into());
            assert_eq!((hex.bit_length(), hex.verilog(8).as_str()), (bits, text));
            assert_eq!(hex.as_usize(), Some(value as usize));
        }
        assert_eq!(Hex::from(5).verilog(3), "3'b101");
        let wide: Bits<72> = Bits::from(0xABu64) << 64;
        assert_eq!(Hex::of(&wide.into()).bit_length(), 72);
        assert_eq!(Hex::of(&wide.into()).verilog(72), "72'hab0000000000000000");
        assert_eq!(Hex::of(&wide.into()).as_usize(), None);
    }

    #[test]
    fn parts_are_cut_anywhere() {
        let hex = Hex::from(0x1234_5678_9abc_def0);
        for (offset, width) in [(0, 64), (4, 8), (3, 7), (61, 3), (60, 20), (63, 1), (70, 5), (0, 1)] {
            let value = 0x1234_5678_9abc_def0_u128 >> offset & ((1 << width) - 1);
            assert_eq!(hex.bits(offset, width).as_usize(), Some(value as usize), "{offset} {width}");
        }
        for (above, below, width, whole) in [(5, 3, 2, 23), (1, 0, 70, 0), (0, 9, 4, 9), (0xab, 0xcd, 8, 0xabcd)] {
            let joined = Hex::from(above).above(&below.into(), width);
            assert_eq!(joined, if width == 70 { Hex::from_digits("400000000000000000") } else { whole.into() });
        }
    }

    #[test]
    fn booleans_are_told_from_integers() {
        assert!(is_bool(&true.into()));
        assert!(!is_bool(&1_i32.into()));
    }
}
