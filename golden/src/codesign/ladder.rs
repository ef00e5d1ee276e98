//! The smallest memory with columns that keeps the accuracy: sizes are tried from
//! the cheapest on, and the first within the bound is taken.

use super::agreement::Agreement;
use super::candidate::{Calibrated, Calibration};
use super::columns::{Filled, Folded};
use super::reference::Reference;
use super::search::{SearchControl, SearchOptions, SearchResult, provenance};
use super::trials::{Rows, Trial};
use crate::infer::{EngineError, LayerKernel, LayerStats};
use crate::net::{Network, Samples};
use axp_spec::design::SCHEMA;
use axp_spec::{
    Accumulator, AmConfig, Design, FactoredConfig, GridConfig, LayerDesign, Organisation, PeConfig, WeightOperand,
};
use rayon::prelude::*;
use std::collections::HashMap;

/// Columns and fraction bits of a `factored` memory, in the order of its products.
const FACTORED: [(u32, u32); 10] =
    [(4, 2), (8, 2), (8, 3), (16, 2), (16, 3), (32, 2), (16, 4), (32, 3), (32, 4), (64, 4)];
/// Patterns and columns of a `grid`, in the same order.
const GRID: [(u32, u32); 9] = [(12, 4), (16, 8), (24, 8), (24, 16), (32, 16), (48, 16), (32, 32), (64, 16), (15, 64)];

/// Which memory, and what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnOptions {
    /// The organisation.
    pub memory: ColumnMemory,
    /// How weights come to the PE. A design says nothing of the columns of a grid with
    /// weights by value, so that a grid always gets them by index.
    pub weight: WeightOperand,
    /// What products are summed in.
    pub accumulator: Accumulator,
    /// Bits of a stored product beside a floating-point sum, see [`AmConfig::product_bits`].
    pub product_bits: Option<u32>,
    /// Whether the rows of all layers are built into the PE.
    pub frozen: bool,
    /// The only size that is tried, instead of a ladder of them: columns and mantissa
    /// bits of a `factored` memory, patterns and columns of a `grid`.
    pub size: Option<(u32, u32)>,
}

/// An organisation whose memory has columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnMemory {
    /// [`Organisation::Grid`].
    Grid,
    /// [`Organisation::Factored`].
    Factored,
}

impl ColumnOptions {
    /// The organisations of the ladder, the cheapest first.
    fn rungs(&self) -> Vec<Organisation> {
        let organisation = |(first, second)| match self.memory {
            ColumnMemory::Factored => Organisation::Factored(FactoredConfig { columns: first, mantissa_bits: second }),
            ColumnMemory::Grid => Organisation::Grid(GridConfig { patterns: first, columns: second }),
        };
        let ladder: &[(u32, u32)] = match self.memory {
            ColumnMemory::Factored => &FACTORED,
            ColumnMemory::Grid => &GRID,
        };
        let sizes = self.size.as_ref().map_or(ladder, std::slice::from_ref);
        sizes.iter().copied().map(organisation).collect()
    }

    /// The PE with a memory, and its name.
    fn pe(&self, organisation: Organisation) -> PeConfig {
        let weight = match self.memory {
            ColumnMemory::Grid => WeightOperand::Index,
            ColumnMemory::Factored => self.weight,
        };
        let (what, rows) = match organisation {
            Organisation::Factored(shape) => {
                (format!("factored_c{}_m{}", shape.columns, shape.mantissa_bits), shape.rows())
            }
            Organisation::Grid(shape) => (format!("grid_r{}_c{}", shape.patterns, shape.columns), shape.rows()),
            Organisation::Pair => ("pair".to_owned(), 1),
        };
        let sum = match self.accumulator {
            Accumulator::Float => self.product_bits.map_or(String::new(), |bits| format!("_p{bits}")),
            Accumulator::Fixed { width, .. } => format!("_fixed{width}"),
        };
        let index = if weight == WeightOperand::Index { "_ix" } else { "" };
        let frozen = if self.frozen { "_frozen" } else { "" };
        PeConfig {
            am: Some(AmConfig { weight, product_bits: self.product_bits, ..AmConfig::new(organisation, rows) }),
            accumulator: self.accumulator,
            ..PeConfig::plain(&format!("axp_pe_{what}{sum}{index}{frozen}"))
        }
    }
}

/// Finds a design for a network on a PE whose memory has columns.
///
/// Every layer gets a sign-symmetric codebook with a magnitude a column, and as many
/// rows as the memory has. Where no size is within the bound, the one with the least
/// expected loss is taken, and its trial says so. `options.rows` and `options.name`
/// are of no account. The same samples, options and seed give the same design.
///
/// # Errors
/// A failure of the network, a PE that cannot be built, [`EngineError::Cancelled`].
pub fn search(
    network: &Network,
    samples: &Samples,
    options: &SearchOptions,
    column: &ColumnOptions,
    control: &SearchControl<'_>,
) -> Result<SearchResult, EngineError> {
    let rungs = column.rungs();
    let steps = 1 + rungs.len();
    (control.progress)(1, steps, "profile the calibration samples");
    let reference = Reference::collect(network, samples, control.cancel, |_, _, _| {})?;
    let calibration = Calibration { network, samples, reference: &reference, cancel: control.cancel };
    let mut folded = HashMap::new();
    let mut trials: Vec<Trial> = Vec::new();
    let mut best: Option<(usize, PeConfig, Vec<LayerDesign>)> = None;
    for (rung, organisation) in rungs.into_iter().enumerate() {
        let pe = column.pe(organisation);
        pe.validate().map_err(axp_spec::DesignError::from)?;
        (control.progress)(2 + rung, steps, &pe.name);
        let columns = pe.columns().unwrap_or(1);
        let layers = folded.entry(columns).or_insert_with(|| fold(&calibration, columns as usize, options));
        let measured = measure(&calibration, &pe, layers, options)?;
        let feasible = within_bound(&measured.0.agreement, options.max_loss_pp);
        let trial = Trial { feasible, ..measured.0 };
        let loss = |trial: &Trial| trial.agreement.expected_loss;
        if best.as_ref().is_none_or(|(index, ..)| feasible || loss(&trial) < loss(&trials[*index])) {
            best = Some((trials.len(), pe, measured.1));
        }
        trials.push(trial);
        if feasible {
            break;
        }
    }
    let (chosen, pe, layers) = best.unwrap_or_else(|| (0, PeConfig::plain("axp_pe"), Vec::new()));
    let mut design =
        Design { schema: SCHEMA, provenance: provenance(samples, options), pe, zero_skip: options.zero_skip, layers };
    if column.frozen {
        design.freeze();
    }
    Ok(SearchResult { design, trials, chosen })
}

/// Whether the accuracy lost stays within a bound, see
/// [`search::within_bound`](super::search::within_bound). The first of a few sizes is
/// taken here, not the luckiest of many, so that the estimate need not be as far below
/// the bound: what the codebooks were fitted to the samples remains. The cost of the
/// disagreements that did occur, and a standard error, must be below the bound.
fn within_bound(agreement: &Agreement, max_loss_pp: f64) -> bool {
    let bound = max_loss_pp / 100.0;
    agreement.expected_loss <= bound / 3.0 && agreement.flip_loss + agreement.flip_loss_error <= bound
}

/// The codebooks of all layers.
fn fold(calibration: &Calibration<'_>, columns: usize, options: &SearchOptions) -> Vec<Folded> {
    let layers = calibration.network.layers().par_iter().zip(&calibration.reference.layers).enumerate();
    let fold =
        |(index, (layer, reference))| Folded::new(layer, index, reference, columns, options.seed, options.zero_skip);
    layers.map(fold).collect()
}

/// Fills all layers, corrects their biases and runs them.
fn measure(
    calibration: &Calibration<'_>,
    pe: &PeConfig,
    folded: &[Folded],
    options: &SearchOptions,
) -> Result<(Trial, Vec<LayerDesign>), EngineError> {
    let network = calibration.network;
    let fill = |(layer, folded)| {
        Filled::new(pe, layer, folded)
            .ok_or_else(|| EngineError::Design { what: format!("{} has no columns for its weights", pe.name) })
    };
    let filled = network.layers().par_iter().zip(folded).map(fill).collect::<Result<Vec<_>, _>>()?;
    let layers = network.layers().iter().zip(&filled).zip(folded);
    let layers = layers.map(|((layer, filled), folded)| filled.design(pe, layer, &folded.clustering)).collect();
    let kernel = |index: usize, design: &mut LayerDesign, inputs: &[&[f32]]| {
        filled[index].complete(pe, design, inputs);
        LayerKernel::on(pe, &network.layers()[index], design, options.zero_skip)
    };
    let Calibrated { layers, outputs, stats } = calibration.run(layers, &vec![true; filled.len()], kernel)?;
    let total: LayerStats = stats.into_iter().sum();
    let trial = Trial {
        clusters: layers.iter().map(|layer| layer.codebook.len()).max(),
        key_fraction_bits: layers.iter().map(|layer| layer.key_fraction_bits).max().unwrap_or(0),
        rows: layers.iter().map(|layer| layer.am.rows.len()).max().unwrap_or(0),
        fill: if pe.grid_memory().is_some() { Rows::Patterns } else { Rows::Significands },
        mixed: false,
        hit_rate: total.hit_rate(),
        nonzero_hit_rate: total.nonzero_hit_rate(),
        agreement: Agreement::new(&calibration.reference.outputs, &outputs),
        feasible: false,
    };
    Ok((trial, layers))
}
