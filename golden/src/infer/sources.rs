//! Where the products of a line of output channels come from.

use super::arithmetic::Arithmetic;
use super::lanes::{Aligned, Lanes, Line, Table, WIDTH};
use super::packing::{Packing, Whole};
use super::products::ProductWords;
use std::array::from_fn;

/// The words of a table in registers are at most these lines.
const NEAR_LINES: usize = 8;

/// The products of a layer's memory, those of one class of activations side by side.
#[derive(Clone, Debug)]
pub(super) enum ClassTable {
    /// Few weights: a row is looked up in registers.
    Near(NearTable),
    /// Many weights: a row is looked up in memory.
    Far(FarTable),
}

/// A table of which a row does not fit registers.
#[derive(Clone, Debug)]
pub(super) struct FarTable {
    /// `[class, weight]`.
    words: Table,
    /// The weights, for misses.
    codebook: Table,
    /// How many they are.
    weights: u32,
}

/// A table of which a row fits registers.
#[derive(Clone, Debug)]
pub(super) struct NearTable {
    /// Of a row: a power of two.
    pub lines: usize,
    /// `[class, line]`.
    rows: Vec<Aligned<Line>>,
    /// For each class whether a row has a miss.
    misses: Vec<bool>,
    /// The weights, for misses.
    codebook: Vec<Line>,
}

impl ClassTable {
    pub(super) fn new<A: Arithmetic>(products: &ProductWords, codebook: &[f32]) -> Self {
        let lines = codebook.len().div_ceil(WIDTH).next_power_of_two();
        let weights = codebook.iter().map(|weight| weight.to_bits());
        if lines > NEAR_LINES {
            return Self::Far(FarTable {
                words: Table::new(products.by_class().flatten().copied().collect(), A::MISS),
                codebook: Table::new(weights.collect(), 0),
                weights: codebook.len() as u32,
            });
        }
        // Places without a weight are not read, and no misses.
        let at = |words: &[u32], index: usize| words.get(index).copied().unwrap_or(A::NOTHING);
        let mut rows = Vec::with_capacity(products.classes() * lines);
        for words in products.by_class() {
            rows.extend((0..lines).map(|line| Aligned(from_fn(|lane| at(words, line * WIDTH + lane)))));
        }
        let misses = products.by_class().map(|words| words.contains(&A::MISS)).collect();
        let mut codebook = vec![[0; WIDTH]; lines];
        codebook.as_flattened_mut().iter_mut().zip(weights).for_each(|(slot, weight)| *slot = weight);
        Self::Near(NearTable { lines, rows, misses, codebook })
    }
}

/// Products of an activation with lines of weights.
pub(super) trait Source<L: Lanes, A: Arithmetic, P: Packing>: Copy {
    /// What an activation has for all weights.
    type Met: Copy;

    /// The activation at a place of the planes.
    fn meet(&self, lanes: L, at: usize) -> Self::Met;

    /// Sums with its products with a line of weights added, which are given by index where
    /// there is a table.
    fn add(&self, lanes: L, sums: P::Words<L>, met: &Self::Met, weights: &P::Line) -> P::Words<L>;

    /// Sums as they are, of what `count` additions have made of them.
    #[inline(always)]
    fn settle(&self, lanes: L, sums: P::Words<L>, count: usize) -> P::Words<L> {
        let _ = (lanes, count);
        sums
    }
}

/// Every product is a multiplication.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a, A> {
    pub arithmetic: &'a A,
    pub planes: &'a [u32],
}

impl<L: Lanes, A: Arithmetic> Source<L, A, Whole> for Plain<'_, A> {
    type Met = L::Words;

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> L::Words {
        lanes.splat(self.planes[at])
    }

    #[inline(always)]
    fn add(&self, lanes: L, sums: L::Words, met: &L::Words, weights: &Line) -> L::Words {
        A::add_words(lanes, sums, self.arithmetic.multiply_words(lanes, lanes.load(weights), *met))
    }
}

/// Products from a [`NearTable`] of `N` lines. Where no activation has a miss, sums stay
/// in registers only if there is no code for misses beside them: `MISSES` says so.
#[derive(Clone, Copy)]
pub(super) struct Near<'a, A, const N: usize, const MISSES: bool> {
    plain: Plain<'a, A>,
    classes: &'a [u16],
    rows: &'a [[Aligned<Line>; N]],
    misses: &'a [bool],
    codebook: &'a [Line],
}

impl<'a, A, const N: usize, const MISSES: bool> Near<'a, A, N, MISSES> {
    #[inline(always)]
    pub(super) fn new(plain: Plain<'a, A>, classes: &'a [u16], table: &'a NearTable) -> Self {
        let (rows, _) = table.rows.as_chunks::<N>();
        // As many as there are rows: one comparison keeps a class within both.
        let misses = &table.misses[..rows.len()];
        Self { plain, classes, rows, misses, codebook: &table.codebook }
    }
}

impl<L: Lanes, A: Arithmetic, const N: usize, const MISSES: bool> Source<L, A, Whole> for Near<'_, A, N, MISSES> {
    type Met = [L::Words; N];

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> [L::Words; N] {
        let class = usize::from(self.classes[at]);
        let row = &self.rows[class];
        // No closures: they would be compiled without the unit's instructions.
        let mut words = [lanes.splat(0); N];
        for (words, Aligned(row)) in words.iter_mut().zip(row) {
            *words = lanes.load(row);
        }
        if MISSES && self.misses[class] {
            let activation = lanes.splat(self.plain.planes[at]);
            for (words, weights) in words.iter_mut().zip(self.codebook) {
                let exact = self.plain.arithmetic.multiply_words(lanes, lanes.load(weights), activation);
                *words = lanes.replace(*words, A::MISS, exact);
            }
        }
        words
    }

    #[inline(always)]
    fn add(&self, lanes: L, sums: L::Words, met: &[L::Words; N], indices: &Line) -> L::Words {
        A::add_words(lanes, sums, lanes.pick(met, lanes.load(indices)))
    }
}

/// Products from a [`FarTable`].
#[derive(Clone, Copy)]
pub(super) struct Far<'a, A> {
    pub plain: Plain<'a, A>,
    pub classes: &'a [u16],
    pub table: &'a FarTable,
}

impl<L: Lanes, A: Arithmetic> Source<L, A, Whole> for Far<'_, A> {
    /// Where the row starts, and the activation.
    type Met = (L::Words, L::Words);

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> Self::Met {
        (lanes.splat(u32::from(self.classes[at]) * self.table.weights), lanes.splat(self.plain.planes[at]))
    }

    #[inline(always)]
    fn add(&self, lanes: L, sums: L::Words, (start, activation): &Self::Met, indices: &Line) -> L::Words {
        let indices = lanes.load(indices);
        let stored = lanes.gather(&self.table.words, lanes.add_i32(*start, indices));
        if !lanes.contains(stored, A::MISS) {
            return A::add_words(lanes, sums, stored);
        }
        let weights = lanes.gather(&self.table.codebook, indices);
        let exact = self.plain.arithmetic.multiply_words(lanes, weights, *activation);
        A::add_words(lanes, sums, lanes.replace(stored, A::MISS, exact))
    }
}
