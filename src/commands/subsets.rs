//! The same search on subsets of the calibration samples: how much of a loss is luck.

use super::codesign::{self, SearchFolder};
use super::evaluation;
use crate::args::BuildOptions;
use crate::exit::Failure;
use crate::input::{Evaluation, Input};
use crate::interrupt::Cancel;
use crate::progress::Stages;
use crate::report::{SubsetDesign, Subsets};
use axp_golden::codesign::subset;
use axp_golden::infer::Engine;
use std::collections::BTreeMap;

/// Designs made on as many subsets as `--seeds` says, each run on the evaluation samples;
/// none for one.
///
/// # Errors
/// See [`codesign::search`].
pub fn run(
    options: &BuildOptions,
    input: &Input,
    data: &Evaluation,
    tools: &BTreeMap<String, String>,
    folder: &SearchFolder,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Option<Subsets>, Failure> {
    if options.seeds < 2 {
        return Ok(None);
    }
    let design = |number: u32| {
        let samples = subset::two_thirds(&input.calibration, options.network.seed, number);
        let found = codesign::search(options, input, &samples, tools, folder, stages, cancel)?;
        let engine =
            Engine::from_design(&input.network, &found.design).map_err(|error| evaluation::failure(&error, cancel))?;
        let evaluated = evaluation::run(&engine, data, options.max_loss, stages, cancel)?;
        Ok(SubsetDesign {
            name: found.design.pe.name,
            samples: samples.len(),
            loss_pp: evaluated.accuracy.loss_pp,
            nonzero_hit_rate: evaluated.on_pe.total().nonzero_hit_rate(),
        })
    };
    let designs = (0..options.seeds).map(design).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Subsets::new(designs))
}
