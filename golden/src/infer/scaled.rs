//! Products of a `factored` memory, made of the few that its rows hold.
//!
//! Such a memory holds the product of a weight with each significand that it tells apart, and adds
//! exponents. Where the results need no other rounding, a product is the stored one times the
//! activation's power of two, and needs no table by class:
//!
//! ```text
//! product = products_of_weight[top fraction bits] · ±2^exponent
//! ```

use super::arithmetic::Arithmetic;
use super::lanes::{Aligned, Lanes, Line, WIDTH};
use super::present::Tables;
use super::window::Extremes;
use std::array::from_fn;
use std::ops::Range;

/// Fraction bits that an index of a line can have.
const MOST_BITS: u32 = WIDTH.ilog2();
/// Sign and exponent of an encoding, and the encoding of 1.
pub(super) const SIGN_AND_EXPONENT: u32 = 0xFF80_0000;
const ONE: u32 = 0x3F80_0000;

/// The products of each weight with significands.
#[derive(Clone, Debug)]
pub(super) struct Scaled {
    /// From an encoding to the index of a product in the lowest bits.
    shift: u32,
    /// For each weight, in units; the products are repeated, so that bits above the index change nothing.
    lines: Vec<Aligned<Line>>,
    /// Exponents, biased, of activations whose products are those of the memory.
    exponents: Range<u32>,
}

impl Scaled {
    /// Products with `fraction_bits`. `stored` gives the memory's product of a weight with an
    /// activation, both as encodings, and `word` what it adds to a sum. None where these are
    /// no such products.
    pub(super) fn new<A: Arithmetic>(
        arithmetic: &A,
        fraction_bits: u32,
        weights: usize,
        stored: impl Fn(usize, u32) -> Option<u32>,
        word: impl Fn(usize, u32) -> u32,
    ) -> Option<Self> {
        if fraction_bits > MOST_BITS {
            return None;
        }
        let (shift, fractions) = (23 - fraction_bits, 1 << fraction_bits);
        let product =
            |weight, activation| stored(weight, activation).map(|product| arithmetic.in_units(f32::from_bits(product)));
        let of_one = |weight: usize| -> Option<Vec<f32>> {
            (0..fractions).map(|fraction| product(weight, ONE | fraction << shift)).collect()
        };
        let products = (0..weights).map(of_one).collect::<Option<Vec<_>>>()?;
        let same = |weight: usize, activation: u32| {
            let product = products[weight][(activation >> shift) as usize % products[weight].len()];
            let (made, word) = (arithmetic.rounded(product * power_of_two(activation)), word(weight, activation));
            // Sums are never -0, so that a zero of either sign leaves them as they are.
            made == word || A::is_zero(made) && A::is_zero(word)
        };
        let holds = |exponent: &u32| {
            let signs = [0, 1 << 31].into_iter();
            let mut activations =
                signs.flat_map(|sign| (0..fractions).map(move |f| sign | exponent << 23 | f << shift));
            activations.all(|activation| (0..weights).all(|weight| same(weight, activation)))
        };
        let exponents = longest_run(1..255, holds);
        let line = |products: &Vec<f32>| Aligned(from_fn(|lane| products[lane % products.len()].to_bits()));
        (!exponents.is_empty()).then(|| Self { shift, lines: products.iter().map(line).collect(), exponents })
    }

    /// Whether all of some activations have such products.
    pub(super) fn hold(&self, extremes: &Extremes) -> bool {
        extremes.are_within(&self.exponents)
    }
}

/// What an encoding is without its fraction, with its sign.
pub(super) fn power_of_two(encoding: u32) -> f32 {
    f32::from_bits(encoding & SIGN_AND_EXPONENT)
}

/// The longest run of numbers for which something holds; the first one of several.
pub(super) fn longest_run(numbers: Range<u32>, holds: impl Fn(&u32) -> bool) -> Range<u32> {
    let (mut longest, mut start) = (0..0, numbers.start);
    for number in numbers {
        if !holds(&number) {
            start = number + 1;
        } else if longest.len() < (start..number + 1).len() {
            longest = start..number + 1;
        }
    }
    longest
}

/// Products of activations in planes.
pub(super) struct ScaledPlanes<'a, A> {
    pub arithmetic: &'a A,
    pub scaled: &'a Scaled,
    pub planes: &'a [u32],
}

impl<L: Lanes, A: Arithmetic> Tables<L> for ScaledPlanes<'_, A> {
    type OfWeight = L::Words;

    #[inline(always)]
    fn of_weight(&self, lanes: L, weight: usize) -> L::Words {
        lanes.load(&self.scaled.lines[weight].0)
    }

    #[inline(always)]
    fn look_up(&self, lanes: L, products: &L::Words, at: usize) -> L::Words {
        let (activations, _) = self.planes[at..].as_chunks::<WIDTH>();
        let activations = lanes.load(&activations[0]);
        let indices = lanes.and(lanes.shift_right(activations, self.scaled.shift), lanes.splat(WIDTH as u32 - 1));
        let products = lanes.pick::<1>(&[*products], indices);
        let powers = lanes.and(activations, lanes.splat(SIGN_AND_EXPONENT));
        self.arithmetic.rounded_words(lanes, lanes.mul_f32(products, powers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_the_longest() {
        let run = |numbers: &[u32]| longest_run(1..9, |number| numbers.contains(number));
        assert_eq!(run(&[1, 3, 4, 6, 7, 8]), 6..9);
        assert_eq!(run(&[2, 3, 6, 7]), 2..4);
        assert_eq!(run(&[1, 2, 3, 4, 5, 6, 7, 8]), 1..9);
        assert!(run(&[]).is_empty());
    }
}
