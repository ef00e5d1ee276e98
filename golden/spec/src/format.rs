//! Floating-point formats as field widths; their arithmetic lives elsewhere.

use serde::{Deserialize, Serialize};

/// A binary interchange format: one sign bit, exponent, fraction.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum FloatFormat {
    /// IEEE 754 binary32: 8 exponent bits, 23 fraction bits.
    Binary32,
}

impl FloatFormat {
    /// Width of the exponent field in bits.
    pub const fn exponent_bits(self) -> u32 {
        match self {
            Self::Binary32 => 8,
        }
    }

    /// Width of the fraction (trailing significand) field in bits.
    pub const fn fraction_bits(self) -> u32 {
        match self {
            Self::Binary32 => 23,
        }
    }

    /// Width of the whole encoding in bits.
    pub const fn width(self) -> u32 {
        1 + self.exponent_bits() + self.fraction_bits()
    }

    /// The exponent field, in place: all its bits set. An encoding whose
    /// exponent field is all ones is an infinity or a NaN.
    pub const fn exponent_mask(self) -> u64 {
        ((1 << self.exponent_bits()) - 1) << self.fraction_bits()
    }

    /// The only NaN that axp ever produces in this format.
    pub const fn canonical_nan(self) -> u64 {
        self.exponent_mask() | 1 << (self.fraction_bits() - 1)
    }

    /// Whether the encoding is an infinity or a NaN.
    pub const fn is_special(self, encoding: u64) -> bool {
        encoding & self.exponent_mask() == self.exponent_mask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary32_matches_the_host() {
        let f = FloatFormat::Binary32;
        assert_eq!(f.width(), 32);
        assert_eq!(f.exponent_mask(), u64::from(f32::INFINITY.to_bits()));
        assert_eq!(f.canonical_nan(), 0x7FC0_0000);
        assert!(f.is_special(u64::from(f32::NEG_INFINITY.to_bits())));
        assert!(!f.is_special(u64::from(f32::MAX.to_bits())));
    }
}
