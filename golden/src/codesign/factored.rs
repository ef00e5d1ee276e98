//! Filling a `factored` memory: a product of significands for every column and
//! every prefix of the activation's fraction.

use super::product::round_significand;
use super::profile::{FRACTION_BITS, Pair};
use axp_spec::{AmImage, AmRow, Bits32, FactoredConfig, FloatFormat::Binary32};

/// How products are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Width of a stored product.
    pub bits: u32,
    /// So many of its last bits are 0.
    pub shorter: u32,
    /// So many of the mantissa bits that the memory compares make no difference.
    pub coarser: u32,
}

impl Words {
    /// All that the memory has.
    pub fn whole(bits: u32) -> Self {
        Self { bits, shorter: 0, coarser: 0 }
    }
}

/// The rows of a layer: `magnitudes` are those of the columns, and `column_of` gives
/// the column of a cluster, if it has one, and the magnitude of its weights.
///
/// A row stores the product of its weight's significand with that of the
/// activations behind it which makes the squared error of their products least: the
/// mean of their significands, each weighted by its power of two squared. Without
/// such activations in the samples it is the middle of what the prefix stands for. Columns
/// whose magnitudes differ by a power of two have the same products, for all of their weights.
/// `pairs` have keys with at least as many fraction bits as the memory compares.
pub fn significands(
    shape: FactoredConfig,
    words: Words,
    magnitudes: &[f32],
    pairs: &[Pair],
    column_of: impl Fn(u32) -> Option<(u32, f32)>,
) -> AmImage {
    let bits = shape.mantissa_bits;
    let prefixes = 1_usize << bits;
    // What a row cannot tell apart is one bin.
    let bin_bits = bits.saturating_sub(words.coarser);
    let bins = 1_usize << bin_bits;
    let fraction = |magnitude: f32| magnitude.to_bits() & 0x007F_FFFF;
    let mut fractions: Vec<u32> = magnitudes.iter().map(|m| fraction(*m)).collect();
    fractions.sort_unstable();
    fractions.dedup();
    let place = |magnitude: f32| fractions.binary_search(&fraction(magnitude)).unwrap_or_default();
    // The weight's power of two and the activation's.
    let power = |field: u32| f64::from_bits(u64::from(field + 896) << 52);
    let mut sums = vec![[0.0_f64; 2]; fractions.len() * bins];
    for pair in pairs {
        let exponent = pair.key >> FRACTION_BITS & 0xFF;
        // A subnormal is a miss.
        let (Some((column, magnitude)), true) = (column_of(pair.cluster), exponent > 0) else { continue };
        let bin = (pair.key >> (FRACTION_BITS - bin_bits)) as usize & (bins - 1);
        let of_weight = power(magnitude.to_bits() >> FRACTION_BITS & 0xFF).powi(2);
        let scale = power(exponent);
        let [weighted, weight] = &mut sums[place(magnitudes[column as usize]) * bins + bin];
        *weighted += of_weight * scale * pair.moments.sum.abs();
        *weight += of_weight * scale * scale * pair.moments.count as f64;
    }
    let rows = (0..magnitudes.len() * prefixes).map(|index| {
        let (column, prefix) = (index / prefixes, index % prefixes);
        let bin = prefix >> (bits - bin_bits);
        let [weighted, weight] = sums[place(magnitudes[column]) * bins + bin];
        let low = 1.0 + bin as f64 / bins as f64;
        let high = low + 1.0 / bins as f64;
        // Sums in binary64 must not put a mean outside its bin.
        let activation =
            if weight > 0.0 { (weighted / weight).clamp(low, high.next_down()) } else { (low + high) / 2.0 };
        let encoding = magnitudes[column].to_bits();
        let significand = f64::from(f32::from_bits(encoding & 0x007F_FFFF | 0x3F80_0000));
        AmRow {
            key: shape.key(Binary32, column as u32, encoding, (prefix as u32) << (FRACTION_BITS - bits)),
            care: shape.care(Binary32),
            product: Bits32(round_significand(words.bits - words.shorter, significand, activation) << words.shorter),
        }
    });
    AmImage { rows: rows.collect() }
}
