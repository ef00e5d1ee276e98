//! A layer on a PE whose memory has columns of weights: sign-symmetric codebook,
//! rows, and the range of a fixed-point sum.

use super::super::cluster::{self, Clustering, layer_rng, symmetric_k_means};
use super::super::feedback::Feedback;
use super::super::patterns::{Pattern, best_patterns};
use super::super::profile::{FRACTION_BITS, Pair, key_mask};
use super::super::reference::{LayerReference, PROFILE_BITS};
use super::super::{factored, grid};
use super::recipe::{LayerColumns, LayerRows};
use super::scales::ChannelScales;
use super::shared::{self, shared_k_means};
use super::trials::Setting;
use crate::infer::Peaks;
use crate::net::MacLayer;
use axp_spec::{AmImage, Bits32, FactoredConfig, FloatFormat::Binary32, GridConfig, LayerDesign, PeConfig};
use rayon::prelude::*;

/// By how much sums may outgrow those of the calibration samples.
const GUARD: f32 = 2.0;
/// Greatest exponent field of a range: sums reach the greatest binary32 exponent.
const WIDEST: u32 = 254;

/// Rounds of choosing channels' powers of two and clustering what they leave.
const SCALE_ROUNDS: usize = 2;
/// Share of the clustering's error that channels' powers of two must take off to be worth having.
const SCALES_SAVE: f64 = 0.1;

/// A layer's weights in a sign-symmetric codebook, and what they meet.
pub(super) struct Folded {
    /// Of the weights divided by their channels' powers of two.
    pub clustering: Clustering,
    /// The whole codebook, where columns share significands, and at how many powers of two.
    shared: Option<(Vec<f32>, u32)>,
    /// Exponents of these powers; none where there are no powers.
    exponents: Vec<i32>,
    pairs: Vec<Pair>,
    /// Zeros that are looked up.
    zeros: u64,
}

impl Folded {
    /// At most `columns` magnitudes; with error feedback, or else the nearest of k-means.
    pub fn new(
        layer: &MacLayer,
        index: usize,
        reference: &LayerReference,
        feedback: Option<&Feedback<'_>>,
        columns: LayerColumns,
        setting: &Setting,
    ) -> Self {
        let (scales, nearest) = scaled(layer, index, reference, columns, setting);
        let (weights, squares) = (scales.divided(&layer.weights), scales.squares());
        let powers = match columns {
            LayerColumns::Shared { exponents, .. } => Some(exponents),
            LayerColumns::Columns(_) | LayerColumns::Exact => None,
        };
        let clustering = match (feedback, powers) {
            (Some(feedback), Some(_)) => feedback.refine_shared(&weights, Some(&squares), nearest),
            (Some(feedback), None) => feedback.refine_symmetric(&weights, Some(&squares), nearest),
            (None, _) => nearest,
        };
        // Columns stand for all values of a shared codebook, used or not.
        let shared = powers.map(|powers| (clustering.codebook.clone(), powers));
        let clustering = cluster::compact(clustering);
        let mut pairs = Vec::new();
        reference.profile.pairs(&reference.classes.clusters(&clustering), |pair| pairs.push(pair));
        let zeros = if setting.zero_skip { 0 } else { reference.counts.all_zeros() };
        Self { clustering, shared, exponents: scales.exponents(), pairs, zeros }
    }

    /// The weights as they are, and no rows for them.
    pub fn exact(layer: &MacLayer) -> Self {
        let clustering = cluster::distinct(&layer.weights);
        Self { clustering, shared: None, exponents: Vec::new(), pairs: Vec::new(), zeros: 0 }
    }

    /// The magnitudes of the columns: ascending, or by power of two where a PE that is given
    /// indices shares significands. Where weights are given by value,
    /// those that differ by a power of two share a column, and a zero needs none.
    fn magnitudes(&self, config: &PeConfig) -> Vec<f32> {
        let by_index = config.has_codebook();
        if let (true, Some((codebook, powers))) = (by_index, &self.shared) {
            return shared::magnitudes(codebook, config.columns().unwrap_or(0) / powers.max(&1));
        }
        let mut magnitudes: Vec<f32> = self.clustering.codebook.iter().map(|w| w.abs()).collect();
        magnitudes.sort_unstable_by(f32::total_cmp);
        magnitudes.dedup_by_key(|m| m.to_bits());
        if !by_index {
            let mut fractions = Vec::new();
            magnitudes.retain(|m| {
                let new = *m != 0.0 && !fractions.contains(&fraction(*m));
                // The fraction of a zero is also that of powers of two, which need a column.
                fractions.extend(new.then(|| fraction(*m)));
                new
            });
        }
        magnitudes
    }
}

/// A sign-symmetric k-means of a layer's weights, its channels scaled if that pays.
fn scaled(
    layer: &MacLayer,
    index: usize,
    reference: &LayerReference,
    columns: LayerColumns,
    setting: &Setting,
) -> (ChannelScales, Clustering) {
    let (weights, channels) = (&layer.weights, layer.geometry.out_channels);
    let cluster = |scales: &ChannelScales| {
        let importance = scales.importance(&reference.importance);
        let divided = scales.divided(weights);
        let clustering = match columns {
            LayerColumns::Shared { fractions, exponents } => {
                shared_k_means(&divided, &importance, fractions, exponents)
            }
            LayerColumns::Columns(columns) => {
                let rng = &mut layer_rng(setting.seed, index);
                symmetric_k_means(&divided, &importance, columns as usize, rng)
            }
            LayerColumns::Exact => cluster::distinct(&divided),
        };
        let square = |(w, found): (&f32, f32)| (f64::from(*w) - f64::from(found)).powi(2);
        let errors = divided.iter().zip(clustering.weights()).map(square).zip(&importance);
        let error: f64 = errors.map(|(square, importance)| square * importance).sum();
        (clustering, error)
    };
    let plain = ChannelScales::none(weights.len(), channels);
    let (nearest, error) = cluster(&plain);
    if !setting.channel_scales {
        return (plain, nearest);
    }
    let mut scales = ChannelScales::level(weights, channels);
    let mut best = (plain, nearest, error * (1.0 - SCALES_SAVE));
    for round in 0..=SCALE_ROUNDS {
        let (clustering, error) = cluster(&scales);
        let next = scales.fitted(weights, &reference.importance, &clustering);
        if error < best.2 {
            best = (scales, clustering, error);
        }
        if round == SCALE_ROUNDS || next == best.0 {
            break;
        }
        scales = next;
    }
    (best.0, best.1)
}

fn fraction(magnitude: f32) -> u32 {
    magnitude.to_bits() & 0x007F_FFFF
}

/// Rows that wait for the range of the sums.
enum Waiting {
    Factored(AmImage),
    Grid {
        shape: GridConfig,
        patterns: Vec<Pattern>,
        activations: Vec<f64>,
        shorter: u32,
    },
    /// Every product is a miss.
    Nothing,
}

/// A layer whose rows are chosen.
pub(super) struct Filled {
    magnitudes: Vec<f32>,
    rows: Waiting,
    peaks: Peaks,
    fraction_bits: u32,
}

impl Filled {
    /// Chooses the rows of a layer for a PE; none for a memory without columns, or
    /// with too few of them.
    pub fn new(config: &PeConfig, layer: &MacLayer, folded: &Folded, less: LayerRows) -> Option<Self> {
        let magnitudes = folded.magnitudes(config);
        if magnitudes.len() > config.columns()? as usize {
            return None;
        }
        let place = |cluster: u32| {
            let weight = folded.clustering.codebook[cluster as usize].abs();
            let same = |m: &f32| match config.has_codebook() {
                true => m.to_bits() == weight.to_bits(),
                false => weight != 0.0 && fraction(*m) == fraction(weight),
            };
            magnitudes.iter().position(same).map(|column| column as u32)
        };
        let (rows, fraction_bits) = match (config.factored_memory(), config.grid_memory()) {
            (Some(shape), _) => {
                let image = significands(config, shape, less, &magnitudes, folded, place);
                (Waiting::Factored(image), shape.mantissa_bits - less.coarser.min(shape.mantissa_bits))
            }
            (None, Some(shape)) => {
                let (codebook, most) = (&folded.clustering.codebook, shape.patterns as usize >> less.coarser);
                let patterns = best_patterns(&folded.pairs, PROFILE_BITS, codebook, folded.zeros, most);
                let columns = shape.columns as usize;
                let activations = grid::representatives(&patterns, columns, &folded.pairs, folded.zeros, place);
                let bits = patterns.iter().map(Pattern::fraction_bits).max().unwrap_or(0);
                (Waiting::Grid { shape, patterns, activations, shorter: less.shorter }, bits)
            }
            (None, None) => return None,
        };
        let peaks = Peaks::new(&layer.geometry, folded.clustering.weights());
        Some(Self { magnitudes, rows, peaks, fraction_bits })
    }

    /// A layer without rows, see [`Folded::exact`].
    pub fn exact(layer: &MacLayer) -> Self {
        let peaks = Peaks::new(&layer.geometry, layer.weights.clone());
        Self { magnitudes: Vec::new(), rows: Waiting::Nothing, peaks, fraction_bits: FRACTION_BITS }
    }

    /// The layer as it goes into a design, without range and rows, its bias still the
    /// float network's.
    pub fn design(&self, config: &PeConfig, layer: &MacLayer, folded: &Folded) -> LayerDesign {
        let clustering = &folded.clustering;
        let magnitudes = if config.has_codebook() { &self.magnitudes[..] } else { &[] };
        LayerDesign {
            name: layer.name.clone(),
            weight_shape: layer.weight_shape.clone(),
            codebook: clustering.codebook.iter().map(|w| Bits32::from(*w)).collect(),
            assignment: clustering.assignment.clone(),
            bias: layer.bias.iter().map(|b| Bits32::from(*b)).collect(),
            channel_exponents: folded.exponents.clone(),
            key_fraction_bits: self.fraction_bits,
            am: AmImage::default(),
            range: 0,
            magnitudes: magnitudes.iter().map(|m| Bits32::from(*m)).collect(),
        }
    }

    /// Sets range and rows, once the layer's inputs are known: the least range that
    /// holds twice the greatest sum on its way, and in which the products of a grid
    /// fit their words.
    pub fn complete(&self, config: &PeConfig, design: &mut LayerDesign, inputs: &[&[f32]]) {
        let fixed = config.accumulator_format(0).is_some();
        let peak = |input: &&[f32]| self.peaks.run(input);
        let greatest = |a: f32, b: f32| if b.is_nan() || b > a { b } else { a };
        let peak = if fixed { inputs.par_iter().map(peak).reduce(|| 0.0, greatest) } else { 0.0 };
        design.range = if fixed { range_of(peak) } else { 0 };
        design.am = match &self.rows {
            Waiting::Factored(image) => image.clone(),
            Waiting::Nothing => AmImage::default(),
            Waiting::Grid { shape, patterns, activations, shorter } => loop {
                let format = config.accumulator_format(design.range);
                let format =
                    format.map(|format| grid::Units { format, bits: config.product_bits(), shorter: *shorter });
                match grid::rows(*shape, patterns, &self.magnitudes, activations, format) {
                    Some(image) => break image,
                    None if fixed && design.range < WIDEST => design.range += 1,
                    // Nothing is stored that cannot be.
                    None => break AmImage::default(),
                }
            },
        };
    }
}

fn significands(
    config: &PeConfig,
    shape: FactoredConfig,
    less: LayerRows,
    magnitudes: &[f32],
    folded: &Folded,
    place: impl Fn(u32) -> Option<u32>,
) -> AmImage {
    let mask = key_mask(PROFILE_BITS.max(shape.mantissa_bits));
    debug_assert!(folded.pairs.iter().all(|pair| pair.key & !mask == 0));
    let words = factored::Words { bits: config.product_bits(), shorter: less.shorter, coarser: less.coarser };
    let mut image = factored::significands(shape, words, magnitudes, &folded.pairs, |cluster| {
        let weight = folded.clustering.codebook[cluster as usize].abs();
        place(cluster).map(|column| (column, weight))
    });
    // A column for weights of zero needs no rows, and has no fraction to speak of.
    image.rows.retain(|row| magnitudes[shape.parts(Binary32, row.key).0 as usize] != 0.0);
    image
}

/// The least range whose sums reach [`GUARD`] times a magnitude.
fn range_of(peak: f32) -> u32 {
    if peak == 0.0 {
        // Nothing was summed: 2 is as good as anything.
        return 127;
    }
    let reach = f64::from(peak) * f64::from(GUARD);
    (0..WIDEST).find(|range| 2_f64.powi(*range as i32 - 126) >= reach).unwrap_or(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_among_the_weights_takes_no_column_from_powers_of_two() {
        let clustering = Clustering { codebook: vec![-0.0625, 0.0, 0.75, 1.5], assignment: vec![0, 1, 2, 3] };
        let folded = Folded { clustering, shared: None, exponents: Vec::new(), pairs: Vec::new(), zeros: 0 };
        assert_eq!(folded.magnitudes(&PeConfig::factored("a", 2, 2)), [0.0625, 0.75]);
    }

    #[test]
    fn a_range_holds_twice_the_peak_and_no_more_than_it_must() {
        // Sums reach 2^(range - 126).
        assert_eq!((range_of(1.0), range_of(1.1), range_of(0.9)), (127, 128, 127));
        assert_eq!((range_of(f32::NAN), range_of(f32::INFINITY), range_of(f32::MAX)), (WIDEST, WIDEST, WIDEST));
        assert_eq!((range_of(f32::from_bits(1)), range_of(0.0)), (0, 127));
    }
}
