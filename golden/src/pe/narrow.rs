//! Operands that are narrower than the products.

use crate::am::Operands;
use axp_spec::{NarrowOperands, PeConfig};

/// A pair on the bus in the width of the products: binary32 encodings, or integers of
/// 32 bits. Bits that the bus does not have are dropped. A zero stays one.
#[inline(always)]
pub(super) fn widened(config: &PeConfig, bus: Operands) -> Operands {
    let wide = |bits: u32| match config.operands {
        None => bits,
        // bfloat16 is the upper half of binary32.
        Some(NarrowOperands::Bfloat16) => bits << 16,
        Some(NarrowOperands::Int8) => i32::from(bits as u8 as i8) as u32,
    };
    Operands { weight: wide(bus.weight), activation: wide(bus.activation), ..bus }
}

#[cfg(test)]
mod tests {
    use crate::am::Am;
    use crate::pe::sum;
    use axp_spec::{Accumulator, NarrowOperands, PeConfig};

    fn plain(operands: NarrowOperands) -> PeConfig {
        PeConfig { operands: Some(operands), ..PeConfig::plain("axp_narrow") }
    }

    #[test]
    fn bfloat16_sums_as_the_same_numbers_in_binary32_do() {
        let pairs = [(0x3FC0, 0x4049), (0xBF81, 0x0080), (0x0001, 0x7F00), (0x4000, 0x8000)];
        let wide = pairs.map(|(weight, activation)| (weight << 16, activation << 16));
        for accumulator in [Accumulator::Float, Accumulator::Fixed { width: 24, product_width: 24 }] {
            let narrow = PeConfig { accumulator, ..plain(NarrowOperands::Bfloat16) };
            let binary32 = PeConfig { operands: None, ..narrow.clone() };
            for zero_skip in [false, true] {
                let settings = crate::pe::Settings { zero_skip, range: 130 };
                // Bits above the bus are dropped.
                let given = pairs.map(|(weight, activation)| (weight | 0xABCD_0000, activation));
                let found = sum(&narrow, &Am::new(&narrow), settings, given);
                assert_eq!(found, sum(&binary32, &Am::new(&binary32), settings, wide));
                assert_eq!(found.skipped, u64::from(zero_skip));
            }
        }
    }

    #[test]
    fn integers_are_multiplied_with_their_signs_and_wrap() {
        let config = plain(NarrowOperands::Int8);
        let total = |pairs: &[(i32, i32)], zero_skip: bool| {
            let pairs = pairs.iter().map(|(weight, activation)| (*weight as u32, *activation as u32));
            sum(&config, &Am::new(&config), zero_skip, pairs)
        };
        for weight in -128..128 {
            for activation in -128..128 {
                let found = total(&[(weight, activation), (1, 1)], false);
                assert_eq!(found.data as i32, weight * activation + 1);
            }
        }
        assert_eq!((total(&[(3, 0), (3, -128)], true).skipped, total(&[(3, 0)], false).misses), (1, 1));
        // So many products of the least integer are just below -2^31.
        let most = vec![(-128, 127); 132_105];
        let expected = (-128 * 127_i64 * 132_105 + (1 << 32)) as u32;
        assert_eq!(total(&most, false).data, expected);
    }
}
