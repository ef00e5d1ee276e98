//! rust-hdl blocks whose widths and wiring are computed at run time.
//!
//! rust-hdl's macro translates statements over signals whose widths are types.
//! Arithmetic that comes in five formats, a reduction tree or a pipeline cut at
//! a chosen place do not fit it. A [`Circuit`] is a block that implements
//! `Logic` by hand: a table of named nets and what drives each, in an order in
//! which nothing is read before it is driven. The table is evaluated in
//! `update`, and turned into rust-hdl's syntax tree in `hdl`, so behaviour and
//! text have one source. It may instantiate other circuits and registers.
//!
//! ```
//! use axp_hdl::circuit::{Circuit, concat, literal};
//!
//! let mut c = Circuit::new("axp_example_sum", "sum of two numbers, with carry");
//! let a = c.input("a_i", 8, "first");
//! let b = c.input("b_i", 8, "second");
//! let sum = c.net("sum", a.extend(9) + b.extend(9), "sum with its carry");
//! c.output("sum_o", sum.slice(0, 8), "sum");
//! c.output("carry_o", sum.top(), "carry");
//! c.drive("a_i", 200);
//! c.drive("b_i", 100);
//! c.settle();
//! assert_eq!((c.read("sum_o"), c.read("carry_o")), (44, 1));
//! ```

mod block;
mod syntax;
mod value;
pub(crate) mod wire;

use crate::annotate;
use crate::prim::RegisterBank;
use rust_hdl::prelude::AtomKind;
use value::ones;
use wire::Wire;

pub use value::{Value, concat, literal, vector};

/// A block described by a table; see the [module](self).
#[derive(Clone)]
pub struct Circuit {
    name: String,
    /// What the first net carries to the back-end, see `annotate`.
    note: Option<String>,
    /// Own nets, each with its slot.
    wires: Vec<(usize, Wire)>,
    steps: Vec<Step>,
    children: Vec<Child>,
    /// Values of own nets and of the ports of children.
    slots: Vec<u128>,
    /// Slots of the ports, in order.
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    clock: Option<usize>,
    clock_was: bool,
    settled: bool,
}

/// What drives nets, in order of evaluation.
#[derive(Clone)]
enum Step {
    /// A net and its expression.
    Assign(usize, Value),
    /// A net, tests with their values, and the value if none holds.
    Choose(usize, Vec<(Value, Value)>, Value),
    /// A combinational child: the slots of its inputs are driven by then.
    Evaluate(usize),
}

/// A block inside, and the slots of its ports.
#[derive(Clone)]
struct Child {
    instance: String,
    block: Inner,
    inputs: Vec<(String, usize)>,
    outputs: Vec<(String, usize)>,
}

#[derive(Clone)]
enum Inner {
    Circuit(Box<Circuit>),
    Bank(Box<RegisterBank>),
}

/// The outputs of an instance.
pub struct Instance {
    outputs: Vec<(String, Value)>,
}

impl Instance {
    /// The output `port`.
    ///
    /// # Panics
    /// If the instance has no such output.
    pub fn port(&self, port: &str) -> Value {
        let found = self.outputs.iter().find(|(name, _)| name == port);
        found.unwrap_or_else(|| panic!("no output {port:?}")).1.clone()
    }
}

impl Circuit {
    /// An empty circuit: its module's name, and what it is in one line.
    pub fn new(name: &str, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            note: Some(annotate::module_text(name, doc)),
            wires: Vec::new(),
            steps: Vec::new(),
            children: Vec::new(),
            slots: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            clock: None,
            clock_was: false,
            settled: false,
        }
    }

    /// Name of the module.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn slot(&mut self) -> usize {
        self.slots.push(0);
        self.slots.len() - 1
    }

    fn wire(&mut self, name: &str, width: u32, kind: AtomKind, doc: &str) -> (usize, Value) {
        assert!(!self.wires.iter().any(|(_, wire)| wire.name == name), "{}: two nets named {name:?}", self.name);
        let slot = self.slot();
        match kind {
            AtomKind::InputParameter => self.inputs.push(slot),
            AtomKind::OutputParameter => self.outputs.push(slot),
            _ => {}
        }
        let notes = std::iter::once(annotate::doc_text(doc)).chain(self.note.take());
        self.wires.push((slot, Wire::new(name, width, kind, notes.collect())));
        (slot, Value::net(slot, name, width))
    }

    /// An input port.
    pub fn input(&mut self, name: &str, width: u32, doc: &str) -> Value {
        self.wire(name, width, AtomKind::InputParameter, doc).1
    }

    /// The clock input of the register banks inside, rising edge.
    pub fn clock(&mut self) -> Value {
        let (slot, value) = self.wire("clk_i", 1, AtomKind::InputParameter, "clock, rising edge");
        self.clock = Some(slot);
        value
    }

    /// A named net.
    pub fn net(&mut self, name: &str, value: Value, doc: &str) -> Value {
        let (slot, net) = self.wire(name, value.width(), AtomKind::LocalSignal, doc);
        self.steps.push(Step::Assign(slot, value));
        net
    }

    /// An output port, and its value for use inside.
    pub fn output(&mut self, name: &str, value: Value, doc: &str) -> Value {
        let (slot, net) = self.wire(name, value.width(), AtomKind::OutputParameter, doc);
        self.steps.push(Step::Assign(slot, value));
        net
    }

    /// A net that has the value of the first arm whose test holds.
    pub fn choose(&mut self, name: &str, arms: &[(&Value, &Value)], otherwise: &Value, doc: &str) -> Value {
        let agree = arms.iter().all(|(test, value)| test.width() == 1 && value.width() == otherwise.width());
        assert!(agree, "{}: {name}: a test of one bit, and values of one width", self.name);
        let (slot, net) = self.wire(name, otherwise.width(), AtomKind::LocalSignal, doc);
        let arms = arms.iter().map(|(test, value)| ((*test).clone(), (*value).clone())).collect();
        self.steps.push(Step::Choose(slot, arms, otherwise.clone()));
        net
    }

    /// An instance of a combinational circuit with its inputs driven.
    ///
    /// # Panics
    /// If an input is missing, unknown or of another width.
    pub fn instance(&mut self, instance: &str, inner: Circuit, inputs: &[(&str, &Value)]) -> Instance {
        assert!(inner.clock.is_none(), "{}: only a top circuit has registers", inner.name);
        let ports = |kind| -> Vec<(String, u32)> {
            let of_kind = inner.wires.iter().filter(|(_, wire)| wire.kind == kind);
            of_kind.map(|(_, wire)| (wire.name.clone(), wire.width)).collect()
        };
        let (inputs_in, outputs_in) = (ports(AtomKind::InputParameter), ports(AtomKind::OutputParameter));
        self.child(instance, Inner::Circuit(Box::new(inner)), inputs_in, outputs_in, inputs, true)
    }

    /// A clock-gated register bank: `value` one clock later, if `enable` held.
    ///
    /// # Panics
    /// If there is no [clock](Self::clock).
    pub fn register(&mut self, instance: &str, value: &Value, enable: &Value, test_enable: &Value) -> Value {
        let Some(clock) = self.clock else { panic!("{}: a register without a clock", self.name) };
        let clock = Value::net(clock, "clk_i", 1);
        let bank = RegisterBank::new(value.width());
        let ports = |list: &[(&str, u32)]| list.iter().map(|(name, width)| ((*name).to_owned(), *width)).collect();
        let inputs = [("clk_i", 1), ("test_en_i", 1), ("en_i", 1), ("d_i", value.width())];
        let driven = [("clk_i", &clock), ("test_en_i", test_enable), ("en_i", enable), ("d_i", value)];
        let outputs = [("q_o", value.width())];
        self.child(instance, Inner::Bank(Box::new(bank)), ports(&inputs), ports(&outputs), &driven, false).port("q_o")
    }

    fn child(
        &mut self,
        instance: &str,
        block: Inner,
        inputs: Vec<(String, u32)>,
        outputs: Vec<(String, u32)>,
        driven: &[(&str, &Value)],
        combinational: bool,
    ) -> Instance {
        assert_eq!(inputs.len(), driven.len(), "{}: inputs of {instance}", self.name);
        let mut child = Child { instance: instance.to_owned(), block, inputs: Vec::new(), outputs: Vec::new() };
        for (port, width) in inputs {
            let value = driven.iter().find(|(name, _)| *name == port).map(|(_, value)| (*value).clone());
            let value = value.unwrap_or_else(|| panic!("{}: input {port} of {instance} is not driven", self.name));
            assert_eq!(value.width(), width, "{}: input {port} of {instance}", self.name);
            let slot = self.slot();
            self.steps.push(Step::Assign(slot, value));
            child.inputs.push((port, slot));
        }
        let mut made = Instance { outputs: Vec::new() };
        for (port, width) in outputs {
            let slot = self.slot();
            made.outputs.push((port.clone(), Value::net(slot, &format!("{instance}${port}"), width)));
            child.outputs.push((port, slot));
        }
        self.children.push(child);
        if combinational {
            self.steps.push(Step::Evaluate(self.children.len() - 1));
        }
        made
    }

    /// Drives the input `port`; bits above its width are dropped.
    ///
    /// # Panics
    /// If there is no such input.
    pub fn drive(&mut self, port: &str, value: u128) {
        let input = |wire: &Wire| wire.kind == AtomKind::InputParameter && wire.name == port;
        let found = self.wires.iter_mut().find(|(_, wire)| input(wire));
        let wire = &mut found.unwrap_or_else(|| panic!("no input {port:?}")).1;
        wire.next = value & ones(wire.width);
    }

    /// What the net `name` carries.
    ///
    /// # Panics
    /// If there is no such net.
    pub fn read(&self, name: &str) -> u128 {
        let found = self.wires.iter().find(|(_, wire)| wire.name == name);
        found.unwrap_or_else(|| panic!("no net {name:?}")).1.next
    }

    /// The distinct modules inside, leaves first, without this one.
    pub fn submodules(&self) -> Vec<Circuit> {
        let mut modules: Vec<Circuit> = Vec::new();
        for child in &self.children {
            if let Inner::Circuit(inner) = &child.block {
                let fresh = inner.submodules().into_iter().chain([(**inner).clone()]);
                for module in fresh {
                    if !modules.iter().any(|known| known.name == module.name) {
                        modules.push(module);
                    }
                }
            }
        }
        modules
    }
}
