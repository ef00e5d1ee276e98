//! A clock-gated register whose width is a run-time value.

use super::gated;
use crate::annotate;
use crate::circuit::wire::Wire;
use rust_hdl::prelude::*;

/// One clock-gated word of any width, for the pipeline cuts of a
/// [`Circuit`](crate::circuit::Circuit), which also simulates it.
///
/// Ports `clk_i`, `test_en_i`, `en_i`, `d_i` and `q_o`, and two bodies, as the
/// other gated banks have.
#[derive(Clone, Debug)]
pub struct RegisterBank {
    ports: [Wire; 5],
    stored: u128,
}

impl RegisterBank {
    /// Place of `en_i` among the inputs.
    pub(crate) const ENABLE: usize = 2;
    /// Place of `d_i` among the inputs.
    pub(crate) const DATA: usize = 3;

    /// An empty bank of `width` bits: what it holds before its first clock is
    /// unknown in hardware, and 0 in rust-hdl.
    pub fn new(width: u32) -> Self {
        let name = annotate::module_text(&format!("axp_gated_reg_w{width}"), "clock-gated register");
        let port = |name: &str, width, kind, doc: &str| Wire::new(name, width, kind, vec![annotate::doc_text(doc)]);
        let input = |name, width, doc| port(name, width, AtomKind::InputParameter, doc);
        let clock = vec![name, annotate::doc_text("free-running clock, rising edge")];
        Self {
            ports: [
                Wire::new("clk_i", 1, AtomKind::InputParameter, clock),
                input("test_en_i", 1, "test enable of the clock gate"),
                input("en_i", 1, "clock the bank"),
                input("d_i", width, "next value"),
                port("q_o", width, AtomKind::OutputParameter, "stored value"),
            ],
            stored: 0,
        }
    }

    pub(crate) fn load(&mut self, value: u128) {
        self.stored = value;
    }

    pub(crate) fn stored(&self) -> u128 {
        self.stored
    }

    pub(crate) fn drive_inputs(&mut self) {
        self.ports.iter_mut().filter(|port| port.kind == AtomKind::InputParameter).for_each(Logic::connect);
    }
}

impl Logic for RegisterBank {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.ports[4].connect();
    }

    fn hdl(&self) -> Verilog {
        gated::bank(&[("d_i", "q_o")])
    }

    fn timing(&self) -> Vec<TimingInfo> {
        gated::timing("axp_gated_reg", &[("d_i", "q_o")])
    }
}

impl Block for RegisterBank {
    fn connect_all(&mut self) {
        self.connect();
    }

    fn update_all(&mut self) {}

    fn has_changed(&self) -> bool {
        false
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.ports.iter().for_each(|port| port.accept(&port.name, probe));
        probe.visit_end_scope(name, self);
    }
}
