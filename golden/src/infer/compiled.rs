//! A layer's sums in one arithmetic, all of its outputs together.

use super::arithmetic::{Arithmetic, Peak};
use super::by_rule::ByRule;
use super::classes::{Classes, NOTHING};
use super::counts::Counts;
use super::lookup::Lookup;
use super::products::{Products, stored_pairs};
use super::stats::LayerStats;
use super::sweep::Sweep;
use super::vectors::Vectors;
use crate::net::{Geometry, Layout};
use axp_spec::{AmImage, AmRow, GridConfig, Organisation};

/// Below this many output positions a channel, there is too little to do in
/// parallel along them, and outputs are computed side by side instead.
const SWEEP_POSITIONS: usize = 8;

/// The order in which products are made. Both give the same bits.
#[derive(Debug)]
enum Shape {
    /// By position, for layers with many: see [`Sweep`].
    Sweep(Sweep),
    /// By output channel, for layers with few: see [`Vectors`].
    Vectors(Vectors),
}

/// The sums of a layer.
#[derive(Debug)]
pub(super) struct Compiled<A: Arithmetic> {
    arithmetic: A,
    shape: Shape,
    lookup: Option<Lookup<A>>,
}

/// A stored word, the sign that a grid gives it, and what it adds to a sum.
pub(super) type Word<'a, A> = &'a dyn Fn(u32, bool) -> <A as Arithmetic>::Word;

impl<A: Arithmetic> Compiled<A> {
    /// A layer that multiplies everything.
    pub(super) fn plain(arithmetic: A, geometry: &Geometry, weights: &[f32]) -> Self {
        Self::with(arithmetic, geometry, weights, None)
    }

    /// A layer with what its memory holds. None if the classes of activations are
    /// too many.
    pub(super) fn new(
        arithmetic: A,
        geometry: &Geometry,
        weights: &[f32],
        image: &AmImage,
        rule: &ByRule,
        word: Word<'_, A>,
    ) -> Option<Self> {
        let (codebook, zero_skip) = (&rule.codebook, rule.settings.zero_skip);
        let (classes, products) = match rule.config.organisation() {
            Some(Organisation::Factored(shape)) => {
                let (classes, members) = Classes::prefixes(shape.mantissa_bits)?;
                let look_up = |weight: usize| {
                    let product = |(class, activation): (usize, &u32)| {
                        let found = rule.am.product(rule.operands(weight, *activation));
                        found.filter(|_| class != usize::from(NOTHING)).map(|product| word(product, false))
                    };
                    members.iter().enumerate().map(product).collect()
                };
                let products = Products::new(codebook, zero_skip, look_up);
                (classes, products)
            }
            Some(Organisation::Grid(shape)) => {
                let classes = Classes::new(&signed_patterns(image, shape))?;
                let look_up = |weight: usize| grid_products(&classes, image, shape, rule, weight, word);
                let products = Products::new(codebook, zero_skip, look_up);
                (classes, products)
            }
            Some(Organisation::Pair) | None => {
                let classes = Classes::new(image)?;
                let look_up = |weight: usize| {
                    let stored = stored_pairs(&classes, image, codebook[weight]);
                    stored.into_iter().map(|product| product.map(|product| word(product, false))).collect()
                };
                let products = Products::new(codebook, zero_skip, look_up);
                (classes, products)
            }
        };
        let lookup = (!products.is_plain()).then(|| Lookup {
            counts: Counts::new(geometry, classes.len(), &products, &rule.assignment),
            classes,
            products,
            codebook: codebook.clone(),
            assignment: rule.assignment.clone(),
        });
        Some(Self::with(arithmetic, geometry, weights, lookup))
    }

    fn with(arithmetic: A, geometry: &Geometry, weights: &[f32], lookup: Option<Lookup<A>>) -> Self {
        let shape = if geometry.layout == Layout::ChannelsFirst && geometry.positions() >= SWEEP_POSITIONS {
            Shape::Sweep(Sweep::new(geometry, lookup.as_ref()))
        } else {
            Shape::Vectors(Vectors::new(geometry, weights, lookup.as_ref()))
        };
        Self { arithmetic, shape, lookup }
    }

    /// Sums of all outputs, without bias; `None` for those that
    /// [`Arithmetic::total`] leaves to the number rules.
    pub(super) fn run(
        &self,
        geometry: &Geometry,
        weights: &[f32],
        zero_skip: bool,
        input: &[f32],
    ) -> (Vec<Option<f32>>, LayerStats) {
        let lookup = self.lookup.as_ref();
        match &self.shape {
            Shape::Sweep(sweep) => sweep.run(&self.arithmetic, geometry, weights, lookup, input),
            Shape::Vectors(vectors) => vectors.run(&self.arithmetic, geometry, lookup, zero_skip, input),
        }
    }
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
fn grid_products<W>(
    classes: &Classes,
    image: &AmImage,
    shape: GridConfig,
    rule: &ByRule,
    weight: usize,
    word: &dyn Fn(u32, bool) -> W,
) -> Vec<Option<W>> {
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
pub(crate) struct Peaks {
    geometry: Geometry,
    weights: Vec<f32>,
    sums: Compiled<Peak>,
}

impl Peaks {
    /// Of a layer that multiplies everything.
    pub(crate) fn new(geometry: &Geometry, weights: Vec<f32>) -> Self {
        let sums = Compiled::plain(Peak, geometry, &weights);
        Self { geometry: geometry.clone(), weights, sums }
    }

    /// Over all sums of one sample; a NaN if one of them became a NaN.
    pub(crate) fn run(&self, input: &[f32]) -> f32 {
        let (peaks, _) = self.sums.run(&self.geometry, &self.weights, false, input);
        peaks.into_iter().flatten().fold(0.0, |a, b| if b.is_nan() || b > a { b } else { a })
    }
}
