//! Where the products of a line of output channels come from.

use super::arithmetic::Arithmetic;
use super::lanes::{HALF_WIDTH, HalfLine, Lanes, Line, Table, WIDTH};
use super::packing::{Half, Packing, Whole};
use super::products::Products;
use std::array::from_fn;

/// The words of a table in registers are at most these lines.
const NEAR_LINES: usize = 8;
/// And at most these of halves: an instruction looks up in two.
const HALF_LINES: usize = 2;

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
    rows: Vec<Line>,
    /// For each class whether a row has a miss.
    misses: Vec<bool>,
    /// The weights, for misses.
    codebook: Vec<Line>,
}

impl ClassTable {
    pub(super) fn new<A: Arithmetic>(arithmetic: &A, classes: usize, products: &Products, codebook: &[f32]) -> Self {
        let word = |weight: usize, class: usize| products.word(arithmetic, codebook, weight, class);
        let lines = codebook.len().div_ceil(WIDTH).next_power_of_two();
        if lines > NEAR_LINES {
            let words = (0..classes).flat_map(|class| (0..codebook.len()).map(move |weight| word(weight, class)));
            return Self::Far(FarTable {
                words: Table::new(words.collect(), A::MISS),
                codebook: Table::new(codebook.iter().map(|weight| weight.to_bits()).collect(), 0),
                weights: codebook.len() as u32,
            });
        }
        // Places without a weight are not read, and no misses.
        let filled = |word: &dyn Fn(usize) -> u32, rest: u32| {
            let at = |index: usize| if index < codebook.len() { word(index) } else { rest };
            (0..lines).map(|line| from_fn(|lane| at(line * WIDTH + lane))).collect::<Vec<Line>>()
        };
        let rows: Vec<Line> =
            (0..classes).flat_map(|class| filled(&|weight| word(weight, class), A::NOTHING)).collect();
        let misses = rows.chunks_exact(lines).map(|row| row.as_flattened().contains(&A::MISS)).collect();
        Self::Near(NearTable { lines, rows, misses, codebook: filled(&|weight| codebook[weight].to_bits(), 0) })
    }
}

/// A table of halves, of which a row fits registers. What does not fit a half is cut short, misses
/// among it: whoever reads the table knows that no such product occurs.
#[derive(Clone, Debug)]
pub(super) struct HalfTable {
    /// Of a row: 1 or 2.
    pub lines: usize,
    /// `[class, line]`.
    rows: Vec<HalfLine>,
}

impl HalfTable {
    /// None for an arithmetic without halves, and for more weights than are looked up at once.
    pub(super) fn new<A: Arithmetic>(
        arithmetic: &A,
        classes: usize,
        products: &Products,
        codebook: &[f32],
    ) -> Option<Self> {
        let lines = codebook.len().div_ceil(HALF_WIDTH);
        if !arithmetic.fits_halves(0) || lines > HALF_LINES {
            return None;
        }
        let word = |class: usize, weight: usize| match weight < codebook.len() {
            true => products.word(arithmetic, codebook, weight, class),
            false => A::NOTHING,
        };
        let row = |class: usize| (0..lines).map(move |line| Half::line(|lane| word(class, line * HALF_WIDTH + lane)));
        Some(Self { lines, rows: (0..classes).flat_map(row).collect() })
    }
}

/// Products of an activation with lines of weights.
pub(super) trait Source<L: Lanes, P: Packing>: Copy {
    /// What an activation has for all weights.
    type Met: Copy;

    /// The activation at a place of the planes.
    fn meet(&self, lanes: L, at: usize) -> Self::Met;

    /// Its products with a line of weights, which are given by index where there is a
    /// table.
    fn products(&self, lanes: L, met: &Self::Met, weights: &P::Line) -> P::Words<L>;
}

/// Every product is a multiplication.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a, A> {
    pub arithmetic: &'a A,
    pub planes: &'a [u32],
}

impl<L: Lanes, A: Arithmetic> Source<L, Whole> for Plain<'_, A> {
    type Met = L::Words;

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> L::Words {
        lanes.splat(self.planes[at])
    }

    #[inline(always)]
    fn products(&self, lanes: L, met: &L::Words, weights: &Line) -> L::Words {
        self.arithmetic.multiply_words(lanes, lanes.load(weights), *met)
    }
}

/// Products from a [`NearTable`] of `N` lines. Where no activation has a miss, sums stay
/// in registers only if there is no code for misses beside them: `MISSES` says so.
#[derive(Clone, Copy)]
pub(super) struct Near<'a, A, const N: usize, const MISSES: bool> {
    plain: Plain<'a, A>,
    classes: &'a [u16],
    rows: &'a [[Line; N]],
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

impl<L: Lanes, A: Arithmetic, const N: usize, const MISSES: bool> Source<L, Whole> for Near<'_, A, N, MISSES> {
    type Met = [L::Words; N];

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> [L::Words; N] {
        let class = usize::from(self.classes[at]);
        let row = &self.rows[class];
        // No closures: they would be compiled without the unit's instructions.
        let mut words = [lanes.splat(0); N];
        for (words, row) in words.iter_mut().zip(row) {
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
    fn products(&self, lanes: L, met: &[L::Words; N], indices: &Line) -> L::Words {
        lanes.pick(met, lanes.load(indices))
    }
}

/// Products from a [`HalfTable`] of `N` lines.
#[derive(Clone, Copy)]
pub(super) struct NearHalves<'a, const N: usize> {
    classes: &'a [u16],
    rows: &'a [[HalfLine; N]],
}

impl<'a, const N: usize> NearHalves<'a, N> {
    #[inline(always)]
    pub(super) fn new(classes: &'a [u16], table: &'a HalfTable) -> Self {
        Self { classes, rows: table.rows.as_chunks::<N>().0 }
    }
}

impl<L: Lanes, const N: usize> Source<L, Half> for NearHalves<'_, N> {
    type Met = [L::Halves; N];

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> [L::Halves; N] {
        let row = &self.rows[usize::from(self.classes[at])];
        let mut halves = [Half::zero(lanes); N];
        for (halves, line) in halves.iter_mut().zip(row) {
            *halves = lanes.load_halves(line);
        }
        halves
    }

    #[inline(always)]
    fn products(&self, lanes: L, met: &[L::Halves; N], indices: &HalfLine) -> L::Halves {
        lanes.pick_halves(met, lanes.load_halves(indices))
    }
}

/// Products from a [`FarTable`].
#[derive(Clone, Copy)]
pub(super) struct Far<'a, A> {
    pub plain: Plain<'a, A>,
    pub classes: &'a [u16],
    pub table: &'a FarTable,
}

impl<L: Lanes, A: Arithmetic> Source<L, Whole> for Far<'_, A> {
    /// Where the row starts, and the activation.
    type Met = (L::Words, L::Words);

    #[inline(always)]
    fn meet(&self, lanes: L, at: usize) -> Self::Met {
        (lanes.splat(u32::from(self.classes[at]) * self.table.weights), lanes.splat(self.plain.planes[at]))
    }

    #[inline(always)]
    fn products(&self, lanes: L, (start, activation): &Self::Met, indices: &Line) -> L::Words {
        let indices = lanes.load(indices);
        let stored = lanes.gather(&self.table.words, lanes.add_i32(*start, indices));
        if !lanes.contains(stored, A::MISS) {
            return stored;
        }
        let weights = lanes.gather(&self.table.codebook, indices);
        lanes.replace(stored, A::MISS, self.plain.arithmetic.multiply_words(lanes, weights, *activation))
    }
}
