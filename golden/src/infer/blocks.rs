//! Many output channels at once, side by side in lines of words.
//!
//! All output channels of a group meet the same activation at the same position. Each
//! activation, in the order of the number rules, adds its products to their sums, and
//! the sums of a few lines and positions stay in registers from the first product to
//! the last.

use super::arithmetic::Arithmetic;
use super::lanes::{Kernel, Lanes, Line, WIDTH};
use super::sources::{ClassTable, Far, Near, Plain, Source};
use super::sums::Sums;
use super::window::Window;
use crate::net::Geometry;
use std::array::from_fn;

/// The weights of a layer, turned so that those of one activation lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// Output channels of a group.
    outs: usize,
    strips: Vec<Strip>,
    table: Option<ClassTable>,
}

/// Output channels of a group whose sums are in registers together.
#[derive(Clone, Debug)]
struct Strip {
    /// The first one, of all groups.
    channel: usize,
    /// How many there are.
    count: usize,
    weights: StripWeights,
}

/// The weights by mac, or with a table their indices into the codebook. Registers hold the
/// sums of so many lines, each at some positions.
#[derive(Clone, Debug)]
enum StripWeights {
    One(Vec<[Line; 1]>),
    Two(Vec<[Line; 2]>),
    Four(Vec<[Line; 4]>),
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
        let mut strips = Vec::new();
        for group in 0..geometry.groups {
            let mut first = 0;
            while first < outs {
                let left = outs - first;
                let lines = match left.div_ceil(WIDTH) {
                    1 => 1,
                    2 | 3 => 2,
                    _ => 4,
                };
                let (channel, count) = (group * outs + first, left.min(lines * WIDTH));
                let line = |mac: usize, line: usize| -> Line {
                    let of_lane = |lane: usize| line * WIDTH + lane;
                    from_fn(|lane| match of_lane(lane) < count {
                        true => word((channel + of_lane(lane)) * macs + mac),
                        false => 0,
                    })
                };
                let weights = match lines {
                    1 => StripWeights::One((0..macs).map(|mac| from_fn(|index| line(mac, index))).collect()),
                    2 => StripWeights::Two((0..macs).map(|mac| from_fn(|index| line(mac, index))).collect()),
                    _ => StripWeights::Four((0..macs).map(|mac| from_fn(|index| line(mac, index))).collect()),
                };
                strips.push(Strip { channel, count, weights });
                first += count;
            }
        }
        Self { outs, strips, table }
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
    /// After so many products sums are looked at.
    pub steps: usize,
    /// Whether a product may be a miss.
    pub misses: bool,
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
            Some(ClassTable::Near(table)) => match (table.lines, self.misses) {
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
        let channels = self.blocks.strips.last().map_or(0, |strip| strip.channel + strip.count);
        let mut sums = Sums::new(channels, self.window.bases.len(), self.keep_marks);
        for strip in &self.blocks.strips {
            match &strip.weights {
                StripWeights::One(weights) => self.strip::<L, S, 1, 4>(lanes, source, strip, weights, &mut sums),
                StripWeights::Two(weights) => self.strip::<L, S, 2, 4>(lanes, source, strip, weights, &mut sums),
                StripWeights::Four(weights) => self.strip::<L, S, 4, 2>(lanes, source, strip, weights, &mut sums),
            }
        }
        sums
    }

    /// All positions of a strip.
    #[inline(always)]
    fn strip<L: Lanes, S: Source<L>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        strip: &Strip,
        weights: &[[Line; LINES]],
        sums: &mut Sums,
    ) {
        let (bases, rest) = self.window.bases.as_chunks::<POSITIONS>();
        for (index, bases) in bases.iter().enumerate() {
            self.tile::<L, S, LINES, POSITIONS>(lanes, source, strip, weights, index * POSITIONS, bases, sums);
        }
        let first = self.window.bases.len() - rest.len();
        for (index, base) in rest.iter().enumerate() {
            self.tile::<L, S, LINES, 1>(lanes, source, strip, weights, first + index, &[*base], sums);
        }
    }

    /// A strip at `POSITIONS` positions from `position` on.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what they are together has no name")]
    fn tile<L: Lanes, S: Source<L>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        strip: &Strip,
        weights: &[[Line; LINES]],
        position: usize,
        bases: &[usize; POSITIONS],
        sums: &mut Sums,
    ) {
        let mut bases = *bases;
        for base in &mut bases {
            *base += strip.channel / self.blocks.outs * self.window.group_size();
        }
        let mut tile = [[lanes.splat(0); LINES]; POSITIONS];
        let mut marks = tile;
        let steps = if A::MARKED { self.steps } else { weights.len() }.max(1);
        for (weights, offsets) in weights.chunks(steps).zip(self.window.offsets.chunks(steps)) {
            for (weights, offset) in weights.iter().zip(offsets) {
                for (base, tile) in bases.iter().zip(&mut tile) {
                    // A place that wrapped would be out of bounds as well.
                    let met = source.meet(lanes, base.wrapping_add(*offset));
                    for (sums, weights) in tile.iter_mut().zip(weights) {
                        *sums = A::add_words(lanes, *sums, source.products(lanes, &met, weights));
                    }
                }
            }
            if A::MARKED {
                for (marks, sums) in marks.iter_mut().zip(&tile) {
                    for (mark, sum) in marks.iter_mut().zip(sums) {
                        *mark = A::look(lanes, *mark, *sum);
                    }
                }
            }
        }
        // In two steps: sums that the second one reads at a computed place would be in memory all along.
        let mut finished = [[([0; WIDTH], [0; WIDTH]); LINES]; POSITIONS];
        for (finished, (tile, marks)) in finished.iter_mut().zip(tile.iter().zip(&marks)) {
            for (finished, (words, marks)) in finished.iter_mut().zip(tile.iter().zip(marks)) {
                *finished = (lanes.store(*words), lanes.store(*marks));
            }
        }
        for (at, finished) in finished.iter().enumerate() {
            for (line, (words, marks)) in finished.iter().enumerate() {
                let count = strip.count.saturating_sub(line * WIDTH).min(WIDTH);
                sums.put::<A>(strip.channel + line * WIDTH, position + at, &words[..count], &marks[..count]);
            }
        }
    }
}
