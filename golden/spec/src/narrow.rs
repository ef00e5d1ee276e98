//! Operands that are narrower than the products and sums of a PE.

use serde::{Deserialize, Serialize};

/// How weights and activations are given to a PE whose products and sums are wider.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum NarrowOperands {
    /// bfloat16. Products are those of the same numbers in binary32, and exact in its
    /// normal range; below it they are rounded to nearest even.
    Bfloat16,
    /// Integers of 8 bits, two's complement. Products are exact; the sum is an integer
    /// of 32 bits that wraps, and the result.
    Int8,
}

impl NarrowOperands {
    /// Width of an operand in bits.
    pub const fn width(self) -> u32 {
        match self {
            Self::Bfloat16 => 16,
            Self::Int8 => 8,
        }
    }

    /// Bits of an operand that are all 0 in a zero, and in nothing else.
    pub const fn magnitude_mask(self) -> u32 {
        match self {
            Self::Bfloat16 => 0x7FFF,
            Self::Int8 => 0xFF,
        }
    }

    /// Name as in module names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bfloat16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}
