//! The clock-gated body of a register bank is its clock-enable body.
//!
//! Everything else is proven on the enable body, because merging gated clocks
//! breaks k-induction; so this is proven once for each kind of bank, with the
//! clock as an ordinary signal (`clk2fflogic`) that may change at any step, as
//! may all inputs, together with it or not. The test enable is held low: it is
//! there to make the bodies differ. Banks below a branch of the clock are proven
//! there too, see [`branch`](super::branch).

use super::folder::Folder;
use super::wrapper::{BRANCH, WRAPPER, held, wrapped};
use super::{EquivalenceError, branch};
use crate::parallel;
use axp_hdl::{Module, Rtl};
use serde::Serialize;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What was proven of a module's clock.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Clocking {
    /// Both bodies of the bank are equivalent.
    Bank,
    /// They are where the bank's clock is a branch, which rests while it may.
    OnBranch,
    /// In this module no bank is enabled while the branch that it is on rests.
    Enables,
}

/// Something that was proven of a module's clock.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct GatingProof {
    /// The module.
    pub module: String,
    /// What was proven of it.
    pub proven: Clocking,
    /// How long it took.
    pub seconds: f64,
}

/// What stands in a module with several bodies.
const BODIES: &str = "`ifdef AXP_CE";

/// What stands in one that Verilator reads in another way.
const VERILATOR: &str = "`ifdef VERILATOR";

/// Steps of the induction before it gives up.
const MOST_STEPS: usize = 8;

/// Proves both bodies equivalent for every bank in `rtl`, on the free-running clock and
/// on branches of it, and that branches run whenever they must. Latches are proven
/// behind the register that feeds them.
///
/// # Errors
/// The first module that is not proven, or what kept Yosys from running.
pub fn prove_gating(rtl: &Rtl, cancel: &AtomicBool) -> Result<Vec<GatingProof>, EquivalenceError> {
    let gated = |module: &&Module| module.text.contains(BODIES) && module.name != BRANCH;
    let banks = rtl.modules.iter().filter(gated).map(|module| (module, Clocking::Bank));
    let on_branch = branch::banks(rtl).into_iter().map(|module| (module, Clocking::OnBranch));
    let enables = branch::users(rtl).into_iter().map(|module| (module, Clocking::Enables));
    let obligations: Vec<_> = banks.chain(on_branch).chain(enables).collect();
    parallel::all(&obligations, |(module, proven)| {
        let begin = Instant::now();
        match proven {
            Clocking::Bank => prove_bank(rtl, module, false, cancel),
            Clocking::OnBranch => prove_bank(rtl, module, true, cancel),
            Clocking::Enables => branch::prove_enables(rtl, module, cancel),
        }?;
        Ok(GatingProof { module: module.name.clone(), proven: *proven, seconds: begin.elapsed().as_secs_f64() })
    })
}

/// Whether this is the clock gate itself.
pub(super) fn is_gate(module: &Module) -> bool {
    module.name == "axp_clock_gate"
}

/// Proves that a bank means the same in all of its bodies.
fn prove_bank(rtl: &Rtl, bank: &Module, on_branch: bool, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    let whole = on_branch || !held(bank).is_empty();
    let (top, around) = if whole { (WRAPPER, wrapped(bank, on_branch)) } else { (bank.name.as_str(), String::new()) };
    let cells = rtl.modules.iter().filter(|module| module.name == BRANCH || is_gate(module));
    let folder = Folder::new()?;
    folder.write("bank.v", &(around + &bank.text))?;
    folder.write("cells.v", &cells.map(|cell| cell.text.as_str()).collect::<String>())?;
    folder.must(&script(top, ""), &bank.name, cancel)?;
    if bank.text.contains(VERILATOR) {
        folder.must(&script(top, "-DVERILATOR=1"), &bank.name, cancel)?;
    }
    Ok(())
}

/// The script of a proof that `bank` on clock enables is what these defines make of it.
fn script(bank: &str, gated: &str) -> String {
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
        side("gate", gated)
    )
}
