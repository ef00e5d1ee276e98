//! Many output channels at once, side by side in lines of words.
//!
//! All output channels of a group meet the same activation at the same position. Each
//! activation, in the order of the number rules, adds its products to their sums, and
//! the sums of a few lines and positions stay in registers from the first product to
//! the last.

use super::arithmetic::Arithmetic;
use super::by_rule::ByRule;
use super::classes::Classes;
use super::hit_table::{HitTable, Hits, Magnitudes};
use super::lanes::{Aligned, Kernel, Lanes};
use super::packing::{Half, Packing, Whole};
use super::powers::{PowerTable, Powers};
use super::products::ProductWords;
use super::sources::{ClassTable, Far, Near, Plain, Source};
use super::sums::Sums;
use super::window::{Extremes, Window};
use crate::net::Geometry;
use std::array::from_fn;

/// Lines of a table in which an instruction finds halves.
const HALF_LINES: usize = 2;
/// Lines of words that are searched in registers, by magnitude.
const WHOLE_LINES: usize = 4;
/// Lines in which an instruction finds words.
const VALUE_LINES: usize = 2;

/// The weights of a layer, turned so that those of one activation lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    whole: Strips<Whole>,
    table: Option<ClassTable>,
    hits: HitTables,
}

/// The same for runs in which all pairs hit, where there is a faster way.
#[derive(Clone, Debug)]
enum HitTables {
    None,
    /// Sums fit halves.
    Halves(Strips<Half>, HitTable<Half>),
    /// Weights of few significands.
    Powers(Strips<Whole>, PowerTable),
    /// Weights by magnitude.
    Magnitudes(Strips<Whole>, HitTable<Whole>),
}

/// The weights in one packing.
#[derive(Clone, Debug)]
struct Strips<P: Packing> {
    /// Output channels of a group.
    outs: usize,
    strips: Vec<Strip<P>>,
}

/// Output channels of a group whose sums are in registers together.
#[derive(Clone, Debug)]
struct Strip<P: Packing> {
    /// The first one, of all groups.
    channel: usize,
    /// How many there are.
    count: usize,
    weights: StripWeights<P>,
}

/// The weights by mac, or with a table their indices into the codebook. Registers hold the
/// sums of so many lines, each at some positions.
#[derive(Clone, Debug)]
enum StripWeights<P: Packing> {
    One(Vec<Aligned<[P::Line; 1]>>),
    Two(Vec<Aligned<[P::Line; 2]>>),
    Four(Vec<Aligned<[P::Line; 4]>>),
}

impl Blocks {
    /// A layer that multiplies everything.
    pub(super) fn plain(geometry: &Geometry, weights: &[f32]) -> Self {
        let whole = Strips::new(geometry, |index| weights[index].to_bits());
        Self { whole, table: None, hits: HitTables::None }
    }

    /// A layer with stored products.
    pub(super) fn new<A: Arithmetic>(
        arithmetic: &A,
        geometry: &Geometry,
        products: &ProductWords,
        classes: &Classes,
        rule: &ByRule,
    ) -> Self {
        let ByRule { codebook, assignment, .. } = rule;
        let hits = HitTables::new(arithmetic, geometry, products, classes, rule);
        let table = ClassTable::new::<A>(products, codebook);
        Self { whole: Strips::new(geometry, |index| assignment[index]), table: Some(table), hits }
    }
}

impl HitTables {
    fn new<A: Arithmetic>(
        arithmetic: &A,
        geometry: &Geometry,
        products: &ProductWords,
        classes: &Classes,
        rule: &ByRule,
    ) -> Self {
        let ByRule { codebook, assignment, .. } = rule;
        // Few values are found as soon as their magnitudes.
        let many = codebook.len() > VALUE_LINES * Whole::WIDTH;
        let magnitudes = || if many { Magnitudes::new(arithmetic, products, codebook) } else { None };
        if arithmetic.fits_halves()
            && let Some(table) = HitTable::<Half>::new::<A>(products, magnitudes().as_ref(), HALF_LINES)
        {
            return Self::Halves(Strips::new(geometry, |index| table.weight(assignment[index])), table);
        }
        if many && let Some(table) = PowerTable::new(arithmetic, products, classes, rule) {
            return Self::Powers(Strips::new(geometry, |index| table.weight(assignment[index])), table);
        }
        let folded = magnitudes();
        match folded.and_then(|folded| HitTable::<Whole>::new::<A>(products, Some(&folded), WHOLE_LINES)) {
            Some(table) if table.signed => {
                Self::Magnitudes(Strips::new(geometry, |index| table.weight(assignment[index])), table)
            }
            _ => Self::None,
        }
    }
}

impl<P: Packing> Strips<P> {
    fn new(geometry: &Geometry, word: impl Fn(usize) -> u32) -> Self {
        let (outs, macs) = (geometry.out_channels / geometry.groups, geometry.macs_per_output());
        let mut strips = Vec::new();
        for group in 0..geometry.groups {
            let mut first = 0;
            while first < outs {
                let left = outs - first;
                let lines = match left.div_ceil(P::WIDTH) {
                    1 => 1,
                    2 | 3 => 2,
                    _ => 4,
                };
                let (channel, count) = (group * outs + first, left.min(lines * P::WIDTH));
                let line = |mac: usize, line: usize| {
                    let of_lane = |lane: usize| line * P::WIDTH + lane;
                    P::line(|lane| match of_lane(lane) < count {
                        true => word((channel + of_lane(lane)) * macs + mac),
                        false => 0,
                    })
                };
                let weights = match lines {
                    1 => StripWeights::One((0..macs).map(|mac| Aligned(from_fn(|index| line(mac, index)))).collect()),
                    2 => StripWeights::Two((0..macs).map(|mac| Aligned(from_fn(|index| line(mac, index)))).collect()),
                    _ => StripWeights::Four((0..macs).map(|mac| Aligned(from_fn(|index| line(mac, index)))).collect()),
                };
                strips.push(Strip { channel, count, weights });
                first += count;
            }
        }
        Self { outs, strips }
    }
}

/// One run of a layer.
pub(super) struct BlocksRun<'a, A> {
    pub arithmetic: &'a A,
    pub blocks: &'a Blocks,
    pub window: &'a Window,
    pub planes: &'a [u32],
    pub extremes: &'a Extremes,
    /// Of the elements of the planes; empty without a table.
    pub classes: &'a [u16],
    /// After so many products sums are looked at.
    pub steps: usize,
    /// Whether a product may be a miss.
    pub misses: bool,
    /// Whether each sum's mark is kept.
    pub keep_marks: bool,
    /// Whether all pairs hit, and none moves a sum so far that it must be looked at at once.
    pub hits: bool,
}

impl<A: Arithmetic> Kernel for BlocksRun<'_, A> {
    type Output = Sums;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Sums {
        let (plain, classes) = (Plain { arithmetic: self.arithmetic, planes: self.planes }, self.classes);
        let whole = &self.blocks.whole;
        if !A::STORED {
            return self.sums(lanes, whole, plain);
        }
        if self.hits {
            match &self.blocks.hits {
                HitTables::Halves(strips, table) if A::HALVES => {
                    return match (table.lines, table.signed) {
                        (1, false) => self.sums(lanes, strips, Hits::<Half, 1, false>::new(classes, table)),
                        (1, true) => self.sums(lanes, strips, Hits::<Half, 1, true>::new(classes, table)),
                        (_, false) => self.sums(lanes, strips, Hits::<Half, HALF_LINES, false>::new(classes, table)),
                        (_, true) => self.sums(lanes, strips, Hits::<Half, HALF_LINES, true>::new(classes, table)),
                    };
                }
                HitTables::Powers(strips, table) if table.holds(self.extremes) => {
                    return self.sums(lanes, strips, Powers { classes, table });
                }
                HitTables::Magnitudes(strips, table) => {
                    return match table.lines {
                        1 => self.sums(lanes, strips, Hits::<Whole, 1, true>::new(classes, table)),
                        2 => self.sums(lanes, strips, Hits::<Whole, 2, true>::new(classes, table)),
                        _ => self.sums(lanes, strips, Hits::<Whole, WHOLE_LINES, true>::new(classes, table)),
                    };
                }
                _ => {}
            }
        }
        match &self.blocks.table {
            None => self.sums(lanes, whole, plain),
            Some(ClassTable::Near(table)) => match (table.lines, self.misses) {
                (1, false) => self.sums(lanes, whole, Near::<A, 1, false>::new(plain, classes, table)),
                (2, false) => self.sums(lanes, whole, Near::<A, 2, false>::new(plain, classes, table)),
                (4, false) => self.sums(lanes, whole, Near::<A, 4, false>::new(plain, classes, table)),
                (_, false) => self.sums(lanes, whole, Near::<A, 8, false>::new(plain, classes, table)),
                (1, true) => self.sums(lanes, whole, Near::<A, 1, true>::new(plain, classes, table)),
                (2, true) => self.sums(lanes, whole, Near::<A, 2, true>::new(plain, classes, table)),
                (4, true) => self.sums(lanes, whole, Near::<A, 4, true>::new(plain, classes, table)),
                (_, true) => self.sums(lanes, whole, Near::<A, 8, true>::new(plain, classes, table)),
            },
            Some(ClassTable::Far(table)) => self.sums(lanes, whole, Far { plain, classes, table }),
        }
    }
}

impl<A: Arithmetic> BlocksRun<'_, A> {
    #[inline(always)]
    fn sums<L: Lanes, P: Packing, S: Source<L, A, P>>(&self, lanes: L, strips: &Strips<P>, source: S) -> Sums {
        let channels = strips.strips.last().map_or(0, |strip| strip.channel + strip.count);
        let mut sums = Sums::new(channels, self.window.bases.len(), self.keep_marks);
        for strip in &strips.strips {
            let first = strip.channel / strips.outs * self.window.group_size();
            match &strip.weights {
                StripWeights::One(weights) => {
                    self.strip::<L, P, S, 1, 4>(lanes, source, strip, first, weights, &mut sums)
                }
                StripWeights::Two(weights) => {
                    self.strip::<L, P, S, 2, 4>(lanes, source, strip, first, weights, &mut sums)
                }
                StripWeights::Four(weights) => {
                    self.strip::<L, P, S, 4, 2>(lanes, source, strip, first, weights, &mut sums)
                }
            }
        }
        sums
    }

    /// All positions of a strip, whose group's planes start at `first`.
    #[inline(always)]
    fn strip<L: Lanes, P: Packing, S: Source<L, A, P>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        strip: &Strip<P>,
        first: usize,
        weights: &[Aligned<[P::Line; LINES]>],
        sums: &mut Sums,
    ) {
        let (bases, rest) = self.window.bases.as_chunks::<POSITIONS>();
        for (index, bases) in bases.iter().enumerate() {
            let bases = bases.map(|base| first + base);
            self.tile::<L, P, S, LINES, POSITIONS>(lanes, source, strip, weights, index * POSITIONS, bases, sums);
        }
        let position = self.window.bases.len() - rest.len();
        for (index, base) in rest.iter().enumerate() {
            self.tile::<L, P, S, LINES, 1>(lanes, source, strip, weights, position + index, [first + base], sums);
        }
    }

    /// A strip at `POSITIONS` positions from `position` on.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "what they are together has no name")]
    fn tile<L: Lanes, P: Packing, S: Source<L, A, P>, const LINES: usize, const POSITIONS: usize>(
        &self,
        lanes: L,
        source: S,
        strip: &Strip<P>,
        weights: &[Aligned<[P::Line; LINES]>],
        position: usize,
        bases: [usize; POSITIONS],
        sums: &mut Sums,
    ) {
        let mut tile = [[P::zero(lanes); LINES]; POSITIONS];
        let mut marks = tile;
        let steps = if A::MARKED { self.steps } else { weights.len() }.max(1);
        for (weights, offsets) in weights.chunks(steps).zip(self.window.offsets.chunks(steps)) {
            for (Aligned(weights), offset) in weights.iter().zip(offsets) {
                for (base, tile) in bases.iter().zip(&mut tile) {
                    // A place that wrapped would be out of bounds as well.
                    let met = source.meet(lanes, base.wrapping_add(*offset));
                    for (sums, weights) in tile.iter_mut().zip(weights) {
                        *sums = source.add(lanes, *sums, &met, weights);
                    }
                }
            }
            for tile in &mut tile {
                for sums in tile {
                    *sums = source.settle(lanes, *sums, weights.len());
                }
            }
            if A::MARKED {
                for (marks, sums) in marks.iter_mut().zip(&tile) {
                    for (mark, sum) in marks.iter_mut().zip(sums) {
                        *mark = P::look::<A, L>(lanes, *mark, *sum);
                    }
                }
            }
        }
        // In two steps: sums that the second one reads at a computed place would be in memory all along.
        let none = P::store(lanes, P::zero(lanes));
        let mut finished = [[(none, none); LINES]; POSITIONS];
        for (finished, (tile, marks)) in finished.iter_mut().zip(tile.iter().zip(&marks)) {
            for (finished, (words, marks)) in finished.iter_mut().zip(tile.iter().zip(marks)) {
                *finished = (P::store(lanes, *words), P::store(lanes, *marks));
            }
        }
        for (at, finished) in finished.iter().enumerate() {
            for (line, (words, marks)) in finished.iter().enumerate() {
                let count = strip.count.saturating_sub(line * P::WIDTH).min(P::WIDTH);
                let (words, marks) = (&words.as_ref()[..count], &marks.as_ref()[..count]);
                sums.put::<A>(strip.channel + line * P::WIDTH, position + at, words, marks);
            }
        }
    }
}
