//! What products are summed in: binary32, or units of a fixed-point sum.

use axp_spec::FixedFormat;
use std::fmt::Debug;

/// One way to sum. Sums lie side by side in a slice, with a mark each where the
/// arithmetic needs one.
pub(super) trait Arithmetic: Debug + Send + Sync {
    /// A product, and a sum of products.
    type Word: Copy + Debug + Send + Sync;
    /// Stands for a product that the memory does not have.
    const MISS: Self::Word;
    /// A product that changes no sum.
    const NOTHING: Self::Word;
    /// Whether sums have marks.
    const MARKED: bool;

    /// Whether a product is [`Arithmetic::MISS`].
    fn is_miss(product: Self::Word) -> bool;

    /// An empty sum.
    fn start(&self) -> Self::Word;

    /// The product of a miss.
    fn multiply(&self, weight: f32, activation: f32) -> Self::Word;

    /// Adds a product to each sum.
    fn add(sums: &mut [Self::Word], marks: &mut [u32], products: impl Iterator<Item = Self::Word>);

    /// A finished sum; `None` where it must be computed by the number rules, pair by
    /// pair.
    fn total(&self, sum: Self::Word, mark: u32) -> Option<f32>;
}

/// One binary32 sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Float;

impl Arithmetic for Float {
    type Word = f32;
    // A stored product is always finite.
    const MISS: f32 = f32::NAN;
    // Adding it changes no sum, not even -0.
    const NOTHING: f32 = -0.0;
    const MARKED: bool = false;

    #[inline]
    fn is_miss(product: f32) -> bool {
        product.is_nan()
    }

    fn start(&self) -> f32 {
        0.0
    }

    #[inline]
    fn multiply(&self, weight: f32, activation: f32) -> f32 {
        weight * activation
    }

    #[inline]
    fn add(sums: &mut [f32], _: &mut [u32], products: impl Iterator<Item = f32>) {
        for (sum, product) in sums.iter_mut().zip(products) {
            *sum += product;
        }
    }

    fn total(&self, sum: f32, _: u32) -> Option<f32> {
        Some(sum)
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
    #[inline]
    pub(super) fn convert(&self, product: f32) -> i32 {
        // Exact: a power of two within the range of binary64.
        let scaled = f64::from(product) * self.units;
        // Rounds to an integer, to nearest even, what is below 2^51.
        const INTEGER: f64 = 1.5 * (1_u64 << 52) as f64;
        let rounded = (scaled + INTEGER) - INTEGER;
        let limit = (1_i64 << (self.width - 1)) as f64;
        // A NaN is not in range.
        if rounded >= -limit && rounded < limit { rounded as i32 } else { Self::OUT }
    }
}

impl Arithmetic for Fixed {
    type Word = i32;
    const MISS: i32 = i32::MIN + 1;
    const NOTHING: i32 = 0;
    const MARKED: bool = true;

    #[inline]
    fn is_miss(product: i32) -> bool {
        product == Self::MISS
    }

    fn start(&self) -> i32 {
        1 << (self.width - 1)
    }

    #[inline]
    fn multiply(&self, weight: f32, activation: f32) -> i32 {
        self.convert(weight * activation)
    }

    #[inline]
    fn add(sums: &mut [i32], marks: &mut [u32], products: impl Iterator<Item = i32>) {
        for ((sum, mark), product) in sums.iter_mut().zip(marks).zip(products) {
            *sum = sum.wrapping_add(product);
            *mark |= *sum as u32;
        }
    }

    fn total(&self, sum: i32, mark: u32) -> Option<f32> {
        // Rounded once: the product of an integer and a power of two is exact.
        (mark >> self.width == 0).then(|| (f64::from(sum.wrapping_sub(self.start())) * self.unit) as f32)
    }
}

/// Binary32 sums of which the greatest magnitude on the way is the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak;

impl Arithmetic for Peak {
    type Word = f32;
    const MISS: f32 = f32::NAN;
    const NOTHING: f32 = -0.0;
    const MARKED: bool = true;

    fn is_miss(product: f32) -> bool {
        product.is_nan()
    }

    fn start(&self) -> f32 {
        0.0
    }

    #[inline]
    fn multiply(&self, weight: f32, activation: f32) -> f32 {
        weight * activation
    }

    #[inline]
    fn add(sums: &mut [f32], marks: &mut [u32], products: impl Iterator<Item = f32>) {
        for ((sum, mark), product) in sums.iter_mut().zip(marks).zip(products) {
            *sum += product;
            // Encodings of numbers that are not negative are in the order of the numbers.
            *mark = (*mark).max(sum.abs().to_bits());
        }
    }

    fn total(&self, _: f32, mark: u32) -> Option<f32> {
        Some(f32::from_bits(mark))
    }
}

/// Sums side by side.
#[derive(Clone, Debug)]
pub(super) struct Sums<A: Arithmetic> {
    pub words: Vec<A::Word>,
    /// Empty where the arithmetic has none.
    marks: Vec<u32>,
}

impl<A: Arithmetic> Sums<A> {
    pub(super) fn new(arithmetic: &A, len: usize) -> Self {
        let marks = if A::MARKED { vec![0; len] } else { Vec::new() };
        Self { words: vec![arithmetic.start(); len], marks }
    }

    /// Makes all of them empty again.
    pub(super) fn clear(&mut self, arithmetic: &A) {
        self.words.fill(arithmetic.start());
        self.marks.fill(0);
    }

    /// Adds a product to each of `len` sums from `from` on.
    #[inline]
    pub(super) fn add(&mut self, from: usize, len: usize, products: impl Iterator<Item = A::Word>) {
        let marks = self.marks.get_mut(from..from + len).unwrap_or_default();
        A::add(&mut self.words[from..from + len], marks, products);
    }

    /// A finished sum, see [`Arithmetic::total`].
    #[inline]
    pub(super) fn total(&self, arithmetic: &A, index: usize) -> Option<f32> {
        arithmetic.total(self.words[index], self.marks.get(index).copied().unwrap_or(0))
    }
}
