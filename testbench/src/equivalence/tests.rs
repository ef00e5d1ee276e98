//! Small texts that the proofs must tell apart, whatever our back-end emits.

use super::*;

static RUN: AtomicBool = AtomicBool::new(false);

const CHILD: &str = "(* blackbox *)\nmodule child (input wire [3:0] d_i, output wire [3:0] q_o);\nendmodule\n";
const OTHER: &str = "(* blackbox *)\nmodule other (input wire [3:0] d_i, output wire [3:0] q_o);\nendmodule\n";

/// Two modules of these ports and bodies, which may have children.
fn obligation(ports: &str, gold: &str, gate: &str) -> Obligation {
    let module = |body: &str| format!("module m ({ports});\n{body}\nendmodule\n");
    Obligation {
        module: "m".to_owned(),
        gold: module(gold),
        gate: module(gate),
        children: vec!["child".to_owned(), "other".to_owned()],
        boxes: format!("{CHILD}{OTHER}"),
    }
}

fn decided(obligation: &Obligation) -> Result<usize, String> {
    decide(obligation, SAT_TIME, &RUN).map_err(|error| match error {
        EquivalenceError::NotProven { module, log } if module == "m" => log,
        error => panic!("{error}"),
    })
}

const PORTS: &str = "input wire [3:0] a_i, output wire [3:0] y_o";

#[test]
fn a_child_is_the_same_only_by_instance_type_and_connection() {
    let gold = "child one (.d_i(a_i), .q_o(y_o));";
    let with = |gate: &str| decided(&obligation(PORTS, gold, gate));
    // Four bits out, and four into the child.
    assert_eq!(with("wire [3:0] b = a_i; child one (.d_i(b), .q_o(y_o));"), Ok(8));
    for (gate, reason) in [
        ("other one (.d_i(a_i), .q_o(y_o));", "No matching port"),
        ("child two (.d_i(a_i), .q_o(y_o));", "No matching port"),
        ("assign y_o = a_i;", "No matching port"),
        (
            "wire [3:0] p, q; child one (.d_i(a_i), .q_o(p)); other two (.d_i(a_i), .q_o(q)); assign y_o = p | (p & q);",
            "No matching port",
        ),
        ("child one (.d_i({a_i[0], a_i[3:1]}), .q_o(y_o));", "one.child.d_i differs"),
        ("wire [3:0] q; child one (.d_i(a_i), .q_o(q)); assign y_o = ~q;", "y_o differs"),
        ("child one (.d_i(), .q_o(y_o));", "one.child.d_i differs"),
        ("wire [3:0] b; child one (.d_i(b), .q_o(y_o));", "in 'check -assert'"),
    ] {
        let log = with(gate).unwrap_err();
        assert!(log.contains(reason), "{gate}: {log}");
    }
}

#[test]
fn nothing_may_depend_on_an_undefined_bit() {
    let undefined = "assign y_o = {a_i[3:1], 1'bx};";
    let log = decided(&obligation(PORTS, undefined, "assign y_o = {a_i[3:1], 1'b0};")).unwrap_err();
    assert!(log.contains("y_o differs"), "{log}");
    let log = decided(&obligation(PORTS, undefined, undefined)).unwrap_err();
    assert!(log.contains("y_o differs"), "{log}");
    let unused = "wire x = 1'bx; assign y_o = a_i;";
    assert_eq!(decided(&obligation(PORTS, unused, "assign y_o = a_i;")), Ok(4));
}

#[test]
fn other_ports_are_not_proven() {
    let mut other = obligation(PORTS, "assign y_o = a_i;", "assign y_o = a_i;");
    other.gate = other.gate.replace("output wire [3:0] y_o", "output wire [3:0] y_o, output wire z_o");
    let log = decided(&other).unwrap_err();
    assert!(log.contains("ERROR"), "{log}");
    other.gate = other.gold.replace("input wire [3:0] a_i", "input wire [4:0] a_i");
    assert!(decided(&other).unwrap_err().contains("No matching port"));
}

#[test]
fn registers_are_proven_by_induction() {
    let ports = "input wire clk_i, input wire other_i, input wire [3:0] a_i, output reg [3:0] y_o";
    let gold = "reg [3:0] d; always @(*) d = a_i + y_o; always @(posedge clk_i) y_o <= d;";
    let right = obligation(ports, gold, "always @(posedge clk_i) y_o <= y_o + a_i;");
    assert_eq!(miter::compare(&right, SAT_TIME, &RUN).unwrap(), Verdict::Undecided);
    assert!(decided(&right).unwrap() >= 4);
    for wrong in [
        "always @(posedge clk_i) y_o <= y_o - a_i;",
        "always @(negedge clk_i) y_o <= y_o + a_i;",
        "always @(posedge other_i) y_o <= y_o + a_i;",
        "always @(posedge clk_i or posedge other_i) if (other_i) y_o <= 0; else y_o <= y_o + a_i;",
    ] {
        let log = decided(&obligation(ports, gold, wrong)).unwrap_err();
        assert!(log.contains("unproven"), "{wrong}: {log}");
    }
}

/// Where registers are in one text only, the other is not just compared without.
#[test]
fn a_register_too_many_is_not_proven() {
    let ports = "input wire clk_i, input wire [3:0] a_i, output reg [3:0] y_o";
    let registered = "always @(posedge clk_i) y_o <= a_i;";
    for (gold, gate) in [("always @(*) y_o = a_i;", registered), (registered, "always @(*) y_o = a_i;")] {
        let log = decided(&obligation(ports, gold, gate)).unwrap_err();
        assert!(log.contains("unproven"), "{log}");
    }
}

/// SAT cannot compare two multipliers; that their operands are the same it can.
#[test]
fn what_sat_leaves_undecided_is_proven_net_by_net() {
    let ports = "input wire [19:0] a_i, input wire [19:0] b_i, output wire [39:0] y_o";
    let gold = "wire [19:0] x = a_i ^ b_i; assign y_o = x * b_i;";
    let gate = "wire [19:0] x = (a_i & ~b_i) | (~a_i & b_i); assign y_o = x * b_i;";
    let hard = obligation(ports, gold, gate);
    let short = Duration::from_secs(1);
    assert_eq!(miter::compare(&hard, short, &RUN).unwrap(), Verdict::Undecided);
    assert!(decide(&hard, short, &RUN).unwrap() >= 40);
}
