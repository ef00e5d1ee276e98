//! Every product that a layer can need, by weight and class of activation.

use super::classes::{Classes, MINUS_ZERO, PLUS_ZERO};
use axp_spec::AmImage;

/// Stored products of one weight, for each class of activation: NaN stands for
/// a miss (a stored product is always finite).
pub(super) type Row = Vec<f32>;

/// Products of each distinct weight of a layer.
#[derive(Clone, Debug)]
pub(super) struct Products {
    /// For each weight its stored products; empty where it has none and every
    /// product is a plain multiplication.
    pub(super) stored: Vec<Row>,
    /// For each weight and class 1 for a hit, 0 for a miss or a skipped zero;
    /// empty where it never hits.
    pub(super) hits: Vec<Vec<u32>>,
}

impl Products {
    /// Looks every weight up with every class.
    ///
    /// With zero skip, both zeros "store" −0: adding it changes no sum, not
    /// even −0, which is exactly what skipping does.
    pub(super) fn new(classes: &Classes, image: &AmImage, weights: &[f32], zero_skip: bool) -> Self {
        let mut products = Self { stored: Vec::new(), hits: Vec::new() };
        for weight in weights {
            let rows: Vec<usize> = (0..image.rows.len()).filter(|row| weight_matches(image, *row, *weight)).collect();
            let lowest = classes.lowest_rows(&rows);
            let mut stored: Row =
                lowest.iter().map(|row| row.map_or(f32::NAN, |row| image.rows[row].product.value())).collect();
            let mut hits: Vec<u32> = lowest.iter().map(|row| u32::from(row.is_some())).collect();
            if zero_skip {
                for zero in [PLUS_ZERO, MINUS_ZERO] {
                    stored[usize::from(zero)] = -0.0;
                    hits[usize::from(zero)] = 0;
                }
            }
            if hits.iter().all(|hit| *hit == 0) {
                hits.clear();
                // A finite weight times zero is a zero, and adding a zero
                // changes a sum only if the sum is -0. It never is: it starts
                // at +0, and rounding to nearest even makes -0 only of two -0.
                if !zero_skip || weight.is_finite() {
                    stored.clear();
                }
            }
            products.stored.push(stored);
            products.hits.push(hits);
        }
        products
    }

    /// Whether every product is a plain multiplication.
    pub(super) fn is_plain(&self) -> bool {
        self.stored.iter().all(Vec::is_empty)
    }
}

/// Whether the weight half of a row matches; infinities and NaNs never do.
fn weight_matches(image: &AmImage, row: usize, weight: f32) -> bool {
    let row = &image.rows[row];
    weight.is_finite() && (u64::from(weight.to_bits()) ^ row.key >> 32) & row.care >> 32 == 0
}
