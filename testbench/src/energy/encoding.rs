//! Operands of a layer as a processing element is given them.

use super::window::LayerWindow;
use axp_spec::{NarrowOperands, PeConfig};

/// How binary32 weights and activations of one layer become operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    /// As they are.
    Binary32,
    /// Rounded to bfloat16, to nearest even.
    Bfloat16,
    /// In units of these, rounded to nearest, ties away from 0: the greatest magnitude
    /// of the window is 127 units, weights and activations apart.
    Int8 {
        /// A unit of weights; 0 if all of them are 0.
        weight: f64,
        /// A unit of activations; the same.
        activation: f64,
    },
}

impl Encoding {
    /// The encoding of a layer's operands for `config`.
    pub fn of(config: &PeConfig, window: &LayerWindow) -> Self {
        match config.operands {
            None => Self::Binary32,
            Some(NarrowOperands::Bfloat16) => Self::Bfloat16,
            Some(NarrowOperands::Int8) => {
                let unit = |of: fn(&(u32, u32)) -> u32| {
                    let magnitudes = window.sums.iter().flatten().map(|pair| f64::from(f32::from_bits(of(pair)).abs()));
                    magnitudes.fold(0.0, f64::max) / 127.0
                };
                Self::Int8 { weight: unit(|pair| pair.0), activation: unit(|pair| pair.1) }
            }
        }
    }

    /// A pair (weight, activation) on the bus.
    pub fn pair(self, (weight, activation): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Binary32 => (weight, activation),
            Self::Bfloat16 => (upper_half(weight), upper_half(activation)),
            Self::Int8 { weight: of_weight, activation: of_activation } => {
                (units(weight, of_weight), units(activation, of_activation))
            }
        }
    }
}

/// A binary32 encoding in bfloat16.
fn upper_half(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() {
        return 0x7FC0;
    }
    // Just below half of the last place, and one more if it is odd.
    bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16
}

/// A value in two's complement of 8 bits.
fn units(bits: u32, unit: f64) -> u32 {
    let value = if unit > 0.0 { f64::from(f32::from_bits(bits)) / unit } else { 0.0 };
    // A conversion to an integer saturates, and a NaN is 0.
    u32::from(value.round() as i8 as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::Baseline;

    #[test]
    fn bfloat16_is_rounded_to_nearest_even() {
        let cases = [(0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0x3F80_8001, 0x3F81), (0xBF80_7FFF, 0xBF80)];
        let edges = [(0x8000_0000, 0x8000), (0x7F7F_FFFF, 0x7F80), (0x7F80_0000, 0x7F80), (0xFFFF_FFFF, 0x7FC0)];
        for (bits, half) in cases.into_iter().chain(edges) {
            assert_eq!(upper_half(bits), half, "{bits:08x}");
        }
    }

    #[test]
    fn the_greatest_magnitude_is_127_units() {
        let pair = |weight: f32, activation: f32| (weight.to_bits(), activation.to_bits());
        let sums = vec![vec![pair(-0.5, 0.0), pair(0.25, 3.0)], vec![pair(0.0, 1.0)]];
        let window = LayerWindow { sums, ..LayerWindow::default() };
        let encoding = Encoding::of(&Baseline::Int8.contender().config, &window);
        assert_eq!(encoding.pair(pair(-0.5, 3.0)), (0x81, 127));
        assert_eq!(encoding.pair(pair(0.25, 1.0)), (64, 42));
        assert_eq!(encoding.pair(pair(0.001, 0.0)), (0, 0));
        let nothing = LayerWindow { sums: vec![vec![pair(0.0, -0.0)]], ..LayerWindow::default() };
        assert_eq!(Encoding::of(&Baseline::Int8.contender().config, &nothing).pair(pair(0.0, -0.0)), (0, 0));
    }
}
