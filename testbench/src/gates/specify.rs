//! The netlist as Verilog with specify paths, and a bench: a second simulator for the same delays.
//!
//! Every gate becomes a module of its own, since its delays are its own: those
//! that [`Program`] has computed from the Liberty tables at its slews and load.
//! Run it with `iverilog -gspecify`. At the end it prints a line a net:
//! number, value, transitions.
//!
//! The delays stand in the specify paths, not in an SDF file: Icarus 11 annotates
//! an IOPATH, but none with a COND, so that an exclusive or would have no delay.

use super::arcs::edge;
use super::circuit::Gate;
use super::engine::Engine;
use super::netlist::Bit;
use super::program::{FlatGate, Program, TICKS_PER_NS};
use std::fmt::Write;

/// Both values of an output.
const VALUES: [bool; 2] = [true, false];

/// A bench for these input ports, with a row of values a cycle, that does what
/// [`Engine::cycle`] does.
pub fn bench(program: &Program, inputs: &[&str], rows: &[Vec<u64>]) -> String {
    let circuit = &program.circuit;
    let mut text = String::from("`timescale 1ns/10fs\n");
    for (number, gate) in circuit.gates.iter().enumerate() {
        text += &module(program, number, gate);
    }
    text += "module bench;\n";
    for net in 0..circuit.nets.len() {
        let _ = writeln!(text, "  wire n{net};\n  integer t{net} = 0;\n  always @(n{net}) t{net} = t{net} + 1;");
    }
    for (number, gate) in circuit.gates.iter().enumerate() {
        let mut pins: Vec<String> =
            gate.inputs.iter().enumerate().map(|(pin, bit)| format!(".i{pin}({})", net_name(*bit))).collect();
        let outputs = gate.outputs.iter().enumerate();
        pins.extend(outputs.filter_map(|(pin, net)| net.map(|net| format!(".o{pin}(n{net})"))));
        let _ = writeln!(text, "  gate{number} g{number} ({});", pins.join(", "));
    }
    let ports: Vec<_> = inputs.iter().filter_map(|name| circuit.netlist.port(name)).collect();
    let mut initial = String::new();
    if let Some(clock) = circuit.clock {
        let _ = writeln!(text, "  reg clock = 0;\n  assign n{clock} = clock;");
    }
    for (place, port) in ports.iter().enumerate() {
        let _ = writeln!(text, "  reg [{}:0] p{place} = 0;", port.bits.len() - 1);
        for (index, bit) in port.bits.iter().enumerate() {
            if let Bit::Net(net) = bit {
                let [rise, fall] = program.input_delay[*net as usize].map(ns);
                let _ = writeln!(text, "  assign #({rise}, {fall}) n{net} = p{place}[{index}];");
            }
        }
    }
    let half = program.period_ns / 2.0;
    // Whatever the start has moved is no transition.
    let _ = writeln!(initial, "    #{};", program.period_ns);
    for net in 0..circuit.nets.len() {
        let _ = writeln!(initial, "    t{net} = 0;");
    }
    for row in rows {
        if circuit.clock.is_some() {
            initial += "    clock = 1;\n";
        }
        for (place, (port, value)) in ports.iter().zip(row).enumerate() {
            let _ = writeln!(initial, "    p{place} = {}'d{value};", port.bits.len());
        }
        let fall = if circuit.clock.is_some() { "clock = 0; " } else { "" };
        let _ = writeln!(initial, "    #{half} {fall}#{half};");
    }
    for net in 0..circuit.nets.len() {
        let _ = writeln!(initial, "    $display(\"{net} %b %0d\", n{net}, t{net});");
    }
    let _ = writeln!(text, "  initial begin\n{initial}    $finish;\n  end\nendmodule");
    text
}

/// Nets whose value or number of transitions the bench's output states otherwise
/// than the engine: their names, and what the bench says.
pub fn differences(program: &Program, engine: &Engine<'_>, output: &str) -> Vec<String> {
    let netlist = &program.circuit.netlist;
    let mut lines = output.lines();
    (0..netlist.nets.len() as u32)
        .filter_map(|net| {
            let place = net as usize;
            let own = format!("{net} {} {}", u8::from(engine.value(net)), engine.toggles()[place]);
            let line = lines.next().unwrap_or("nothing");
            (line.trim() != own).then(|| format!("{}: {own}, the bench says {line}", netlist.nets[place]))
        })
        .collect()
}

fn net_name(bit: Bit) -> String {
    match bit {
        Bit::Net(net) => format!("n{net}"),
        Bit::Constant(value) => format!("1'b{}", u8::from(value)),
    }
}

fn ns(ticks: u32) -> String {
    format!("{:.5}", f64::from(ticks) / TICKS_PER_NS)
}

fn module(program: &Program, number: usize, gate: &Gate) -> String {
    let logic = &program.circuit.cell(gate).logic;
    let (pins, outputs) = (logic.inputs.len(), logic.outputs.len());
    let mut ports: Vec<String> = (0..pins).map(|pin| format!("input i{pin}")).collect();
    ports.extend((0..outputs).map(|pin| format!("output o{pin}")));
    let mut text = format!("module gate{number} ({});\n", ports.join(", "));
    let mut index: Vec<String> = (0..pins).rev().map(|pin| format!("i{pin}")).collect();
    if logic.storage.is_some() {
        index.insert(0, "q".into());
        text += "  reg q = 0;\n";
    }
    let entries = 1 << logic.index_bits();
    if index.is_empty() {
        index.push("1'b0".into());
    }
    let _ = writeln!(text, "  wire [{}:0] at = {{{}}};", index.len() - 1, index.join(", "));
    if logic.storage.is_some() {
        // Clock, clear and preset do not depend on what is stored: an unknown
        // bit must not make them unknown, or it would stay so for ever.
        index[0] = "1'b0".into();
        let _ = writeln!(text, "  wire [{}:0] control = {{{}}};", index.len() - 1, index.join(", "));
    }
    let mut table = |name: &str, truth: u128| {
        let _ = writeln!(text, "  wire [{}:0] {name}_table = {entries}'h{truth:x};", entries - 1);
        let at = if matches!(name, "enable" | "clear" | "preset") { "control" } else { "at" };
        format!("{name}_table[{at}]")
    };
    let stored =
        |truth: u128, value: bool| (0..entries).all(|at| (truth >> at & 1 == 1) == ((at >> pins & 1 == 1) == value));
    let mut shown = Vec::new();
    for (k, (_, truth)) in logic.outputs.iter().enumerate() {
        // What is stored is shown without a table, which would be unknown as long as any input is.
        shown.push(match logic.storage {
            Some(_) if stored(*truth, true) => "q".to_owned(),
            Some(_) if stored(*truth, false) => "~q".to_owned(),
            _ => table(&format!("o{k}"), *truth),
        });
    }
    if let Some(storage) = logic.storage {
        let [enable, data, clear, preset] =
            [("enable", storage.enable), ("data", storage.data), ("clear", storage.clear), ("preset", storage.preset)]
                .map(|(name, truth)| format!("  wire {name} = {};\n", table(name, truth)));
        let sensitive = if storage.latch { "*" } else { "(posedge enable or posedge clear or posedge preset)" };
        let _ = writeln!(
            text,
            "{enable}{data}{clear}{preset}  always @{sensitive} if (clear) q = 0; else if (preset) q = 1; \
             else if (enable) q = data;"
        );
    }
    for (k, value) in shown.iter().enumerate() {
        let _ = writeln!(text, "  assign o{k} = {value};");
    }
    let flat = &program.gates[number];
    let paths = if logic.storage.is_some() { stored_paths(program, gate, flat) } else { paths(program, gate, flat) };
    if !paths.is_empty() {
        let _ = write!(text, "  specify\n{paths}  endspecify\n");
    }
    text + "endmodule\n"
}

/// Whether an output has delays: it drives a net, and not an ideal clock's.
fn delayed(program: &Program, gate: &Gate, output: usize) -> bool {
    gate.outputs[output].is_some_and(|net| !program.circuit.nets[net as usize].clock)
}

fn delay(program: &Program, flat: &FlatGate, pin: usize, state: u32, output: usize) -> u32 {
    let entry = (pin << flat.bits | state as usize) * usize::from(flat.outputs) + output;
    program.arcs[flat.arcs as usize + entry].delay
}

/// A path for each input in each state of the others in which it matters.
fn paths(program: &Program, gate: &Gate, flat: &FlatGate) -> String {
    let logic = &program.circuit.cell(gate).logic;
    let pins = logic.inputs.len();
    let mut text = String::new();
    for (output, (_, truth)) in logic.outputs.iter().enumerate().filter(|(k, _)| delayed(program, gate, *k)) {
        for pin in 0..pins {
            for state in (0..1_u32 << pins).filter(|state| state >> pin & 1 == 0) {
                let shown = [state, state | 1 << pin].map(|state| truth >> state & 1 == 1);
                if shown[0] == shown[1] {
                    continue;
                }
                let mut delays = [0; 2];
                for (value, state) in shown.into_iter().zip([state, state | 1 << pin]) {
                    delays[edge(value)] = delay(program, flat, pin, state, output);
                }
                let others = (0..pins).filter(|other| *other != pin);
                let tests: Vec<String> = others.map(|o| format!("i{o} == 1'b{}", state >> o & 1)).collect();
                let test = if tests.is_empty() { String::new() } else { format!("if ({}) ", tests.join(" && ")) };
                let _ = writeln!(text, "    {test}(i{pin} => o{output}) = ({}, {});", ns(delays[0]), ns(delays[1]));
            }
        }
    }
    text
}

/// A path from each input of a cell that stores a bit, in the state in which the
/// input is 1 (or 0 for a clear) and all others are 0.
fn stored_paths(program: &Program, gate: &Gate, flat: &FlatGate) -> String {
    let logic = &program.circuit.cell(gate).logic;
    let mut text = String::new();
    for (output, (_, truth)) in logic.outputs.iter().enumerate().filter(|(k, _)| delayed(program, gate, *k)) {
        for pin in 0..logic.inputs.len() {
            let delays = VALUES.map(|value| {
                let shows = |state: &u32| (truth >> state & 1 == 1) == value && state >> pin & 1 == 1;
                let states = (0..1_u32 << flat.bits).filter(shows);
                states.map(|state| delay(program, flat, pin, state, output)).max().unwrap_or(0)
            });
            let _ = writeln!(text, "    (i{pin} => o{output}) = ({}, {});", ns(delays[0]), ns(delays[1]));
        }
    }
    text
}
