//! `axp verify`: the layers of a built design on its Verilog, again.

use super::folder::{self, BuiltDesign};
use super::{generate, replay};
use crate::args::VerifyOptions;
use crate::exit::{Failure, Outcome};
use crate::interrupt::Cancel;
use crate::progress::Stages;
use axp_golden::net::Samples;
use axp_hdl::{Rtl, package};
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// See [`Failure`]; a mismatch is a failed check.
pub fn run(options: &VerifyOptions, cancel: &Cancel) -> Outcome {
    let built = folder::open(&options.design)?;
    let layers = layers(&built, &options.layer)?;
    let path = options.design.join(folder::REPLAY);
    let kept = Samples::read(&path, built.engine.network().input_shape())
        .map_err(|error| Failure::input(error, "build the design again"))?;
    let samples = replay::choose_samples(&built.engine, &layers, &kept, &options.replay);
    let stages = Stages::new();
    let mut rtl = generate::rtl(&built.design.pe, &stages)?;
    take_texts(&mut rtl, &options.design.join(folder::RTL))?;
    let waves = options.waves.clone().unwrap_or_else(|| options.design.join("waves"));
    let found = replay::run(
        &replay::Replay {
            engine: &built.engine,
            design: &built.design,
            rtl: &rtl,
            samples: &samples,
            layers: &layers,
            amount: &options.replay,
            waves: &waves,
        },
        &stages,
        cancel,
    )?;
    let verdict = replay::rows(&found, &waves, &waves);
    for layer in &verdict.layers {
        println!(
            "{:<32} {:>9} outputs {:>11} MACs {:>11} cycles {:>4} mismatches",
            crate::report::summary::printable(&layer.name, 32),
            layer.outputs,
            layer.macs,
            layer.cycles,
            layer.mismatches
        );
    }
    replay::no_mismatch(&verdict)
}

/// The layers to replay, as indices in the order in which they run.
fn layers(built: &BuiltDesign, names: &[String]) -> Result<Vec<usize>, Failure> {
    let all = &built.design.layers;
    if names.is_empty() {
        return Ok((0..all.len()).collect());
    }
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|layer| layer.name != **name)) {
        let known: Vec<String> = all.iter().map(|layer| format!("{:?}", layer.name)).collect();
        return Err(Failure::input(
            format!("the design has no layer {unknown:?} on the PE"),
            format!("its layers are {}", known.join(", ")),
        ));
    }
    Ok((0..all.len()).filter(|i| names.contains(&all[*i].name)).collect())
}

/// Puts the folder's own Verilog in the place of the freshly generated text, so
/// that what is verified is what lies there.
fn take_texts(rtl: &mut Rtl, folder: &Path) -> Result<(), Failure> {
    let expected = package::files(rtl);
    for module in &mut rtl.modules {
        let path = folder.join(module.file());
        module.text = crate::input::read_text(&path)?;
    }
    let changed: Vec<&str> = rtl
        .modules
        .iter()
        .filter(|module| expected.iter().any(|file| file.name == module.file() && file.text != module.text))
        .map(|module| module.name.as_str())
        .collect();
    if !changed.is_empty() {
        eprintln!("axp: warning: not what this axp generates: {}", changed.join(", "));
    }
    Ok(())
}
