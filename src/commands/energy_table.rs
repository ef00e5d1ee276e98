//! `axp energy-table`: energies of components, fitted to built designs that are measured.

use super::estimate;
use super::measure::Measured;
use super::synth;
use crate::args::EnergyTableOptions;
use crate::exit::{Failure, Outcome};
use crate::interrupt::Cancel;
use crate::progress::Stages;
use crate::staging::write_file;
use axp_testbench::energy::Baseline;
use axp_testbench::energy::estimate::{EnergyTable, Sample, fit};
use axp_testbench::synth::liberty::CellLibrary;
use std::collections::HashSet;

/// The baselines that teach the table what multiplier, sums and registers use, beside the
/// first design of each network.
const BASELINES: [Baseline; 4] = [Baseline::Plain, Baseline::ZeroSkip, Baseline::Fixed, Baseline::FixedZeroSkip];

/// Runs the command.
///
/// # Errors
/// See [`Failure`].
pub fn run(options: &EnergyTableOptions, cancel: &Cancel) -> Outcome {
    let libraries = synth::libraries(&options.measure.liberty)?;
    let open = |path| Measured::open(path, &options.measure, cancel);
    let designs = options.designs.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    let stages = Stages::new();
    let mut table = EnergyTable::default();
    if options.keep {
        table = estimate::table(Some(&options.out))?;
        let measured = |sha256: &str| libraries.iter().any(|library| library.sha256 == sha256);
        table.rows.retain(|row| !measured(&row.library_sha256));
        table.areas.retain(|row| !measured(&row.library_sha256));
    }
    for library in &libraries {
        let (mut samples, mut networks) = (Vec::new(), HashSet::new());
        for measured in &designs {
            // Baselines differ little from design to design of one network.
            let network: Vec<&str> = measured.windows.iter().map(|window| window.name.as_str()).collect();
            let baselines: &[Baseline] = if networks.insert(network) { &BASELINES } else { &[] };
            samples.extend(measure_samples(measured, baselines, library, &stages, cancel)?);
        }
        let fitted = fit(&library.name, &library.sha256, &samples);
        table.rows.extend(fitted.rows);
        table.areas.extend(fitted.areas);
    }
    write_file(&options.out, &table.to_json())?;
    println!("{:<34} {:<24} {:>7} {:>8}", "library", "component", "layers", "off by %");
    for row in &table.rows {
        println!("{:<34} {:<24} {:>7} {:>8.1}", row.library, row.component.name(), row.layers, row.error_percent);
    }
    for row in &table.areas {
        println!("{:<34} {:<24} {:>7} {:>8.1}", row.library, "area (designs)", row.designs, row.error_percent);
    }
    println!("table: {}", options.out.display());
    Ok(())
}

/// The design and `baselines` on its layers.
fn measure_samples(
    measured: &Measured,
    baselines: &[Baseline],
    library: &CellLibrary,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Vec<Sample>, Failure> {
    let found = measured.compare(baselines, library, None, stages, cancel)?;
    let contenders =
        std::iter::once(measured.design.clone()).chain(baselines.iter().map(|baseline| baseline.contender()));
    let figures = std::iter::once(found.design).chain(found.baselines.into_iter().map(|baseline| baseline.figures));
    let samples = contenders.zip(figures).map(|(contender, figures)| {
        let activities = measured.activities(&contender)?.into_iter().map(|layer| layer.1).collect();
        Ok(Sample { config: contender.config, figures, activities })
    });
    samples.collect()
}
