//! What is streamed of each layer, and the range that its fixed-point sums need.

use super::contender::{Contender, Range};
use super::error::EnergyError;
use axp_golden::am::Am;
use axp_spec::{FloatFormat, LayerMemory, PeConfig};
use std::collections::BTreeMap;

/// A part of a layer's work in one inference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerWindow {
    /// Name of the layer. Data: it reaches reports and messages only.
    pub name: String,
    /// MACs of the layer in one inference.
    pub macs: u64,
    /// What the design's processing element holds while the layer runs.
    pub memory: LayerMemory,
    /// Sums of the window leave the range of the design's accumulator in inference
    /// too, so that it is no fault if they do here.
    pub saturates: bool,
    /// Sums, as weight and activation encodings (binary32) in MAC order; none is empty.
    pub sums: Vec<Vec<(u32, u32)>>,
}

impl LayerWindow {
    /// MACs in the window.
    pub fn window_macs(&self) -> u64 {
        self.sums.iter().map(|sum| sum.len() as u64).sum()
    }

    /// Checks that there is something to stream, and that `config` can hold what the
    /// layer needs if it has a memory. `number` is the layer's place among all of the
    /// network.
    ///
    /// # Errors
    /// [`EnergyError::Empty`], [`EnergyError::Rows`], [`EnergyError::Frozen`].
    pub fn check(&self, number: usize, config: &PeConfig) -> Result<(), EnergyError> {
        let layer = || self.name.clone();
        if self.sums.is_empty() || self.sums.iter().any(Vec::is_empty) {
            return Err(EnergyError::Empty { layer: layer() });
        }
        if config.is_frozen() && config.frozen_layers().get(number) != Some(&self.memory) {
            return Err(EnergyError::Frozen { layer: layer() });
        }
        if config.am.is_some() {
            let loaded = Am::new(config).load_layer(&self.memory);
            loaded.map_err(|source| EnergyError::Rows { layer: layer(), source })?;
        }
        Ok(())
    }

    /// What the range port of a fixed-point accumulator carries for this layer; 0 for
    /// a floating-point one. A design has its own, and so has what is as wide. For any other it is the least range
    /// whose limit is more than twice the largest product and the largest partial sum
    /// of the window, so that nothing overflows.
    pub fn range(&self, contender: &Contender) -> u32 {
        let config = &contender.config;
        if config.accumulator_format(0).is_none() {
            return 0;
        }
        if contender.range != Range::Window {
            return self.memory.range;
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

    /// The column that is sent with every weight of the window.
    pub fn columns(&self, config: &PeConfig) -> BTreeMap<u32, u32> {
        let mut columns = BTreeMap::new();
        if config.columns().is_some() {
            for (weight, _) in self.sums.iter().flatten() {
                columns.entry(*weight).or_insert_with(|| self.memory.column_sent(config, *weight));
            }
        }
        columns
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
        let window = LayerWindow { name: "a".into(), macs: 3, sums, ..LayerWindow::default() };
        let fixed = Baseline::Fixed.contender();
        // 9 is below 16; twice that below 2^(131 + 1 - 127) = 32.
        assert_eq!((window.range(&fixed), window.window_macs()), (131, 3));
        assert_eq!(window.range(&Baseline::Plain.contender()), 0);
        assert!(window.check(0, &fixed.config).is_ok());
        let memory = LayerMemory { range: 129, ..LayerMemory::default() };
        let design = Contender { range: Range::Design, ..fixed.clone() };
        assert_eq!(LayerWindow { memory, ..window.clone() }.range(&design), 129);
        let empty = LayerWindow { sums: vec![vec![]], ..window };
        assert!(matches!(empty.check(0, &fixed.config), Err(EnergyError::Empty { .. })));
    }
}
