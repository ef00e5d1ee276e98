//! Many output positions at once, one output channel after the other: for groups
//! with so few output channels that lines of them would be empty.
//!
//! Outputs side by side meet activations side by side (see [`Window`]). Where rows of
//! outputs are narrower than rows of a plane, the sums between them are computed too
//! and dropped.

use super::arithmetic::Arithmetic;
use super::lanes::{Kernel, Lanes, Line, Table, WIDTH};
use super::present::{Picked, Present, Stored, Tables};
use super::products::{ProductWords, Products};
use super::scaled::{Scaled, ScaledPlanes};
use super::sums::Sums;
use super::window::Window;
use crate::net::Geometry;

/// So many lines of a table are searched in registers.
const NEAR_LINES: usize = 8;
/// Of no more lines it is not worth it to leave any class out.
const FEW_LINES: usize = 4;
/// Lines of outputs whose sums are in registers together.
const BLOCK: usize = 4;

/// A layer's weights, and the products of each.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// Output channels of a group.
    outs: usize,
    /// `[output channel, mac]`.
    weights: Vec<f32>,
    /// Which of the tables is a weight's; empty where every product is a multiplication.
    tables_of: Vec<u32>,
    /// Products by class; none for weights that never hit.
    tables: Vec<Option<Table>>,
    /// Those of a `factored` memory.
    pub scaled: Option<Scaled>,
}

impl Sweep {
    /// A layer that multiplies everything.
    pub(super) fn plain(geometry: &Geometry, weights: &[f32]) -> Self {
        let outs = geometry.out_channels / geometry.groups;
        Self { outs, weights: weights.to_vec(), tables_of: Vec::new(), tables: Vec::new(), scaled: None }
    }

    /// A layer with stored products.
    pub(super) fn new<A: Arithmetic>(
        geometry: &Geometry,
        weights: &[f32],
        assignment: &[u32],
        products: &Products,
        words: &ProductWords,
    ) -> Self {
        let table = |(weight, stored): (usize, &Vec<u32>)| {
            let words = (0..stored.len()).map(|class| words.word(weight, class));
            (!stored.is_empty()).then(|| Table::new(words.collect(), A::MISS))
        };
        let tables = products.stored.iter().enumerate().map(table).collect();
        Self { tables_of: assignment.to_vec(), tables, ..Self::plain(geometry, weights) }
    }

    /// The same layer, which has such products.
    pub(super) fn with_scaled(self, scaled: Option<Scaled>) -> Self {
        Self { scaled, ..self }
    }
}

/// One run of a layer.
pub(super) struct SweepRun<'a, A> {
    pub arithmetic: &'a A,
    pub sweep: &'a Sweep,
    pub window: &'a Window,
    pub planes: &'a [u32],
    /// Of the elements of the planes; empty without tables, and where products are scaled.
    pub classes: &'a [u16],
    /// How many there are to choose from.
    pub class_count: usize,
    /// Whether a product may be a miss.
    pub misses: bool,
    /// Products that hold for all activations of the planes.
    pub scaled: Option<&'a Scaled>,
    /// After so many products sums are looked at.
    pub steps: usize,
    /// Whether each sum's mark is kept.
    pub keep_marks: bool,
}

impl<A: Arithmetic> Kernel for SweepRun<'_, A> {
    type Output = Sums;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Sums {
        let stored = Stored { tables: &self.sweep.tables, classes: self.classes };
        if !A::STORED {
            return self.sums(lanes, stored);
        }
        if let Some(scaled) = self.scaled {
            return self.sums(lanes, ScaledPlanes { arithmetic: self.arithmetic, scaled, planes: self.planes });
        }
        let few = u16::try_from(self.class_count).ok().filter(|count| usize::from(*count) <= FEW_LINES * WIDTH);
        let present = match few {
            Some(count) => Some(Present::all(self.classes, count)),
            None => Present::new(lanes, self.classes, NEAR_LINES * WIDTH),
        };
        let Some(present) = present else {
            return self.sums(lanes, stored);
        };
        match present.members.len().div_ceil(WIDTH).next_power_of_two() {
            1 => self.sums(lanes, Picked::<1>::new(&self.sweep.tables, &present)),
            2 => self.sums(lanes, Picked::<2>::new(&self.sweep.tables, &present)),
            4 => self.sums(lanes, Picked::<4>::new(&self.sweep.tables, &present)),
            _ => self.sums(lanes, Picked::<NEAR_LINES>::new(&self.sweep.tables, &present)),
        }
    }
}

impl<A: Arithmetic> SweepRun<'_, A> {
    #[inline(always)]
    fn sums<L: Lanes, T: Tables<L>>(&self, lanes: L, tables: T) -> Sums {
        let (bases, macs) = (&self.window.bases, self.window.offsets.len());
        let channels = self.sweep.weights.len() / macs;
        let mut sums = Sums::new(channels, bases.len(), self.keep_marks);
        // From the first output to the last, the gaps between rows included.
        let span = bases.last().map_or(0, |last| last + 1);
        let mut words = vec![[0; WIDTH]; span.div_ceil(WIDTH)];
        let mut marks = words.clone();
        for channel in 0..channels {
            let (whole, rest) = words.as_chunks_mut::<BLOCK>();
            let (whole_marks, rest_marks) = marks.as_chunks_mut::<BLOCK>();
            let first = whole.len() * BLOCK;
            for (index, (words, marks)) in whole.iter_mut().zip(whole_marks).enumerate() {
                (*words, *marks) = self.block(lanes, &tables, channel, index * BLOCK * WIDTH);
            }
            for (index, (words, marks)) in rest.iter_mut().zip(rest_marks).enumerate() {
                let ([found], [found_marks]) = self.block(lanes, &tables, channel, (first + index) * WIDTH);
                (*words, *marks) = (found, found_marks);
            }
            sums.put_channel::<A>(channel, bases, words.as_flattened(), marks.as_flattened());
        }
        sums
    }

    /// Sums and marks of lines side by side, from a place of a group's planes on.
    #[inline(always)]
    fn block<L: Lanes, T: Tables<L>, const LINES: usize>(
        &self,
        lanes: L,
        tables: &T,
        channel: usize,
        place: usize,
    ) -> ([Line; LINES], [Line; LINES]) {
        let offsets = &self.window.offsets[..];
        let first = channel / self.sweep.outs * self.window.group_size() + place;
        let mut sums = [lanes.splat(0); LINES];
        let mut marks = sums;
        let steps = if A::MARKED { self.steps } else { offsets.len() }.max(1);
        let mut weight = channel * offsets.len();
        for offsets in offsets.chunks(steps) {
            for offset in offsets {
                let products: [L::Words; LINES] = self.products(lanes, tables, weight, first + offset);
                for (sum, products) in sums.iter_mut().zip(&products) {
                    *sum = A::add_words(lanes, *sum, *products);
                }
                weight += 1;
            }
            if A::MARKED {
                for (mark, sum) in marks.iter_mut().zip(&sums) {
                    *mark = A::look(lanes, *mark, *sum);
                }
            }
        }
        let mut finished = ([[0; WIDTH]; LINES], [[0; WIDTH]; LINES]);
        for (finished, words) in finished.0.iter_mut().zip(&sums) {
            *finished = lanes.store(*words);
        }
        for (finished, words) in finished.1.iter_mut().zip(&marks) {
            *finished = lanes.store(*words);
        }
        finished
    }

    /// The products of a weight with lines of activations from a place of the planes on.
    #[inline(always)]
    fn products<L: Lanes, T: Tables<L>, const LINES: usize>(
        &self,
        lanes: L,
        tables: &T,
        weight: usize,
        at: usize,
    ) -> [L::Words; LINES] {
        let mut products = [lanes.splat(0); LINES];
        match self.sweep.tables_of.get(weight) {
            Some(table) if self.sweep.tables[*table as usize].is_some() => {
                let of_weight = tables.of_weight(lanes, *table as usize);
                for (line, products) in products.iter_mut().enumerate() {
                    let at = at + line * WIDTH;
                    *products = tables.look_up(lanes, &of_weight, at);
                    if self.misses && lanes.contains(*products, A::MISS) {
                        *products = lanes.replace(*products, A::MISS, self.exact(lanes, weight, at));
                    }
                }
            }
            _ => {
                for (line, products) in products.iter_mut().enumerate() {
                    *products = self.exact(lanes, weight, at + line * WIDTH);
                }
            }
        }
        products
    }

    /// The same of a weight that misses.
    #[inline(always)]
    fn exact<L: Lanes>(&self, lanes: L, weight: usize, at: usize) -> L::Words {
        let (activations, _) = self.planes[at..].as_chunks::<WIDTH>();
        let weights = lanes.splat(self.sweep.weights[weight].to_bits());
        self.arithmetic.multiply_words(lanes, weights, lanes.load(&activations[0]))
    }
}
