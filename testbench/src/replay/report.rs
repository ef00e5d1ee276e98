//! The verdict of a replay.

use super::drive::Tally;
use super::{LayerTrace, ReplayOptions};
use crate::compare::Section;
use crate::dut::Body;
use crate::simulator::SimulatorKind;
use axp_spec::Bits32;
use serde::Serialize;
use std::path::PathBuf;
use thiserror::Error;

/// What a replay found, all layers together.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Equivalence {
    /// The simulator that ran the Verilog.
    pub simulator: SimulatorKind,
    /// Body of the gated registers.
    pub body: Body,
    /// Whether the row storage ran on clock gates too.
    pub rows_gated: bool,
    /// Cycles compared, reset and row writes included.
    pub cycles: u64,
    /// Operand pairs accepted.
    pub macs: u64,
    /// Results compared with golden and with their tensor element.
    pub outputs: u64,
    /// Cycles in which an output of the Verilog differed from golden, plus
    /// results of golden that differ from their tensor element. After the first
    /// one the design may be out of step, so that the number says little more
    /// than that it is not 0.
    pub mismatches: u64,
    /// Time of the simulation, comparison included, compilation not.
    pub seconds: f64,
    /// The first mismatch, in the order of the layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_mismatch: Option<Mismatch>,
    /// The same for each layer.
    pub layers: Vec<LayerEquivalence>,
}

/// What a replay found for one layer.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct LayerEquivalence {
    /// Name of the layer.
    pub name: String,
    /// Cycles compared.
    pub cycles: u64,
    /// Operand pairs accepted.
    pub macs: u64,
    /// Results compared.
    pub outputs: u64,
    /// Mismatches, counted as in [`Equivalence::mismatches`].
    pub mismatches: u64,
}

/// One difference between the Verilog, the golden PE and inference.
#[derive(Error, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// The Verilog drives something else than the golden PE.
    #[error(
        "layer {layer:?}, cycle {cycle}: {signal} should be {expected}, but the Verilog drives {actual}{}",
        shown(waveform.as_ref())
    )]
    Signal {
        /// Name of the layer.
        layer: String,
        /// Cycle, counted from the first of the replay.
        cycle: u64,
        /// The output.
        signal: String,
        /// What golden expects, in hex.
        expected: String,
        /// What the Verilog drives, in hex; with `x` and `z` where unknown.
        actual: String,
        /// VCD file with the cycles around it.
        waveform: Option<PathBuf>,
    },
    /// The golden PE computes something else than inference did.
    #[error(
        "layer {layer:?}, output {index} (cycle {cycle}): inference has {:08x}, the PE computes {:08x}",
        expected.0,
        actual.0
    )]
    Element {
        /// Name of the layer.
        layer: String,
        /// Cycle in which the result was taken.
        cycle: u64,
        /// Flat index in the layer's output tensor.
        index: usize,
        /// The tensor element.
        expected: Bits32,
        /// The element of the golden PE's sum.
        actual: Bits32,
    },
}

/// A name that no layer has: what came before the first one.
const RESET: &str = "(reset)";

impl Equivalence {
    /// Puts together what the producer and the simulator saw. The first section
    /// is the reset; each of the others belongs to a layer.
    pub(super) fn new(
        options: &ReplayOptions,
        layers: &[LayerTrace<'_>],
        tallies: &[Tally],
        sections: &[Section],
        seconds: f64,
    ) -> Self {
        let (reset, rest) = sections.split_first().map_or((None, sections), |(first, rest)| (Some(first), rest));
        let mut first_mismatch = reset.and_then(|section| signal(RESET, section));
        let mut verdicts = Vec::with_capacity(layers.len());
        for ((layer, tally), section) in layers.iter().zip(tallies).zip(rest) {
            first_mismatch =
                first_mismatch.or_else(|| earlier(signal(&layer.name, section), element(&layer.name, tally)));
            verdicts.push(LayerEquivalence {
                name: layer.name.clone(),
                cycles: section.cycles,
                macs: tally.macs,
                outputs: tally.outputs,
                mismatches: section.mismatches + tally.wrong,
            });
        }
        Self {
            simulator: options.simulator,
            body: options.body,
            rows_gated: options.body == Body::Gated && options.simulator == SimulatorKind::Icarus,
            cycles: sections.iter().map(|section| section.cycles).sum(),
            macs: verdicts.iter().map(|layer| layer.macs).sum(),
            outputs: verdicts.iter().map(|layer| layer.outputs).sum(),
            mismatches: reset.map_or(0, |section| section.mismatches)
                + verdicts.iter().map(|layer| layer.mismatches).sum::<u64>(),
            seconds,
            first_mismatch,
            layers: verdicts,
        }
    }
}

fn signal(layer: &str, section: &Section) -> Option<Mismatch> {
    section.first.as_ref().map(|first| Mismatch::Signal {
        layer: layer.to_owned(),
        cycle: first.cycle,
        signal: first.signal.clone(),
        expected: first.expected.clone(),
        actual: first.actual.clone(),
        waveform: None,
    })
}

fn element(layer: &str, tally: &Tally) -> Option<Mismatch> {
    tally.first.as_ref().map(|first| Mismatch::Element {
        layer: layer.to_owned(),
        cycle: first.cycle,
        index: first.index,
        expected: Bits32(first.element),
        actual: Bits32(first.golden),
    })
}

/// The one of the earlier cycle.
fn earlier(a: Option<Mismatch>, b: Option<Mismatch>) -> Option<Mismatch> {
    let cycle = |mismatch: &Mismatch| match mismatch {
        Mismatch::Signal { cycle, .. } | Mismatch::Element { cycle, .. } => *cycle,
    };
    a.into_iter().chain(b).min_by_key(cycle)
}

fn shown(waveform: Option<&PathBuf>) -> String {
    waveform.map_or_else(String::new, |path| format!("; the cycles around it are in {}", path.display()))
}
