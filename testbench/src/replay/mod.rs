//! Real layers on the generated Verilog, every output of every cycle compared with golden.
//!
//! For each layer the rows are written through the row port (and magnitudes into a
//! codebook; a frozen memory is told the layer), then the operands
//! of its outputs are streamed with random stalls on both sides. The golden PE
//! runs beside the producer and its outputs go into the test vectors, where the
//! simulator compares them. Each completed sum, scaled and with its bias, is also compared
//! with the very tensor element that inference used.

mod drive;
mod report;
mod stalls;

pub use report::{Equivalence, LayerEquivalence, Mismatch};
pub use stalls::Stalls;

use crate::compare::{FrameWriter, Stop, compare};
use crate::dut::{Body, Dut};
use crate::pe_ports::PeVectors;
use crate::simulator::{Simulator, SimulatorError, SimulatorKind};
use crate::{icarus, verilator, waveform};
use axp_golden::am::{Am, LoadError};
use axp_golden::pe::Epilogue;
use axp_hdl::Rtl;
use axp_spec::{LayerMemory, PeConfig};
use drive::{Driver, Halt};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use thiserror::Error;

/// One output of a layer: what is streamed, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumTrace {
    /// Flat index of the element in the layer's output tensor.
    pub index: usize,
    /// Weight and activation encodings in MAC order; at least one pair.
    pub operands: Vec<(u32, u32)>,
    /// What makes the element of the sum.
    pub epilogue: Epilogue,
    /// The tensor element that inference produced.
    pub element: u32,
}

/// The sums of a layer, one after the other.
pub type Sums<'a> = Box<dyn Iterator<Item = SumTrace> + 'a>;

/// One layer to replay.
pub struct LayerTrace<'a> {
    /// Name of the layer. Data: it reaches reports and messages only.
    pub name: String,
    /// Its index among the layers of the network: that of a frozen memory.
    pub number: u32,
    /// What the PE holds while the layer runs.
    pub memory: LayerMemory,
    /// State of the zero-skip bit.
    pub zero_skip: bool,
    /// Starts the sums from the beginning. Called a second time for the
    /// waveform of a mismatch; it must then give the same sums.
    pub sums: Box<dyn Fn() -> Sums<'a> + 'a>,
}

/// How to replay.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The simulator.
    pub simulator: SimulatorKind,
    /// Body of the gated registers. With Verilator the gated body applies to
    /// the pipe and the output; the row storage runs on its enable body for
    /// speed, see [`Dut::with_enabled_rows`].
    pub body: Body,
    /// Seed of the stalls.
    pub seed: u64,
    /// How often either side stalls.
    pub stalls: Stalls,
    /// Folder where built simulators are kept and found again.
    pub cache: PathBuf,
    /// Folder for the waveform of a mismatch; made when there is one.
    pub waveforms: PathBuf,
}

impl ReplayOptions {
    /// Verilator on the gated body with the default stalls, everything kept
    /// below one folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            simulator: SimulatorKind::Verilator,
            body: Body::Gated,
            seed: 1,
            stalls: Stalls::default(),
            cache: folder.join("simulators"),
            waveforms: folder.join("waveforms"),
        }
    }
}

/// Why a replay has no verdict. A mismatch is a verdict: see [`Equivalence`].
#[derive(Error, Debug)]
pub enum ReplayError {
    /// The simulator failed, is missing, or the user cancelled.
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    /// Layers run on processing elements only.
    #[error("{0} is no processing element: layers cannot be replayed on it")]
    NotAPe(String),
    /// The rows of a layer cannot be loaded.
    #[error("layer {layer:?}: {source}")]
    Rows {
        /// Name of the layer.
        layer: String,
        /// What is wrong with them.
        source: LoadError,
    },
    /// A frozen memory holds another layer in its place.
    #[error("layer {layer:?}: the frozen memory holds something else as its layer {number}")]
    Frozen {
        /// Name of the layer.
        layer: String,
        /// Its index.
        number: u32,
    },
    /// The vectors could not be written.
    #[error("cannot write the test vectors: {0}")]
    Write(io::Error),
    /// A sum has no operands, so that no `last` can be sent.
    #[error("layer {layer:?}: output {index} has no operands and cannot be streamed")]
    EmptySum {
        /// Name of the layer.
        layer: String,
        /// Flat index of the output.
        index: usize,
    },
    /// The golden PE did not return as many results as it was sent sums.
    #[error("layer {layer:?}: the golden PE owes {missing} results after all operands; this is a bug in axp")]
    Lost {
        /// Name of the layer.
        layer: String,
        /// Results that never came.
        missing: usize,
    },
}

impl ReplayError {
    /// Whether the user cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Simulator(error) if error.is_cancelled())
    }
}

/// Builds (or reuses) the simulator and replays the layers in order, without a
/// reset in between. `progress` hears the MACs streamed so far, a few times a
/// second.
///
/// # Errors
/// [`ReplayError`]. Mismatches are no error but part of the [`Equivalence`].
pub fn replay(
    rtl: &Rtl,
    layers: &[LayerTrace<'_>],
    options: &ReplayOptions,
    progress: &dyn Fn(u64),
    cancel: &AtomicBool,
) -> Result<Equivalence, ReplayError> {
    let config = checked(rtl, layers)?;
    let dut = match (options.simulator, options.body) {
        (SimulatorKind::Verilator, Body::Gated) => Dut::of(rtl).with_enabled_rows(),
        _ => Dut::of(rtl),
    };
    let simulator = build(&dut, options, cancel)?;
    let vectors = PeVectors::of(&dut).map_err(SimulatorError::from)?;
    let driver = || Driver::new(config, layers, options, vectors.clone());
    let begin = Instant::now();
    let mut halted = None;
    let (tallies, sections) = compare(&simulator, None, Some(cancel), |writer, _| {
        driver().run(writer, progress).map_err(|halt| match halt {
            Halt::Stop(stop) => stop,
            Halt::Error(error) => {
                halted = Some(error);
                Stop::Abandoned
            }
        })
    })
    .or_else(|error| halted.take().map_or(Err(ReplayError::from(error)), Err))?;
    let seconds = begin.elapsed().as_secs_f64();
    let tallies = tallies.unwrap_or_default();
    let mut equivalence = Equivalence::new(options, layers, &tallies, &sections, seconds);
    if let Some(Mismatch::Signal { cycle, waveform, .. }) = &mut equivalence.first_mismatch {
        let again = |writer: &mut FrameWriter<'_>, _: &_| match driver().run(writer, &|_| {}) {
            Ok(_) => Ok(()),
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Error(_)) => Err(Stop::Abandoned),
        };
        let (cache, folder) = (&options.cache, &options.waveforms);
        let path = waveform::capture(&dut, &simulator, options.body, cache, folder, *cycle, cancel, again)?;
        *waveform = Some(path);
    }
    Ok(equivalence)
}

/// Writes the vectors of a replay instead of running it: the stream that both
/// benches read, for a simulator or an emulator of one's own.
///
/// # Errors
/// Layers that cannot be streamed, or whatever `out` answers.
pub fn write_vectors(
    rtl: &Rtl,
    layers: &[LayerTrace<'_>],
    options: &ReplayOptions,
    out: impl Write,
) -> Result<(), ReplayError> {
    let config = checked(rtl, layers)?;
    let vectors = PeVectors::of(&Dut::of(rtl)).map_err(SimulatorError::from)?;
    let layout = vectors.layout().clone();
    let mut writer = FrameWriter::new(out, &layout, None);
    let written = Driver::new(config, layers, options, vectors).run(&mut writer, &|_| {});
    match written.and_then(|_| writer.flush().map_err(Halt::Stop)) {
        Ok(()) => Ok(()),
        Err(Halt::Error(error)) => Err(error),
        Err(Halt::Stop(Stop::Pipe(source))) => Err(ReplayError::Write(source)),
        Err(Halt::Stop(_)) => Err(ReplayError::Write(io::ErrorKind::BrokenPipe.into())),
    }
}

/// The configuration of the PE, which can hold the layers.
fn checked<'a>(rtl: &'a Rtl, layers: &[LayerTrace<'_>]) -> Result<&'a PeConfig, ReplayError> {
    let config = rtl.pe().ok_or_else(|| ReplayError::NotAPe(rtl.top.clone()))?;
    layers.iter().try_for_each(|layer| {
        let rows = |source| ReplayError::Rows { layer: layer.name.clone(), source };
        if config.am.is_some() {
            Am::new(config).load_layer(&layer.memory).map_err(rows)?;
        }
        if config.is_frozen() && config.frozen_layers().get(layer.number as usize) != Some(&layer.memory) {
            return Err(ReplayError::Frozen { layer: layer.name.clone(), number: layer.number });
        }
        Ok(())
    })?;
    Ok(config)
}

fn build(dut: &Dut, options: &ReplayOptions, cancel: &AtomicBool) -> Result<Simulator, SimulatorError> {
    match options.simulator {
        SimulatorKind::Verilator => verilator::build(dut, options.body, false, &options.cache, cancel),
        SimulatorKind::Icarus => icarus::build(dut, options.body, &options.cache, cancel),
    }
}
