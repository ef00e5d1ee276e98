//! What is streamed of each layer, and the range that its fixed-point sums need.

use super::error::EnergyError;
use axp_golden::am::Am;
use axp_spec::{AmImage, FloatFormat, PeConfig};

/// A part of a layer's work in one inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerWindow {
    /// Name of the layer. Data: it reaches reports and messages only.
    pub name: String,
    /// MACs of the layer in one inference.
    pub macs: u64,
    /// The rows of the memory while the layer runs.
    pub am: AmImage,
    /// Sums, as weight and activation encodings (binary32) in MAC order; none is empty.
    pub sums: Vec<Vec<(u32, u32)>>,
}

impl LayerWindow {
    /// MACs in the window.
    pub fn window_macs(&self) -> u64 {
        self.sums.iter().map(|sum| sum.len() as u64).sum()
    }

    /// Checks that there is something to stream, and that the rows fit `config`
    /// if it has a memory.
    ///
    /// # Errors
    /// [`EnergyError::Empty`], [`EnergyError::Rows`].
    pub fn check(&self, config: &PeConfig) -> Result<(), EnergyError> {
        if self.sums.is_empty() || self.sums.iter().any(Vec::is_empty) {
            return Err(EnergyError::Empty { layer: self.name.clone() });
        }
        if config.am.is_some() {
            let rows = |source| EnergyError::Rows { layer: self.name.clone(), source };
            Am::new(config).load(&self.am).map_err(rows)?;
        }
        Ok(())
    }

    /// What the range port of a fixed-point accumulator carries for this layer: the
    /// least range whose limit is more than twice the largest product and the
    /// largest partial sum of the window, so that nothing overflows; 0 for a
    /// floating-point one.
    pub fn range(&self, config: &PeConfig) -> u32 {
        if config.accumulator_format(0).is_none() {
            return 0;
        }
        let mut largest = 0.0_f64;
        for sum in &self.sums {
            let mut total = 0.0;
            for (weight, activation) in sum {
                let product = f64::from(f32::from_bits(*weight)) * f64::from(f32::from_bits(*activation));
                total += product;
                largest = largest.max(product.abs()).max(total.abs());
            }
        }
        range_above(largest, config.format)
    }
}

/// The range whose limit, 2^(range + 1 - bias), is more than twice `largest`.
fn range_above(largest: f64, format: FloatFormat) -> u32 {
    if largest == 0.0 || !largest.is_finite() {
        return format.bias().unsigned_abs();
    }
    // 2^(exponent + 1) is above `largest`, and 2^(exponent + 2) above its double.
    let exponent = largest.log2().floor() as i32;
    let most = (1 << format.exponent_bits()) - 1;
    (exponent + 1 + format.bias()).clamp(0, most).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::Baseline;

    #[test]
    fn the_range_keeps_more_than_a_bit_in_reserve() {
        let format = FloatFormat::Binary32;
        for largest in [1.0, 1.5, 1.999, 2.0, 0.007, 1e6] {
            let range = range_above(largest, format);
            let limit = 2.0_f64.powi(range as i32 + 1 - format.bias());
            assert!(limit > 2.0 * largest && limit <= 4.0 * largest, "{largest}: {limit}");
        }
        assert_eq!(range_above(0.0, format), 127);
        assert_eq!((range_above(1e-60, format), range_above(f64::MAX, format)), (0, 255));
    }

    #[test]
    fn partial_sums_count_as_well_as_whole_ones() {
        let bits = |pairs: &[(f32, f32)]| pairs.iter().map(|(w, a)| (w.to_bits(), a.to_bits())).collect::<Vec<_>>();
        let sums = vec![bits(&[(3.0, 3.0), (-3.0, 3.0)]), bits(&[(1.0, 1.0)])];
        let window = LayerWindow { name: "a".into(), macs: 3, am: AmImage::default(), sums };
        let fixed = Baseline::Fixed.contender().config;
        // 9 is below 16; twice that below 2^(131 + 1 - 127) = 32.
        assert_eq!((window.range(&fixed), window.window_macs()), (131, 3));
        assert_eq!(window.range(&Baseline::Plain.contender().config), 0);
        assert!(window.check(&fixed).is_ok());
        let empty = LayerWindow { sums: vec![vec![]], ..window };
        assert!(matches!(empty.check(&fixed), Err(EnergyError::Empty { .. })));
    }
}
