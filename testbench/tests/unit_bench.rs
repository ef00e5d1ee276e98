//! The bench of arithmetic units itself, on small units written here: it passes
//! what is right, and finds every kind of wrong.

use axp_hdl::{Direction, Port};
use axp_testbench::dut::{Body, Dut, Source};
use axp_testbench::synth::Goal;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::unit::gates;
use axp_testbench::unit::stream::{answers, stream};
use axp_testbench::unit::{Answer, Case, UnitError, icarus, verilated};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Two 8-bit numbers: the upper halves are multiplied, the lower ones added by
/// adder cells; the flags are `a < b` twice, and the parity of the result.
const BODY: &str = "
  wire c1, c2, c4;
  assign {c1, r[0]} = a_i[0] + b_i[0];
  axp_full_adders_w1 bit1 (.a_i(a_i[1]), .b_i(b_i[1]), .c_i(c1), .sum_o(r[1]), .carry_o(c2));
  wire [1:0] partial, carries;
  axp_full_adders_w2 bits23 (.a_i(a_i[3:2]), .b_i(b_i[3:2]), .c_i({1'b0, c2}), .sum_o(partial), .carry_o(carries));
  assign r[2] = partial[0];
  assign {c4, r[3]} = {carries[1], partial[1]} + carries[0];
  assign r[11:4] = a_i[7:4] * b_i[7:4] + {7'b0, c4};
  assign f = {a_i < b_i, 1'b0, a_i < b_i, 1'b0, ^r};
";

/// A row of full adders.
fn adders(width: usize) -> Source {
    let ports =
        "input wire [N:0] a_i, b_i, c_i, output wire [N:0] sum_o, carry_o".replace('N', &(width - 1).to_string());
    let name = format!("axp_full_adders_w{width}");
    let text = format!(
        "module {name} ({ports});
  assign sum_o = a_i ^ b_i ^ c_i;
  assign carry_o = a_i & b_i | c_i & (a_i ^ b_i);
endmodule
"
    );
    Source { file: format!("{name}.v"), text }
}

fn port(name: &str, direction: Direction, width: usize) -> Port {
    Port { name: name.into(), direction, width, doc: String::new() }
}

/// The unit with this many registers at its end, and this body.
fn unit(stages: usize, body: &str) -> Dut {
    let mut ports = vec![
        port("a_i", Direction::Input, 8),
        port("b_i", Direction::Input, 8),
        port("result_o", Direction::Output, 12),
        port("flags_o", Direction::Output, 5),
    ];
    let (mut clocked, mut tail) = (String::new(), "assign {flags_o, result_o} = {f, r};".to_owned());
    if stages > 0 {
        let control = [("clk_i", 1), ("test_en_i", 1), ("en_i", stages)];
        ports.splice(0..0, control.map(|(name, width)| port(name, Direction::Input, width)));
        clocked = format!("input wire clk_i, test_en_i, input wire [{}:0] en_i, ", stages - 1);
        tail = format!("reg [16:0] q [0:{}];\n  integer i;\n  always @(posedge clk_i) begin\n", stages - 1)
            + "    if (en_i[0] && !test_en_i) q[0] <= {f, r};\n"
            + &format!("    for (i = 1; i < {stages}; i = i + 1) if (en_i[i]) q[i] <= q[i-1];\n  end\n")
            + &format!("  assign {{flags_o, result_o}} = q[{}];", stages - 1);
    }
    let text = format!(
        "module axp_toy ({clocked}input wire [7:0] a_i, b_i, output wire [11:0] result_o, output wire [4:0] flags_o);
  wire [11:0] r;
  wire [4:0] f;
  {body}
  {tail}
endmodule
"
    );
    Dut {
        top: "axp_toy".into(),
        sources: vec![adders(1), adders(2), Source { file: "axp_toy.v".into(), text }],
        ports,
        clock: "clk_i".into(),
        reset: "rst_ni".into(),
    }
}

fn expected(case: &Case) -> Answer {
    let low = (case.a & 15) + (case.b & 15);
    let high = (case.a >> 4) * (case.b >> 4) + (low >> 4);
    let result = high << 4 | low & 15;
    let less = u8::from(case.a < case.b);
    Answer { result, flags: less << 4 | less << 2 | (result.count_ones() & 1) as u8 }
}

fn cases() -> Vec<Case> {
    (0..1 << 16).map(|i| Case { a: i & 255, b: i >> 8 }).collect()
}

fn go() -> AtomicBool {
    AtomicBool::new(false)
}

fn program(dut: &Dut) -> verilated::UnitProgram {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    verilated::build(dut, Body::Gated, cache, &go()).unwrap_or_else(|error| panic!("{error}"))
}

/// The cases that a backend gets wrong.
fn wrong(found: &[Answer], cases: &[Case]) -> Vec<Case> {
    assert_eq!(found.len(), cases.len());
    cases.iter().zip(found).filter(|(case, answer)| expected(case) != **answer).map(|(case, _)| *case).collect()
}

fn gates_of(dut: &Dut) -> Dut {
    let library = CellLibrary::read(Path::new(OSU018)).unwrap_or_else(|error| panic!("{error}"));
    let goal = Goal { period: 10.0, wire_load: library.wire_load() };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    gates::netlist_of(dut, &library, goal, Some(cache), &go()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_case_is_answered_in_order_whatever_the_latency() {
    for stages in 0..3 {
        let dut = unit(stages, BODY);
        assert_eq!(wrong(&answers(&program(&dut), &cases()).unwrap(), &cases()), []);
        let some: Vec<Case> = cases().into_iter().step_by(97).collect();
        assert_eq!(wrong(&icarus::answers(&dut, Body::Gated, &some, &go()).unwrap(), &some), []);
    }
}

#[test]
fn gates_answer_as_the_rtl_does() {
    for stages in 0..2 {
        let dut = gates_of(&unit(stages, BODY));
        assert_eq!(dut.sources[0].text.matches("FAX1 ").count(), 3, "the adders are cells of the library");
        assert_eq!(wrong(&answers(&program(&dut), &cases()).unwrap(), &cases()), []);
    }
}

#[test]
fn a_wrong_operator_is_found_in_exactly_the_cases_it_touches() {
    let dut = unit(0, &BODY.replace("a_i < b_i, 1'b0, a_i", "a_i <= b_i, 1'b0, a_i"));
    let equal: Vec<Case> = cases().into_iter().filter(|case| case.a == case.b).collect();
    assert_eq!(wrong(&answers(&program(&dut), &cases()).unwrap(), &cases()), equal);
    let gates = gates_of(&dut);
    assert_eq!(wrong(&answers(&program(&gates), &cases()).unwrap(), &cases()), equal);
}

#[test]
fn a_gate_of_another_kind_is_found() {
    let mut dut = gates_of(&unit(0, BODY));
    let swapped = dut.sources[0].text.replacen("  NOR2X1 ", "  NAND2X1 ", 1);
    assert_ne!(swapped, dut.sources[0].text, "the netlist has a NOR gate");
    dut.sources[0].text = swapped;
    assert!(!wrong(&answers(&program(&dut), &cases()).unwrap(), &cases()).is_empty());
}

#[test]
fn a_wrong_latency_is_found() {
    // Two enables, one register.
    let mut dut = unit(2, BODY);
    dut.sources[2].text = dut.sources[2].text.replace("= q[1];", "= q[0];");
    let cases: Vec<Case> = cases().into_iter().step_by(31).collect();
    assert!(wrong(&answers(&program(&dut), &cases).unwrap(), &cases).len() > cases.len() / 2);
    assert!(wrong(&icarus::answers(&dut, Body::Gated, &cases, &go()).unwrap(), &cases).len() > cases.len() / 2);
}

#[test]
fn an_unknown_result_is_found_by_icarus() {
    let dut = unit(0, &BODY.replace("{7'b0, c4}", "{7'b0, a_i == 8'h35 ? 1'bx : c4}"));
    let cases = cases();
    let error = icarus::answers(&dut, Body::Gated, &cases[0x1200..0x1300], &go()).unwrap_err();
    match error {
        UnitError::Unknown { index: 0x35, case: Case { a: 0x35, b: 0x12 }, found } => {
            assert!(found.contains('x'), "{found}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn ports_that_are_no_units_are_refused() {
    let refused = |change: &dyn Fn(&mut Vec<Port>), word: &str| {
        let mut dut = unit(0, BODY);
        change(&mut dut.ports);
        let error = verilated::build(&dut, Body::Gated, Path::new("nowhere"), &go()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(&|ports| ports.retain(|port| port.name != "a_i"), "there is no a_i");
    refused(&|ports| ports[2].width = 65, "result_o has 65 bits");
    refused(&|ports| ports[3].name = "flag_o".into(), "flag_o is not one of them");
    refused(&|ports| ports[3].width = 4, "flags_o has not 5 bits");
    refused(&|ports| ports[1].direction = Direction::Output, "b_i goes the other way");
    refused(&|ports| ports.push(port("mode_i", Direction::Input, 1)), "mode_i is not one of them");
    refused(&|ports| ports.push(port("en_i", Direction::Input, 1)), "there is no clk_i");
}

#[test]
fn a_program_that_dies_is_an_error_with_what_it_said() {
    let dut = unit(0, &BODY.replace("assign f", "always @* if (a_i == 8'hFF) begin $fdisplay(32'h80000002, \"the unit gave up\"); $fatal(1); end\n  assign f"));
    let error = answers(&program(&dut), &cases()).unwrap_err().to_string();
    assert!(error.contains("broke off") && error.contains("gave up"), "{error}");
}

/// What a producer or a consumer of the test below has to say.
#[derive(Debug, PartialEq)]
enum Ended {
    Failed(String),
    Enough,
}

impl From<UnitError> for Ended {
    fn from(error: UnitError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[test]
fn a_stream_ends_with_its_producer_or_its_consumer() {
    let unit = program(&unit(0, BODY));
    // A consumer that has seen enough, while the producer would go on for ever.
    let mut seen = 0;
    let ended = stream(
        &unit,
        |block| {
            block.extend_from_slice(&cases());
            Ok(())
        },
        |cases, answers| {
            assert_eq!(wrong(answers, cases), []);
            seen += cases.len();
            if seen > 1 << 20 { Err(Ended::Enough) } else { Ok(()) }
        },
    );
    assert_eq!(ended, Err(Ended::Enough));
    // A producer that fails: what it gave before is answered first.
    let mut blocks = 0;
    let mut seen = 0;
    let ended = stream(
        &unit,
        |block| {
            blocks += 1;
            block.extend_from_slice(&cases()[..100]);
            if blocks == 3 { Err(Ended::Enough) } else { Ok(()) }
        },
        |cases, _| {
            seen += cases.len();
            Ok(())
        },
    );
    assert_eq!(ended, Err(Ended::Enough));
    assert_eq!(seen, 300);
}
