//! Products of layers all of whose pairs hit, for weights of few significands.
//!
//! A `factored` memory adds exponents, so weights that differ by a power of two have products that do. A
//! table of the significands' products then fits one register, where one of all values takes up to eight:
//!
//! ```text
//! product = products_of_class[significand] · ±2^exponent      weight = ±2^exponent | significand
//! ```
//!
//! Such a product is exact before it is rounded to units of the sum, so that one instruction can multiply, add
//! and round ([`Arithmetic::add_scaled`]).

use super::arithmetic::Arithmetic;
use super::by_rule::ByRule;
use super::classes::{Classes, MINUS_ZERO, PLUS_ZERO};
use super::lanes::{Aligned, Lanes, Line, WIDTH};
use super::packing::Whole;
use super::products::ProductWords;
use super::scaled::{SIGN_AND_EXPONENT, longest_run, power_of_two};
use super::sources::Source;
use super::window::Extremes;
use rayon::prelude::*;
use std::ops::Range;

/// The fraction of an encoding.
const FRACTION: u32 = 0x007F_FFFF;

/// Products by class and significand.
#[derive(Clone, Debug)]
pub(super) struct PowerTable {
    /// Of each class, in units.
    rows: Vec<Aligned<Line>>,
    /// For each weight of the codebook its power of two and its significand's index.
    weights: Vec<u32>,
    /// Exponents, biased, of activations whose products are powers of two apart.
    exponents: Range<u32>,
}

impl PowerTable {
    /// None for a memory without such products, and where significands are too many.
    pub(super) fn new<A: Arithmetic>(
        arithmetic: &A,
        products: &ProductWords,
        classes: &Classes,
        rule: &ByRule,
    ) -> Option<Self> {
        rule.config.factored_memory().filter(|_| arithmetic.adds_scaled())?;
        let codebook = &rule.codebook;
        let (weights, members) = significands(codebook)?;
        let product = |weight: usize, class: usize| {
            let stored =
                classes.member(class).and_then(|activation| rule.am.product(rule.operands(weight, activation)));
            // A miss is not read, and a zero's is a zero.
            arithmetic.in_units(stored.map_or(0.0, f32::from_bits))
        };
        let of_class = |(class, words): (usize, &[u32])| {
            let mut row = [0; WIDTH];
            for (slot, weight) in row.iter_mut().zip(&members) {
                *slot = (product(*weight, class) / power_of_two(codebook[*weight].to_bits())).to_bits();
            }
            let same = |(weight, word): (&u32, &u32)| {
                let (of_one, power) = (f32::from_bits(row[*weight as usize % WIDTH]), power_of_two(*weight));
                let units = of_one * power;
                let (exact, made) =
                    (f64::from(of_one) * f64::from(power) == f64::from(units), arithmetic.rounded(units));
                // Sums are never -0, so that a zero of either sign leaves them as they are.
                let same = made == *word || A::is_zero(made) && A::is_zero(*word);
                exact && same || !arithmetic.is_read_between_looks(*word)
            };
            (Aligned(row), weights.iter().zip(words).all(same))
        };
        let words: Vec<&[u32]> = products.by_class().collect();
        let (rows, same): (Vec<Aligned<Line>>, Vec<bool>) = words.into_par_iter().enumerate().map(of_class).unzip();
        let of_exponent = |exponent: u32| {
            let prefixes = [0, 1 << 31].map(|sign| (sign | exponent << 23) >> classes.shift());
            let of_sign = prefixes.into_iter().flat_map(|first| first..first + (1 << 23 >> classes.shift()));
            of_sign.flat_map(|prefix| classes.of_prefix(prefix))
        };
        let holds = |exponent: &u32| of_exponent(*exponent).all(|class| same[usize::from(class)]);
        let zeros = [PLUS_ZERO, MINUS_ZERO].into_iter().all(|class| same[usize::from(class)]);
        let exponents = if zeros { longest_run(1..255, holds) } else { 0..0 };
        (!exponents.is_empty()).then_some(Self { rows, weights, exponents })
    }

    /// Whether all of some activations have such products.
    pub(super) fn holds(&self, extremes: &Extremes) -> bool {
        extremes.are_within(&self.exponents)
    }

    /// What stands for a weight of the codebook.
    pub(super) fn weight(&self, index: u32) -> u32 {
        self.weights[index as usize]
    }
}

/// For each weight its power of two with the index of its significand, and for each significand a weight. None
/// if they are more than a register has words.
fn significands(codebook: &[f32]) -> Option<(Vec<u32>, Vec<usize>)> {
    let mut members: Vec<usize> = Vec::new();
    let mut weights = Vec::with_capacity(codebook.len());
    for (index, weight) in codebook.iter().enumerate() {
        if *weight == 0.0 {
            // Makes nothing of any product.
            weights.push(0);
            continue;
        }
        if !weight.is_normal() {
            return None;
        }
        let same = |member: &usize| (codebook[*member].to_bits() ^ weight.to_bits()) & FRACTION == 0;
        let place = members.iter().position(same).unwrap_or_else(|| {
            members.push(index);
            members.len() - 1
        });
        weights.push(weight.to_bits() & SIGN_AND_EXPONENT | place as u32);
    }
    (members.len() <= WIDTH).then_some((weights, members))
}

/// Products from a [`PowerTable`].
#[derive(Clone, Copy)]
pub(super) struct Powers<'a> {
    pub classes: &'a [u16],
    pub table: &'a PowerTable,
}

impl<L: Lanes, A: Arithmetic> Source<L, A, Whole> for Powers<'_> {
    type Met = L::Words;

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> L::Words {
        lanes.load(&self.table.rows[usize::from(self.classes[at])].0)
    }

    #[inline(always)]
    fn add(&self, lanes: L, sums: L::Words, met: &L::Words, weights: &Line) -> L::Words {
        let weights = lanes.load(weights);
        let powers = lanes.and(weights, lanes.splat(SIGN_AND_EXPONENT));
        A::add_scaled(lanes, sums, lanes.pick::<1>(&[*met], weights), powers)
    }

    #[inline(always)]
    fn settle(&self, lanes: L, sums: L::Words, count: usize) -> L::Words {
        A::settle_scaled(lanes, sums, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_powers_of_two_of_their_significands() {
        let (weights, members) = significands(&[1.5, -3.0, 0.0, 1.0, 0.375, -0.0, -2.0]).unwrap();
        assert_eq!(members, [0, 3]);
        let power = |weight: f32, index: u32| weight.to_bits() | index;
        assert_eq!(weights, [power(1.0, 0), power(-2.0, 0), 0, power(1.0, 1), power(0.25, 0), 0, power(-2.0, 1)]);
        let many: Vec<f32> = (0..17).map(|place| 1.0 + place as f32 / 32.0).collect();
        assert!(significands(&many).is_none() && significands(&many[..16]).is_some());
        assert!(significands(&[1.0, f32::from_bits(1)]).is_none() && significands(&[f32::NAN]).is_none());
    }
}
