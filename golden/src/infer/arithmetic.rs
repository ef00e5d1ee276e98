//! What products are summed in: binary32, or units of a fixed-point sum.

use super::lanes::{Lanes, WIDTH};
use axp_spec::FixedFormat;
use std::fmt::Debug;

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

    /// An empty sum.
    fn start(&self) -> u32;

    /// The product of a miss.
    fn multiply(&self, weight: f32, activation: f32) -> u32;

    /// A finished sum.
    fn total(&self, sum: u32, mark: u32) -> f32;

    /// Whether a sum must be computed by the number rules instead, pair by pair. True
    /// of several marks' OR, if it is true of one.
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

    /// Sums and their marks with a product added to each.
    fn add_words<L: Lanes>(lanes: L, sums: Marked<L>, products: L::Words) -> Marked<L>;
}

/// Sums and their marks.
pub(super) type Marked<L> = (<L as Lanes>::Words, <L as Lanes>::Words);

/// One binary32 sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Float;

impl Arithmetic for Float {
    // A NaN: a stored product is always finite.
    const MISS: u32 = 0x7FC0_0000;
    // Adding -0 changes no sum, not even -0.
    const NOTHING: u32 = 1 << 31;
    const MARKED: bool = false;

    fn start(&self) -> u32 {
        0
    }

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
    fn add_words<L: Lanes>(lanes: L, (sums, marks): Marked<L>, products: L::Words) -> Marked<L> {
        (lanes.add_f32(sums, products), marks)
    }
}

/// A two's complement sum of at most [`Fixed::MAX_WIDTH`] bits that has not left its
/// range: one that has is computed again.
///
/// The words hold sums with half of the range added, so that a sum in range is
/// below 2^width, and the OR of all its values tells whether it ever was not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    width: u32,
    /// Units in 1, and what a unit is worth: powers of two.
    units: f64,
    unit: f64,
}

impl Fixed {
    /// Most bits of a sum.
    pub(super) const MAX_WIDTH: u32 = 31;
    /// Leaves the range of every sum: a product that must raise a flag.
    const OUT: i32 = i32::MIN;

    /// None for a sum that is too wide.
    pub(super) fn new(format: FixedFormat) -> Option<Self> {
        let exact = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
        (format.width <= Self::MAX_WIDTH).then(|| Self {
            width: format.width,
            units: exact(-format.last_bit),
            unit: exact(format.last_bit),
        })
    }

    /// A product that the multiplier or a `factored` memory gives, in units,
    /// rounded to nearest even.
    #[inline(always)]
    pub(super) fn convert(&self, product: f32) -> i32 {
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

    fn start(&self) -> u32 {
        1 << (self.width - 1)
    }

    #[inline(always)]
    fn multiply(&self, weight: f32, activation: f32) -> u32 {
        self.convert(weight * activation) as u32
    }

    #[inline(always)]
    fn total(&self, sum: u32, _: u32) -> f32 {
        // Rounded once: the product of an integer and a power of two is exact.
        (f64::from(sum.wrapping_sub(self.start()) as i32) * self.unit) as f32
    }

    #[inline(always)]
    fn is_open(&self, mark: u32) -> bool {
        mark >> self.width != 0
    }

    #[inline(always)]
    fn add_words<L: Lanes>(lanes: L, (sums, marks): Marked<L>, products: L::Words) -> Marked<L> {
        let sums = lanes.add_i32(sums, products);
        (sums, lanes.or(marks, sums))
    }
}

/// Binary32 sums of which the greatest magnitude on the way is the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak;

impl Arithmetic for Peak {
    const MISS: u32 = Float::MISS;
    const NOTHING: u32 = Float::NOTHING;
    const MARKED: bool = true;
    const TOTALS_OF_MARKS: bool = true;

    fn start(&self) -> u32 {
        0
    }

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
    fn add_words<L: Lanes>(lanes: L, (sums, marks): Marked<L>, products: L::Words) -> Marked<L> {
        let sums = lanes.add_f32(sums, products);
        // Encodings of numbers that are not negative are in the order of the numbers.
        (sums, lanes.max_u32(marks, lanes.and(sums, lanes.splat(!(1 << 31)))))
    }
}

/// Finished sums: `[channel, position]`.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub words: Vec<u32>,
    /// Their marks, if these are kept.
    pub marks: Vec<u32>,
    /// The OR of all marks.
    pub seen: u32,
    positions: usize,
}

impl Sums {
    pub(super) fn new(channels: usize, positions: usize, keep_marks: bool) -> Self {
        let marks = if keep_marks { vec![0; channels * positions] } else { Vec::new() };
        Self { words: vec![0; channels * positions], marks, seen: 0, positions }
    }

    /// Those of channels side by side, at one position.
    #[inline(always)]
    pub(super) fn put<A: Arithmetic>(&mut self, channel: usize, position: usize, words: &[u32], marks: &[u32]) {
        let first = channel * self.positions + position;
        let slots = self.words[first..].iter_mut().step_by(self.positions);
        slots.zip(words).for_each(|(slot, word)| *slot = *word);
        if A::MARKED {
            self.seen |= marks.iter().fold(0, |all, mark| all | mark);
            if !self.marks.is_empty() {
                let slots = self.marks[first..].iter_mut().step_by(self.positions);
                slots.zip(marks).for_each(|(slot, mark)| *slot = *mark);
            }
        }
    }

    /// Those of one channel, where position `p` is at `places[p]`.
    #[inline(always)]
    pub(super) fn put_channel<A: Arithmetic>(
        &mut self,
        channel: usize,
        places: &[usize],
        words: &[u32],
        marks: &[u32],
    ) {
        let first = channel * self.positions;
        for (slot, place) in self.words[first..].iter_mut().zip(places) {
            *slot = words[*place];
        }
        if A::MARKED {
            for place in places {
                self.seen |= marks[*place];
            }
        }
        if !self.marks.is_empty() {
            for (slot, place) in self.marks[first..].iter_mut().zip(places) {
                *slot = marks[*place];
            }
        }
    }
}
