//! The whole space of designs, one after the other: what each loses, hits and should use.
//!
//! A task is what decides on the numbers that a processing element computes: memory, sum,
//! codebooks. It has a row for each way to build it, rows through a port or in logic. Tasks
//! are numbered, and independent of each other, so that some can be done now or here, and
//! others later or elsewhere.

use super::candidate::{FillRule, LayerChoice};
use super::columns::{ColumnMemory, ColumnTrials, Kind, LayerColumns, Recipe, Setting, Sum, shared_sizes, sizes};
use super::energy::LayerLoad;
use super::reference::PROFILE_BITS;
use super::search::{SearchControl, SearchOptions, pair_design, provenance};
use super::trials::{Trial, Trials};
use crate::infer::EngineError;
use crate::net::{Network, Samples};
use axp_spec::{Design, WeightOperand};
use std::collections::HashSet;

/// Rows and codebook sizes of `pair` memories.
const PAIR_ROWS: [usize; 4] = [16, 32, 64, 128];
const PAIR_CLUSTERS: [usize; 3] = [8, 16, 32];
/// How their rows are filled: by frequency at these widths of the key, and merged.
const PAIR_FILLS: [(u32, FillRule); 3] =
    [(1, FillRule::Frequency), (2, FillRule::Frequency), (PROFILE_BITS, FillRule::Merged { error_price: 3.0 })];

/// What decides on the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Task {
    /// A `pair` memory.
    Pair {
        /// Rows.
        rows: usize,
        /// Most values of a codebook.
        clusters: usize,
        /// Fraction bits of the activation that rows compare, at most.
        bits: u32,
        /// How rows are chosen.
        fill: FillRule,
    },
    /// A memory with columns.
    Columns {
        /// Memory and sum.
        kind: Kind,
        /// How weights come to the PE.
        weight: WeightOperand,
        /// Whether the first and the last layer keep their weights.
        exact_ends: bool,
    },
}

/// All tasks, in the order of their numbers.
pub fn tasks() -> Vec<Task> {
    let fills = || PAIR_FILLS.into_iter();
    let pairs = PAIR_ROWS.into_iter().flat_map(|rows| PAIR_CLUSTERS.map(|clusters| (rows, clusters)));
    let pairs =
        pairs.flat_map(|(rows, clusters)| fills().map(move |(bits, fill)| Task::Pair { rows, clusters, bits, fill }));
    let kinds = |memory: ColumnMemory, sums: Vec<Sum>| {
        sizes(memory).iter().flat_map(move |size| {
            sums.clone().into_iter().map(move |sum| Kind { memory, size: *size, sum, fractions: None })
        })
    };
    let sums = |memory| [Sum::floats(memory), Sum::choices(memory)].concat();
    let (factored, grid) = (sums(ColumnMemory::Factored), sums(ColumnMemory::Grid));
    let shared = shared_sizes().flat_map(|(size, fractions)| {
        let kind = move |sum| Kind { memory: ColumnMemory::Factored, size, sum, fractions: Some(fractions) };
        factored.clone().into_iter().map(kind).collect::<Vec<_>>()
    });
    let shared: Vec<Task> =
        shared.map(|kind| Task::Columns { kind, weight: WeightOperand::Index, exact_ends: false }).collect();
    let factored = kinds(ColumnMemory::Factored, factored).flat_map(|kind| {
        let operands = [(WeightOperand::Value, false), (WeightOperand::Value, true), (WeightOperand::Index, false)];
        operands.map(|(weight, exact_ends)| Task::Columns { kind, weight, exact_ends })
    });
    let grid = kinds(ColumnMemory::Grid, grid);
    let grid = grid.map(|kind| Task::Columns { kind, weight: WeightOperand::Index, exact_ends: false });
    pairs.chain(factored).chain(shared).chain(grid).collect()
}

/// A task that was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What it does on the calibration samples.
    pub trial: Trial,
    /// The design with rows through a port, and the one with rows in logic.
    pub designs: [Design; 2],
    /// What its layers give a PE to do.
    pub loads: Vec<LayerLoad>,
}

/// The network, the samples, and all codebooks that tasks need.
pub struct Explorer<'a> {
    samples: &'a Samples,
    options: &'a SearchOptions,
    pairs: Trials<'a>,
    columns: ColumnTrials<'a>,
}

impl<'a> Explorer<'a> {
    /// Profiles the samples and makes all codebooks.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn new(
        network: &'a Network,
        samples: &'a Samples,
        options: &'a SearchOptions,
        control: &SearchControl<'a>,
    ) -> Result<Self, EngineError> {
        let layers = network.layers().len();
        let columns: HashSet<LayerColumns> = tasks()
            .into_iter()
            .filter_map(|task| match task {
                Task::Columns { kind, weight, .. } => Some(Recipe::whole(kind, weight, 1).layers[0]),
                Task::Pair { .. } => None,
            })
            .collect();
        let columns: Vec<LayerColumns> = columns.into_iter().collect();
        let setting = Setting::from(options);
        let what = "profile the calibration samples, cluster the weights";
        let columns = ColumnTrials::new(network, samples, setting, &columns, control.cancel, |layer| {
            (control.progress)(layer, 2 * layers, what);
        })?;
        (control.progress)(layers, 2 * layers, what);
        let pairs = Trials::new(network, samples, &PAIR_CLUSTERS, setting, control.cancel)?;
        Ok(Self { samples, options, pairs, columns })
    }

    /// Does a task.
    ///
    /// # Errors
    /// A failure of the network; [`EngineError::Cancelled`].
    pub fn run(&mut self, task: &Task) -> Result<Done, EngineError> {
        match task {
            Task::Pair { rows, clusters, bits, fill } => {
                let choice =
                    LayerChoice { clusters: Some(*clusters), key_fraction_bits: *bits, rows: *rows, fill: *fill };
                let measured = self.pairs.measure(&self.pairs.fill(&vec![choice; self.pairs.layers()]))?;
                let design = |frozen| {
                    let options = SearchOptions { frozen, ..self.options.clone() };
                    pair_design(measured.layers.clone(), self.samples, &options)
                };
                Ok(Done { designs: [false, true].map(design), trial: measured.trial, loads: measured.loads })
            }
            Task::Columns { kind, weight, exact_ends } => {
                let mut recipe = Recipe::whole(*kind, *weight, self.columns.layers());
                // All layers of a network of two would be ends.
                if *exact_ends && let [first, _, .., last] = &mut recipe.layers[..] {
                    (*first, *last) = (LayerColumns::Exact, LayerColumns::Exact);
                }
                let measured = self.columns.measure(&recipe, *weight)?;
                let design = |frozen| {
                    let provenance = provenance(self.samples, self.options);
                    measured.design(*kind, *weight, frozen, self.options.zero_skip, provenance)
                };
                Ok(Done { designs: [false, true].map(design), trial: measured.trial, loads: measured.loads })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_another_one_that_can_be_built() {
        let tasks = tasks();
        for (number, task) in tasks.iter().enumerate() {
            assert!(!tasks[..number].contains(task), "{task:?}");
            if let Task::Columns { kind, weight, .. } = task {
                kind.pe(*weight, false).validate().unwrap();
            }
        }
        assert_eq!(tasks.len(), 36 + 10 * 8 * 3 + 10 * 8 + 9 * 7);
    }
}
