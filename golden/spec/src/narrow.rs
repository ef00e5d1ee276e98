//! Operands that are narrower than the products and sums of a PE.

use crate::format::FloatFormat;
use crate::fpu::MultiplierStyle;
use crate::pe::{Accumulator, PeConfig, PeConfigError};
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

impl PeConfig {
    /// Whether a PE as this one is otherwise can have its narrow operands.
    pub(crate) fn validate_operands(&self) -> Result<(), PeConfigError> {
        let plain = self.am.is_none() && self.multiplier_stages == 0 && self.adder_stages == 0;
        let integer = self.accumulator == Accumulator::Float && self.multiplier == MultiplierStyle::Dadda;
        match self.operands {
            Some(operands) if !(plain && self.format == FloatFormat::Binary32) => {
                Err(PeConfigError::Operands(operands))
            }
            Some(NarrowOperands::Int8) if !integer => Err(PeConfigError::Operands(NarrowOperands::Int8)),
            _ => Ok(()),
        }
    }

    /// Width in bits of a weight and of an activation on the bus.
    pub const fn operand_bits(&self) -> u32 {
        match self.operands {
            Some(operands) => operands.width(),
            None => self.format.width(),
        }
    }

    /// Whether an activation on the bus is a zero: of either sign, if it has one.
    pub const fn is_zero(&self, activation: u32) -> bool {
        let magnitude = match self.operands {
            Some(operands) => operands.magnitude_mask(),
            None => (self.format.sign_mask() - 1) as u32,
        };
        activation & magnitude == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_elements_take_narrow_operands() {
        let fixed = Accumulator::Fixed { width: 24, product_width: 24 };
        for operands in [NarrowOperands::Bfloat16, NarrowOperands::Int8] {
            let plain = PeConfig { operands: Some(operands), ..PeConfig::plain("a") };
            assert_eq!(plain.validate(), Ok(()));
            let json = serde_json::to_string(&plain).unwrap();
            assert_eq!(serde_json::from_str::<PeConfig>(&json).unwrap(), plain);
            let refused = Err(PeConfigError::Operands(operands));
            assert_eq!(PeConfig { am: PeConfig::pair("a", 1).am, ..plain.clone() }.validate(), refused);
            assert_eq!(PeConfig { multiplier_stages: 1, ..plain.clone() }.validate(), refused);
            assert_eq!(PeConfig { format: FloatFormat::Binary16, ..plain.clone() }.validate(), refused);
            let integer = operands == NarrowOperands::Int8;
            assert_eq!(PeConfig { accumulator: fixed, ..plain.clone() }.validate().is_err(), integer);
        }
        // What stands in generated files does not change.
        assert!(!serde_json::to_string(&PeConfig::plain("a")).unwrap().contains("operands"));
    }

    #[test]
    fn a_negative_zero_is_one_where_there_is_a_sign() {
        let of = |operands| PeConfig { operands, ..PeConfig::plain("a") };
        assert!(of(None).is_zero(1 << 31) && !of(None).is_zero(0x8000));
        let narrow = of(Some(NarrowOperands::Bfloat16));
        assert!(narrow.is_zero(0x8000) && !narrow.is_zero(1) && narrow.operand_bits() == 16);
        let integer = of(Some(NarrowOperands::Int8));
        assert!(integer.is_zero(0) && !integer.is_zero(0x80) && integer.operand_bits() == 8);
    }
}
