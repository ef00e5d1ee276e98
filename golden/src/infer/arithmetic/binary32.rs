//! Binary32 sums, and the greatest magnitude of one on its way.

use super::Arithmetic;
use crate::infer::lanes::Lanes;

/// One binary32 sum.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Float;

impl Arithmetic for Float {
    // A NaN: a stored product is always finite.
    const MISS: u32 = 0x7FC0_0000;
    // Adding -0 changes no sum, not even -0.
    const NOTHING: u32 = 1 << 31;
    const MARKED: bool = false;

    #[inline(always)]
    fn multiply(&self, weight: f32, activation: f32) -> u32 {
        (weight * activation).to_bits()
    }

    #[inline(always)]
    fn total(&self, sum: u32, _: u32) -> f32 {
        f32::from_bits(sum)
    }

    #[inline(always)]
    fn multiply_words<L: Lanes>(&self, lanes: L, weights: L::Words, activations: L::Words) -> L::Words {
        lanes.mul_f32(weights, activations)
    }

    #[inline(always)]
    fn add_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words) -> L::Words {
        lanes.add_f32(sums, products)
    }
}

/// Binary32 sums of which the greatest magnitude on the way is the result.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Peak;

impl Arithmetic for Peak {
    const MISS: u32 = Float::MISS;
    const NOTHING: u32 = Float::NOTHING;
    const MARKED: bool = true;
    const TOTALS_OF_MARKS: bool = true;
    const STORED: bool = false;

    #[inline(always)]
    fn multiply(&self, weight: f32, activation: f32) -> u32 {
        Float.multiply(weight, activation)
    }

    #[inline(always)]
    fn total(&self, _: u32, mark: u32) -> f32 {
        f32::from_bits(mark)
    }

    #[inline(always)]
    fn multiply_words<L: Lanes>(&self, lanes: L, weights: L::Words, activations: L::Words) -> L::Words {
        lanes.mul_f32(weights, activations)
    }

    #[inline(always)]
    fn add_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words) -> L::Words {
        lanes.add_f32(sums, products)
    }

    #[inline(always)]
    fn look<L: Lanes>(lanes: L, marks: L::Words, sums: L::Words) -> L::Words {
        // Encodings of numbers that are not negative are in the order of the numbers.
        lanes.max_u32(marks, lanes.and(sums, lanes.splat(!(1 << 31))))
    }

    fn looking(&self, _: u32) -> (Self, usize) {
        (*self, 1)
    }
}
