//! What runs on a branch of the clock misses nothing while the branch rests.
//!
//! A clock branch is the clock itself in one body and a clock gate in the other. They
//! mean the same for a register that is enabled only while the branch is. So two things
//! are proven: that each kind of bank below a branch is its clock-enable body if it is
//! ([`prove_bank`]), and that it is, wherever it stands ([`prove_enables`]).

use super::folder::Folder;
use super::{EquivalenceError, gating};
use axp_hdl::{Module, Rtl};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// Name of the branch's module.
pub(super) const BRANCH: &str = "axp_clock_branch";

/// Name of the bank with a branch of its own.
const WRAPPER: &str = "bank_on_branch";

/// Modules that have a branch.
pub(super) fn users(rtl: &Rtl) -> Vec<&Module> {
    rtl.modules.iter().filter(|module| module.children.iter().any(|child| child == BRANCH)).collect()
}

/// The kinds of banks somewhere below a module that has a branch.
pub(super) fn banks(rtl: &Rtl) -> Vec<&Module> {
    let below: BTreeSet<&str> =
        users(rtl).into_iter().flat_map(|user| below(rtl, user)).filter(|module| is_bank(module)).map(name).collect();
    rtl.modules.iter().filter(|module| below.contains(module.name.as_str())).collect()
}

fn name(module: &Module) -> &str {
    &module.name
}

fn is_bank(module: &Module) -> bool {
    module.primitive && ports(module).contains(&"en_i") && module.name != BRANCH && !module.name.ends_with("clock_gate")
}

/// All modules below one.
fn below<'a>(rtl: &'a Rtl, module: &Module) -> Vec<&'a Module> {
    let mut found: Vec<&Module> = Vec::new();
    for child in rtl.modules.iter().filter(|other| module.children.contains(&other.name)) {
        let new = below(rtl, child).into_iter().chain([child]);
        for module in new.collect::<Vec<_>>() {
            if found.iter().all(|known| known.name != module.name) {
                found.push(module);
            }
        }
    }
    found
}

/// The text between the parentheses of the module's head, and its end.
fn head(module: &Module) -> &str {
    let from = module.text.split_once("\nmodule ").map_or("", |(_, rest)| rest);
    from.split_once("(\n").and_then(|(_, rest)| rest.split_once("\n);")).map_or("", |(head, _)| head)
}

fn ports(module: &Module) -> Vec<&str> {
    let declared = head(module).lines().filter_map(|line| line.split("//").next());
    declared.filter_map(|line| line.trim().trim_end_matches(',').split_whitespace().last()).collect()
}

/// Whether a clock edge is needed for its reset.
fn samples_reset(module: &Module) -> bool {
    ports(module).contains(&"rst_ni") && !module.text.contains("negedge rst_ni")
}

/// Proves the bodies of `bank` equivalent where its clock is a branch that runs with
/// it, for a sampled reset, and whenever else it likes.
pub(super) fn prove_bank(rtl: &Rtl, bank: &Module, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    let head = head(bank).replace("output reg ", "output wire ");
    let wired = ports(bank).into_iter().filter(|port| *port != "clk_i");
    let wired: String = wired.map(|port| format!(", .{port}({port})")).collect();
    let reset = if samples_reset(bank) { " | ~rst_ni" } else { "" };
    let wrapper = format!(
        "module {WRAPPER} (\ninput wire other_i, // another bank on the branch is written\n{head}\n);\nwire clk;\n\
         {BRANCH} branch (.clk_i(clk_i), .test_en_i(test_en_i), .en_i(en_i | other_i{reset}), .clk_o(clk));\n\
         {} bank (.clk_i(clk){wired});\nendmodule\n",
        bank.name
    );
    // A bank without a gate has no test enable: it is the branch's alone.
    let wrapper = match ports(bank).contains(&"test_en_i") {
        true => wrapper,
        false => wrapper.replacen("input wire other_i,", "input wire test_en_i, input wire other_i,", 1),
    };
    let gates = rtl.modules.iter().filter(|module| module.name == BRANCH || gating::is_gate(module));
    let cells: String = gates.map(|module| module.text.as_str()).collect();
    gating::prove_bodies(WRAPPER, &(wrapper + &bank.text), &cells, &bank.name, cancel)
}

/// Proves that in `user` no bank below a branch is enabled while the branch rests.
///
/// The clock's net stands for whether there is a clock edge: a branch passes its enable
/// on, and every bank that needs an edge asserts that it gets one.
pub(super) fn prove_enables(rtl: &Rtl, user: &Module, cancel: &AtomicBool) -> Result<(), EquivalenceError> {
    let stub = |module: &Module| {
        let reset = if samples_reset(module) { " | ~rst_ni" } else { "" };
        let inside = match module.name == BRANCH {
            true => "assign clk_o = clk_i & en_i;".to_owned(),
            false => format!("always @* if (en_i{reset}) assert (clk_i);"),
        };
        format!("module {} (\n{}\n);\n{inside}\nendmodule\n", module.name, head(module).replace(" reg ", " wire "))
    };
    let all = below(rtl, user);
    let text = all.iter().filter(|module| !gating::is_gate(module)).map(|module| match module.primitive {
        true => stub(module),
        false => module.text.clone(),
    });
    let folder = Folder::new()?;
    folder.write("user.v", &(text.collect::<String>() + &user.text))?;
    folder.must(&script(&user.name), &user.name, cancel).map(|_| ())
}

fn script(user: &str) -> String {
    format!(
        "read_verilog -formal user.v
hierarchy -check -top {user}
proc
flatten
opt_clean
setundef -undriven -anyseq
select -assert-min 1 t:$assert
sat -verify -set clk_i 1 -prove-asserts {user}
"
    )
}
