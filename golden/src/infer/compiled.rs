//! A layer's sums in one arithmetic, all of its outputs together.

use super::arithmetic::{Arithmetic, Peak};
use super::blocks::{Blocks, BlocksRun};
use super::by_rule::ByRule;
use super::classes::{Classes, ClassesOf};
use super::counts::{self, CountOf, Counts};
use super::lanes::{Kernel, Lanes, Level, WIDTH};
use super::products::{ProductWords, Products, stored_pairs};
use super::reach::{FAR, Reach, ReachBetween};
use super::scaled::Scaled;
use super::sign_folded::SignFolded;
use super::stats::LayerStats;
use super::sums::Sums;
use super::sweep::{Sweep, SweepRun};
use super::window::{ExtremesOf, Window};
use crate::net::{Geometry, Layout};
use axp_spec::{AmImage, AmRow, GridConfig, Organisation};

/// A line of products from a memory takes so many times as long where each activation
/// is another one as where all are one.
const GATHER: usize = 6;

/// The order in which products are made. Both give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Output channels side by side: see [`Blocks`].
    Blocks,
    /// Output positions side by side: see [`Sweep`].
    Sweep,
}

impl Order {
    /// The one that takes less time.
    fn of(geometry: &Geometry, window: &Window, memory: bool) -> Self {
        let lines = (geometry.out_channels / geometry.groups).div_ceil(WIDTH) * geometry.groups;
        let span = window.bases.last().map_or(0, |last| last + 1);
        let sweep = geometry.out_channels * span.div_ceil(WIDTH) * if memory { GATHER } else { 1 };
        if sweep < lines * geometry.positions() { Self::Sweep } else { Self::Blocks }
    }
}

/// A layer's weights in one of the orders.
#[derive(Debug)]
enum Shape {
    Blocks(Blocks),
    Sweep(Sweep),
}

/// What tells hits from misses.
#[derive(Debug)]
struct Memory {
    classes: Classes,
    counts: Counts,
    reach: Reach,
}

/// The sums of a layer.
#[derive(Debug)]
pub(super) struct Compiled<A: Arithmetic> {
    arithmetic: A,
    geometry: Geometry,
    window: Window,
    shape: Shape,
    memory: Option<Memory>,
}

/// What a run gives: the sums of all outputs, without bias, and the flat indices of
/// those that are left to the number rules.
pub(super) struct Totals {
    pub sums: Vec<f32>,
    pub open: Vec<usize>,
    pub stats: LayerStats,
}

/// A stored word, the sign that a grid gives it, and what it adds to a sum.
pub(super) type Word<'a> = &'a (dyn Fn(u32, bool) -> u32 + Sync);

impl<A: Arithmetic> Compiled<A> {
    /// A layer that multiplies everything.
    pub(super) fn plain(arithmetic: A, geometry: &Geometry, weights: &[f32]) -> Self {
        let window = Window::new(geometry);
        let shape = match Order::of(geometry, &window, false) {
            Order::Blocks => Shape::Blocks(Blocks::plain(geometry, weights)),
            Order::Sweep => Shape::Sweep(Sweep::plain(geometry, weights)),
        };
        Self { arithmetic, geometry: geometry.clone(), window, shape, memory: None }
    }

    /// A layer with what its memory holds. None if the classes of activations are
    /// too many.
    pub(super) fn new(
        arithmetic: A,
        geometry: &Geometry,
        weights: &[f32],
        image: &AmImage,
        rule: &ByRule,
        word: Word<'_>,
    ) -> Option<Self> {
        let (codebook, zero_skip) = (&rule.codebook, rule.settings.zero_skip);
        let (mut classes, mut products) = match rule.config.organisation() {
            Some(Organisation::Factored(shape)) => {
                let (classes, members) = Classes::prefixes(shape.mantissa_bits)?;
                let folded = SignFolded::new(rule, &members, word);
                let products = Products::new::<A>(codebook, zero_skip, |weight| folded.look_up(rule, weight));
                (classes, products)
            }
            Some(Organisation::Grid(shape)) => {
                let classes = Classes::new(&signed_patterns(image, shape))?;
                let look_up = |weight: usize| grid_products(&classes, image, shape, rule, weight, word);
                let products = Products::new::<A>(codebook, zero_skip, look_up);
                (classes, products)
            }
            Some(Organisation::Pair) | None => {
                let classes = Classes::new(image)?;
                let look_up = |weight: usize| {
                    let stored = stored_pairs(&classes, image, codebook[weight]);
                    stored.into_iter().map(|product| product.map(|product| word(product, false))).collect()
                };
                let products = Products::new::<A>(codebook, zero_skip, look_up);
                (classes, products)
            }
        };
        if products.is_plain() {
            return Some(Self::plain(arithmetic, geometry, weights));
        }
        let mut common = 0;
        if classes.is_ordered() {
            let new_of;
            (new_of, common) = counts::order(classes.len(), &products);
            classes.renumber(&new_of);
            products.renumber(&new_of);
        }
        let window = Window::new(geometry);
        let counts = || Counts::new(geometry, (classes.len(), common), &products, &rule.assignment);
        let sums = || {
            let words = products.words(&arithmetic, codebook, classes.len());
            let reach = Reach::new(&arithmetic, &classes, &words);
            let shape = match Order::of(geometry, &window, true) {
                Order::Blocks => Shape::Blocks(Blocks::new(&arithmetic, geometry, &words, &classes, rule)),
                Order::Sweep => {
                    let scaled = scaled(&arithmetic, rule, &classes, &words);
                    let sweep = Sweep::new::<A>(geometry, weights, &rule.assignment, &products, &words);
                    Shape::Sweep(sweep.with_scaled(scaled))
                }
            };
            (reach, shape)
        };
        // A search makes thousands of kernels, each when those before it have run.
        let (counts, (reach, shape)) = rayon::join(counts, sums);
        let (geometry, memory) = (geometry.clone(), Some(Memory { classes, counts, reach }));
        Some(Self { arithmetic, geometry, window, shape, memory })
    }

    /// Runs the layer on a vector unit.
    pub(super) fn run(&self, level: Level, input: &[f32]) -> Totals {
        let (arithmetic, window) = (&self.arithmetic, &self.window);
        let planes = &window.planes(input)[..];
        let extremes = &level.run(ExtremesOf(planes));
        let between = |memory: &Memory| level.run(ReachBetween { reach: &memory.reach, extremes });
        let mut reach = self.memory.as_ref().map_or(FAR, between);
        // Between the extremes there are hits alone.
        let alike = |memory: &Memory| memory.counts.zeros_are_alike();
        let all_hit = reach != FAR && self.memory.as_ref().is_some_and(alike);
        let scaled = match &self.shape {
            Shape::Sweep(Sweep { scaled: Some(scaled), .. }) if all_hit && scaled.hold(extremes) => Some(scaled),
            _ => None,
        };
        let classes = match &self.memory {
            Some(Memory { classes, .. }) if scaled.is_none() => level.run(ClassesOf { classes, activations: planes }),
            _ => Vec::new(),
        };
        let classes = &classes[..];
        if let Some(memory) = self.memory.as_ref().filter(|_| !all_hit) {
            reach = memory.reach.of_classes(classes);
        }
        let misses = reach == FAR;
        let run = |(arithmetic, steps): (A, usize), keep_marks: bool| {
            let arithmetic = &arithmetic;
            match &self.shape {
                Shape::Blocks(blocks) => level.run(BlocksRun {
                    arithmetic,
                    blocks,
                    window,
                    planes,
                    extremes,
                    classes,
                    steps,
                    misses,
                    keep_marks,
                    hits: !misses && steps > 1,
                }),
                Shape::Sweep(sweep) => level.run(SweepRun {
                    arithmetic,
                    sweep,
                    window,
                    planes,
                    classes,
                    class_count: self.memory.as_ref().map_or(0, |memory| memory.classes.len()),
                    scaled,
                    steps,
                    misses,
                    keep_marks,
                }),
            }
        };
        let looking = arithmetic.looking(reach);
        let mut sums = run(looking, A::TOTALS_OF_MARKS);
        if !A::TOTALS_OF_MARKS && looking.0.is_open(sums.seen) {
            // Seldom: which of them?
            sums = run((arithmetic.strict(), 1), true);
        }
        let counted = match &self.memory {
            Some(Memory { counts, .. }) => level.run(CountOf { counts, window, planes, classes, all_hit }),
            None => {
                let outs = (self.geometry.out_channels / self.geometry.groups) as u64;
                LayerStats { zeros: outs * window.zeros(planes), ..LayerStats::default() }
            }
        };
        let (sums, open) = self.totals(level, &sums);
        Totals { sums, open, stats: LayerStats { macs: self.geometry.macs(), ..counted } }
    }

    /// The finished sums, in the layout of the output tensor.
    fn totals(&self, level: Level, sums: &Sums) -> (Vec<f32>, Vec<usize>) {
        let marks = &sums.marks;
        let totals = level.run(TotalsOf { arithmetic: &self.arithmetic, sums });
        let open: Vec<usize> = match self.arithmetic.is_open(sums.seen) {
            true => (0..marks.len()).filter(|index| self.arithmetic.is_open(marks[*index])).collect(),
            false => Vec::new(),
        };
        if self.geometry.layout == Layout::ChannelsFirst || self.geometry.positions() == 1 {
            return (totals, open);
        }
        let positions = self.geometry.positions();
        let place = |index: usize| self.geometry.output_index(index / positions, index % positions);
        let mut turned = vec![0.0; totals.len()];
        totals.iter().enumerate().for_each(|(index, total)| turned[place(index)] = *total);
        (turned, open.into_iter().map(place).collect())
    }
}

/// Makes numbers of sums, in their order.
struct TotalsOf<'a, A> {
    arithmetic: &'a A,
    sums: &'a Sums,
}

impl<A: Arithmetic> Kernel for TotalsOf<'_, A> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Vec<f32> {
        let Sums { words, marks, .. } = self.sums;
        let mut totals = vec![0.0; words.len()];
        if A::TOTALS_OF_MARKS {
            for ((total, word), mark) in totals.iter_mut().zip(words).zip(marks) {
                *total = self.arithmetic.total(*word, *mark);
            }
        } else {
            for (total, word) in totals.iter_mut().zip(words) {
                *total = self.arithmetic.total(*word, 0);
            }
        }
        totals
    }
}

/// What a `factored` memory's products are made of, for weights that are all found in it.
fn scaled<A: Arithmetic>(arithmetic: &A, rule: &ByRule, classes: &Classes, products: &ProductWords) -> Option<Scaled> {
    let shape = rule.config.factored_memory()?;
    let stored = |weight: usize, activation: u32| rule.am.product(rule.operands(weight, activation));
    let word = |weight: usize, activation: u32| products.word(weight, classes.class(activation).into());
    Scaled::new(arithmetic, shape.mantissa_bits, rule.codebook.len(), stored, word)
}

/// The patterns of a grid as rows for each sign of the activation.
fn signed_patterns(image: &AmImage, shape: GridConfig) -> AmImage {
    let format = axp_spec::FloatFormat::Binary32;
    let sign = format.sign_mask();
    let rows = image.rows.iter().step_by(shape.columns as usize).flat_map(|row| {
        let (key, care) = (shape.parts(format, row.key).1, shape.parts(format, row.care).1);
        [0, sign].map(|sign_bit| AmRow {
            key: u64::from(key) | sign_bit,
            care: u64::from(care) | sign,
            product: row.product,
        })
    });
    AmImage { rows: rows.collect() }
}

/// The products of a grid with one weight, by class.
fn grid_products(
    classes: &Classes,
    image: &AmImage,
    shape: GridConfig,
    rule: &ByRule,
    weight: usize,
    word: Word<'_>,
) -> Vec<Option<u32>> {
    let (value, column) = (rule.codebook[weight], rule.columns[weight] as usize);
    if !value.is_finite() {
        return (0..classes.len()).map(|_| None).collect();
    }
    let columns = shape.columns as usize;
    let patterns: Vec<usize> = (0..2 * (image.rows.len() / columns)).collect();
    let product = |row: usize| {
        let negative = (row % 2 == 1) != value.is_sign_negative();
        word(image.rows[row / 2 * columns + column].product.0, negative)
    };
    classes.lowest_rows(&patterns).into_iter().map(|row| row.map(product)).collect()
}

/// The greatest magnitude that a sum of a layer reaches on its way.
#[derive(Debug)]
pub(crate) struct Peaks(Compiled<Peak>);

impl Peaks {
    /// Of a layer that multiplies everything.
    pub(crate) fn new(geometry: &Geometry, weights: Vec<f32>) -> Self {
        Self(Compiled::plain(Peak, geometry, &weights))
    }

    /// Over all sums of one sample; a NaN if one of them became a NaN.
    pub(crate) fn run(&self, input: &[f32]) -> f32 {
        self.0.run(Level::best(), input).sums.into_iter().fold(0.0, |a, b| if b.is_nan() || b > a { b } else { a })
    }
}
