//! Measuring a built design on gates: its windows, and comparisons from before.

use super::evaluation;
use super::folder::{self, BuiltDesign};
use super::replay::cache_folder;
use super::replay_plan::{self, LayerSize};
use crate::args::MeasureOptions;
use crate::exit::Failure;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use axp_golden::am::{Am, Operands};
use axp_golden::infer::{Control, OutputTrace, map_samples};
use axp_golden::net::Samples;
use axp_golden::pe::{Settings, sum_operands};
use axp_spec::design::Design;
use axp_testbench::energy::estimate::Activity;
use axp_testbench::energy::{
    Baseline, Comparison, Contender, EnergyError, LayerWindow, Options, Phase, cache, compare,
};
use axp_testbench::synth::SynthError;
use axp_testbench::synth::liberty::CellLibrary;
use std::collections::BTreeMap;
use std::path::Path;

/// Fewest sums of a window, where the samples have as many.
const SUMS: u64 = 4;

/// A built design, and what is streamed of each of its layers.
pub struct Measured {
    /// The design's processing element.
    pub design: Contender,
    /// Its layers.
    pub windows: Vec<LayerWindow>,
}

impl Measured {
    /// Reads a build folder and traces its samples through its layers.
    ///
    /// # Errors
    /// The folder or its samples are damaged, or the user cancels.
    pub fn open(path: &Path, options: &MeasureOptions, cancel: &Cancel) -> Result<Self, Failure> {
        let built = folder::open(path)?;
        let samples = Samples::read(&path.join(folder::REPLAY), built.engine.network().input_shape())
            .map_err(|error| Failure::input(error, "build the design again"))?;
        let windows = windows(&built, &samples, options.macs, cancel)?;
        Ok(Self { design: Contender::design(&built.design.pe, built.design.zero_skip), windows })
    }

    /// What the layers do on `contender`, with their MACs in one inference.
    ///
    /// # Errors
    /// The rows cannot be loaded.
    pub fn activities(&self, contender: &Contender) -> Result<Vec<(u64, Activity)>, Failure> {
        let windows = self.windows.iter().enumerate();
        let activities = windows.map(|(number, window)| {
            let activity = Activity::of(contender, window, number);
            activity.map(|activity| (window.macs, activity)).map_err(|source| {
                let error = EnergyError::Rows { layer: window.name.clone(), source };
                Failure::input(error, "build the design again")
            })
        });
        activities.collect()
    }

    /// The comparison with `baselines` on one library, from before if nothing has changed.
    ///
    /// # Errors
    /// See [`Failure`]: a clock that is too fast is wrong input; figures that are not
    /// to be trusted are a failed check.
    pub fn compare(
        &self,
        baselines: &[Baseline],
        library: &CellLibrary,
        clock_ns: Option<f64>,
        stages: &Stages,
        cancel: &Cancel,
    ) -> Result<Comparison, Failure> {
        let Self { design, windows } = self;
        let fail = |error: EnergyError| failure(&error, cancel);
        let folder = cache_folder();
        let kept = cache::file(&folder, design, baselines, windows, library, clock_ns).map_err(fail)?;
        if let Some(found) = cache::kept(&kept) {
            return Ok(found);
        }
        let stage = stages.start("energy", 0);
        let progress = |phase: Phase<'_>| match phase {
            Phase::Synthesis(name) => stage.say(format!("synthesis of {name} on {}", library.name)),
            Phase::Proof(name) => stage.say(format!("proof of {name} on {}", library.name)),
            Phase::Simulation { macs, of } => {
                stage.say(format!("{macs} of {of} MACs on {}", library.name));
                stage.set(macs, of);
            }
        };
        let options = Options { clock_ns, recipes: None, cache: Some(&folder), progress: &progress, cancel };
        let found = compare(design, baselines, windows, library, &options).map_err(fail)?;
        if requested(cancel) {
            return Err(Failure::Interrupted);
        }
        cache::keep(&kept, &found).map_err(|error| Failure::io("write", &kept, &error))?;
        stage.done(format!("{:.1} pJ a MAC on {}", found.design.pj_per_mac, library.name));
        // As it will be read the next time: a number may change in its last digit on the way.
        Ok(cache::kept(&kept).unwrap_or(found))
    }
}

/// Whole sums of every layer with at least `macs` MACs, where there are as many,
/// spread over its outputs and over the samples.
fn windows(built: &BuiltDesign, samples: &Samples, macs: u64, cancel: &Cancel) -> Result<Vec<LayerWindow>, Failure> {
    let geometries = built.engine.network().layers().iter().map(|layer| &layer.geometry);
    let sizes: Vec<LayerSize> =
        geometries.map(|g| LayerSize { outputs: g.outputs(), macs_per_output: g.macs_per_output() as u64 }).collect();
    let total = |size: &LayerSize| {
        let wanted = macs.div_ceil(size.macs_per_output.max(1)).max(SUMS);
        usize::try_from(wanted).unwrap_or(usize::MAX).min(size.outputs * samples.len())
    };
    let control = Control { progress: &|_| {}, cancel };
    let by_sample = map_samples(samples, &control, |sample, values| {
        let traces = sizes.iter().enumerate().map(|(layer, size)| {
            let outputs = replay_plan::indices(*size, total(size), samples.len(), sample);
            built.engine.traces(values, layer, outputs)
        });
        traces.collect::<Result<Vec<_>, _>>()
    })
    .map_err(|error| evaluation::failure(&error, cancel))?;
    let mut windows: Vec<LayerWindow> = built
        .design
        .layers
        .iter()
        .zip(&sizes)
        .map(|(layer, size)| LayerWindow {
            name: layer.name.clone(),
            macs: size.outputs as u64 * size.macs_per_output,
            memory: layer.memory(),
            ..LayerWindow::default()
        })
        .collect();
    for sample in by_sample {
        for (number, (window, traces)) in windows.iter_mut().zip(sample).enumerate() {
            window.saturates |= saturates(&built.design, number, window, &traces);
            window.sums.extend(traces.into_iter().map(|trace| trace.operands));
        }
    }
    Ok(windows)
}

/// Whether a sum leaves the range of the accumulator, and inference has the very
/// value that comes of it. Rows that cannot be loaded are refused later on.
fn saturates(design: &Design, number: usize, window: &LayerWindow, traces: &[OutputTrace]) -> bool {
    let (config, memory) = (&design.pe, &window.memory);
    let mut am = Am::new(config);
    if config.accumulator_format(0).is_none() || am.load_layer(memory).is_err() {
        return false;
    }
    // A design has far fewer layers.
    am.select_layer(u32::try_from(number).unwrap_or(u32::MAX));
    let settings = Settings { zero_skip: design.zero_skip, range: memory.range };
    let mut columns = BTreeMap::new();
    traces.iter().any(|trace| {
        let operands = trace.operands.iter().map(|(weight, activation)| {
            let column = columns.entry(*weight).or_insert_with(|| memory.column_sent(config, *weight));
            Operands { column: *column, weight: *weight, activation: *activation }
        });
        let sum = sum_operands(config, &am, settings, operands);
        sum.overflow && trace.epilogue.apply(sum.data) == trace.element
    })
}

/// What to do about a missing tool.
const INSTALLS: &str = "./scripts/test.sh installs what is missing";

fn failure(error: &EnergyError, cancel: &Cancel) -> Failure {
    if let EnergyError::Netlist { source, .. } = error
        && let Some(missing) = source.missing()
    {
        return Failure::input(missing, INSTALLS);
    }
    match error {
        _ if error.is_cancelled() || requested(cancel) => Failure::Interrupted,
        EnergyError::Clock { least_ns, .. } => {
            Failure::input(error, format!("use --clock {least_ns}ns or more, or leave the choice to axp"))
        }
        EnergyError::Synth { source: SynthError::Missing(missing), .. } => Failure::input(missing, INSTALLS),
        _ if error.is_failed_check() => Failure::check(
            format!("no figure is stated: {error}"),
            "axp has a defect; please report it with the design",
        ),
        other => Failure::input(other, "check that the tools run, and that the library has energy tables"),
    }
}
