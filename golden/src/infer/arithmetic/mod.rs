//! What products are summed in: binary32, or units of a fixed-point sum.

mod binary32;
mod fixed;

use super::lanes::{Lanes, WIDTH};
use std::fmt::Debug;

pub(super) use binary32::{Float, Peak};
pub(super) use fixed::Fixed;

/// One way to sum words of 32 bits. Each sum has a mark, where the arithmetic needs one.
pub(super) trait Arithmetic: Copy + Debug + Send + Sync {
    /// Stands for a product that the memory does not have.
    const MISS: u32;
    /// A product that changes no sum.
    const NOTHING: u32;
    /// Whether sums have marks.
    const MARKED: bool;
    /// Whether totals are made of marks; else a mark only tells whether a sum is open.
    const TOTALS_OF_MARKS: bool = false;
    /// Whether products can be a memory's: where they cannot, nothing is compiled that looks them up.
    const STORED: bool = true;
    /// Whether [`Arithmetic::fits_halves`] can be true.
    const HALVES: bool = false;

    /// The product of a miss.
    fn multiply(&self, weight: f32, activation: f32) -> u32;

    /// A finished sum.
    fn total(&self, sum: u32, mark: u32) -> f32;

    /// Whether a sum must be computed by the number rules instead, pair by pair. True
    /// of the greatest of several marks, if it is true of one.
    fn is_open(&self, mark: u32) -> bool {
        let _ = mark;
        false
    }

    /// Products of misses.
    #[inline(always)]
    fn multiply_words<L: Lanes>(&self, lanes: L, weights: L::Words, activations: L::Words) -> L::Words {
        let (weights, activations) = (lanes.store(weights), lanes.store(activations));
        let mut products = [0; WIDTH];
        for lane in 0..WIDTH {
            products[lane] = self.multiply(f32::from_bits(weights[lane]), f32::from_bits(activations[lane]));
        }
        lanes.load(&products)
    }

    /// A product in units of the sum, not rounded to them yet; in binary32 there is no such unit.
    fn in_units(&self, product: f32) -> f32 {
        product
    }

    /// What a product in units adds to a sum.
    fn rounded(&self, units: f32) -> u32 {
        units.to_bits()
    }

    /// The same.
    #[inline(always)]
    fn rounded_words<L: Lanes>(&self, lanes: L, units: L::Words) -> L::Words {
        let _ = lanes;
        units
    }

    /// Whether a word leaves a sum as it is, unless the sum is -0.
    fn is_zero(word: u32) -> bool {
        word << 1 == 0
    }

    /// Sums with a product added to each.
    fn add_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words) -> L::Words;

    /// The same with the products negated where signs (the top bits) are set; of binary32, as it stands here.
    #[inline(always)]
    fn add_signed_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words, signs: L::Words) -> L::Words {
        Self::add_words(lanes, sums, lanes.flip_signs(products, signs))
    }

    /// A product with the other sign; the same.
    fn negated(word: u32) -> u32 {
        word ^ 1 << 31
    }

    /// Whether it has [`Arithmetic::add_scaled`].
    fn adds_scaled(&self) -> bool {
        true
    }

    /// Sums with words in units times powers of two added, each rounded to units, where the product
    /// is exact before that. [`Arithmetic::settle_scaled`] makes sums of what this gives.
    #[inline(always)]
    fn add_scaled<L: Lanes>(lanes: L, sums: L::Words, words: L::Words, powers: L::Words) -> L::Words {
        lanes.add_scaled_f32(sums, words, powers)
    }

    /// Sums, after `count` such additions.
    #[inline(always)]
    fn settle_scaled<L: Lanes>(lanes: L, sums: L::Words, count: usize) -> L::Words {
        let _ = (lanes, count);
        sums
    }

    /// Marks of sums after a look at them.
    #[inline(always)]
    fn look<L: Lanes>(lanes: L, marks: L::Words, sums: L::Words) -> L::Words {
        let _ = (lanes, sums);
        marks
    }

    /// How far a product moves a sum, in what [`Arithmetic::looking`] takes.
    fn reach(&self, product: u32) -> u32 {
        let _ = product;
        0
    }

    /// How many products, none of which moves a sum further than `reach`, may be added
    /// between looks, and the arithmetic that tells of such looks whether a sum is open.
    fn looking(&self, reach: u32) -> (Self, usize) {
        let _ = reach;
        (*self, usize::MAX)
    }

    /// Whether a word is ever added where all pairs hit and sums are not looked at after each product.
    fn is_read_between_looks(&self, word: u32) -> bool {
        word != Self::MISS && self.looking(self.reach(word)).1 > 1
    }

    /// The same where every sum is looked at after every product.
    fn strict(&self) -> Self {
        *self
    }

    /// Whether integers of 16 bits hold every product, and every sum up to the look at which it is
    /// open, where sums need not be looked at after each product ([`Arithmetic::looking`]).
    fn fits_halves(&self) -> bool {
        false
    }
}
