//! Real layers on the generated Verilog, as a stage of a command.

use super::evaluation;
use super::replay_plan::{self, Budget, LayerSize};
use crate::args::{ReplayOptions as Amount, SimulatorChoice};
use crate::exit::Failure;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::report;
use axp_golden::infer::{Control, Engine, OutputTrace, map_samples};
use axp_golden::net::Samples;
use axp_hdl::Rtl;
use axp_spec::Design;
use axp_testbench::dut::Body;
use axp_testbench::replay::{Equivalence, LayerTrace, Mismatch, ReplayError, ReplayOptions, Stalls, SumTrace, replay};
use axp_testbench::simulator::SimulatorKind;
use axp_testbench::tools::Tool;
use std::path::{Path, PathBuf};

/// MACs replayed in all unless the user says otherwise, by simulator: Verilator
/// does them in a second or two, Icarus in about as many as one waits for.
const MACS: [u64; 2] = [1_200_000, 40_000];

/// What is replayed, and how.
pub struct Replay<'a> {
    /// The design's net.
    pub engine: &'a Engine,
    /// The design.
    pub design: &'a Design,
    /// Its Verilog.
    pub rtl: &'a Rtl,
    /// Samples whose layers are replayed; all of them are drawn on.
    pub samples: &'a Samples,
    /// Layers to replay, by index.
    pub layers: &'a [usize],
    /// How much.
    pub amount: &'a Amount,
    /// Folder for the waveform of a mismatch.
    pub waves: &'a Path,
}

/// The samples that a replay of `layers` draws on, evenly spread over `all`.
pub fn choose_samples(engine: &Engine, layers: &[usize], all: &Samples, amount: &Amount) -> Samples {
    let needed = replay_plan::samples_needed(&sizes(engine, layers), budget(amount), all.len());
    let indices: Vec<usize> = (0..needed).map(|i| i * all.len() / needed).collect();
    all.select(&indices)
}

/// Streams the layers through the Verilog and compares.
///
/// # Errors
/// A tool is missing or failed, or Ctrl-C. Mismatches are no error here: they
/// come back with the verdict.
pub fn run(what: &Replay<'_>, stages: &Stages, cancel: &Cancel) -> Result<Equivalence, Failure> {
    let traces = trace(what, stages, cancel)?;
    let total: u64 = traces.iter().flatten().map(|sum| sum.operands.len() as u64).sum();
    let layers: Vec<LayerTrace<'_>> = what
        .layers
        .iter()
        .zip(&traces)
        .map(|(index, sums)| {
            let layer = &what.design.layers[*index];
            LayerTrace {
                name: layer.name.clone(),
                // A design has fewer layers than that.
                number: *index as u32,
                memory: layer.memory(),
                zero_skip: what.design.zero_skip,
                sums: Box::new(|| Box::new(sums.iter().cloned())),
            }
        })
        .collect();
    let options = ReplayOptions {
        simulator: match what.amount.simulator {
            SimulatorChoice::Verilator => SimulatorKind::Verilator,
            SimulatorChoice::Icarus => SimulatorKind::Icarus,
        },
        body: Body::Gated,
        seed: what.design.provenance.seed,
        stalls: Stalls::default(),
        cache: cache_folder(),
        waveforms: what.waves.to_owned(),
    };
    let stage = stages.start("replay", total);
    stage.say("compiling the simulator");
    let progress = |macs: u64| {
        stage.say(format!("{macs} of {total} MACs"));
        stage.set(macs, total);
    };
    let found = replay(what.rtl, &layers, &options, &progress, cancel).map_err(|error| failure(&error, cancel))?;
    stage.done(format!(
        "{} mismatches in {} outputs, {} MACs, {} cycles on {}: {:.2} million MACs a second",
        found.mismatches,
        found.outputs,
        found.macs,
        found.cycles,
        found.simulator,
        found.macs as f64 / found.seconds.max(1e-9) / 1e6
    ));
    Ok(found)
}

/// The operand streams of the planned outputs of each layer.
fn trace(what: &Replay<'_>, stages: &Stages, cancel: &Cancel) -> Result<Vec<Vec<SumTrace>>, Failure> {
    let sizes = sizes(what.engine, what.layers);
    let samples = what.samples.len();
    let outputs = replay_plan::outputs_of_layers(&sizes, budget(what.amount), samples);
    let stage = stages.start("trace", samples as u64);
    stage.say("operands of the layers to replay");
    let progress = |done: usize| stage.set(done as u64, samples as u64);
    let by_sample = map_samples(what.samples, &Control { progress: &progress, cancel }, |sample, values| {
        what.layers
            .iter()
            .zip(&sizes)
            .zip(&outputs)
            .map(|((layer, size), total)| {
                what.engine.traces(values, *layer, replay_plan::indices(*size, *total, samples, sample))
            })
            .collect::<Result<Vec<_>, _>>()
    })
    .map_err(|error| evaluation::failure(&error, cancel))?;
    let mut by_layer: Vec<Vec<SumTrace>> = what.layers.iter().map(|_| Vec::new()).collect();
    for sample in by_sample {
        for (all, new) in by_layer.iter_mut().zip(sample) {
            all.extend(new.into_iter().map(sum_trace));
        }
    }
    Ok(by_layer)
}

fn sum_trace(trace: OutputTrace) -> SumTrace {
    let OutputTrace { index, operands, epilogue, element } = trace;
    SumTrace { index, operands, epilogue, element }
}

fn sizes(engine: &Engine, layers: &[usize]) -> Vec<LayerSize> {
    let all = engine.network().layers();
    layers
        .iter()
        .map(|index| &all[*index].geometry)
        .map(|g| LayerSize { outputs: g.outputs(), macs_per_output: g.macs_per_output() as u64 })
        .collect()
}

fn budget(amount: &Amount) -> Budget {
    let macs = amount.macs.unwrap_or(match amount.simulator {
        SimulatorChoice::Verilator => MACS[0],
        SimulatorChoice::Icarus => MACS[1],
    });
    Budget { outputs: amount.outputs as usize, macs }
}

/// Where compiled simulators are kept from run to run.
pub fn cache_folder() -> PathBuf {
    let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    home("XDG_CACHE_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("axp")
}

/// The verdict as part of a report. Paths below `staged` are shown below `shown`,
/// where they will be when the folder is complete.
pub fn rows(found: &Equivalence, staged: &Path, shown: &Path) -> report::Equivalence {
    let tool = match found.simulator {
        SimulatorKind::Verilator => Tool::Verilator,
        SimulatorKind::Icarus => Tool::Iverilog,
    };
    let simulator = tool.version().unwrap_or_else(|_| found.simulator.to_string());
    let layers = found
        .layers
        .iter()
        .map(|layer| report::LayerEquivalence {
            name: layer.name.clone(),
            simulator: simulator.clone(),
            cycles: layer.cycles,
            macs: layer.macs,
            outputs: layer.outputs,
            mismatches: layer.mismatches,
        })
        .collect();
    report::Equivalence {
        simulator,
        cycles: found.cycles,
        macs: found.macs,
        outputs: found.outputs,
        mismatches: found.mismatches,
        layers,
        first_mismatch: found.first_mismatch.clone().map(|mut mismatch| {
            if let Mismatch::Signal { waveform: Some(path), .. } = &mut mismatch
                && let Ok(inside) = path.strip_prefix(staged)
            {
                *path = shown.join(inside);
            }
            mismatch.to_string()
        }),
    }
}

/// A mismatch as a failed check.
///
/// # Errors
/// [`Failure::Check`] if anything differed.
pub fn no_mismatch(found: &report::Equivalence) -> Result<(), Failure> {
    if found.mismatches == 0 {
        return Ok(());
    }
    let first = found.first_mismatch.as_deref().unwrap_or("see the report");
    Err(Failure::check(
        format!("the Verilog and the golden model differ ({} mismatches): {first}", found.mismatches),
        "the Verilog was changed, or axp has a defect; please report it with the waveform",
    ))
}

fn failure(error: &ReplayError, cancel: &Cancel) -> Failure {
    if error.is_cancelled() || requested(cancel) {
        return Failure::Interrupted;
    }
    Failure::input(error, "./scripts/test.sh installs missing tools; otherwise check the disk and the message above")
}
