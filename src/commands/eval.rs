//! `axp eval`: samples through a built design, bit-exact.

use super::{evaluation, folder};
use crate::args::EvalOptions;
use crate::exit::{Failure, Outcome};
use crate::input;
use crate::interrupt::Cancel;
use crate::progress::Stages;
use crate::report::{Accuracy, HitRate, Layer, Measure, summary};
use serde::Serialize;

#[derive(Serialize)]
struct Found {
    accuracy: Accuracy,
    hit_rate: HitRate,
    zero_rate: f64,
    layers: Vec<Layer>,
}

/// Runs the command.
///
/// # Errors
/// See [`Failure`]; a loss beyond the design's bound is a failed check.
pub fn run(options: &EvalOptions, cancel: &Cancel) -> Outcome {
    let built = folder::open(&options.design)?;
    let network = built.engine.network();
    let data = input::load_evaluation(&options.data, options.labels.as_deref(), options.scale, network)?;
    let bound = built.design.provenance.max_loss_pp;
    let evaluated = evaluation::run(&built.engine, &data, bound, &Stages::new(), cancel)?;
    let total = evaluated.on_pe.total();
    let found = Found {
        hit_rate: evaluation::hit_rate(&total),
        zero_rate: total.zero_rate(),
        layers: evaluation::layer_rows(network, &built.design, &evaluated.on_pe.layers),
        accuracy: evaluated.accuracy,
    };
    if options.json {
        // Plain structures with string keys: they cannot fail to serialise.
        println!("{}", serde_json::to_string_pretty(&found).unwrap_or_default());
    } else {
        print!("{}", summary::layer_table(&found.layers, found.zero_rate, found.hit_rate));
        print!("\n{}", summary::accuracy(&found.accuracy));
    }
    bound_kept(&found.accuracy)
}

/// A missed accuracy bound as a failed check.
///
/// # Errors
/// [`Failure::Check`] if more was lost than allowed.
pub fn bound_kept(accuracy: &Accuracy) -> Outcome {
    if accuracy.within_bound {
        return Ok(());
    }
    let what = match accuracy.measure {
        Measure::Top1 => "accuracy",
        Measure::Agreement => "agreement with the float net",
    };
    Err(Failure::check(
        format!(
            "the net on the PE loses {:.2} percentage points of {what}, the bound is {:.2}",
            accuracy.loss_pp, accuracy.max_loss_pp
        ),
        "build with more or more typical calibration samples, with more --rows, or allow more with --max-loss",
    ))
}
