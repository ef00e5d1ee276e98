//! The long comparison of the arithmetic units' RTL with the golden model, written down with the text it was.
//!
//! ```text
//! cargo run --release -p axp-testbench --example fpu_proof -- docs/measured/fpu_proof.json [PART]
//! ```
//!
//! For mul and add, to nearest even and toward zero: every ordered pair of the
//! level-2 operand families of binary32 (7.9 million) and 2 million random
//! patterns; 10 million random pairs of binary16 and bfloat16; the 8-bit formats
//! whole. With PART, only the units whose module name contains it, and nothing
//! is written. Ends with 1 if anything differs.

use axp_golden::float::families;
use axp_hdl::fpu;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, Rounding};
use axp_testbench::dut::{Body, Dut};
use axp_testbench::unit::proof::{self, Verdict};
use axp_testbench::unit::{Case, UnitError, verilated};
use serde::Serialize;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Random pairs of the 16-bit formats, and of binary32 beside its family.
const RANDOM: [usize; 2] = [10_000_000, 2_000_000];

/// One unit, proven.
#[derive(Serialize)]
struct Proof {
    module: String,
    /// SHA-256 of all its Verilog, as `proof::fingerprint` makes it.
    sha256: String,
    what: String,
    #[serde(flatten)]
    verdict: Verdict,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("name the JSON file to write")?;
    let part = arguments.next();
    let mut proofs = Vec::new();
    for operation in [FpuOperation::Mul, FpuOperation::Add] {
        for format in FloatFormat::ALL {
            for rounding in Rounding::ALL {
                let config = FpuConfig::new(operation, format, rounding);
                if part.as_ref().is_none_or(|part| config.module().contains(part)) {
                    proofs.push(prove(&config)?);
                }
            }
        }
    }
    if part.is_none() {
        if let Some(folder) = Path::new(&out).parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&out, serde_json::to_string_pretty(&proofs)? + "\n")?;
    }
    let right = !proofs.is_empty() && proofs.iter().all(|proof| proof.verdict.mismatches == 0);
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn prove(config: &FpuConfig) -> Result<Proof, Box<dyn Error>> {
    let rtl = fpu::generate(config)?;
    let cache = std::env::temp_dir().join("axp-fpu-proof");
    let unit = verilated::build(&Dut::of(&rtl), Body::Gated, &cache, &AtomicBool::new(false))?;
    let random = |count| proof::random(config, count, 1);
    let (what, cases): (_, Box<dyn Iterator<Item = Case> + Send>) = match config.format {
        FloatFormat::Binary32 => {
            let family = proof::pairs(config, families::level2(config.format));
            (format!("level-2 pairs and {} random pairs", RANDOM[1]), Box::new(family.chain(random(RANDOM[1]))))
        }
        FloatFormat::Bfloat16 | FloatFormat::Binary16 => {
            (format!("{} random pairs", RANDOM[0]), Box::new(random(RANDOM[0])))
        }
        FloatFormat::E4m3 | FloatFormat::E5m2 => ("all pairs".to_owned(), proof::exhaustive(config)),
    };
    let begin = Instant::now();
    let verdict = proof::compare(config, &unit, cases, |_| Ok::<(), UnitError>(()))?;
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!(
        "{config}: {} cases, {} mismatches, {:.1} s, {:.2} million a second",
        verdict.cases,
        verdict.mismatches,
        seconds,
        verdict.cases as f64 / seconds / 1e6
    );
    Ok(Proof { module: config.module(), sha256: proof::fingerprint(&rtl), what, verdict })
}
