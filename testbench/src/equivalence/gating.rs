//! The clock-gated body of a register bank is its clock-enable body.
//!
//! Everything else is proven on the enable body, because merging gated clocks
//! breaks k-induction; so this is proven once for each kind of bank, with the
//! clock as an ordinary signal (`clk2fflogic`) that may change at any step, as
//! may all inputs, together with it or not. The test enable is held low: it is
//! there to make the bodies differ. Banks below a branch of the clock are proven
//! there too, see [`branch`](super::branch).

use super::folder::Folder;
use super::{EquivalenceError, branch, parallel};
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

/// Steps of the induction before it gives up.
const MOST_STEPS: usize = 8;

/// Proves both bodies equivalent for every bank in `rtl`, on the free-running clock and
/// on branches of it, and that branches run whenever they must.
///
/// # Errors
/// The first module that is not proven, or what kept Yosys from running.
pub fn prove_gating(rtl: &Rtl, cancel: &AtomicBool) -> Result<Vec<GatingProof>, EquivalenceError> {
    let gated = |module: &&Module| module.text.contains("`ifdef AXP_CE") && module.name != branch::BRANCH;
    let banks = rtl.modules.iter().filter(gated).map(|module| (module, Clocking::Bank));
    let on_branch = branch::banks(rtl).into_iter().map(|module| (module, Clocking::OnBranch));
    let enables = branch::users(rtl).into_iter().map(|module| (module, Clocking::Enables));
    let obligations: Vec<_> = banks.chain(on_branch).chain(enables).collect();
    parallel::all(&obligations, |(module, proven)| {
        let begin = Instant::now();
        match proven {
            Clocking::Bank => prove_bank(rtl, module, cancel),
            Clocking::OnBranch => branch::prove_bank(rtl, module, cancel),
            Clocking::Enables => branch::prove_enables(rtl, module, cancel),
        }?;
        Ok(GatingProof { module: module.name.clone(), proven: *proven, seconds: begin.elapsed().as_secs_f64() })
    })
}

/// Whether this is the clock gate itself.
pub(super) fn is_gate(module: &Module) -> bool {
    module.name == "axp_clock_gate"
}

fn prove_bank(rtl: &Rtl, bank: &Module, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    let cells = rtl.modules.iter().filter(|other| bank.children.contains(&other.name));
    prove_bodies(&bank.name, &bank.text, &cells.map(|cell| cell.text.as_str()).collect::<String>(), &bank.name, cancel)
}

/// Proves that module `top` of `text` means the same with a clock enable and with clock
/// gates; `named` is what is reported if it does not.
pub(super) fn prove_bodies(
    top: &str,
    text: &str,
    cells: &str,
    named: &str,
    cancel: &AtomicBool,
) -> Result<(), EquivalenceError> {
    let folder = Folder::new()?;
    folder.write("bank.v", text)?;
    folder.write("cells.v", cells)?;
    folder.must(&script(top), named, cancel).map(|_| ())
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
