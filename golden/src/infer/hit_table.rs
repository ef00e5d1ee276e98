//! Products of layers all of whose pairs hit, in as few registers as there can be.
//!
//! Products with weights of opposite signs are each other's negatives, so that a codebook of both
//! signs needs a table of its magnitudes alone: a weight is the index of its magnitude with the sign
//! in the top bit.

use super::arithmetic::Arithmetic;
use super::lanes::{Aligned, Lanes};
use super::packing::Packing;
use super::products::ProductWords;
use super::sources::Source;
use std::collections::HashMap;

/// The top bit of a weight that is given by magnitude.
const SIGN: u32 = 1 << 31;

/// Products by class and weight. It has nothing of use for misses, nor for products that move a
/// sum so far that it must be looked at after each: whoever reads it knows that neither occurs.
#[derive(Clone, Debug)]
pub(super) struct HitTable<P: Packing> {
    /// Of a row: a power of two.
    pub lines: usize,
    /// Whether weights have signs beside their indices.
    pub signed: bool,
    /// `[class, line]`.
    rows: Vec<Aligned<P::Line>>,
    /// For each weight of the codebook its index in a row, and its sign.
    weights: Vec<u32>,
}

impl<P: Packing> HitTable<P> {
    /// With weights by magnitude where this takes fewer lines than by value; none if it takes more
    /// than `most` lines.
    pub(super) fn new<A: Arithmetic>(
        products: &ProductWords,
        folded: Option<&Magnitudes>,
        most: usize,
    ) -> Option<Self> {
        let values = products.weights();
        let lines = |count: usize| count.div_ceil(P::WIDTH).next_power_of_two();
        let (members, weights, signed) = match folded {
            Some(Magnitudes { members, weights }) if lines(members.len()) < lines(values) => {
                let lower = 31 - P::SIGN_BIT;
                let weight = |word: &u32| word & !SIGN | (word & SIGN) >> lower;
                (members.clone(), weights.iter().map(weight).collect(), true)
            }
            _ => ((0..values).collect(), (0..values as u32).collect(), false),
        };
        let lines = lines(members.len());
        if lines > most {
            return None;
        }
        let at = |words: &[u32], index: usize| members.get(index).map_or(A::NOTHING, |weight| words[*weight]);
        let mut rows = Vec::with_capacity(products.classes() * lines);
        for words in products.by_class() {
            rows.extend((0..lines).map(|line| Aligned(P::line(|lane| at(words, line * P::WIDTH + lane)))));
        }
        Some(Self { lines, signed, rows, weights })
    }

    /// What stands for a weight of the codebook: its index in a row, and its sign.
    pub(super) fn weight(&self, index: u32) -> u32 {
        self.weights[index as usize]
    }
}

/// A codebook by magnitude.
#[derive(Clone, Debug)]
pub(super) struct Magnitudes {
    /// A weight of each, by its index in the codebook.
    members: Vec<usize>,
    /// For each weight the index of its magnitude; the top bit is set where its sign is not the member's.
    weights: Vec<u32>,
}

impl Magnitudes {
    /// None where they are as many as the weights, or products with a weight are not those with the
    /// member of its magnitude or their negatives, as far as they are ever read.
    pub(super) fn new<A: Arithmetic>(arithmetic: &A, products: &ProductWords, codebook: &[f32]) -> Option<Self> {
        let found = Self::of(codebook)?;
        let is_read = |word: u32| arithmetic.is_read_between_looks(word);
        // One of two may be just in range where the other is not: neither is read.
        let same = |own: u32, of_member: u32, opposite: bool| {
            let expected = if opposite { A::negated(of_member) } else { of_member };
            own == expected || A::is_zero(own) && A::is_zero(of_member) || !is_read(own) && !is_read(of_member)
        };
        let alike = |words: &[u32]| {
            found
                .weights
                .iter()
                .zip(words)
                .all(|(index, own)| same(*own, words[found.members[(index & !SIGN) as usize]], index & SIGN != 0))
        };
        products.by_class().all(alike).then_some(found)
    }

    fn of(codebook: &[f32]) -> Option<Self> {
        let (mut members, mut index_of) = (Vec::new(), HashMap::new());
        let weight = |(index, weight): (usize, &f32)| {
            let of_magnitude = *index_of.entry(weight.abs().to_bits()).or_insert_with(|| {
                members.push(index);
                members.len() - 1
            });
            let opposite = codebook[members[of_magnitude]].is_sign_negative() != weight.is_sign_negative();
            of_magnitude as u32 | if opposite { SIGN } else { 0 }
        };
        let weights = codebook.iter().enumerate().map(weight).collect();
        (members.len() < codebook.len()).then_some(Self { members, weights })
    }
}

/// Products from a [`HitTable`] of `N` lines.
#[derive(Clone, Copy)]
pub(super) struct Hits<'a, P: Packing, const N: usize, const SIGNED: bool> {
    classes: &'a [u16],
    rows: &'a [[Aligned<P::Line>; N]],
}

impl<'a, P: Packing, const N: usize, const SIGNED: bool> Hits<'a, P, N, SIGNED> {
    #[inline(always)]
    pub(super) fn new(classes: &'a [u16], table: &'a HitTable<P>) -> Self {
        Self { classes, rows: table.rows.as_chunks::<N>().0 }
    }
}

impl<L: Lanes, A: Arithmetic, P: Packing, const N: usize, const SIGNED: bool> Source<L, A, P>
    for Hits<'_, P, N, SIGNED>
{
    type Met = [P::Words<L>; N];

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> [P::Words<L>; N] {
        let row = &self.rows[usize::from(self.classes[at])];
        // No closures: they would be compiled without the unit's instructions.
        let mut words = [P::zero(lanes); N];
        for (words, Aligned(line)) in words.iter_mut().zip(row) {
            *words = P::load(lanes, line);
        }
        words
    }

    #[inline(always)]
    fn add(&self, lanes: L, sums: P::Words<L>, met: &[P::Words<L>; N], weights: &P::Line) -> P::Words<L> {
        let weights = P::load(lanes, weights);
        let products = P::pick(lanes, met, weights);
        if SIGNED {
            P::add_signed::<A, L>(lanes, sums, products, weights)
        } else {
            P::add::<A, L>(lanes, sums, products)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codebook_is_folded_where_signs_repeat_magnitudes() {
        assert!(Magnitudes::of(&[1.0, -2.0, 3.0]).is_none());
        let folded = Magnitudes::of(&[1.0, -2.0, -1.0, 2.0, 0.0, -0.0]).unwrap();
        assert_eq!(folded.members, [0, 1, 4]);
        assert_eq!(folded.weights, [0, 1, SIGN, 1 | SIGN, 2, 2 | SIGN]);
    }
}
