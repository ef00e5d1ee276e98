//! `axp energy-table`: energies of components, fitted to built designs that are measured.

use super::measure::{self, Measured};
use crate::args::EnergyTableOptions;
use crate::exit::{Failure, Outcome};
use crate::interrupt::Cancel;
use crate::progress::Stages;
use crate::staging::write_file;
use axp_spec::PeConfig;
use axp_testbench::energy::Baseline;
use axp_testbench::energy::estimate::{EnergyTable, Sample, fit};

/// The baselines that teach the table what multiplier, sums and registers use.
const BASELINES: [Baseline; 4] = [Baseline::Plain, Baseline::ZeroSkip, Baseline::Fixed, Baseline::FixedZeroSkip];

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &EnergyTableOptions, cancel: &Cancel) -> Outcome {
    let libraries = measure::libraries(&options.measure)?;
    let open = |path| Measured::open(path, &options.measure, cancel);
    let designs = options.designs.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    let stages = Stages::new();
    let mut table = EnergyTable::default();
    for library in &libraries {
        let mut samples = Vec::new();
        for measured in &designs {
            samples.extend(measure_samples(measured, library, &stages, cancel)?);
        }
        table.rows.extend(fit(&library.name, &library.sha256, &samples).rows);
    }
    write_file(&options.out, &table.to_json())?;
    println!("{:<34} {:<24} {:>7} {:>8}", "library", "component", "layers", "off by %");
    for row in &table.rows {
        println!("{:<34} {:<24} {:>7} {:>8.1}", row.library, row.component.name(), row.layers, row.error_percent);
    }
    println!("table: {}", options.out.display());
    Ok(())
}

/// The design and the baselines on its layers.
fn measure_samples(
    measured: &Measured,
    library: &axp_testbench::synth::liberty::CellLibrary,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Vec<Sample>, Failure> {
    let found = measured.compare(&BASELINES, library, None, stages, cancel)?;
    let contenders = std::iter::once(measured.design.clone()).chain(BASELINES.map(Baseline::contender));
    let figures = std::iter::once(found.design).chain(found.baselines.into_iter().map(|baseline| baseline.figures));
    let samples = contenders.zip(figures).map(|(contender, figures)| {
        let activities = measured.activities(&contender)?.into_iter().map(|layer| layer.1).collect();
        Ok(Sample { config: PeConfig::clone(&contender.config), figures, activities })
    });
    samples.collect()
}
