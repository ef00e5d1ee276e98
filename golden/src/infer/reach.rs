//! How far one product of a layer moves a sum at most, by what the activations are between.

use super::arithmetic::Arithmetic;
use super::classes::{Classes, MINUS_ZERO, PLUS_ZERO};
use super::lanes::{Kernel, Lanes};
use super::products::ProductWords;
use super::window::Extremes;

/// Of a product that is not stored.
pub(super) const FAR: u32 = u32::MAX;

/// The greatest reach of the products of all weights with an activation.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    of_class: Vec<u32>,
    /// The same by prefix of the activation, zeros aside.
    of_prefix: Vec<u32>,
    shift: u32,
}

impl Reach {
    pub(super) fn new<A: Arithmetic>(arithmetic: &A, classes: &Classes, products: &ProductWords) -> Self {
        let of_word = |word: &u32| if *word == A::MISS { FAR } else { arithmetic.reach(*word) };
        let of_class: Vec<u32> =
            products.by_class().map(|words| words.iter().map(of_word).max().unwrap_or(0)).collect();
        let shift = classes.shift();
        let greatest =
            |prefix: u32| classes.of_prefix(prefix).into_iter().map(|class| of_class[usize::from(class)]).max();
        let of_prefix = (0..=u32::MAX >> shift).map(|prefix| greatest(prefix).unwrap_or(FAR)).collect();
        Self { of_class, of_prefix, shift }
    }

    /// Of the classes that occur, and no other.
    pub(super) fn of_classes(&self, classes: &[u16]) -> u32 {
        classes.iter().map(|class| self.of_class[usize::from(*class)]).fold(0, u32::max)
    }
}

/// The greatest reach of zeros and of all activations between extremes.
pub(super) struct ReachBetween<'a> {
    pub reach: &'a Reach,
    pub extremes: &'a Extremes,
}

impl Kernel for ReachBetween<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> u32 {
        let Reach { of_class, of_prefix, shift } = self.reach;
        let mut greatest = of_class[usize::from(PLUS_ZERO)].max(of_class[usize::from(MINUS_ZERO)]);
        for (range, sign) in self.extremes.magnitudes.iter().zip([0, 1 << 31]) {
            if range.is_empty() {
                continue;
            }
            let [first, last] = [range.start, range.end - 1].map(|magnitude| ((sign | magnitude) >> shift) as usize);
            greatest = of_prefix[first..=last].iter().copied().fold(greatest, u32::max);
        }
        greatest
    }
}
