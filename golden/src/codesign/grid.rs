//! Filling a `grid`: the products of every pattern with every column.

use super::patterns::Pattern;
use super::product::round_product;
use super::profile::Pair;
use axp_spec::{AmImage, AmRow, Bits32, FixedFormat, FloatFormat::Binary32, GridConfig};

/// For each pattern and column the activation whose product is stored: the mean
/// magnitude of those that meet there, or of all that have the pattern. The `zeros`
/// meet the columns as often as other activations do.
pub fn representatives(
    patterns: &[Pattern],
    columns: usize,
    pairs: &[Pair],
    zeros: u64,
    column_of: impl Fn(u32) -> Option<u32>,
) -> Vec<f64> {
    let mut sums = vec![[0.0_f64; 2]; patterns.len() * columns];
    let mut of_pattern = vec![[0.0_f64; 2]; patterns.len()];
    for pair in pairs {
        let magnitude = pair.key & (u32::MAX >> 1);
        let Some(place) = patterns.iter().position(|pattern| pattern.matches(magnitude)) else { continue };
        let Some(column) = column_of(pair.cluster) else { continue };
        for [sum, count] in [&mut sums[place * columns + column as usize], &mut of_pattern[place]] {
            *sum += pair.moments.sum.abs();
            *count += pair.moments.count as f64;
        }
    }
    if let Some(place) = patterns.iter().position(|pattern| pattern.matches(0)) {
        let met: Vec<f64> =
            (0..columns).map(|column| sums.iter().skip(column).step_by(columns).map(|s| s[1]).sum()).collect();
        let all: f64 = met.iter().sum();
        for (column, met) in met.iter().enumerate().filter(|_| all > 0.0) {
            sums[place * columns + column][1] += zeros as f64 * met / all;
        }
        of_pattern[place][1] += zeros as f64;
    }
    let mean = |[sum, count]: [f64; 2]| (count > 0.0).then(|| sum / count);
    // A pattern for zeros alone has no nonzero activation: its product is 0.
    let of_place = |(place, own): (usize, &[f64; 2])| mean(*own).or(mean(of_pattern[place / columns])).unwrap_or(0.0);
    sums.iter().enumerate().map(of_place).collect()
}

/// How products are stored for a fixed-point sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// The sum's.
    pub format: FixedFormat,
    /// Width of a stored product.
    pub bits: u32,
    /// So many of its last bits are 0.
    pub shorter: u32,
}

impl Units {
    /// The magnitude of a product in units of the sum, rounded once to nearest even; none if it is
    /// too wide.
    fn of(self, magnitude: f32, activation: f64) -> Option<u32> {
        let step = self.format.last_bit + self.shorter as i32;
        // 24 bits times a mean: what binary64 leaves out is far below half a unit but for
        // ties, which a mean does not make on purpose.
        let steps = (f64::from(magnitude) * activation * 2_f64.powi(-step)).round_ties_even();
        let units = steps * 2_f64.powi(self.shorter as i32);
        (units < f64::from(1_u32 << self.bits)).then_some(units as u32)
    }
}

/// The rows, given the activations of [`representatives`], for a fixed-point sum or a binary32 one;
/// none if a product does not fit its word, or is not finite. Columns past the last magnitude have
/// products of 0.
pub fn rows(
    shape: GridConfig,
    patterns: &[Pattern],
    magnitudes: &[f32],
    activations: &[f64],
    units: Option<Units>,
) -> Option<AmImage> {
    let columns = shape.columns as usize;
    let all_columns = shape.parts(Binary32, u64::MAX >> (64 - shape.key_bits(Binary32))).0;
    let mut rows = Vec::with_capacity(patterns.len() * columns);
    for (index, pattern) in patterns.iter().enumerate() {
        for column in 0..columns {
            let magnitude = magnitudes.get(column).copied().unwrap_or(0.0);
            let activation = activations[index * columns + column];
            let product = match units {
                None => round_product(magnitude, activation)?.to_bits(),
                Some(units) => units.of(magnitude, activation)?,
            };
            rows.push(AmRow {
                key: shape.key(Binary32, column as u32, pattern.key),
                care: shape.key(Binary32, all_columns, pattern.care),
                product: Bits32(product),
            });
        }
    }
    Some(AmImage { rows })
}
