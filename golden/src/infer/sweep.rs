//! Layers with many output positions: all of a channel's outputs at once.
//!
//! An input channel is copied, with its padding, into a plane whose rows and
//! columns are sorted by phase (index modulo stride). Then the activations that
//! one weight meets in all outputs of a channel lie side by side, and adding
//! that weight's products to all these sums is one pass over memory:
//!
//! ```text
//! sums[j] += product(weight, plane[offset + j])      for all j
//! ```
//!
//! Where rows of outputs are narrower than rows of the plane, the sums between
//! them are computed too and dropped. The order of additions in each sum is
//! that of the number rules: input channel, kernel row, kernel column.

use super::arithmetic::{Arithmetic, Sums};
use super::classes::PLUS_ZERO;
use super::counts::Pair;
use super::lookup::Lookup;
use super::stats::LayerStats;
use crate::net::Geometry;

/// No plane of products for this weight.
const NONE: u16 = u16::MAX;

/// How the planes of a layer are laid out.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// Rows and columns of one phase of the plane.
    phase: [usize; 2],
    /// Where the activations of each kernel position start in the plane.
    offsets: Vec<usize>,
    /// Where each input element of a channel goes.
    places: Vec<u32>,
    /// How often each element of the plane is read for one output channel.
    reads: Vec<u32>,
    /// For each sum all ones if it is an output, 0 if it lies between rows.
    used: Vec<u64>,
    /// For each element of the weight tensor the plane that holds its products,
    /// or `NONE` where they are computed on the way.
    plane_of: Vec<u16>,
    /// For each input channel the weights that have planes.
    planes: Vec<Vec<u32>>,
}

impl Sweep {
    pub(super) fn new<A: Arithmetic>(geometry: &Geometry, lookup: Option<&Lookup<A>>) -> Self {
        let reach = |axis: usize| (geometry.kernel[axis] - 1) * geometry.dilation[axis];
        let phase = [0, 1].map(|axis| {
            // What the outputs reach; input beyond it is never read.
            let size = (geometry.output[axis] - 1) * geometry.stride[axis] + reach(axis) + 1;
            size.div_ceil(geometry.stride[axis])
        });
        let place = |row: usize, column: usize| {
            let [rows, columns] = geometry.stride;
            let phase_index = row % rows * columns + column % columns;
            (phase_index * phase[0] + row / rows) * phase[1] + column / columns
        };
        let offsets: Vec<usize> = (0..geometry.kernel[0] * geometry.kernel[1])
            .map(|tap| {
                let [row, column] = [tap / geometry.kernel[1], tap % geometry.kernel[1]];
                place(row * geometry.dilation[0], column * geometry.dilation[1])
            })
            .collect();
        let [rows, columns] = geometry.input;
        let places = (0..rows * columns)
            .map(|index| {
                let [row, column] = [index / columns + geometry.padding[0], index % columns + geometry.padding[1]];
                let inside = row / geometry.stride[0] < phase[0] && column / geometry.stride[1] < phase[1];
                if inside { place(row, column) as u32 } else { u32::MAX }
            })
            .collect();
        let used: Vec<u64> = (0..(geometry.output[0] - 1) * phase[1] + geometry.output[1])
            .map(|sum| if sum % phase[1] < geometry.output[1] { u64::MAX } else { 0 })
            .collect();
        let mut reads = vec![0; phase[0] * phase[1] * geometry.stride[0] * geometry.stride[1]];
        for offset in &offsets {
            reads[*offset..].iter_mut().zip(&used).for_each(|(reads, used)| *reads += (used & 1) as u32);
        }
        let (plane_of, planes) = lookup.map(|lookup| assign_planes(geometry, lookup)).unwrap_or_default();
        Self { phase, offsets, places, reads, used, plane_of, planes }
    }

    /// Sums of all outputs, without bias; `None` for those that [`Arithmetic::total`]
    /// leaves to the number rules.
    pub(super) fn run<A: Arithmetic>(
        &self,
        arithmetic: &A,
        geometry: &Geometry,
        weights: &[f32],
        lookup: Option<&Lookup<A>>,
        input: &[f32],
    ) -> (Vec<Option<f32>>, LayerStats) {
        let size = self.reads.len();
        let outs = geometry.out_channels / geometry.groups;
        // From the first output to the last, the gaps between rows included.
        let span = self.used.len();
        let mut sums = Sums::new(arithmetic, geometry.out_channels * span);
        let mut plane =
            Plane { values: vec![0.0; size], classes: vec![PLUS_ZERO; size], kinds: Vec::new(), products: Vec::new() };
        let mut stats = LayerStats { macs: geometry.macs(), ..LayerStats::default() };
        let channel_size = geometry.input[0] * geometry.input[1];
        for (in_channel, values) in input.chunks_exact(channel_size).enumerate() {
            let (group, local) = (in_channel / geometry.group_channels(), in_channel % geometry.group_channels());
            self.fill(arithmetic, &mut plane, values, lookup, in_channel);
            self.count(&mut stats, outs as u64, &plane, lookup, [group, local]);
            for out_channel in group * outs..(group + 1) * outs {
                for (tap, offset) in self.offsets.iter().enumerate() {
                    let weight = (out_channel * geometry.group_channels() + local) * self.offsets.len() + tap;
                    let products = Weight { index: weight, value: weights[weight] };
                    self.add(arithmetic, &mut sums, out_channel * span, &plane, *offset, products, lookup);
                }
            }
        }
        let row = |(channel, row)| {
            let first = channel * span + row * self.phase[1];
            first..first + geometry.output[1]
        };
        let rows = (0..geometry.out_channels).flat_map(|c| (0..geometry.output[0]).map(move |r| (c, r)));
        (rows.flat_map(row).map(|index| sums.total(arithmetic, index)).collect(), stats)
    }

    /// Copies one input channel into the plane, sorts its elements into
    /// classes and looks up the products of the weights that have planes.
    fn fill<A: Arithmetic>(
        &self,
        arithmetic: &A,
        plane: &mut Plane<A>,
        values: &[f32],
        lookup: Option<&Lookup<A>>,
        in_channel: usize,
    ) {
        // Padding was zero to begin with and stays so.
        for (value, place) in values.iter().zip(&self.places) {
            if let Some(slot) = plane.values.get_mut(*place as usize) {
                *slot = *value;
            }
        }
        let Some(lookup) = lookup else { return };
        for (class, value) in plane.classes.iter_mut().zip(&plane.values) {
            *class = lookup.classes.class(*value);
        }
        let Plane { values, classes, kinds, products } = plane;
        kinds.clear();
        kinds.extend(classes.iter().map(|class| lookup.counts.kind(*class)));
        products.clear();
        for weight in &self.planes[in_channel] {
            let stored = &lookup.products.stored[*weight as usize];
            products.extend(products_of(arithmetic, values, classes, stored, lookup.codebook[*weight as usize]));
        }
    }

    /// Adds the products of one weight to all sums of an output channel, of which
    /// the first is `first`.
    #[expect(clippy::too_many_arguments, reason = "the innermost loop, with nothing to look up")]
    fn add<A: Arithmetic>(
        &self,
        arithmetic: &A,
        sums: &mut Sums<A>,
        first: usize,
        plane: &Plane<A>,
        offset: usize,
        weight: Weight,
        lookup: Option<&Lookup<A>>,
    ) {
        let (span, values) = (self.used.len(), &plane.values[offset..]);
        let stored = lookup.map_or(&[][..], |l| &l.products.stored[l.assignment[weight.index] as usize]);
        if stored.is_empty() {
            sums.add(first, span, values.iter().map(|activation| arithmetic.multiply(weight.value, *activation)));
            return;
        }
        match self.plane_of[weight.index] {
            NONE => {
                let products = products_of(arithmetic, values, &plane.classes[offset..], stored, weight.value);
                sums.add(first, span, products);
            }
            index => {
                let products = &plane.products[usize::from(index) * plane.values.len() + offset..];
                sums.add(first, span, products.iter().copied());
            }
        }
    }

    /// Counts zeros and hits of one input channel.
    fn count<A: Arithmetic>(
        &self,
        stats: &mut LayerStats,
        outs: u64,
        plane: &Plane<A>,
        lookup: Option<&Lookup<A>>,
        unit: [usize; 2],
    ) {
        let zeros =
            plane.values.iter().zip(&self.reads).map(|(value, reads)| u64::from(*value == 0.0) * u64::from(*reads));
        stats.zeros += outs * zeros.sum::<u64>();
        let Some(lookup) = lookup else { return };
        let [group, local] = unit;
        for (tap, offset) in self.offsets.iter().enumerate() {
            let counts = lookup.counts.of(group, local * self.offsets.len() + tap);
            let mut hits = Pair::default();
            for (kind, used) in plane.kinds[*offset..].iter().zip(&self.used) {
                hits.add_masked(counts[usize::from(*kind)], *used);
            }
            stats.hits += hits.all();
            stats.nonzero_hits += hits.nonzero();
        }
    }
}

/// Gives a plane of products to every weight with stored products that an
/// input channel meets more than once.
fn assign_planes<A: Arithmetic>(geometry: &Geometry, lookup: &Lookup<A>) -> (Vec<u16>, Vec<Vec<u32>>) {
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let outs = geometry.out_channels / geometry.groups;
    let mut plane_of = vec![NONE; lookup.assignment.len()];
    let mut planes = Vec::with_capacity(geometry.in_channels);
    let mut uses = vec![0u32; lookup.codebook.len()];
    let mut index_of = vec![NONE; lookup.codebook.len()];
    for in_channel in 0..geometry.in_channels {
        let (group, local) = (in_channel / geometry.group_channels(), in_channel % geometry.group_channels());
        let ranges = (group * outs..(group + 1) * outs).map(|out| {
            let first = (out * geometry.group_channels() + local) * taps;
            first..first + taps
        });
        let weights: Vec<usize> = ranges.flatten().collect();
        weights.iter().for_each(|w| uses[lookup.assignment[*w] as usize] += 1);
        let mut list = Vec::new();
        for w in &weights {
            let weight = lookup.assignment[*w] as usize;
            if uses[weight] > 1 && !lookup.products.stored[weight].is_empty() && list.len() < usize::from(NONE) {
                if index_of[weight] == NONE {
                    index_of[weight] = list.len() as u16;
                    list.push(weight as u32);
                }
                plane_of[*w] = index_of[weight];
            }
        }
        for w in &weights {
            let weight = lookup.assignment[*w] as usize;
            uses[weight] = 0;
            index_of[weight] = NONE;
        }
        planes.push(list);
    }
    (plane_of, planes)
}

/// One element of the weight tensor.
#[derive(Clone, Copy)]
struct Weight {
    index: usize,
    value: f32,
}

/// One input channel, padded and sorted by phase.
struct Plane<A: Arithmetic> {
    values: Vec<f32>,
    classes: Vec<u16>,
    /// Of the classes, for the counts.
    kinds: Vec<u16>,
    /// Products of the weights that have planes, plane after plane.
    products: Vec<A::Word>,
}

/// The products of a weight with activations of these values and classes.
#[inline]
fn products_of<'a, A: Arithmetic>(
    arithmetic: &'a A,
    values: &'a [f32],
    classes: &'a [u16],
    stored: &'a [A::Word],
    weight: f32,
) -> impl Iterator<Item = A::Word> + 'a {
    values.iter().zip(classes).map(move |(value, class)| {
        let stored = stored[usize::from(*class)];
        if A::is_miss(stored) { arithmetic.multiply(weight, *value) } else { stored }
    })
}
