//! Many output positions at once, one output channel after the other: for groups
//! with so few output channels that lines of them would be empty.
//!
//! Outputs side by side meet activations side by side (see [`Window`]). Where rows of
//! outputs are narrower than rows of a plane, the sums between them are computed too
//! and dropped.

use super::arithmetic::{Arithmetic, Sums};
use super::lanes::{Kernel, Lanes, Table, WIDTH};
use super::present::{Picked, Present, Stored, Tables};
use super::products::Products;
use super::window::Window;
use crate::net::Geometry;

/// So many lines of a table are searched in registers.
const NEAR_LINES: usize = 8;

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
}

impl Sweep {
    /// A layer that multiplies everything.
    pub(super) fn plain(geometry: &Geometry, weights: &[f32]) -> Self {
        let outs = geometry.out_channels / geometry.groups;
        Self { outs, weights: weights.to_vec(), tables_of: Vec::new(), tables: Vec::new() }
    }

    /// A layer with stored products.
    pub(super) fn new<A: Arithmetic>(
        arithmetic: &A,
        geometry: &Geometry,
        weights: &[f32],
        codebook: &[f32],
        assignment: &[u32],
        products: &Products,
    ) -> Self {
        let table = |(weight, stored): (usize, &Vec<u32>)| {
            let words = (0..stored.len()).map(|class| products.word(arithmetic, codebook, weight, class));
            (!stored.is_empty()).then(|| Table::new(words.collect(), A::MISS))
        };
        let tables = products.stored.iter().enumerate().map(table).collect();
        Self { tables_of: assignment.to_vec(), tables, ..Self::plain(geometry, weights) }
    }
}

/// One run of a layer.
pub(super) struct SweepRun<'a, A> {
    pub arithmetic: &'a A,
    pub sweep: &'a Sweep,
    pub window: &'a Window,
    pub planes: &'a [u32],
    /// Of the elements of the planes; empty without tables.
    pub classes: &'a [u16],
    /// Whether each sum's mark is kept.
    pub keep_marks: bool,
}

impl<A: Arithmetic> Kernel for SweepRun<'_, A> {
    type Output = Sums;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Sums {
        let Some(present) = Present::new(lanes, self.classes, NEAR_LINES * WIDTH) else {
            return self.sums(lanes, Stored { tables: &self.sweep.tables, classes: self.classes });
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
    fn sums<L: Lanes, T: Tables>(&self, lanes: L, tables: T) -> Sums {
        let (outs, bases, offsets) = (self.sweep.outs, &self.window.bases, &self.window.offsets);
        let channels = self.sweep.weights.len() / offsets.len();
        let mut sums = Sums::new(channels, bases.len(), self.keep_marks);
        // From the first output to the last, the gaps between rows included.
        let span = bases.last().map_or(0, |last| last + 1);
        let mut words = vec![[0; WIDTH]; span.div_ceil(WIDTH)];
        let mut marks = words.clone();
        for channel in 0..channels {
            let first = channel / outs * self.window.group_size();
            for (index, (words, marks)) in words.iter_mut().zip(&mut marks).enumerate() {
                let mut sum = (lanes.splat(self.arithmetic.start()), lanes.splat(0));
                for (mac, offset) in offsets.iter().enumerate() {
                    let at = first + index * WIDTH + offset;
                    sum = A::add_words(lanes, sum, self.products(lanes, &tables, channel * offsets.len() + mac, at));
                }
                (*words, *marks) = (lanes.store(sum.0), lanes.store(sum.1));
            }
            sums.put_channel::<A>(channel, bases, words.as_flattened(), marks.as_flattened());
        }
        sums
    }

    /// The products of a weight with the activations from a place of the planes on.
    #[inline(always)]
    fn products<L: Lanes, T: Tables>(&self, lanes: L, tables: &T, weight: usize, at: usize) -> L::Words {
        let stored = match self.sweep.tables_of.get(weight) {
            Some(table) if self.sweep.tables[*table as usize].is_some() => tables.look_up(lanes, *table as usize, at),
            _ => return self.exact(lanes, weight, at),
        };
        if !lanes.contains(stored, A::MISS) {
            return stored;
        }
        lanes.replace(stored, A::MISS, self.exact(lanes, weight, at))
    }

    /// The same of a weight that misses.
    #[inline(always)]
    fn exact<L: Lanes>(&self, lanes: L, weight: usize, at: usize) -> L::Words {
        let (activations, _) = self.planes[at..].as_chunks::<WIDTH>();
        let weights = lanes.splat(self.sweep.weights[weight].to_bits());
        self.arithmetic.multiply_words(lanes, weights, lanes.load(&activations[0]))
    }
}
