//! `axp build`: a network the whole way to verified Verilog and a report.

use super::{codesign, eval, evaluation, folder, generate, lint, replay, subsets};
use crate::args::{BuildOptions, SimulatorChoice};
use crate::exit::{Failure, Outcome};
use crate::input;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::report::{self, Model, Report, html, summary};
use crate::staging::Staging;
use axp_golden::infer::Engine;
use axp_hdl::package;
use axp_spec::design::sha256_hex;
use axp_testbench::dut::Dut;
use axp_testbench::tools::Tool;
use std::collections::BTreeMap;
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// See [`Failure`]. A mismatch, a lint warning or a missed bound is a failed
/// check; the folder with the report is complete all the same.
pub fn run(options: &BuildOptions, cancel: &Cancel) -> Outcome {
    // What can fail at once fails at once: the folder, the tools, the input.
    let staging = Staging::begin(&options.out, options.force)?;
    options.memory.columns()?;
    let tools = versions(options.replay.simulator)?;
    let input = input::load(&options.network)?;
    let stages = Stages::new();

    let searched = codesign::SearchFolder::begin(&options.out, options.resume)?;
    let outcome = codesign::search(options, &input, &input.calibration, &tools, &searched, &stages, cancel)?;
    let design = outcome.design;
    let engine = Engine::from_design(&input.network, &design).map_err(|e| evaluation::failure(&e, cancel))?;

    let rtl = generate::rtl(&design.pe, &stages)?;
    for file in package::files(&rtl) {
        staging.write(&format!("{}/{}", folder::RTL, file.name), file.text)?;
    }
    let passes = lint::run(&Dut::of(&rtl), &stages, cancel)?;

    let all_layers: Vec<usize> = (0..design.layers.len()).collect();
    let calibration_only = input::Evaluation { samples: input.calibration.clone(), labels: None };
    let data = input.evaluation.as_ref().unwrap_or(&calibration_only);
    let samples = replay::choose_samples(&engine, &all_layers, &data.samples, &options.replay);
    let waves = staging.path().join("waves");
    let replayed = replay::run(
        &replay::Replay {
            engine: &engine,
            design: &design,
            rtl: &rtl,
            samples: &samples,
            layers: &all_layers,
            amount: &options.replay,
            waves: &waves,
        },
        &stages,
        cancel,
    )?;
    let equivalence = replay::rows(&replayed, staging.path(), &options.out);

    let evaluated = evaluation::run(&engine, data, options.max_loss, &stages, cancel)?;
    let (float, calibration) = (&evaluated.float, &input.calibration);
    let narrow = evaluation::narrow(&input.network, calibration, data, float, &stages, cancel)?;
    let subsets = subsets::run(options, &input, data, &tools, &searched, &stages, cancel)?;
    let total = evaluated.on_pe.total();
    let layers = evaluation::layer_rows(&input.network, &design, &evaluated.on_pe.layers);
    let report = Report {
        schema: report::SCHEMA,
        axp_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: Model {
            name: input.name.clone(),
            sha256: sha256_hex(&input.onnx),
            input_shape: input.network.input_shape().to_vec(),
            calibration_samples: input.calibration.len(),
        },
        accuracy: evaluated.accuracy,
        evaluated_on: if input.evaluation.is_some() { "evaluation samples" } else { "calibration samples" }.to_owned(),
        narrow,
        subsets,
        choice: outcome.choice,
        search: outcome.candidates,
        pe: design.pe.clone(),
        zero_skip: design.zero_skip,
        hit_rate: evaluation::hit_rate(&total),
        zero_rate: total.zero_rate(),
        macs: layers.iter().filter_map(|layer| layer.macs).sum(),
        overflows: layers.iter().map(|layer| layer.overflows).sum(),
        layers,
        equivalence,
        lint: lint::rows(&passes),
        tools,
        seconds: stages.seconds(),
    };

    staging.write(folder::DESIGN, design.to_json())?;
    staging.write(folder::MODEL, &input.onnx)?;
    staging.write(folder::REPLAY, samples.to_npy())?;
    // Plain structures with string keys: they cannot fail to serialise.
    staging.write(folder::REPORT, serde_json::to_string_pretty(&report).unwrap_or_default() + "\n")?;
    staging.write(folder::PAGE, html::page(&report))?;
    if requested(cancel) {
        return Err(Failure::Interrupted);
    }
    staging.finish()?;
    print!("\n{}", summary::text(&report));
    println!("report: {}", options.out.join(folder::PAGE).display());

    replay::no_mismatch(&report.equivalence)?;
    lint::check(&passes)?;
    eval::bound_kept(&report.accuracy)
}

/// Versions of the tools that the build needs: all of them are looked for
/// before the long work starts.
fn versions(simulator: SimulatorChoice) -> Result<BTreeMap<String, String>, Failure> {
    let mut needed = vec![Tool::Verilator, Tool::Iverilog, Tool::Yosys];
    needed.extend(match simulator {
        SimulatorChoice::Verilator => [Tool::Gxx, Tool::Make].as_slice(),
        SimulatorChoice::Icarus => [Tool::Vvp].as_slice(),
    });
    needed
        .into_iter()
        .map(|tool| {
            let version = tool.version().map_err(|error| {
                Failure::input(error, "./scripts/test.sh and ./scripts/demo.sh install what is missing")
            })?;
            Ok((tool.program().to_owned(), first_words(&version)))
        })
        .collect()
}

/// A version line without the machine's paths or a long tail.
fn first_words(version: &str) -> String {
    version.split_whitespace().filter(|word| !Path::new(word).is_absolute()).take(6).collect::<Vec<_>>().join(" ")
}
