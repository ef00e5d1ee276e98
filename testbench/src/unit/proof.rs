//! A unit's answers against the golden model, and which text it was that gave them.

use super::stream::stream;
use super::verilated::UnitProgram;
use super::{Answer, Case, UnitError};
use crate::synth::{Design, text_hash};
use axp_golden::float;
use axp_hdl::Rtl;
use axp_spec::FpuConfig;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Serialize;

/// Cases that are produced and compared at a time.
const BLOCK: usize = 1 << 14;

/// What came out of a comparison.
#[derive(Serialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Cases that were compared, result and flags.
    pub cases: u64,
    /// Cases in which either differed.
    pub mismatches: u64,
    /// The first of them.
    pub first: Option<Mismatch>,
}

/// A case in which unit and golden model differ.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// First operand.
    pub a: u64,
    /// Second operand.
    pub b: u64,
    /// Result and flags of the golden model.
    pub expected: (u64, u8),
    /// Result and flags of the unit.
    pub found: (u64, u8),
}

/// What the golden model answers; flags are 0 for a unit without them.
pub fn golden(config: &FpuConfig, case: &Case) -> Answer {
    let outcome = float::evaluate(config, case.a, case.b);
    Answer { result: outcome.bits, flags: if config.flags { outcome.flags.bits() } else { 0 } }
}

impl Verdict {
    /// Adds answers to the verdict.
    pub fn add(&mut self, config: &FpuConfig, cases: &[Case], answers: &[Answer]) {
        self.cases += cases.len() as u64;
        for (case, found) in cases.iter().zip(answers) {
            let expected = golden(config, case);
            if expected != *found {
                self.mismatches += 1;
                self.first.get_or_insert(Mismatch {
                    a: case.a,
                    b: case.b,
                    expected: (expected.result, expected.flags),
                    found: (found.result, found.flags),
                });
            }
        }
    }
}

/// Sends all cases through a unit and compares every answer. `progress` hears,
/// now and then, how many are done; its error ends the run.
///
/// # Errors
/// The unit could not be run, or the error of `progress`.
pub fn compare<E: From<UnitError> + Send>(
    config: &FpuConfig,
    unit: &UnitProgram,
    cases: impl Iterator<Item = Case> + Send,
    mut progress: impl FnMut(&Verdict) -> Result<(), E>,
) -> Result<Verdict, E> {
    let mut cases = cases;
    let mut verdict = Verdict::default();
    stream(
        unit,
        |block| {
            block.extend(cases.by_ref().take(BLOCK));
            Ok(())
        },
        |cases, answers| {
            verdict.add(config, cases, answers);
            progress(&verdict)
        },
    )?;
    Ok(verdict)
}

/// Every case of a unit with operands of this width: all pairs for two of them.
pub fn exhaustive(config: &FpuConfig) -> Box<dyn Iterator<Item = Case> + Send> {
    let all = 0..1u64 << config.operand_bits();
    match config.operation.operands() {
        1 => Box::new(all.map(|a| Case { a, b: 0 })),
        _ => Box::new(all.clone().flat_map(move |a| all.clone().map(move |b| Case { a, b }))),
    }
}

/// Every ordered pair of these operands, or every one for a unit with one.
pub fn pairs(config: &FpuConfig, operands: Vec<u64>) -> Box<dyn Iterator<Item = Case> + Send> {
    if config.operation.operands() == 1 {
        return Box::new(operands.into_iter().map(|a| Case { a, b: 0 }));
    }
    let seconds = operands.clone();
    Box::new(operands.into_iter().flat_map(move |a| seconds.clone().into_iter().map(move |b| Case { a, b })))
}

/// Uniformly random bit patterns, the same for the same seed.
pub fn random(config: &FpuConfig, count: usize, seed: u64) -> impl Iterator<Item = Case> + Send + use<> {
    let unused = 64 - config.operand_bits();
    let two = config.operation.operands() == 2;
    let mut source = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count).map(move |_| {
        let a = source.next_u64() >> unused;
        Case { a, b: if two { source.next_u64() >> unused } else { 0 } }
    })
}

/// The SHA-256 of all Verilog of a design, as `axp synth` states it too: what was
/// proven is what was measured if both are the same.
pub fn fingerprint(rtl: &Rtl) -> String {
    let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
    text_hash(&Design { top: &rtl.top, modules: &modules, clock: None, control: &[] })
}
