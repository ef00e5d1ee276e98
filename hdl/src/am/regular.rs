//! Frozen `factored` contents whose hits are known before they are read.

use axp_spec::{FactoredConfig, LayerMemory, PeConfig};

/// Whether every activation whose two top exponent bits differ hits, in every layer and
/// with every weight: all magnitudes are zero or normal, each normal one has a row for
/// every prefix, and no product leaves the exponents of normal numbers.
///
/// Those activations are 2^-63 to 2^65 in binary32, so that trained networks have
/// hardly any others but zeros. Then the hit is decided on two bits of the bus, and the
/// memory is read one stage later from key registers, which rest on zeros and misses.
pub(crate) fn is_regular(config: &PeConfig, shape: FactoredConfig) -> bool {
    let known = config.is_frozen() && config.has_codebook() && config.format.exponent_bits() >= 2;
    known && config.frozen_layers().iter().all(|layer| is_regular_layer(config, shape, layer))
}

fn is_regular_layer(config: &PeConfig, shape: FactoredConfig, layer: &LayerMemory) -> bool {
    let format = config.format;
    let quarter = 1i64 << (format.exponent_bits() - 2);
    let (least, greatest) = (quarter, 3 * quarter - 1);
    let prefixes = 1usize << shape.mantissa_bits;
    (0..shape.columns).all(|column| {
        let magnitude = u64::from(layer.magnitude(column));
        let field = (magnitude >> format.fraction_bits()) as i64;
        let unbiased = field - i64::from(format.bias());
        // The significands' product can bring one more.
        let fits = least + unbiased >= 1 && greatest + unbiased + 1 < 4 * quarter - 1;
        let in_column = layer.am.rows.iter().filter(|row| shape.parts(format, row.key).0 == column);
        magnitude == 0 || (field > 0 && fits && in_column.count() == prefixes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::{AmImage, AmRow, Bits32, Content, FloatFormat, WeightOperand};

    const F: FloatFormat = FloatFormat::Binary32;

    fn config(magnitudes: &[f32], rows: usize) -> PeConfig {
        let mut config = PeConfig::factored("axp_pe", 2, 1);
        let shape = config.factored_memory().unwrap();
        let magnitudes: Vec<Bits32> = magnitudes.iter().map(|value| (*value).into()).collect();
        let row = |place: usize| {
            let (column, prefix) = (place as u32 / 2, (place as u32 % 2) << 22);
            let key = shape.key(F, column, magnitudes[column as usize].0, prefix);
            AmRow { key, care: shape.care(F), product: Bits32(0) }
        };
        let layer = LayerMemory { range: 0, am: AmImage { rows: (0..rows).map(row).collect() }, magnitudes };
        let am = config.am.as_mut().unwrap();
        (am.weight, am.content) = (WeightOperand::Index, Content::Frozen { layers: vec![layer] });
        config.validate().unwrap();
        config
    }

    #[test]
    fn contents_with_a_gap_or_far_weights_are_not_regular() {
        let regular = |magnitudes: &[f32], rows| {
            let config = config(magnitudes, rows);
            is_regular(&config, config.factored_memory().unwrap())
        };
        assert!(regular(&[0.5, 3.0], 4));
        assert!(!regular(&[0.5, 3.0], 3));
        // A zero needs no row, a column that has none must have a magnitude of zero.
        assert!(regular(&[0.5, 0.0], 2) && !regular(&[0.5, 3.0], 2));
        // 2^-64 with the least such activation, 2^-63: the product would be subnormal.
        assert!(regular(&[0.5, 2.0f32.powi(-63)], 4) && !regular(&[0.5, 2.0f32.powi(-64)], 4));
        // The greatest ones are below 2^65, and reach 2^128 with 2^63.
        assert!(regular(&[0.5, 2.0f32.powi(62)], 4) && !regular(&[0.5, 2.0f32.powi(63)], 4));
        assert!(!regular(&[0.5, 1e-40], 4));
    }
}
