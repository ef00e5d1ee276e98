//! What the nets of a simulated netlist did, for other tools: SAIF, and Verilog with the names that it uses.
//!
//! Names are numbers of the netlist's cells and nets, so that nothing needs an escape in either language.

use super::circuit::Circuit;
use super::netlist::Bit;
use super::program::TICKS_PER_NS;
use std::fmt::Write;

/// Name of the module in both texts.
pub const TOP: &str = "axp_simulated";

/// How often nets changed, and for how long they were high.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetActivity {
    /// Transitions of each net.
    pub toggles: Vec<u32>,
    /// Ticks for which each net was high.
    pub high: Vec<u64>,
    /// Ticks altogether.
    pub duration: u64,
}

impl NetActivity {
    /// Energy in fJ that charges the nets' wires and pins: half of C·V² a transition.
    pub fn switching(&self, circuit: &Circuit) -> f64 {
        let toggled = self.toggles.iter().zip(&circuit.nets);
        0.5 * circuit.volts * circuit.volts * toggled.map(|(count, net)| f64::from(*count) * net.load).sum::<f64>()
    }

    /// The activity as a backward SAIF file (IEEE 1801, annex I), in ps: of the top module's inputs, and of each
    /// cell's pins, where OpenSTA looks for it.
    pub fn saif(&self, circuit: &Circuit) -> String {
        let ps = |ticks: u64| (ticks as f64 / TICKS_PER_NS * 1000.0).round() as u64;
        let duration = ps(self.duration);
        let mut text = format!(
            "(SAIFILE\n(SAIFVERSION \"2.0\")\n(DIRECTION \"backward\")\n(DESIGN \"{TOP}\")\n(PROGRAM_NAME \"axp\")\n\
             (VERSION \"{}\")\n(DIVIDER / )\n(TIMESCALE 1 ps)\n(DURATION {duration})\n(INSTANCE {TOP}\n",
            env!("CARGO_PKG_VERSION")
        );
        let state = |net: u32| {
            let (high, count) = (ps(self.high[net as usize]).min(duration), self.toggles[net as usize]);
            format!("(T0 {}) (T1 {high}) (TX 0) (TC {count}) (IG 0)", duration - high)
        };
        text += " (NET\n";
        for net in inputs(circuit) {
            let _ = writeln!(text, "  (n{net} {})", state(net));
        }
        text += " )\n";
        for (number, gate) in circuit.gates.iter().enumerate() {
            let logic = &circuit.cell(gate).logic;
            let inputs = logic.inputs.iter().zip(&gate.inputs).filter_map(|(pin, bit)| match bit {
                Bit::Net(net) => Some((pin, *net)),
                Bit::Constant(_) => None,
            });
            let outputs = logic.outputs.iter().zip(&gate.outputs).filter_map(|((pin, _), net)| Some((pin, (*net)?)));
            let pins: Vec<String> =
                inputs.chain(outputs).map(|(pin, net)| format!("   ({pin} {})\n", state(net))).collect();
            if !pins.is_empty() {
                let _ = write!(text, " (INSTANCE g{number}\n  (NET\n{}  )\n )\n", pins.concat());
            }
        }
        text + ")\n)\n"
    }
}

/// The netlist as structural Verilog. A net is `n` and its number, a cell `g` and its.
pub fn verilog(circuit: &Circuit) -> String {
    let (inputs, outputs) = (inputs(circuit), outputs(circuit));
    let name = |net: &u32| net_name(*net);
    let ports: Vec<String> = inputs.iter().chain(&outputs).map(name).collect();
    let mut text = format!("module {TOP} ({});\n", ports.join(", "));
    for (direction, nets) in [("input", &inputs), ("output", &outputs)] {
        nets.iter().for_each(|net| text += &format!("  {direction} n{net};\n"));
    }
    for (number, gate) in circuit.gates.iter().enumerate() {
        let cell = circuit.cell(gate);
        let value = |bit: &Bit| match bit {
            Bit::Net(net) => name(net),
            Bit::Constant(value) => format!("1'b{}", u8::from(*value)),
        };
        let inputs = cell.logic.inputs.iter().zip(&gate.inputs).map(|(pin, bit)| format!(".{pin}({})", value(bit)));
        let outputs = cell.logic.outputs.iter().zip(&gate.outputs);
        let outputs = outputs.filter_map(|((pin, _), net)| Some(format!(".{pin}({})", name(net.as_ref()?))));
        let pins: Vec<String> = inputs.chain(outputs).collect();
        let _ = writeln!(text, "  {} g{number} ({});", cell.name, pins.join(", "));
    }
    text + "endmodule\n"
}

/// What a net is called in both texts.
pub fn net_name(net: u32) -> String {
    format!("n{net}")
}

/// Nets of input ports.
fn inputs(circuit: &Circuit) -> Vec<u32> {
    let ports = circuit.netlist.ports.iter().filter(|port| port.input);
    distinct(ports.flat_map(|port| &port.bits).filter_map(|bit| match bit {
        Bit::Net(net) => Some(*net),
        Bit::Constant(_) => None,
    }))
}

/// Nets of output ports that cells drive.
fn outputs(circuit: &Circuit) -> Vec<u32> {
    let nets = (0..).zip(&circuit.nets);
    distinct(nets.filter(|(_, net)| net.ports > 0 && net.driver.is_some()).map(|(number, _)| number))
}

fn distinct(nets: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut nets: Vec<u32> = nets.collect();
    nets.sort_unstable();
    nets.dedup();
    nets
}
