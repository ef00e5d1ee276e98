//! Filling a `grid`: the products of every pattern with every column.

use super::patterns::Prefix;
use super::product::round_product;
use super::profile::Pair;
use axp_spec::{AmImage, AmRow, Bits32, FixedFormat, FloatFormat::Binary32, GridConfig};

/// For each pattern and column the activation whose product is stored: the mean
/// magnitude of those that meet there, or of all that have the pattern. The `zeros`
/// meet the columns as often as other activations do.
pub fn representatives(
    prefixes: &[Prefix],
    columns: usize,
    pairs: &[Pair],
    zeros: u64,
    column_of: impl Fn(u32) -> Option<u32>,
) -> Vec<f64> {
    let mut sums = vec![[0.0_f64; 2]; prefixes.len() * columns];
    let mut of_pattern = vec![[0.0_f64; 2]; prefixes.len()];
    for pair in pairs {
        let magnitude = pair.key & (u32::MAX >> 1);
        let Some(pattern) = prefixes.iter().position(|prefix| prefix.matches(magnitude)) else { continue };
        let Some(column) = column_of(pair.cluster) else { continue };
        for [sum, count] in [&mut sums[pattern * columns + column as usize], &mut of_pattern[pattern]] {
            *sum += pair.moments.sum.abs();
            *count += pair.moments.count as f64;
        }
    }
    if let Some(pattern) = prefixes.iter().position(|prefix| prefix.matches(0)) {
        let met: Vec<f64> =
            (0..columns).map(|column| sums.iter().skip(column).step_by(columns).map(|s| s[1]).sum()).collect();
        let all: f64 = met.iter().sum();
        for (column, met) in met.iter().enumerate().filter(|_| all > 0.0) {
            sums[pattern * columns + column][1] += zeros as f64 * met / all;
        }
        of_pattern[pattern][1] += zeros as f64;
    }
    let mean = |[sum, count]: [f64; 2]| (count > 0.0).then(|| sum / count);
    // A pattern for zeros alone has no nonzero activation: its product is 0.
    let of_place = |(place, own): (usize, &[f64; 2])| mean(*own).or(mean(of_pattern[place / columns])).unwrap_or(0.0);
    sums.iter().enumerate().map(of_place).collect()
}

/// The magnitude of a product in units of a fixed-point sum, rounded once to
/// nearest even.
fn units(format: FixedFormat, magnitude: f32, activation: f64) -> f64 {
    // 24 bits times a mean: what binary64 leaves out is far below half a unit but for
    // ties, which a mean does not make on purpose.
    (f64::from(magnitude) * activation * 2_f64.powi(-format.last_bit)).round_ties_even()
}

/// The rows, given the activations of [`representatives`]. `format` is that of the
/// fixed-point sum, with the width of a stored product; none if a product does not
/// fit it, or is not finite. Columns past the last magnitude have products of 0.
pub fn rows(
    shape: GridConfig,
    prefixes: &[Prefix],
    magnitudes: &[f32],
    activations: &[f64],
    format: Option<(FixedFormat, u32)>,
) -> Option<AmImage> {
    let columns = shape.columns as usize;
    let all_columns = shape.parts(Binary32, u64::MAX >> (64 - shape.key_bits(Binary32))).0;
    let mut rows = Vec::with_capacity(prefixes.len() * columns);
    for (pattern, prefix) in prefixes.iter().enumerate() {
        for column in 0..columns {
            let magnitude = magnitudes.get(column).copied().unwrap_or(0.0);
            let activation = activations[pattern * columns + column];
            let product = match format {
                None => round_product(magnitude, activation)?.to_bits(),
                Some((format, product_bits)) => {
                    let units = units(format, magnitude, activation);
                    (units < f64::from(1_u32 << product_bits)).then_some(units as u32)?
                }
            };
            rows.push(AmRow {
                key: shape.key(Binary32, column as u32, prefix.key),
                care: shape.key(Binary32, all_columns, prefix.care),
                product: Bits32(product),
            });
        }
    }
    Some(AmImage { rows })
}
