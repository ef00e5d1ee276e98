//! The units of the processing element, with rust-hdl's own signals as ports.

use crate::annotate;
use crate::circuit::Circuit;
use crate::quiet::inputs;
use axp_spec::{FloatFormat, FpuConfig, FpuOperation, MultiplierStyle, Rounding};
use rust_hdl::prelude::*;

/// A combinational binary32 unit of two operands, round to nearest even,
/// without flags, inside a PE.
///
/// The circuit does the work; this block gives it ports of rust-hdl's types, so
/// that kernels written with the macro can use it, and is otherwise the same
/// module.
pub struct Binary32 {
    /// First operand.
    pub a_i: Signal<In, Bits<32>>,
    /// Second operand.
    pub b_i: Signal<In, Bits<32>>,
    /// Result.
    pub result_o: Signal<Out, Bits<32>>,
    circuit: Circuit,
}

inputs!([] Binary32: a_i, b_i);

impl Binary32 {
    /// The multiplier.
    pub fn mul(multiplier: MultiplierStyle) -> Self {
        let config = FpuConfig::new(FpuOperation::Mul, FloatFormat::Binary32, Rounding::NearestEven);
        Self::of(&FpuConfig { multiplier, flags: false, ..config })
    }

    /// The adder.
    pub fn add() -> Self {
        let config = FpuConfig::new(FpuOperation::Add, FloatFormat::Binary32, Rounding::NearestEven);
        Self::of(&FpuConfig { flags: false, ..config })
    }

    /// The distinct modules inside, leaves first.
    pub fn submodules(&self) -> Vec<Circuit> {
        self.circuit.submodules()
    }

    fn of(config: &FpuConfig) -> Self {
        let circuit = super::assemble(config);
        let mut unit = Self {
            a_i: annotate::signal("first operand, fp32"),
            b_i: annotate::signal("second operand, fp32"),
            result_o: annotate::signal("result"),
            circuit,
        };
        annotate::module(&mut unit.a_i, &config.module(), &super::doc(config));
        unit
    }
}

impl Logic for Binary32 {
    fn update(&mut self) {
        self.circuit.drive("a_i", self.a_i.val().to_u64().into());
        self.circuit.drive("b_i", self.b_i.val().to_u64().into());
        self.circuit.settle();
        self.result_o.next = (self.circuit.read("result_o") as u64).into();
    }

    fn connect(&mut self) {
        self.result_o.connect();
        self.circuit.connect();
    }

    fn hdl(&self) -> Verilog {
        self.circuit.hdl()
    }
}

impl Block for Binary32 {
    fn connect_all(&mut self) {
        self.connect();
        self.circuit.connect_all();
    }

    fn update_all(&mut self) {
        self.a_i.update_all();
        self.b_i.update_all();
        self.update();
        self.result_o.update_all();
    }

    fn has_changed(&self) -> bool {
        self.a_i.has_changed() || self.b_i.has_changed() || self.result_o.has_changed()
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.a_i.accept("a_i", probe);
        self.b_i.accept("b_i", probe);
        self.result_o.accept("result_o", probe);
        self.circuit.accept_inside(probe, false);
        probe.visit_end_scope(name, self);
    }
}
