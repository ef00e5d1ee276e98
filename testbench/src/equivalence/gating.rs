//! The clock-gated body of a register bank is its clock-enable body.
//!
//! Everything else is proven on the enable body, because merging gated clocks
//! breaks k-induction; so this is proven once for each kind of bank, with the
//! clock as an ordinary signal (`clk2fflogic`) that may change at any step, as
//! may all inputs, together with it or not. The test enable is held low: it is
//! there to make the bodies differ.

use super::folder::Folder;
use super::{EquivalenceError, parallel};
use axp_hdl::{Module, Rtl};
use serde::Serialize;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A register bank whose two bodies were proven equivalent.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct GatingProof {
    /// The bank.
    pub module: String,
    /// How long it took.
    pub seconds: f64,
}

/// Steps of the induction before it gives up.
const MOST_STEPS: usize = 8;

/// Proves both bodies equivalent for every bank in `rtl`.
///
/// # Errors
/// The first bank that is not proven, or what kept Yosys from running.
pub fn prove_gating(rtl: &Rtl, cancel: &AtomicBool) -> Result<Vec<GatingProof>, EquivalenceError> {
    let banks: Vec<&Module> = rtl.modules.iter().filter(|module| module.text.contains("`ifdef AXP_CE")).collect();
    parallel::all(&banks, |bank| prove_bank(rtl, bank, cancel))
}

fn prove_bank(rtl: &Rtl, bank: &Module, cancel: &AtomicBool) -> Result<GatingProof, EquivalenceError> {
    let begin = Instant::now();
    let folder = Folder::new()?;
    folder.write("bank.v", &bank.text)?;
    let cells = rtl.modules.iter().filter(|other| bank.children.contains(&other.name));
    folder.write("cells.v", &cells.map(|cell| cell.text.as_str()).collect::<String>())?;
    folder.must(&script(&bank.name), &bank.name, cancel)?;
    Ok(GatingProof { module: bank.name.clone(), seconds: begin.elapsed().as_secs_f64() })
}

fn script(bank: &str) -> String {
    let side = |name: &str, define: &str| {
        format!(
            "read_verilog {define} bank.v cells.v
hierarchy -check -top {bank}
proc
flatten
opt_clean
rename -top {name}
design -stash {name}
"
        )
    };
    format!(
        "{}{}design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
miter -equiv -flatten -make_assert gold gate miter
hierarchy -top miter
clk2fflogic
opt_clean
sat -verify -tempinduct -maxsteps {MOST_STEPS} -set-init-zero -set in_test_en_i 0 -prove-asserts miter
",
        side("gold", "-DAXP_CE=1"),
        side("gate", "")
    )
}
