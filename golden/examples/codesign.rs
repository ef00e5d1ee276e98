//! Designs for networks, from calibration samples to held-out accuracy.
//!
//! Each argument is a folder with `model.onnx`, `x_calib.npy`, `x_test.npy` and
//! `y_test.npy`; without any, the bundled networks. `--sweep K` shows every key
//! width with K clusters instead of a search; `--grid` and `--factored` look for a
//! memory with columns, with fixed-point sums (`--float` before them: binary32 ones).
//!
//! ```text
//! cargo run --release -p axp-golden --example codesign -- [--sweep K] FOLDER...
//! ```

use axp_golden::codesign::columns::{self, ColumnMemory, ColumnOptions, Sum};
use axp_golden::codesign::energy::Unknown;
use axp_golden::codesign::search::{SearchControl, SearchOptions, SearchResult, search};
use axp_golden::codesign::sweep::{Measure, SweepOptions, key_sweep};
use axp_golden::codesign::trial_log::TrialLog;
use axp_golden::infer::{Control, Engine, evaluate_baseline};
use axp_golden::net::samples::read_labels;
use axp_golden::net::{ImportOptions, Network, Samples};
use axp_spec::WeightOperand;
use axp_spec::design::sha256_hex;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const ROWS: usize = 128;
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sweep = None;
    let mut columns = None;
    let mut float = false;
    let mut folders = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--sweep" => sweep = Some(arguments.next().ok_or("--sweep needs a number of clusters")?.parse()?),
            "--float" => float = true,
            "--grid" => columns = Some(column_options(ColumnMemory::Grid, 18, float)),
            "--factored" => columns = Some(column_options(ColumnMemory::Factored, 9, float)),
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    if folders.is_empty() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        folders = ["digits", "keywords"].map(|name| data.join(name)).to_vec();
    }
    for folder in folders {
        println!("\n# {}", folder.display());
        let given = Given::read(&folder)?;
        match sweep {
            Some(clusters) => given.sweep(clusters)?,
            None => given.search(columns.as_ref())?,
        }
    }
    Ok(())
}

fn column_options(memory: ColumnMemory, product_width: u32, float: bool) -> ColumnOptions {
    let sum = if float { Sum::float(None) } else { Sum::fixed(24, product_width) };
    ColumnOptions { memory, weight: WeightOperand::Value, sums: vec![sum], frozen: false, size: None, fractions: None }
}

struct Given {
    model: Vec<u8>,
    network: Network,
    calibration: Samples,
    test: Samples,
    labels: Vec<usize>,
    cancel: AtomicBool,
}

impl Given {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let model = std::fs::read(folder.join("model.onnx"))?;
        let network = Network::from_onnx(&model, &ImportOptions::default())?;
        let calibration = Samples::read(&folder.join("x_calib.npy"), network.input_shape())?;
        let test = Samples::read(&folder.join("x_test.npy"), network.input_shape())?;
        let labels = read_labels(&folder.join("y_test.npy"), test.len(), network.classes())?;
        Ok(Self { model, network, calibration, test, labels, cancel: AtomicBool::new(false) })
    }

    fn search(&self, columns: Option<&ColumnOptions>) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        let options = SearchOptions {
            rows: ROWS,
            max_loss_pp: 1.0,
            seed: SEED,
            zero_skip: false,
            frozen: false,
            feedback: true,
            channel_scales: true,
            model_sha256: sha256_hex(&self.model),
            tools: BTreeMap::new(),
        };
        let progress = |step: usize, steps: usize, what: &str| {
            eprintln!("{:6.1} s  {step}/{steps}  {what}", start.elapsed().as_secs_f64());
        };
        let control = SearchControl { progress: &progress, improved: &|_| {}, cancel: &self.cancel };
        let log = &mut TrialLog::none();
        let found = match columns {
            None => search(&self.network, &self.calibration, &options, &Unknown, log, &control)?,
            Some(memory) => {
                columns::search(&self.network, &self.calibration, &options, memory, &Unknown, log, &control)?
            }
        };
        println!("search: {:.1} s", start.elapsed().as_secs_f64());
        table(&found);
        self.report(&found)
    }

    fn report(&self, found: &SearchResult) -> Result<(), Box<dyn Error>> {
        let control = Control { progress: &|_| {}, cancel: &self.cancel };
        let before = evaluate_baseline(&self.network, &self.test, Some(&self.labels), &control)?;
        let engine = Engine::from_design(&self.network, &found.design)?;
        let after = engine.evaluate(&self.test, Some(&self.labels), &control)?;
        println!("layer: K, rows, fraction bits, hit rate of all and of nonzero on the test samples");
        for (layer, stats) in found.design.layers.iter().zip(&after.layers) {
            println!(
                "{:>24}: {:3} {:3} {:2}  {:.4} {:.4}",
                layer.name,
                layer.codebook.len(),
                layer.am.rows.len(),
                layer.key_fraction_bits,
                stats.hit_rate(),
                stats.nonzero_hit_rate()
            );
        }
        let other = before.predictions.iter().zip(&after.predictions).filter(|(a, b)| a != b).count();
        let (accuracy, total) = (before.accuracy.zip(after.accuracy), after.total());
        println!(
            "test: loss {:.2} pp, disagreement {:.2} pp, hit rate {:.4}, nonzero {:.4}, {} overflows",
            accuracy.map_or(f64::NAN, |(before, after)| 100.0 * (before - after)),
            100.0 * other as f64 / self.test.len() as f64,
            total.hit_rate(),
            total.nonzero_hit_rate(),
            total.overflows
        );
        Ok(())
    }

    fn sweep(&self, clusters: usize) -> Result<(), Box<dyn Error>> {
        let options = SweepOptions { clusters, rows: ROWS, seed: SEED, zero_skip: false };
        let measure = Measure { samples: &self.test, labels: Some(&self.labels) };
        let control = SearchControl { progress: &|_, _, _| {}, improved: &|_| {}, cancel: &self.cancel };
        println!("bits  hit rate  nonzero  agreement  loss/pp");
        for point in key_sweep(&self.network, &self.calibration, &measure, &options, &control)? {
            println!(
                "{:4}  {:8.4}  {:7.4}  {:9.4}  {:7.2}",
                point.key_fraction_bits,
                point.hit_rate,
                point.nonzero_hit_rate,
                point.agreement.top1,
                point.loss_pp.unwrap_or(f64::NAN)
            );
        }
        Ok(())
    }
}

fn table(found: &SearchResult) {
    println!("     K  bits  rows  hit rate  nonzero  agreement  smoothed  expected loss  cost of flips (se)   KL");
    for (index, trial) in found.trials.iter().enumerate() {
        let mark = if index == found.chosen {
            '*'
        } else if trial.feasible {
            '+'
        } else {
            ' '
        };
        let (agreement, percent) = (&trial.agreement, |share: f64| 100.0 * share);
        println!(
            "{mark} {:>4}  {:4}  {:4}  {:8.4}  {:7.4}  {:9.4}  {:8.2}  {:13.2}  {:6.2} ({:4.2})  {:12.5}  {:?}",
            trial.clusters.map_or("-".into(), |k| k.to_string()),
            trial.key_fraction_bits,
            trial.rows,
            trial.hit_rate,
            trial.nonzero_hit_rate,
            agreement.top1,
            percent(agreement.smoothed_disagreement),
            percent(agreement.expected_loss),
            percent(agreement.flip_loss),
            percent(agreement.flip_loss_error),
            agreement.divergence,
            trial.fill
        );
    }
}
