//! Many output channels at once, side by side in lines of words.
//!
//! All output channels of a group meet the same activation at the same position. Each
//! activation, in the order of the number rules, adds its products to their sums, and
//! the sums of a few lines and positions stay in registers from the first product to
//! the last.

use super::arithmetic::{Arithmetic, Sums};
use super::lanes::{Kernel, Lanes, Line, WIDTH};
use super::sources::{ClassTable, Far, Near, Plain, Source};
use super::window::Window;
use crate::net::Geometry;
use std::array::from_fn;

/// The weights of a layer, turned so that those of one activation lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    groups: usize,
    /// Output channels of a group.
    outs: usize,
    /// `[group, line of output channels, mac]`: the weights, or with a table their
    /// indices into the codebook.
    weights: Vec<Line>,
    table: Option<ClassTable>,
}

impl Blocks {
    /// A layer that multiplies everything.
    pub(super) fn plain(geometry: &Geometry, weights: &[f32]) -> Self {
        Self::with(geometry, |index| weights[index].to_bits(), None)
    }

    /// A layer with stored products.
    pub(super) fn new(geometry: &Geometry, assignment: &[u32], table: ClassTable) -> Self {
        Self::with(geometry, |index| assignment[index], Some(table))
    }

    fn with(geometry: &Geometry, word: impl Fn(usize) -> u32, table: Option<ClassTable>) -> Self {
        let (outs, macs) = (geometry.out_channels / geometry.groups, geometry.macs_per_output());
        let mut weights = Vec::with_capacity(geometry.groups * outs.div_ceil(WIDTH) * macs);
        for group in 0..geometry.groups {
            for first in (0..outs).step_by(WIDTH) {
                let channel = |lane: usize| (first + lane < outs).then_some(group * outs + first + lane);
                let line = |mac: usize| from_fn(|lane| channel(lane).map_or(0, |channel| word(channel * macs + mac)));
                weights.extend((0..macs).map(line));
            }
        }
        Self { groups: geometry.groups, outs, weights, table }
    }
}

/// One run of a layer.
pub(super) struct BlocksRun<'a, A> {
    pub arithmetic: &'a A,
    pub blocks: &'a Blocks,
    pub window: &'a Window,
    pub planes: &'a [u32],
    /// Of the elements of the planes; empty without a table.
    pub classes: &'a [u16],
    /// Whether each sum's mark is kept.
    pub keep_marks: bool,
}

impl<A: Arithmetic> Kernel for BlocksRun<'_, A> {
    type Output = Sums;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Sums {
        let (plain, classes) = (Plain { arithmetic: self.arithmetic, planes: self.planes }, self.classes);
        match &self.blocks.table {
            None => self.sums(lanes, plain),
            Some(ClassTable::Near(table)) => match (table.lines, table.misses(classes)) {
                (1, false) => self.sums(lanes, Near::<A, 1, false>::new(plain, classes, table)),
                (2, false) => self.sums(lanes, Near::<A, 2, false>::new(plain, classes, table)),
                (4, false) => self.sums(lanes, Near::<A, 4, false>::new(plain, classes, table)),
                (_, false) => self.sums(lanes, Near::<A, 8, false>::new(plain, classes, table)),
                (1, true) => self.sums(lanes, Near::<A, 1, true>::new(plain, classes, table)),
                (2, true) => self.sums(lanes, Near::<A, 2, true>::new(plain, classes, table)),
                (4, true) => self.sums(lanes, Near::<A, 4, true>::new(plain, classes, table)),
                (_, true) => self.sums(lanes, Near::<A, 8, true>::new(plain, classes, table)),
            },
            Some(ClassTable::Far(table)) => self.sums(lanes, Far { plain, classes, table }),
        }
    }
}

impl<A: Arithmetic> BlocksRun<'_, A> {
    #[inline(always)]
    fn sums<L: Lanes, S: Source<L>>(&self, lanes: L, source: S) -> Sums {
        let (groups, outs) = (self.blocks.groups, self.blocks.outs);
        let mut sums = Sums::new(groups * outs, self.window.bases.len(), self.keep_marks);
        let mut channel = 0;
        while channel < groups * outs {
            let left = outs - channel % outs;
            // Registers hold the sums of so many lines and positions.
            if left > 3 * WIDTH {
                self.strip::<L, S, 4, 2>(lanes, source, channel, &mut sums);
            } else {
                self.strip::<L, S, 1, 4>(lanes, source, channel, &mut sums);
            }
            channel += left.min(if left > 3 * WIDTH { 4 * WIDTH } else { WIDTH });
        }
        sums
    }

    /// All positions of `LINES` lines of output channels.
    #[inline(always)]
    fn strip<L: Lanes, S: Source<L>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        channel: usize,
        sums: &mut Sums,
    ) {
        let (bases, rest) = self.window.bases.as_chunks::<POSITIONS>();
        for (index, bases) in bases.iter().enumerate() {
            self.tile::<L, S, LINES, POSITIONS>(lanes, source, channel, index * POSITIONS, bases, sums);
        }
        let first = self.window.bases.len() - rest.len();
        for (index, base) in rest.iter().enumerate() {
            self.tile::<L, S, LINES, 1>(lanes, source, channel, first + index, &[*base], sums);
        }
    }

    /// `LINES` lines of output channels from `channel` on, at `POSITIONS` positions from
    /// `position` on.
    #[inline(always)]
    fn tile<L: Lanes, S: Source<L>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        channel: usize,
        position: usize,
        bases: &[usize; POSITIONS],
        sums: &mut Sums,
    ) {
        let (outs, offsets) = (self.blocks.outs, &self.window.offsets[..]);
        let (group, local) = (channel / outs, channel % outs);
        let lines = outs.div_ceil(WIDTH);
        // Lines that a group does not have repeat its last one, and are dropped.
        let mut weights = [&self.blocks.weights[..0]; LINES];
        for (index, weights) in weights.iter_mut().enumerate() {
            let line = group * lines + (local / WIDTH + index).min(lines - 1);
            *weights = &self.blocks.weights[line * offsets.len()..][..offsets.len()];
        }
        let mut bases = *bases;
        for base in &mut bases {
            *base += group * self.window.group_size();
        }
        let empty = (lanes.splat(self.arithmetic.start()), lanes.splat(0));
        let mut tile = [[empty; LINES]; POSITIONS];
        for (mac, offset) in offsets.iter().enumerate() {
            for (base, tile) in bases.iter().zip(&mut tile) {
                // A place that wrapped would be out of bounds as well.
                let met = source.meet(lanes, base.wrapping_add(*offset));
                for (sums, weights) in tile.iter_mut().zip(&weights) {
                    *sums = A::add_words(lanes, *sums, source.products(lanes, &met, &weights[mac]));
                }
            }
        }
        for (at, tile) in tile.iter().enumerate() {
            for (line, (words, marks)) in tile.iter().enumerate() {
                let first = local + line * WIDTH;
                let count = outs.saturating_sub(first).min(WIDTH);
                let (words, marks) = (lanes.store(*words), lanes.store(*marks));
                sums.put::<A>(channel + line * WIDTH, position + at, &words[..count], &marks[..count]);
            }
        }
    }
}
