//! Floating-point formats as field widths; their arithmetic lives elsewhere.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A binary format: one sign bit, exponent, fraction (trailing significand).
///
/// The bias is `2^(exponent bits - 1) - 1` in all of them.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum FloatFormat {
    /// IEEE 754 binary32: 8 exponent bits, 23 fraction bits.
    Binary32,
    /// bfloat16: the upper half of binary32, 8 exponent bits, 7 fraction bits.
    Bfloat16,
    /// IEEE 754 binary16: 5 exponent bits, 10 fraction bits.
    Binary16,
    /// OCP FP8 E4M3: 4 exponent bits, 3 fraction bits, no infinity; the
    /// magnitude 7F is the only NaN, and 7E (448) the largest number.
    E4m3,
    /// OCP FP8 E5M2: 5 exponent bits, 2 fraction bits, specials as in IEEE 754.
    E5m2,
}

/// A format's name that is not one of [`FloatFormat::ALL`].
#[derive(Error, Debug, Clone, PartialEq, Eq)]
#[error("{0:?} is no floating-point format: use fp32, bf16, fp16, e4m3 or e5m2")]
pub struct UnknownFormat(String);

impl FloatFormat {
    /// Every supported format, widest first.
    pub const ALL: [Self; 5] = [Self::Binary32, Self::Bfloat16, Self::Binary16, Self::E4m3, Self::E5m2];

    /// Short name, as in module names and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary32 => "fp32",
            Self::Bfloat16 => "bf16",
            Self::Binary16 => "fp16",
            Self::E4m3 => "e4m3",
            Self::E5m2 => "e5m2",
        }
    }

    /// Width of the exponent field in bits.
    pub const fn exponent_bits(self) -> u32 {
        match self {
            Self::Binary32 | Self::Bfloat16 => 8,
            Self::Binary16 | Self::E5m2 => 5,
            Self::E4m3 => 4,
        }
    }

    /// Width of the fraction (trailing significand) field in bits.
    pub const fn fraction_bits(self) -> u32 {
        match self {
            Self::Binary32 => 23,
            Self::Bfloat16 => 7,
            Self::Binary16 => 10,
            Self::E4m3 => 3,
            Self::E5m2 => 2,
        }
    }

    /// Width of the whole encoding in bits.
    pub const fn width(self) -> u32 {
        1 + self.exponent_bits() + self.fraction_bits()
    }

    /// What is subtracted from the exponent field of a normal number.
    pub const fn bias(self) -> i32 {
        (1 << (self.exponent_bits() - 1)) - 1
    }

    /// Whether the format has infinities. Without them, the largest exponent
    /// field also serves finite numbers, and only all ones is a NaN.
    pub const fn has_infinity(self) -> bool {
        !matches!(self, Self::E4m3)
    }

    /// The sign bit, in place.
    pub const fn sign_mask(self) -> u64 {
        1 << (self.width() - 1)
    }

    /// The exponent field, in place: all its bits set. Where the format
    /// [has infinities](Self::has_infinity), such an encoding is one or a NaN.
    pub const fn exponent_mask(self) -> u64 {
        ((1 << self.exponent_bits()) - 1) << self.fraction_bits()
    }

    /// The magnitude of the largest finite number.
    pub const fn largest_finite(self) -> u64 {
        if self.has_infinity() { self.exponent_mask() - 1 } else { self.sign_mask() - 2 }
    }

    /// The only NaN that axp ever produces in this format.
    pub const fn canonical_nan(self) -> u64 {
        if self.has_infinity() { self.exponent_mask() | 1 << (self.fraction_bits() - 1) } else { self.sign_mask() - 1 }
    }

    /// The key of an operand pair, {weight, activation}: the weight's encoding
    /// above the activation's; bits above the format's width are dropped.
    pub const fn key_of(self, weight: u32, activation: u32) -> u64 {
        let mask = self.encoding_mask();
        (weight as u64 & mask) << self.width() | activation as u64 & mask
    }

    /// The operand pair (weight, activation) that a key was made of.
    pub const fn operands_of(self, key: u64) -> (u32, u32) {
        ((key >> self.width()) as u32, (key & self.encoding_mask()) as u32)
    }

    /// All bits of a key.
    pub const fn key_mask(self) -> u64 {
        u64::MAX >> (64 - 2 * self.width())
    }

    /// All bits of an encoding.
    pub const fn encoding_mask(self) -> u64 {
        u64::MAX >> (64 - self.width())
    }

    /// Bits of an operand of which one that is 0 shows a finite number: the
    /// exponent, or the whole magnitude where there is no infinity.
    pub const fn special_mask(self) -> u64 {
        if self.has_infinity() { self.exponent_mask() } else { self.sign_mask() - 1 }
    }

    /// Whether the encoding is an infinity or a NaN.
    pub const fn is_special(self, encoding: u64) -> bool {
        encoding & (self.sign_mask() - 1) > self.largest_finite()
    }
}

impl fmt::Display for FloatFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FloatFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
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
        assert_eq!(f.largest_finite(), u64::from(f32::MAX.to_bits()));
        assert!(f.is_special(u64::from(f32::NEG_INFINITY.to_bits())));
        assert!(!f.is_special(u64::from(f32::MAX.to_bits())));
    }

    #[test]
    fn the_corners_of_the_other_formats_are_those_of_their_standards() {
        let corners = FloatFormat::ALL.map(|f| (f.name(), f.canonical_nan(), f.largest_finite(), f.bias()));
        assert_eq!(
            corners[1..],
            [
                ("bf16", 0x7FC0, 0x7F7F, 127),
                ("fp16", 0x7E00, 0x7BFF, 15),
                ("e4m3", 0x7F, 0x7E, 7),
                ("e5m2", 0x7E, 0x7B, 15),
            ]
        );
        assert!(FloatFormat::E4m3.is_special(0xFF) && !FloatFormat::E4m3.is_special(0xFE));
        assert!(FloatFormat::E5m2.is_special(0xFC) && !FloatFormat::E5m2.is_special(0xFB));
    }

    #[test]
    fn keys_are_taken_apart_into_what_they_were_made_of() {
        for format in FloatFormat::ALL {
            let ones = format.encoding_mask() as u32;
            for pair in [(0, ones), (ones, 0), (ones, ones), (1, 2)] {
                assert_eq!(format.operands_of(format.key_of(pair.0, pair.1)), pair, "{format}");
            }
            assert_eq!(format.key_of(ones, ones), format.key_mask());
            // All of these bits set, and no infinity or NaN without them.
            let specials = (0..=format.encoding_mask().min(0xFFFF)).filter(|bits| format.is_special(*bits));
            assert!(specials.into_iter().all(|bits| bits & format.special_mask() == format.special_mask()), "{format}");
        }
    }

    #[test]
    fn names_are_read_back_and_nothing_else_is() {
        for format in FloatFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert_eq!("FP32".parse::<FloatFormat>(), Err(UnknownFormat("FP32".to_owned())));
    }
}
