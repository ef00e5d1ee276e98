//! `axp explore`: every design of the space for a network, and the best of them.

use super::estimate::TableModel;
use super::evaluation;
use super::sweep::{self, Part, Row};
use crate::args::ExploreOptions;
use crate::exit::{Failure, Outcome};
use crate::input::{self, Input};
use crate::interrupt::{Cancel, requested};
use crate::plot;
use crate::progress::Stages;
use crate::report::Accuracy;
use crate::staging::write_file;
use axp_golden::codesign::energy::EnergyModel;
use axp_golden::codesign::explore::{Done, Explorer, Task, tasks};
use axp_golden::codesign::search::{SearchControl, SearchOptions};
use axp_golden::infer::{Control, Engine, evaluate_baseline};
use axp_spec::design::sha256_hex;
use axp_spec::{Accumulator, Design, Organisation, WeightOperand};
use std::collections::BTreeMap;

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &ExploreOptions, cancel: &Cancel) -> Outcome {
    let input = input::load(&options.network)?;
    let energy = TableModel::open(options.search.energy_table.as_deref())?;
    let wanted = SearchOptions {
        rows: 0,
        frozen: false,
        max_loss_pp: 0.0,
        seed: options.network.seed,
        zero_skip: options.zero_skip,
        feedback: options.search.feedback(),
        channel_scales: options.search.channel_scales,
        model_sha256: sha256_hex(&input.onnx),
        tools: BTreeMap::new(),
    };
    let tasks = tasks();
    let sweep = fingerprint(&input, &wanted, energy.name());
    let shard = options.shard;
    let mut part = Part::open(&options.out, &sweep, tasks.len(), shard.part, shard.of)?;
    let stages = Stages::new();
    let wait: Vec<(usize, &Task)> =
        tasks.iter().enumerate().filter(|(number, _)| shard.has(*number) && !part.has(*number)).collect();
    if !wait.is_empty() {
        let stage = stages.start("explore", wait.len() as u64);
        let progress = |_: usize, _: usize, what: &str| stage.say(what.to_owned());
        let control = SearchControl { progress: &progress, improved: &|_| {}, cancel };
        let stopped = |error| {
            if requested(cancel) {
                eprintln!("axp: what was done is kept in {}; the same command goes on", options.out.display());
            }
            evaluation::failure(&error, cancel)
        };
        let baseline = Baseline::new(&input, cancel)?;
        let mut explorer = Explorer::new(&input.network, &input.calibration, &wanted, &control).map_err(stopped)?;
        for (done, (number, task)) in wait.iter().enumerate() {
            stage.set(done as u64, wait.len() as u64);
            stage.say(format!("task {} of {}", number + 1, tasks.len()));
            let done = explorer.run(task).map_err(stopped)?;
            let evaluated = baseline.compare(&input, &done.designs[0], cancel)?;
            let row = |design: &Design| row(*number, design, &done, evaluated, &energy);
            part.add(*number, done.designs.iter().map(row).collect())?;
        }
        stage.done(format!("{} tasks of {}", wait.len(), tasks.len()));
    }
    match sweep::join(&options.out, &sweep, tasks.len(), shard.of)? {
        None => println!(
            "part {} of {} is done; the table follows when all parts are in {}",
            shard.part,
            shard.of,
            options.out.display()
        ),
        Some(rows) => {
            sweep::write(&options.out, &rows)?;
            let svg = plot::front(&rows)
                .map_err(|error| Failure::check(format!("the plot cannot be drawn: {error}"), "please report it"))?;
            write_file(&options.out.join("front.svg"), &svg)?;
            print!("{}", front_table(&rows));
            println!("{} designs: {}", rows.len(), options.out.join("sweep.csv").display());
        }
    }
    Ok(())
}

/// What rows depend on.
fn fingerprint(input: &Input, wanted: &SearchOptions, energy: &str) -> String {
    let evaluation = input.evaluation.as_ref().map(|evaluation| (evaluation.samples.sha256(), &evaluation.labels));
    let of = (
        (env!("CARGO_PKG_VERSION"), &wanted.model_sha256, input.calibration.sha256(), evaluation),
        (wanted.seed, wanted.zero_skip, wanted.feedback, wanted.channel_scales, energy),
    );
    // Plain structures: they cannot fail to serialise.
    sha256_hex(serde_json::to_string(&of).unwrap_or_default().as_bytes())
}

/// The float net on the evaluation samples, where there are any.
struct Baseline(Option<Vec<usize>>);

impl Baseline {
    fn new(input: &Input, cancel: &Cancel) -> Result<Self, Failure> {
        let Some(data) = &input.evaluation else { return Ok(Self(None)) };
        let control = Control { progress: &|_| {}, cancel };
        let found = evaluate_baseline(&input.network, &data.samples, data.labels.as_deref(), &control);
        Ok(Self(Some(found.map_err(|error| evaluation::failure(&error, cancel))?.predictions)))
    }

    /// What a design loses against it: the loss, its error, and sums that overflowed.
    fn compare(&self, input: &Input, design: &Design, cancel: &Cancel) -> Result<Option<(f64, f64, u64)>, Failure> {
        let (Some(float), Some(data)) = (&self.0, &input.evaluation) else { return Ok(None) };
        let fail = |error| evaluation::failure(&error, cancel);
        let engine = Engine::from_design(&input.network, design).map_err(fail)?;
        let labels = data.labels.as_deref();
        let control = Control { progress: &|_| {}, cancel };
        let found = engine.evaluate(&data.samples, labels, &control).map_err(fail)?;
        let accuracy = Accuracy::measure(float, &found.predictions, labels, 0.0);
        let total = found.total();
        Ok(Some((accuracy.loss_pp, accuracy.loss_standard_error_pp, total.overflows + total.invalid)))
    }
}

fn row(task: usize, design: &Design, done: &Done, evaluated: Option<(f64, f64, u64)>, energy: &TableModel) -> Row {
    let (pe, trial) = (&design.pe, &done.trial);
    let memory = match pe.organisation() {
        Some(Organisation::Grid(_)) => "grid",
        Some(Organisation::Factored(_)) => "factored",
        Some(Organisation::Pair) | None => "pair",
    };
    let index = pe.am.as_ref().is_some_and(|am| am.weight == WeightOperand::Index);
    let (accumulator, sum_bits) = match pe.accumulator {
        Accumulator::Float => ("float", pe.format.width()),
        Accumulator::Fixed { width, .. } => ("fixed", width),
    };
    Row {
        task,
        design: pe.name.clone(),
        memory: memory.to_owned(),
        content: if pe.is_frozen() { "frozen" } else { "programmable" }.to_owned(),
        weight: if index { "index" } else { "value" }.to_owned(),
        accumulator: accumulator.to_owned(),
        sum_bits,
        product_bits: pe.product_bits(),
        products: pe.rows(),
        weight_values: trial.clusters.unwrap_or(0),
        exact_layers: trial.exact,
        hit_rate: trial.hit_rate,
        nonzero_hit_rate: trial.nonzero_hit_rate,
        agreement: trial.agreement.top1,
        expected_loss_pp: 100.0 * trial.agreement.expected_loss,
        loss_pp: evaluated.map(|(loss, ..)| loss),
        loss_error_pp: evaluated.map(|(_, error, _)| error),
        overflows: evaluated.map(|(.., overflows)| overflows),
        pj_per_mac: energy.pj_per_mac(pe, design.zero_skip, &done.loads),
        area_ge: energy.area_ge(pe),
        front: false,
    }
}

/// The front by energy, as text of at most 80 columns.
fn front_table(rows: &[Row]) -> String {
    let mut front: Vec<&Row> = rows.iter().filter(|row| row.front).collect();
    front.sort_by(|a, b| a.pj_per_mac.unwrap_or(f64::INFINITY).total_cmp(&b.pj_per_mac.unwrap_or(f64::INFINITY)));
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
    let line = |row: &&Row| {
        format!(
            "{:<36} {:>5} {:>7} {:>7} {:>8} {:>7}\n",
            // All names begin so, and they fill the line without it.
            row.design.strip_prefix("axp_pe_").unwrap_or(&row.design),
            row.exact_layers,
            number(row.pj_per_mac, 1),
            number(row.area_ge, 0),
            number(Some(row.expected_loss_pp), 2),
            number(row.loss_pp, 2)
        )
    };
    let head =
        format!("{:<36} {:>5} {:>7} {:>7} {:>8} {:>7}\n", "design", "exact", "pJ/MAC", "GE", "expected", "loss/pp");
    head + &front.iter().map(line).collect::<String>()
}
