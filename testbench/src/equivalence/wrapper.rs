//! A register bank with what stands around it in a memory: a branch of the clock, and
//! before latches the register that holds what is written.

use axp_hdl::Module;

/// Name of the branch's module.
pub(super) const BRANCH: &str = "axp_clock_branch";

/// Name of the module that [`wrapped`] makes.
pub(super) const WRAPPER: &str = "wrapped_bank";

/// The port list of a module, as it is written.
pub(super) fn head(module: &Module) -> &str {
    let from = module.text.split_once("\nmodule ").map_or("", |(_, rest)| rest);
    from.split_once("(\n").and_then(|(_, rest)| rest.split_once("\n);")).map_or("", |(head, _)| head)
}

/// The port that a line of the list declares.
fn port(line: &str) -> Option<&str> {
    line.split("//").next()?.trim().trim_end_matches(',').split_whitespace().last()
}

/// The ports of a module.
pub(super) fn ports(module: &Module) -> Vec<&str> {
    head(module).lines().filter_map(port).collect()
}

/// Whether its reset needs a clock edge.
pub(super) fn samples_reset(module: &Module) -> bool {
    ports(module).contains(&"rst_ni") && !module.text.contains("negedge rst_ni")
}

/// The inputs of latches that a register of the memory drives, without `_held_i`.
pub(super) fn held(module: &Module) -> Vec<&str> {
    ports(module).into_iter().filter_map(|port| port.strip_suffix("_held_i")).collect()
}

/// The bank as a module [`WRAPPER`] of the same ports but those that are held, and
/// `other_i`: another bank of the memory is written.
///
/// The held inputs come from a register that takes what is written to any bank. On a
/// branch, its clock runs for a write to any bank, and for a sampled reset.
pub(super) fn wrapped(bank: &Module, on_branch: bool) -> String {
    let gated = ports(bank).contains(&"test_en_i");
    let mut inputs = String::from("input wire other_i,\n");
    if !gated {
        inputs += "input wire test_en_i,\n";
    }
    let (mut inside, mut registers) = (String::new(), String::new());
    for line in head(bank).lines() {
        let name = port(line).unwrap_or_default();
        let Some(word) = name.strip_suffix("_held_i") else {
            inputs += &format!("{}\n", line.replace("output reg ", "output wire "));
            continue;
        };
        let range = line.split("wire").nth(1).and_then(|rest| rest.split(name).next()).unwrap_or_default();
        inside += &format!("reg {range}{name};\n");
        registers += &format!("always @(posedge clk) if (en_i | other_i) {name} <= {word}_i;\n");
    }
    let reset = if samples_reset(bank) { " | ~rst_ni" } else { "" };
    let clock = match on_branch {
        true => format!(
            "wire clk;\n{BRANCH} branch (.clk_i(clk_i), .test_en_i(test_en_i), .en_i(en_i | other_i{reset}), .clk_o(clk));\n"
        ),
        false => "wire clk = clk_i;\n".to_owned(),
    };
    let wired = ports(bank).into_iter().filter(|port| *port != "clk_i");
    let wired: String = wired.map(|port| format!(", .{port}({port})")).collect();
    format!(
        "module {WRAPPER} (\n{inputs});\n{clock}{inside}{registers}{} bank (.clk_i(clk){wired});\nendmodule\n",
        bank.name
    )
}
