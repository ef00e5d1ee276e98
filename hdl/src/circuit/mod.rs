//! rust-hdl blocks whose widths and wiring are computed at run time.
//!
//! rust-hdl's macro translates statements over signals whose widths are types.
//! Arithmetic that comes in five formats, a reduction tree or a pipeline cut at
//! a chosen place do not fit it. A [`Circuit`] is a block that implements
//! `Logic` by hand: a table of named nets and what drives each. The table is
//! evaluated in `update`, and turned into rust-hdl's syntax tree in `hdl`, so
//! behaviour and text have one source. It may instantiate other circuits and
//! register banks; clock, reset and test enable reach them by themselves, the
//! clock through a [branch](Circuit::clock_branch) where it may rest.
//! What is read before it can be described is a [`forward`](Circuit::forward)
//! net, defined later.
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
mod instance;
mod order;
mod simulation;
mod syntax;
mod value;
pub(crate) mod wire;

use crate::annotate;
use axp_spec::ResetStyle;
use instance::Child;
use rust_hdl::prelude::AtomKind;
use simulation::Simulation;
use std::collections::{BTreeMap, HashMap};
use value::ones;
use wire::Wire;

pub use instance::{Branch, Instance};
pub use value::{Value, concat, literal, vector};

/// A block described by a table; see the [module](self).
#[derive(Clone)]
pub struct Circuit {
    name: String,
    /// What the first net carries to the back-end, see `annotate`.
    note: Option<String>,
    /// Own nets, each with its slot.
    wires: Vec<(usize, Wire)>,
    /// The nets by name, as places in `wires`.
    named: HashMap<String, usize>,
    /// What drives nets, in the order of description.
    steps: Vec<Step>,
    children: Vec<Child>,
    /// How many slots there are: own nets and the ports of children.
    slots: usize,
    /// Slots of the ports, in order.
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    clock: Option<Value>,
    /// The clock of the branch that blocks are added to.
    branch: Option<Value>,
    reset: Option<(Value, ResetStyle)>,
    test_enable: Option<Value>,
    /// Nets that are read and not yet driven: names by slot.
    forward: BTreeMap<usize, String>,
    simulation: Option<Box<Simulation>>,
    settled: bool,
}

/// What drives a net.
#[derive(Clone)]
enum Step {
    /// A net and its expression.
    Assign(usize, Value),
    /// A net, tests with their values, and the value if none holds.
    Choose(usize, Vec<(Value, Value)>, Value),
}

impl Step {
    /// The slot that is driven.
    fn target(&self) -> usize {
        match self {
            Self::Assign(slot, _) | Self::Choose(slot, ..) => *slot,
        }
    }

    /// The slots that are read.
    fn reads(&self) -> Vec<usize> {
        let mut slots = Vec::new();
        match self {
            Self::Assign(_, value) => value.reads(&mut slots),
            Self::Choose(_, arms, otherwise) => {
                for (test, value) in arms {
                    test.reads(&mut slots);
                    value.reads(&mut slots);
                }
                otherwise.reads(&mut slots);
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }
}

impl Circuit {
    /// An empty circuit: its module's name, and what it is in one line.
    pub fn new(name: &str, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            note: Some(annotate::module_text(name, doc)),
            wires: Vec::new(),
            named: HashMap::new(),
            steps: Vec::new(),
            children: Vec::new(),
            slots: 0,
            inputs: Vec::new(),
            outputs: Vec::new(),
            clock: None,
            branch: None,
            reset: None,
            test_enable: None,
            forward: BTreeMap::new(),
            simulation: None,
            settled: false,
        }
    }

    /// Name of the module.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn wire(&mut self, name: &str, width: u32, kind: AtomKind, doc: &str) -> (usize, Value) {
        let known = self.named.insert(name.to_owned(), self.wires.len());
        assert!(known.is_none(), "{}: two nets named {name:?}", self.name);
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

    /// The port `clk_i`: the clock of the registers inside, rising edge.
    pub fn clock(&mut self) {
        self.clock = Some(self.input("clk_i", 1, "clock, rising edge"));
    }

    /// The port `rst_ni`: the reset of the registers inside, active low.
    pub fn reset(&mut self, style: ResetStyle) {
        self.reset = Some((self.input("rst_ni", 1, "reset, active low"), style));
    }

    /// The port `test_en_i`: the test enable of the clock gates inside.
    pub fn test_enable(&mut self) {
        let doc = "test enable of the clock gates; low in operation";
        self.test_enable = Some(self.input("test_en_i", 1, doc));
    }

    /// A named net.
    pub fn net(&mut self, name: &str, value: Value, doc: &str) -> Value {
        let (slot, net) = self.wire(name, value.width(), AtomKind::LocalSignal, doc);
        self.steps.push(Step::Assign(slot, value));
        net
    }

    /// A net that is read before what drives it can be described; it must be
    /// [defined](Self::define) once.
    pub fn forward(&mut self, name: &str, width: u32, doc: &str) -> Value {
        let (slot, net) = self.wire(name, width, AtomKind::LocalSignal, doc);
        self.forward.insert(slot, name.to_owned());
        net
    }

    /// Drives a [forward](Self::forward) net.
    ///
    /// # Panics
    /// If `net` is not one, is driven already, or is of another width.
    pub fn define(&mut self, net: &Value, value: Value) {
        let slot = net.slot().filter(|slot| self.forward.remove(slot).is_some());
        let slot = slot.unwrap_or_else(|| panic!("{}: {net:?} does not wait for a definition", self.name));
        assert_eq!(net.width(), value.width(), "{}: {net:?}", self.name);
        self.steps.push(Step::Assign(slot, value));
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

    /// Drives the input `port`; bits above its width are dropped.
    ///
    /// # Panics
    /// If there is no such input.
    pub fn drive(&mut self, port: &str, value: u128) {
        let found = self.named.get(port).map(|place| &mut self.wires[*place].1);
        let wire = found.filter(|wire| wire.kind == AtomKind::InputParameter);
        let wire = wire.unwrap_or_else(|| panic!("no input {port:?}"));
        wire.next = value & ones(wire.width);
    }

    /// Whether there is an input `port`.
    pub fn has_input(&self, port: &str) -> bool {
        let found = self.named.get(port).map(|place| &self.wires[*place].1);
        found.is_some_and(|wire| wire.kind == AtomKind::InputParameter)
    }

    /// What the net `name` carries.
    ///
    /// # Panics
    /// If there is no such net.
    pub fn read(&self, name: &str) -> u128 {
        let place = self.named.get(name).unwrap_or_else(|| panic!("no net {name:?}"));
        self.wires[*place].1.next
    }
}
