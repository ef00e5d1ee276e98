//! Energy a MAC of all baselines on gates, on a stream of 16 weight values and half zeros.
//!
//! ```text
//! cargo run --release -p axp-testbench --example baseline_energy -- [MACS] [LIBERTY...]
//! ```
//!
//! Without a library: osu018, and sky130 of `../shared/liberty`. Sums have 64 products.
//! The plain binary32 MAC stands for the design. Every output is compared with the
//! golden model. Netlists are kept in the temporary folder.

use axp_spec::PeConfig;
use axp_testbench::energy::{Baseline, Contender, LayerWindow, Options, compare};
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Products of a sum.
const SUM: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let macs = arguments.next().map_or(Ok(4096), |text| text.parse())?;
    let mut libraries: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    if libraries.is_empty() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/liberty");
        libraries = vec![PathBuf::from(OSU018), shared.join("sky130_fd_sc_hd__tt_025C_1v80.lib.gz")];
    }
    let window = LayerWindow { name: "stream".into(), macs: 1, sums: stream(macs), ..LayerWindow::default() };
    let design = Contender::design(&PeConfig::plain("axp_plain"), false);
    println!("library baseline GE ns | pJ: total multiplier accumulator registers clock leakage");
    for path in libraries {
        let library = CellLibrary::read(&path)?;
        let cache = std::env::temp_dir().join("axp-baseline-energy");
        let options = Options {
            clock_ns: None,
            recipes: None,
            cache: Some(&cache),
            progress: &|_| {},
            cancel: &AtomicBool::new(false),
        };
        let found = compare(&design, &Baseline::ALL, std::slice::from_ref(&window), &library, &options)?;
        for figures in found.baselines.iter().map(|baseline| &baseline.figures) {
            let split = &figures.split;
            println!(
                "{} {} {:.0} {:.2} | {:.2} {:.2} {:.2} {:.2} {:.2} {:.4}",
                found.library,
                figures.name,
                figures.ge,
                figures.longest_path_ns,
                figures.pj_per_mac,
                split.multiplier,
                split.accumulator,
                split.registers,
                split.clock,
                split.leakage,
            );
        }
    }
    Ok(())
}

/// 16 weight values of both signs, activations of which about half are zeros.
fn stream(macs: usize) -> Vec<Vec<(u32, u32)>> {
    let mut source = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut uniform = move || (source.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    // The sum of four uniform numbers is bell-shaped.
    let mut bell = move || (uniform() + uniform() + uniform() + uniform() - 2.0) * 1.7;
    let weights: Vec<f64> = (0..16).map(|_| 0.1 * bell()).collect();
    let mut pair = || {
        let weight = weights[((bell().abs() * 1e6) as usize) % 16];
        ((weight as f32).to_bits(), (bell().max(0.0) as f32).to_bits())
    };
    (0..macs.div_ceil(SUM)).map(|_| (0..SUM).map(|_| pair()).collect()).collect()
}
