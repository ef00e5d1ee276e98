//! `axp keys`: what partial matching is worth, for every key width.

use super::evaluation;
use crate::args::KeysOptions;
use crate::exit::{Failure, Outcome};
use crate::input;
use crate::interrupt::{Cancel, requested};
use crate::plot::{self, KeyPoint};
use crate::progress::Stages;
use crate::staging::Staging;
use axp_golden::codesign::search::SearchControl;
use axp_golden::codesign::sweep::{Measure, SweepOptions, SweepPoint, key_sweep};
use serde::Serialize;
use std::fmt::Write;

/// Fraction bits of an exact key.
const EXACT: u32 = 23;

#[derive(Serialize)]
struct Sweep<'a> {
    model: &'a str,
    measured_on: &'static str,
    samples: usize,
    clusters: u32,
    rows: u32,
    seed: u64,
    points: &'a [SweepPoint],
}

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &KeysOptions, cancel: &Cancel) -> Outcome {
    let staging = Staging::begin(&options.out, options.force)?;
    let input = input::load(&options.network)?;
    let (samples, labels, measured_on) = match &input.evaluation {
        Some(data) => (&data.samples, data.labels.as_deref(), "evaluation samples"),
        None => (&input.calibration, None, "calibration samples"),
    };
    let stages = Stages::new();
    let stage = stages.start("keys", 0);
    let sweep = SweepOptions {
        clusters: options.clusters as usize,
        rows: options.rows as usize,
        seed: options.network.seed,
        zero_skip: false,
    };
    let progress = |step: usize, of: usize, what: &str| {
        stage.set(step.saturating_sub(1) as u64, of as u64);
        stage.say(what.to_owned());
    };
    let control = SearchControl { progress: &progress, improved: &|_| {}, cancel };
    let points = key_sweep(&input.network, &input.calibration, &Measure { samples, labels }, &sweep, &control)
        .map_err(|error| evaluation::failure(&error, cancel))?;
    stage.done(format!("{} key widths on {} {measured_on}", points.len(), samples.len()));

    let table = Sweep {
        model: &input.name,
        measured_on,
        samples: samples.len(),
        clusters: options.clusters,
        rows: options.rows,
        seed: options.network.seed,
        points: &points,
    };
    let svg = plot(&points, labels.is_some())
        .map_err(|error| Failure::input(format!("cannot draw the plot: {error}"), "please report it"))?;
    // Plain structures with string keys: they cannot fail to serialise.
    staging.write("keys.json", serde_json::to_string_pretty(&table).unwrap_or_default() + "\n")?;
    staging.write("keys.csv", csv(&points))?;
    staging.write("keys.svg", svg)?;
    if requested(cancel) {
        return Err(Failure::Interrupted);
    }
    staging.finish()?;
    print!("{}", text(&points));
    println!("table and plot: {}", options.out.display());
    Ok(())
}

/// Accuracy lost with labels, agreement lost without, in percentage points.
fn loss_pp(point: &SweepPoint) -> f64 {
    point.loss_pp.unwrap_or(100.0 * point.agreement.disagreement())
}

fn plot(points: &[SweepPoint], labelled: bool) -> Result<String, impl std::error::Error> {
    let points: Vec<KeyPoint> = points
        .iter()
        .map(|point| KeyPoint {
            fraction_bits: point.key_fraction_bits,
            nonzero_hit: 100.0 * point.nonzero_hit_rate,
            hit: 100.0 * point.hit_rate,
            loss_pp: loss_pp(point),
        })
        .collect();
    plot::keys(&points, if labelled { "accuracy lost, pp" } else { "agreement lost, pp" })
}

fn csv(points: &[SweepPoint]) -> String {
    let mut out = "key_fraction_bits,rows,hit_rate,nonzero_hit_rate,loss_pp\n".to_owned();
    for point in points {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{},{},{},{},{}",
            point.key_fraction_bits,
            point.rows,
            point.hit_rate,
            point.nonzero_hit_rate,
            loss_pp(point)
        );
    }
    out
}

fn text(points: &[SweepPoint]) -> String {
    let mut out =
        format!("{:>8} {:>6} {:>9} {:>13} {:>8}\n", "key bits", "rows", "hit, all", "hit, nonzero", "lost pp");
    for point in points {
        let width = match point.key_fraction_bits {
            EXACT => "exact".to_owned(),
            bits => bits.to_string(),
        };
        let _ = writeln!(
            out,
            "{width:>8} {:>6} {:>8.2}% {:>12.2}% {:>+8.2}",
            point.rows,
            100.0 * point.hit_rate,
            100.0 * point.nonzero_hit_rate,
            loss_pp(point)
        );
    }
    out
}
