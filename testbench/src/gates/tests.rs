//! Energies computed by hand on a library of round numbers, glitches, clock gates, and what is refused.

use super::circuit::Role;
use super::*;
use crate::synth::sta::Surroundings;

const PERIOD: f64 = 10.0;

fn tiny() -> CellLibrary {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), include_str!("tiny.lib")).unwrap();
    CellLibrary::read(file.path()).unwrap_or_else(|error| panic!("{error}"))
}

fn program_at(verilog: &str, clock: Option<&str>, period_ns: f64) -> Result<Program, GatesError> {
    let around = Surroundings { wire_load: 3.0, clock, control: &[] };
    let conditions = Conditions { around, period_ns, clock_slew_ns: 0.5 };
    prepare(verilog, "t", &tiny(), conditions, &AtomicBool::new(false))
}

fn program(verilog: &str, clock: Option<&str>) -> Program {
    program_at(verilog, clock, PERIOD).unwrap_or_else(|error| panic!("{error}"))
}

fn engine<'a>(program: &'a Program, inputs: &[&str], outputs: &[&str]) -> Engine<'a> {
    Engine::new(program, inputs, outputs, 2, PERIOD).unwrap_or_else(|error| panic!("{error}"))
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} and not {expected}");
}

fn toggles(program: &Program, engine: &Engine<'_>, net: &str) -> u32 {
    engine.toggles()[program.circuit.netlist.nets.iter().position(|name| name == net).unwrap()]
}

const INVERTER: &str = "module t (input a_i, output y_o); INV \\part.inverter (.A(a_i), .Y(y_o)); endmodule";

#[test]
fn an_inverter_uses_what_is_computed_by_hand() {
    let program = program(INVERTER, None);
    let mut engine = engine(&program, &["a_i"], &["y_o"]);
    engine.cycle(&[0], Some(&[1]), 0).unwrap();
    engine.cycle(&[1], Some(&[0]), 0).unwrap();
    engine.cycle(&[0], Some(&[1]), 1).unwrap();
    let measured = engine.finish();
    // Half of C·V² is 2 fJ a fF. Input: pin 4 and wire 3. Output: wire 3 and a
    // flip-flop's data pin 2. Internal, falling: 0.5 + 2 x slew 0.25 of the
    // buffer before it; rising: 1 + load 5 / 10.
    let (input, output) = (2.0 * 7.0, 2.0 * 5.0);
    let [first, second] = measured.classes.as_slice() else { panic!("two classes") };
    near(first.kind(Kind::Combinational), input + output + 1.0);
    near(second.kind(Kind::Combinational), input + output + 1.5);
    // 5 nW with the input at 0 and 3 nW with it at 1, during 10 ns: 1 nW ns is 0.001 fJ.
    near(first.kind(Kind::Leakage), 0.05 + 0.03);
    near(second.kind(Kind::Leakage), 0.05);
    assert_eq!((measured.components.as_slice(), measured.cycles()), (["part".to_owned()].as_slice(), 3));
    near(measured.part("part").unwrap().iter().sum(), measured.total());
    assert_eq!((measured.annotated_percent(), measured.toggled_percent()), (100.0, 100.0));
}

/// The durations in ps and the transitions that a SAIF file states of a pin or port.
fn saif_of(saif: &str, name: &str) -> (u64, u64, u64) {
    let line = saif.lines().find_map(|line| line.trim().strip_prefix(&format!("({name} "))).unwrap();
    let number = |key: &str| {
        let rest = &line[line.find(&format!("({key} ")).unwrap() + key.len() + 2..];
        rest[..rest.find(')').unwrap()].parse().unwrap()
    };
    (number("T0"), number("T1"), number("TC"))
}

#[test]
fn what_nets_did_can_be_read_by_other_tools() {
    let program = program(INVERTER, None);
    let mut engine = engine(&program, &["a_i"], &["y_o"]);
    for value in [0, 1, 1, 0, 1] {
        engine.cycle(&[value], Some(&[1 - value]), 0).unwrap();
    }
    let (activity, circuit) = (engine.activity(), &program.circuit);
    // As in the test before.
    near(activity.switching(circuit), 3.0 * 2.0 * 7.0 + 3.0 * 2.0 * 5.0);
    let saif = activity.saif(circuit);
    let verilog = activity::verilog(circuit);
    let [a, y] = ["a_i", "y_o"].map(|net| circuit.netlist.nets.iter().position(|name| name == net).unwrap());
    assert!(verilog.contains(&format!("  input n{a};\n  output n{y};\n  INV g0 (.A(n{a}), .Y(n{y}));\n")), "{verilog}");
    assert!(saif.contains("(TIMESCALE 1 ps)\n(DURATION 50000)\n") && saif.contains(" (INSTANCE g0\n"), "{saif}");
    let (low, high, count) = saif_of(&saif, "A");
    // Three of five periods, but for what the buffer in front takes.
    assert!(low + high == 50_000 && high.abs_diff(30_000) < 1000 && count == 3, "{saif}");
    assert_eq!(saif_of(&saif, &format!("n{a}")), (low, high, count));
    let (low, high, count) = saif_of(&saif, "Y");
    assert!(low + high == 50_000 && high.abs_diff(20_000) < 1000 && count == 3, "{saif}");
    let balanced = |text: &str| text.matches('(').count() == text.matches(')').count();
    assert!(balanced(&saif) && balanced(&verilog));
}

const FLOP: &str = "module t (input clk_i, d_i, output q_o); DFF flop (.C(clk_i), .D(d_i), .Q(q_o)); endmodule";

#[test]
fn a_flop_uses_clock_energy_whether_or_not_its_data_changes() {
    let program = program(FLOP, Some("clk_i"));
    let mut engine = engine(&program, &["d_i"], &["q_o"]);
    for value in [0, 0] {
        engine.cycle(&[value], None, 0).unwrap();
    }
    // Each cycle takes at its edge what the one before has applied.
    for (value, stored) in [(1, 0), (0, 1), (1, 0), (0, 1)] {
        engine.cycle(&[value], Some(&[stored]), 1).unwrap();
    }
    let measured = engine.finish();
    // Clock: pin 3 and wire 3, both edges; internal at slew 0.5: 2 rising, 1 falling.
    let clock = 2.0 * 2.0 * 6.0 + 3.0;
    near(measured.classes[0].kind(Kind::ClockPin), 2.0 * clock);
    near(measured.classes[0].kind(Kind::Register), 0.0);
    near(measured.classes[1].kind(Kind::ClockPin), 4.0 * clock);
    // Data: pin 2, wire 3, internal 0.5. Output: 5 fF, internal 4 rising, 3 falling.
    let (data, rise, fall) = (10.5, 10.0 + 4.0, 10.0 + 3.0);
    near(measured.classes[1].kind(Kind::Register), 4.0 * data + 2.0 * rise + fall);
    near(measured.kind(Kind::Leakage), 6.0 * 10.0 * 10.0 * 1e-3);
}

#[test]
fn conditions_choose_the_energy() {
    let program = program("module t (input a_i, b_i, output y_o); XOR x (.A(a_i), .B(b_i), .Y(y_o)); endmodule", None);
    let mut engine = engine(&program, &["a_i", "b_i"], &["y_o"]);
    engine.cycle(&[0, 0], Some(&[0]), 0).unwrap();
    let mut before = 0.0;
    let mut step = |inputs: [u64; 2], y: u64, internal: f64| {
        engine.cycle(&inputs, Some(&[y]), 0).unwrap();
        let now = engine.clone().finish().kind(Kind::Combinational);
        // One input of 5 fF and the output of 5 fF.
        near(now - before, 20.0 + internal);
        before = now;
    };
    step([1, 0], 1, 5.0);
    step([1, 1], 0, 6.0);
    step([0, 1], 1, 7.0);
}

/// The same signal straight and through inverters into an exclusive or.
fn skewed(inverters: usize) -> String {
    let mut text = format!("module t (input a_i, output y_o); wire [{inverters}:0] n; assign n[0] = a_i;\n");
    for k in 0..inverters {
        text += &format!("INV i{k} (.A(n[{k}]), .Y(n[{}]));\n", k + 1);
    }
    text + &format!("XOR x (.A(a_i), .B(n[{inverters}]), .Y(y_o)); endmodule")
}

#[test]
fn a_skewed_xor_glitches_and_a_short_pulse_does_not_pass() {
    // Two inverters take 0.7 ns, longer than the 0.5 ns of the gate; none takes none.
    for (inverters, pulses) in [(2, 2), (4, 2), (0, 0)] {
        let program = program(&skewed(inverters), None);
        let mut engine = engine(&program, &["a_i"], &["y_o"]);
        for value in [0, 1, 0, 1] {
            engine.cycle(&[value], Some(&[0]), 0).unwrap();
        }
        assert_eq!(toggles(&program, &engine, "y_o"), 3 * pulses, "{inverters} inverters");
    }
    // One inverter takes 0.3 or 0.4 ns: the gate does not follow.
    let program = program(&skewed(1), None);
    let mut engine = engine(&program, &["a_i"], &["y_o"]);
    for value in [0, 1, 0, 1] {
        engine.cycle(&[value], Some(&[1]), 0).unwrap();
    }
    assert_eq!(toggles(&program, &engine, "y_o"), 0);
}

#[test]
fn a_hazard_uses_energy_that_settled_values_do_not_show() {
    let energy = |inverters| {
        let program = program(&skewed(inverters), None);
        let mut engine = engine(&program, &["a_i"], &["y_o"]);
        (0..40).for_each(|k| engine.cycle(&[k & 1], Some(&[0]), 0).unwrap());
        engine.finish().kind(Kind::Combinational)
    };
    // Beside the inverters' own, two transitions of the gate each time.
    let inverters = 39.0 * (2.0 * 7.0 + 2.0 * 5.0 + 2.0 * 7.0);
    assert!(energy(2) - energy(0) > inverters, "{} {}", energy(2), energy(0));
}

/// Eight flip-flops on the free clock that keep their value, or behind a gate.
fn bank(gated: bool) -> String {
    let mut text = String::from(
        "module t (input clk_i, en_i, input [7:0] d_i, output [7:0] q_o); wire n, open, clk;\n\
         INV \\bank.inverter (.A(clk_i), .Y(n)); LAT \\bank.latch (.D(en_i), .G(n), .Q(open));\n\
         AN2 \\bank.gate (.A(clk_i), .B(open), .Y(clk));\n",
    );
    for k in 0..8 {
        let clock = if gated { "clk" } else { "clk_i" };
        text += &format!("DFF \\bank.f{k} (.C({clock}), .D(d_i[{k}]), .Q(q_o[{k}]));\n");
    }
    text + "endmodule"
}

fn bank_energy(gated: bool, enable: u64) -> (f64, f64, f64) {
    let program = program(&bank(gated), Some("clk_i"));
    let mut engine = engine(&program, &["en_i", "d_i"], &["q_o"]);
    engine.cycle(&[1, 0], None, 0).unwrap();
    for k in 0..20_u64 {
        engine.cycle(&[enable, k % 2 * 255], None, 1).unwrap();
    }
    // The last edge has taken the data of the cycle before the last, unless it was gated.
    assert_eq!(engine.output(0), 0);
    let measured = engine.finish();
    let class = &measured.classes[1];
    (class.kind(Kind::ClockPin), class.kind(Kind::ClockGate), class.kind(Kind::Register))
}

#[test]
fn a_gated_bank_uses_less_than_a_free_running_one() {
    let (free, gated) = (bank_energy(false, 0), bank_energy(true, 0));
    // The first edge still takes what was enabled before.
    near(gated.0, free.0 / 20.0);
    assert!(gated.1 > 0.0 && gated.2 < free.2, "{gated:?} {free:?}");
    assert!(gated.0 + gated.1 + gated.2 < 0.5 * (free.0 + free.1 + free.2), "{gated:?} {free:?}");
    // Enabled, it uses as much, and the gate besides.
    let open = bank_energy(true, 1);
    near(open.0, free.0);
    assert!(open.1 > gated.1, "{open:?}");
}

#[test]
fn gated_flops_take_what_free_ones_take() {
    let text = bank(true).replace("DFF \\bank.f3 (.C(clk)", "DFF \\bank.f3 (.C(clk_i)");
    let program = program(&text, Some("clk_i"));
    let mut engine = engine(&program, &["en_i", "d_i"], &["q_o"]);
    let mut gated = 0;
    let (mut enable, mut data) = (1, 0);
    engine.cycle(&[enable, data], None, 0).unwrap();
    for k in 0..60_u64 {
        if enable == 1 {
            gated = data;
        }
        let expected = gated & !8 | data & 8;
        (enable, data) = (u64::from(k % 3 != 0), k * 37 % 256);
        engine.cycle(&[enable, data], Some(&[expected]), 0).unwrap();
    }
}

/// Two latches that a register feeds, each behind a gate of its own on a gated clock; a
/// flip-flop on the free clock takes the first one.
const LATCHES: &str = "module t (input clk_i, we_i, first_i, second_i, d_i, output y_o, z_o);\n\
    wire n, open, clk, m, open1, open2, clk1, clk2, held, q1;\n\
    INV \\branch.inverter (.A(clk_i), .Y(n)); LAT \\branch.latch (.D(we_i), .G(n), .Q(open));\n\
    AN2 \\branch.gate (.A(clk_i), .B(open), .Y(clk)); INV \\rows.inverter (.A(clk), .Y(m));\n\
    LAT \\rows.latch1 (.D(first_i), .G(m), .Q(open1)); AN2 \\rows.gate1 (.A(clk), .B(open1), .Y(clk1));\n\
    LAT \\rows.latch2 (.D(second_i), .G(m), .Q(open2)); AN2 \\rows.gate2 (.A(clk), .B(open2), .Y(clk2));\n\
    DFF \\rows.held (.C(clk), .D(d_i), .Q(held)); LAT \\rows.first (.D(held), .G(clk1), .Q(q1));\n\
    LAT \\rows.second (.D(held), .G(clk2), .Q(z_o)); DFF reader (.C(clk_i), .D(q1), .Q(y_o)); endmodule";

#[test]
fn latches_open_behind_the_edge_at_which_flops_take_what_they_held() {
    let program = program(LATCHES, Some("clk_i"));
    let role = |name: &str| {
        let place = program.circuit.netlist.instances.iter().position(|instance| instance.name == name);
        program.circuit.gates[place.unwrap_or_else(|| panic!("no {name}"))].role
    };
    assert_eq!((role("rows.latch1"), role("rows.first")), (Role::ClockGate, Role::Register));
    let mut engine = engine(&program, &["we_i", "first_i", "second_i", "d_i"], &["y_o", "z_o"]);
    // Both are written once, so that everything is known.
    for inputs in [[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]] {
        engine.cycle(&inputs, None, 0).unwrap();
    }
    let (mut first, mut second, mut last) = (0, 0, [0, 0, 0, 0]);
    for k in 0..200_u64 {
        // The edge: the reader sees what was stored before it.
        let read = first;
        let [we, one, two, data] = last;
        first = if we & one == 1 { data } else { first };
        second = if we & two == 1 { data } else { second };
        let bits = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let (we, one) = (u64::from(!bits.is_multiple_of(3)), bits >> 3 & 1);
        last = [we, we & one, we & !one & 1, bits >> 5 & 1];
        engine.cycle(&last, Some(&[read, second]), 0).unwrap();
    }
    assert_eq!(engine.finish().annotated_percent(), 100.0);
}

#[test]
fn latches_that_hold_data_begin_and_continue_paths() {
    let through = "module t (input clk_i, d_i, output q_o); wire held, q;\n\
        DFF flop (.C(clk_i), .D(d_i), .Q(held)); LAT row (.D(held), .G(clk_i), .Q(q)); XOR x (.A(q), .B(q), .Y(q_o)); endmodule";
    let direct = through.replace("LAT row (.D(held), .G(clk_i), .Q(q));", "assign q = held;");
    let [through, direct] = [through, &direct].map(|text| program(text, Some("clk_i")).timing.longest_ns);
    assert!(through > direct + 0.1, "{through} {direct}");
}

#[test]
fn more_activity_uses_more() {
    let program = program(&bank(false), Some("clk_i"));
    let energy = |toggling: u64| {
        let mut engine = engine(&program, &["en_i", "d_i"], &["q_o"]);
        (0..30).for_each(|k| engine.cycle(&[0, k % 2 * toggling], None, 0).unwrap());
        engine.finish().total()
    };
    let energies: Vec<f64> = [0, 1, 3, 15, 255].map(energy).to_vec();
    assert!(energies.windows(2).all(|pair| pair[0] + 100.0 < pair[1]), "{energies:?}");
}

const RESET: &str = "module t (input clk_i, rst_ni, d_i, output q_o, z_o);\n\
    DFFR flop (.C(clk_i), .D(d_i), .R(rst_ni), .Q(q_o)); DFF late (.C(clk_i), .D(q_o), .Q(z_o)); endmodule";

#[test]
fn an_asynchronous_reset_acts_at_once_and_makes_known() {
    let program = program(RESET, Some("clk_i"));
    let mut engine = engine(&program, &["rst_ni", "d_i"], &["q_o", "z_o"]);
    engine.cycle(&[0, 1], None, 0).unwrap();
    engine.cycle(&[1, 1], Some(&[0, 0]), 0).unwrap();
    engine.cycle(&[1, 1], Some(&[1, 0]), 0).unwrap();
    engine.cycle(&[0, 1], Some(&[0, 1]), 0).unwrap();
    assert_eq!(engine.finish().annotated_percent(), 100.0);
}

#[test]
fn what_was_never_initialised_is_no_activity_data() {
    let program = program(RESET, Some("clk_i"));
    let mut engine = engine(&program, &["rst_ni", "d_i"], &["q_o", "z_o"]);
    let error = engine.clone().cycle(&[1, 1], Some(&[0, 0]), 0).unwrap_err();
    assert!(matches!(error, GatesError::Unknown { cycle: 0, .. }), "{error}");
    engine.cycle(&[0, 1], None, 0).unwrap();
    let measured = engine.finish();
    // The last flip-flop's output alone: one of seven pins.
    near(measured.annotated_percent(), 600.0 / 7.0);
    assert!(matches!(measured.require_annotation(95.0), Err(GatesError::Annotation { .. })));
}

#[test]
fn what_is_loaded_late_is_known_from_then_on() {
    let program = program(&bank(true), Some("clk_i"));
    let mut engine = engine(&program, &["en_i", "d_i"], &["q_o"]);
    (0..100).for_each(|k| engine.cycle(&[0, k & 255], None, 0).unwrap());
    let error = engine.clone().cycle(&[0, 0], Some(&[0]), 0).unwrap_err();
    assert!(matches!(error, GatesError::Unknown { cycle: 100, .. }), "{error}");
    assert!(engine.clone().finish().annotated_percent() < 90.0);
    engine.cycle(&[1, 0x5a], None, 0).unwrap();
    engine.cycle(&[0, 0], Some(&[0x5a]), 0).unwrap();
    (0..100).for_each(|k| engine.cycle(&[0, k & 255], Some(&[0x5a]), 0).unwrap());
    assert_eq!(engine.finish().annotated_percent(), 100.0);
}

#[test]
fn wrong_outputs_periods_and_stimuli_are_refused() {
    let program = program(FLOP, Some("clk_i"));
    let mut right = engine(&program, &["d_i"], &["q_o"]);
    right.cycle(&[1], None, 0).unwrap();
    let error = right.clone().cycle(&[1], Some(&[0]), 0).unwrap_err();
    assert!(matches!(error, GatesError::Mismatch { cycle: 1, found: 1, expected: 0, .. }), "{error}");
    for (inputs, class) in [(vec![], 0), (vec![1, 1], 0), (vec![1], 2)] {
        assert!(matches!(right.cycle(&inputs, None, class), Err(GatesError::Stimulus(_))));
    }
    assert!(matches!(Engine::new(&program, &["d_i"], &[], 1, 9.0), Err(GatesError::Period { .. })));
    for inputs in [vec![], vec!["x_i"], vec!["d_i", "q_o"]] {
        assert!(matches!(Engine::new(&program, &inputs, &[], 1, PERIOD), Err(GatesError::Stimulus(_))));
    }
}

#[test]
fn a_path_longer_than_the_period_is_refused() {
    // Buffer 0.3, inverters 0.4 and 0.3 in turn, exclusive or 0.5.
    near(program(&skewed(4), None).timing.longest_ns, 0.3 + 1.4 + 0.5);
    let error = program_at(&skewed(4), None, 2.0).unwrap_err();
    assert!(matches!(error, GatesError::TooSlow { .. }), "{error}");
    // Buffer 0.3 and the setup time of a falling edge.
    near(program(FLOP, Some("clk_i")).timing.longest_ns, 0.7);
}

#[test]
fn loops_double_drivers_and_unknown_cells_are_refused() {
    let refused = |body: &str| program_at(&format!("module t (input a_i, output y_o); {body} endmodule"), None, PERIOD);
    let looped = "wire n; ND2 a (.A(a_i), .B(y_o), .Y(n)); INV b (.A(n), .Y(y_o));";
    let double = "INV a (.A(a_i), .Y(y_o)); INV b (.A(a_i), .Y(y_o));";
    for body in [looped, double, "INV a (.A(y_o));"] {
        let result = refused(body);
        assert!(matches!(result, Err(GatesError::Netlist { .. })), "{body}: {result:?}");
    }
    assert!(refused("ZZZ a (.A(a_i), .Y(y_o));").is_err());
}
