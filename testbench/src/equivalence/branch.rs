//! What runs on a branch of the clock misses nothing while the branch rests.
//!
//! A clock branch is the clock itself in one body and a clock gate in the other. They
//! mean the same for a register that is enabled only while the branch is. So two things
//! are proven: that each kind of bank below a branch is its clock-enable body if it is
//! (see [`gating`]), and that it is, wherever it stands ([`prove_enables`]).

use super::folder::Folder;
use super::wrapper::{BRANCH, head, held, ports, samples_reset};
use super::{EquivalenceError, gating};
use axp_hdl::{Module, Rtl};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// The register that feeds the latches of a memory begins so.
const WRITE_DATA: &str = "axp_write_data";

/// Registers of flags begin so, which change only while they are enabled.
const FLAGS: &str = "axp_flags";

/// The net of a processing element that says that the pipe moves.
const RUN: &str = "run";

/// What is proven of the banks in a module with a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// One that is enabled has a clock.
    Clocked,
    /// Flags that are not enabled while the pipe moves are given what they hold.
    Settled,
}

/// Modules that have a branch.
pub(super) fn users(rtl: &Rtl) -> Vec<&Module> {
    rtl.modules.iter().filter(|module| module.children.iter().any(|child| child == BRANCH)).collect()
}

/// The kinds of banks somewhere below a module that has a branch.
pub(super) fn banks(rtl: &Rtl) -> Vec<&Module> {
    let below: BTreeSet<&str> = users(rtl)
        .into_iter()
        .flat_map(|user| below(rtl, user))
        .filter(|module| is_bank(module))
        .map(|module| module.name.as_str())
        .collect();
    rtl.modules.iter().filter(|module| below.contains(module.name.as_str())).collect()
}

fn is_bank(module: &Module) -> bool {
    module.primitive && ports(module).contains(&"en_i") && module.name != BRANCH && !gating::is_gate(module)
}

/// All modules below one.
fn below<'a>(rtl: &'a Rtl, module: &Module) -> Vec<&'a Module> {
    let mut found: Vec<&Module> = Vec::new();
    for child in rtl.modules.iter().filter(|other| module.children.contains(&other.name)) {
        for module in below(rtl, child).into_iter().chain([child]) {
            if found.iter().all(|known| known.name != module.name) {
                found.push(module);
            }
        }
    }
    found
}

/// Proves that in `user` no bank below a branch is enabled while the branch rests, that
/// what latches take is what they are to take, and that registers of flags are enabled
/// whenever they would change but for a pipe that stands.
///
/// The clock's net stands for whether there is a clock edge: a branch passes its enable
/// on, and every bank that needs an edge asserts that it gets one. The register before
/// latches shows what it stores at that edge, or the opposite if it stores nothing. What
/// other registers hold, and what modules without a clock show, is left open.
pub(super) fn prove_enables(rtl: &Rtl, user: &Module, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    prove_claim(rtl, user, Claim::Clocked, cancel)?;
    let flags = rtl.modules.iter().filter(|module| module.name.starts_with(FLAGS));
    if flags.into_iter().any(|flags| user.children.contains(&flags.name)) {
        prove_claim(rtl, user, Claim::Settled, cancel)?;
    }
    Ok(())
}

fn prove_claim(rtl: &Rtl, user: &Module, claim: Claim, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    let all = below(rtl, user);
    let text = all.iter().filter(|module| !gating::is_gate(module)).map(|module| {
        if module.primitive {
            stub(module, claim)
        } else if is_clocked(module) {
            module.text.clone()
        } else {
            // What it makes of its inputs is left open: it may be anything.
            format!("module {} (\n{}\n);\nendmodule\n", module.name, head(module))
        }
    });
    let folder = Folder::new()?;
    folder.write("user.v", &(text.collect::<String>() + &user.text))?;
    folder.must(&script(&user.name, claim), &user.name, cancel).map(|_| ())
}

/// Whether there is a register in it, or below.
fn is_clocked(module: &Module) -> bool {
    ports(module).contains(&"clk_i")
}

/// What stands for a primitive.
fn stub(module: &Module, claim: Claim) -> String {
    let mut inside = String::new();
    if module.name == BRANCH {
        inside += "assign clk_o = clk_i & en_i;\n";
    } else if claim == Claim::Settled {
        if module.name.starts_with(FLAGS) {
            inside += "always @* if (!en_i) assert (d_i == q_o);\n";
        }
    } else {
        let reset = if samples_reset(module) { " | ~rst_ni" } else { "" };
        inside += &format!("always @* if (en_i{reset}) assert (clk_i);\n");
    }
    if module.name.starts_with(WRITE_DATA) {
        for word in ports(module).iter().filter_map(|port| port.strip_suffix("_o")) {
            inside += &format!("assign {word}_o = en_i ? {word}_i : ~{word}_i;\n");
        }
    }
    for word in held(module).into_iter().filter(|_| claim == Claim::Clocked) {
        inside += &format!("always @* if (en_i) assert ({word}_held_i == {word}_i);\n");
    }
    format!("module {} (\n{}\n);\n{inside}endmodule\n", module.name, head(module).replace(" reg ", " wire "))
}

fn script(user: &str, claim: Claim) -> String {
    let moves = if claim == Claim::Settled { format!("-set {RUN} 1") } else { String::new() };
    format!(
        "read_verilog -formal -noblackbox user.v
hierarchy -check -top {user}
proc
flatten
opt_clean
setundef -undriven -anyseq
select -assert-min 1 t:$assert
sat -verify -set clk_i 1 {moves} -prove-asserts {user}
"
    )
}
