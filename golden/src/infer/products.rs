//! Every product that a layer can need, by weight and class of activation.

use super::arithmetic::Arithmetic;
use super::classes::{Classes, MINUS_ZERO, PLUS_ZERO};
use axp_spec::AmImage;
use rayon::prelude::*;

/// Products of each distinct weight of a layer.
#[derive(Clone, Debug)]
pub(super) struct Products {
    /// For each weight its stored products, by class of activation, with
    /// [`Arithmetic::MISS`] for a miss; empty where it has none and every product is
    /// a plain multiplication.
    pub(super) stored: Vec<Vec<u32>>,
    /// For each weight and class whether it hits, false for a skipped zero; empty where it
    /// never hits.
    pub(super) hits: Vec<Vec<bool>>,
}

impl Products {
    /// Looks every weight up with every class: `look_up` gives for a weight, by its
    /// index, the products of all classes, `None` on a miss.
    ///
    /// With zero skip, both zeros "store" what changes no sum, which is exactly
    /// what skipping does.
    pub(super) fn new<A: Arithmetic>(
        weights: &[f32],
        zero_skip: bool,
        look_up: impl Fn(usize) -> Vec<Option<u32>> + Sync,
    ) -> Self {
        let of_weight = |(index, weight): (usize, &f32)| {
            let found = look_up(index);
            let mut stored: Vec<u32> = found.iter().map(|product| product.unwrap_or(A::MISS)).collect();
            let mut hits: Vec<bool> = found.iter().map(Option::is_some).collect();
            if zero_skip {
                for zero in [PLUS_ZERO, MINUS_ZERO] {
                    stored[usize::from(zero)] = A::NOTHING;
                    hits[usize::from(zero)] = false;
                }
            }
            if !hits.contains(&true) {
                hits.clear();
                // A finite weight times zero is a zero, and adding a zero
                // changes a sum only if the sum is -0. It never is: it starts
                // at +0, and rounding to nearest even makes -0 only of two -0.
                if !zero_skip || weight.is_finite() {
                    stored.clear();
                }
            }
            (stored, hits)
        };
        let (stored, hits) = weights.par_iter().enumerate().map(of_weight).unzip();
        Self { stored, hits }
    }

    /// What all products with `classes` add to sums.
    pub(super) fn words<A: Arithmetic>(&self, arithmetic: &A, weights: &[f32], classes: usize) -> ProductWords {
        let word = |weight: usize, class: usize| {
            let stored = self.stored[weight].get(class).copied().unwrap_or(A::MISS);
            // A zero is the only one of its class, so that its products are known even where it misses.
            match u16::try_from(class) {
                Ok(PLUS_ZERO) if stored == A::MISS => arithmetic.multiply(weights[weight], 0.0),
                Ok(MINUS_ZERO) if stored == A::MISS => arithmetic.multiply(weights[weight], -0.0),
                _ => stored,
            }
        };
        let mut words = vec![0; classes * weights.len()];
        words.par_chunks_mut(weights.len().max(1)).enumerate().for_each(|(class, words)| {
            words.iter_mut().enumerate().for_each(|(weight, slot)| *slot = word(weight, class));
        });
        ProductWords { words, weights: weights.len() }
    }

    /// Gives each class another number, `new_of` its old one.
    pub(super) fn renumber(&mut self, new_of: &[u16]) {
        fn renumbered<T: Copy>(of_weight: &mut [T], new_of: &[u16]) {
            let old = of_weight.to_vec();
            old.iter().zip(new_of).for_each(|(word, new)| of_weight[usize::from(*new)] = *word);
        }
        self.stored.par_iter_mut().for_each(|words| renumbered(words, new_of));
        self.hits.par_iter_mut().for_each(|hits| renumbered(hits, new_of));
    }

    /// Whether every product is a plain multiplication.
    pub(super) fn is_plain(&self) -> bool {
        self.stored.iter().all(Vec::is_empty)
    }
}

/// What the product of each weight with each class adds to a sum.
#[derive(Clone, Debug)]
pub(super) struct ProductWords {
    /// `[class, weight]`, [`Arithmetic::MISS`] where it depends on the activation.
    words: Vec<u32>,
    weights: usize,
}

impl ProductWords {
    /// The word of a weight, by its index in the codebook, and a class.
    pub(super) fn word(&self, weight: usize, class: usize) -> u32 {
        self.words[class * self.weights + weight]
    }

    /// The words of all weights with each class; a codebook without weights has no products.
    pub(super) fn by_class(&self) -> impl Iterator<Item = &[u32]> {
        self.words.chunks_exact(self.weights.max(1))
    }

    /// How many classes there are.
    pub(super) fn classes(&self) -> usize {
        self.words.len() / self.weights.max(1)
    }

    /// Weights of the codebook.
    pub(super) fn weights(&self) -> usize {
        self.weights
    }
}

/// The products of a `pair` memory with one weight, by class, as they are stored.
pub(super) fn stored_pairs(classes: &Classes, image: &AmImage, weight: f32) -> Vec<Option<u32>> {
    let rows: Vec<usize> = (0..image.rows.len()).filter(|row| weight_matches(image, *row, weight)).collect();
    let lowest = classes.lowest_rows(&rows);
    lowest.into_iter().map(|row| row.map(|row| image.rows[row].product.0)).collect()
}

/// Whether the weight half of a row matches; infinities and NaNs never do.
fn weight_matches(image: &AmImage, row: usize, weight: f32) -> bool {
    let row = &image.rows[row];
    weight.is_finite() && (u64::from(weight.to_bits()) ^ row.key >> 32) & row.care >> 32 == 0
}
