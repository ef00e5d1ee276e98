//! Fixed-point sums of a register's word, looked at as seldom as their products allow.

use super::Arithmetic;
use crate::infer::lanes::Lanes;
use axp_spec::FixedFormat;

/// A two's complement sum of at most [`Fixed::MAX_WIDTH`] bits that has not left its
/// range: one that has is computed again.
///
/// A mark is the greatest magnitude that a sum had when it was looked at. Where no product
/// is great, a sum need not be looked at after each one: it is in range all along if it is far
/// enough from the ends at each look.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Fixed {
    width: u32,
    /// The greatest magnitude at a look that leaves no doubt.
    limit: u32,
    /// Units in 1, and what a unit is worth: powers of two.
    units: f64,
    unit: f64,
}

impl Fixed {
    /// Most bits of a sum.
    pub(in super::super) const MAX_WIDTH: u32 = 31;
    /// Encoding of 1.5 * 2^23, of which a unit is the last place: the encodings of integers up to 2^22
    /// added to it are as much greater, and what is between them is rounded to nearest even.
    const INTEGERS: u32 = 0x4B40_0000;
    /// Widest sum of which all products that are read between looks are below 2^22 units.
    const MAX_SCALED_WIDTH: u32 = 25;
    /// Leaves the range of every sum: a product that must raise a flag.
    const OUT: i32 = i32::MIN;

    /// None for a sum that is too wide.
    pub(in super::super) fn new(format: FixedFormat) -> Option<Self> {
        let exact = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
        (format.width <= Self::MAX_WIDTH).then(|| Self {
            width: format.width,
            limit: (1 << (format.width - 1)) - 1,
            units: exact(-format.last_bit),
            unit: exact(format.last_bit),
        })
    }

    /// A product that the multiplier or a `factored` memory gives, in units,
    /// rounded to nearest even.
    #[inline(always)]
    pub(in super::super) fn convert(&self, product: f32) -> i32 {
        // Exact: a power of two within the range of binary64.
        let scaled = f64::from(product) * self.units;
        // Rounds to an integer, to nearest even, what is below 2^51, and leaves it in
        // the lower half of the word.
        const INTEGER: f64 = 1.5 * (1_u64 << 52) as f64;
        let sum = scaled + INTEGER;
        let rounded = sum - INTEGER;
        let limit = (1_i64 << (self.width - 1)) as f64;
        // A NaN is not in range.
        if rounded >= -limit && rounded < limit { sum.to_bits() as i32 } else { Self::OUT }
    }
}

impl Arithmetic for Fixed {
    const MISS: u32 = i32::MIN as u32 + 1;
    const NOTHING: u32 = 0;
    const MARKED: bool = true;
    const HALVES: bool = true;

    #[inline(always)]
    fn multiply(&self, weight: f32, activation: f32) -> u32 {
        self.convert(weight * activation) as u32
    }

    #[inline(always)]
    fn total(&self, sum: u32, _: u32) -> f32 {
        // Rounded once: the product of an integer and a power of two is exact.
        (f64::from(sum as i32) * self.unit) as f32
    }

    #[inline(always)]
    fn is_open(&self, mark: u32) -> bool {
        mark > self.limit
    }

    fn in_units(&self, product: f32) -> f32 {
        product * self.units as f32
    }

    fn rounded(&self, units: f32) -> u32 {
        let rounded = units.round_ties_even();
        // As vector units do: what has no encoding becomes the least number.
        if rounded >= -(2_f32.powi(31)) && rounded < 2_f32.powi(31) { rounded as i32 as u32 } else { 1 << 31 }
    }

    #[inline(always)]
    fn rounded_words<L: Lanes>(&self, lanes: L, units: L::Words) -> L::Words {
        lanes.round_i32(units)
    }

    fn is_zero(word: u32) -> bool {
        word == 0
    }

    #[inline(always)]
    fn add_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words) -> L::Words {
        lanes.add_i32(sums, products)
    }

    #[inline(always)]
    fn add_signed_words<L: Lanes>(lanes: L, sums: L::Words, products: L::Words, signs: L::Words) -> L::Words {
        lanes.add_signed_i32(sums, products, signs)
    }

    fn negated(word: u32) -> u32 {
        word.wrapping_neg()
    }

    fn adds_scaled(&self) -> bool {
        self.width <= Self::MAX_SCALED_WIDTH
    }

    #[inline(always)]
    fn add_scaled<L: Lanes>(lanes: L, sums: L::Words, words: L::Words, powers: L::Words) -> L::Words {
        lanes.add_i32(sums, lanes.add_scaled_f32(lanes.splat(Self::INTEGERS), words, powers))
    }

    #[inline(always)]
    fn settle_scaled<L: Lanes>(lanes: L, sums: L::Words, count: usize) -> L::Words {
        lanes.add_i32(sums, lanes.splat(Self::INTEGERS.wrapping_mul(count as u32).wrapping_neg()))
    }

    #[inline(always)]
    fn look<L: Lanes>(lanes: L, marks: L::Words, sums: L::Words) -> L::Words {
        lanes.max_u32(marks, lanes.abs_i32(sums))
    }

    fn reach(&self, product: u32) -> u32 {
        (product as i32).unsigned_abs()
    }

    fn looking(&self, reach: u32) -> (Self, usize) {
        // Sums are at most half of the range where they are at most the peaks that the range was
        // made for, so that nearly half of it is to spare.
        let range = 1_u32 << (self.width - 1);
        let spare = 3 * (range >> 3);
        match spare / reach.max(1) {
            0 | 1 => (self.strict(), 1),
            // Between looks a sum moves by less than what is kept.
            steps => (Self { limit: range - 1 - steps * reach, ..*self }, steps as usize),
        }
    }

    fn strict(&self) -> Self {
        Self { limit: (1 << (self.width - 1)) - 1, ..*self }
    }

    fn fits_halves(&self) -> bool {
        // Sums start from a look within the limit, and are in their range at the next one.
        self.width <= 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::lanes::{Kernel, Level};
    use proptest::prelude::*;

    /// One sum in each lane, looked at after so many products.
    struct Summed<'a> {
        products: &'a [i32],
        steps: usize,
    }

    impl Kernel for Summed<'_> {
        type Output = (i32, u32);

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> (i32, u32) {
            let (mut sums, mut marks) = (lanes.splat(0), lanes.splat(0));
            for products in self.products.chunks(self.steps) {
                for product in products {
                    sums = Fixed::add_words(lanes, sums, lanes.splat(*product as u32));
                }
                marks = Fixed::look(lanes, marks, sums);
            }
            (lanes.store(sums)[0] as i32, lanes.store(marks)[0])
        }
    }

    /// Sums that go up and down by the same product, so that they leave the range between looks
    /// and come back before the next one.
    fn walk() -> impl Strategy<Value = (u32, Vec<i32>)> {
        let runs = proptest::collection::vec((any::<bool>(), 1..40_usize), 1..12);
        (6..=31_u32, 0..8_u32, runs, any::<i32>()).prop_map(|(width, less, runs, last)| {
            let step = 1_i32 << (width - 2_u32).saturating_sub(less);
            let walk = runs.into_iter().flat_map(|(up, count)| vec![if up { step } else { -step }; count]);
            (width, walk.chain([last % step]).collect())
        })
    }

    /// Of the widest sum that has them, and of no wider one: a product of 2^22 units would be wrong.
    #[test]
    fn scaled_products_that_are_read_are_below_the_integers_that_are_added_to() {
        for width in 2..=Fixed::MAX_WIDTH {
            let fixed = Fixed::new(FixedFormat { width, last_bit: 0 }).unwrap();
            assert_eq!(fixed.adds_scaled(), !fixed.is_read_between_looks(1 << 22), "{width} bits");
        }
    }

    proptest! {
        /// A sum that was out of range is open, whenever it was looked at; and one that stays within a half of
        /// the range is not.
        #[test]
        fn looks_miss_no_overflow((width, products) in walk()) {
            let fixed = Fixed::new(FixedFormat { width, last_bit: -3 }).unwrap();
            let reach = products.iter().map(|product| fixed.reach(*product as u32)).max().unwrap();
            let (looking, steps) = fixed.looking(reach);
            let add = |sum: &mut i64, product: &i32| {
                *sum += i64::from(*product);
                Some(*sum)
            };
            let sums: Vec<i64> = products.iter().scan(0, add).collect();
            let range = 1_i64 << (width - 1);
            // Words of 32 bits hold what a sum is before it is looked at.
            let end = sums.iter().position(|sum| !(-range..range).contains(sum));
            let overflow = end.is_some();
            let products = &products[..end.map_or(products.len(), |end| products.len().min(end + steps))];
            let small = sums.iter().all(|sum| 2 * sum.abs() < range);
            let strict = level_sum(products, 1);
            prop_assert!(!overflow || fixed.strict().is_open(strict.1));
            prop_assert!(!small || !fixed.strict().is_open(strict.1));
            let relaxed = level_sum(products, steps);
            prop_assert!(!overflow || looking.is_open(relaxed.1), "{} steps", steps);
            prop_assert!(!small || !looking.is_open(relaxed.1), "{} steps", steps);
            if !overflow {
                prop_assert_eq!(i64::from(relaxed.0), *sums.last().unwrap());
            }
        }
    }

    fn level_sum(products: &[i32], steps: usize) -> (i32, u32) {
        Level::best().run(Summed { products, steps })
    }
}
