//! What a circuit contains: other circuits, register banks, and branches of the clock.

use super::{Circuit, Step, Value};
use crate::prim::{BankBody, BankShape, ClockBranch, RegisterBank};
use axp_spec::ResetStyle;
use rust_hdl::prelude::AtomKind;

/// Narrowest word for which a clock gate (a latch and an AND) pays.
const GATED_FROM: u32 = 8;

/// A block inside, and the slots of its ports.
#[derive(Clone)]
pub(super) struct Child {
    pub instance: String,
    pub block: Inner,
    pub inputs: Vec<(String, usize)>,
    pub outputs: Vec<(String, usize)>,
}

#[derive(Clone)]
pub(super) enum Inner {
    Circuit(Box<Circuit>),
    Bank(Box<RegisterBank>),
    Branch(Box<ClockBranch>),
}

/// A register that is zero after reset.
#[derive(Clone, Copy)]
enum Zeroed {
    Gated,
    Enabled,
    Flags,
}

/// A branch of a circuit's clock.
pub struct Branch(Value);

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
    /// An instance of a circuit with its inputs driven; its clock, reset and
    /// test enable are this circuit's, the clock from the
    /// [branch](Self::clock_branch) if there is one.
    ///
    /// # Panics
    /// If an input is missing, unknown or of another width.
    pub fn instance(&mut self, instance: &str, inner: Circuit, inputs: &[(&str, &Value)]) -> Instance {
        assert!(inner.forward.is_empty(), "{}: {:?} not defined", inner.name, inner.forward.values());
        let styles = [&inner.reset, &self.reset].map(|reset| reset.as_ref().map(|(_, style)| *style));
        assert!(styles[0].is_none() || styles[0] == styles[1], "{}: {instance} is reset in another way", self.name);
        let ports = |kind| -> Vec<(String, u32)> {
            let of_kind = inner.wires.iter().filter(|(_, wire)| wire.kind == kind);
            of_kind.map(|(_, wire)| (wire.name.clone(), wire.width)).collect()
        };
        let (inputs_in, outputs_in) = (ports(AtomKind::InputParameter), ports(AtomKind::OutputParameter));
        self.child(instance, Inner::Circuit(Box::new(inner)), inputs_in, outputs_in, inputs)
    }

    /// A clock-gated register without a reset: `value` one clock later, if
    /// `enable` held.
    ///
    /// # Panics
    /// If there is no [clock](Self::clock).
    pub fn register(&mut self, instance: &str, value: &Value, enable: &Value) -> Value {
        let lanes = vec![("", value.width())];
        let shape =
            BankShape { kind: "axp_gated_reg", doc: "clock-gated register", reset: None, body: BankBody::Gated, lanes };
        self.bank(instance, shape, &[("d_i", value)], enable).port("q_o")
    }

    /// A register that is zero after reset; behind a clock gate if it is wide
    /// enough for one to pay.
    ///
    /// # Panics
    /// If there is no [clock](Self::clock) or no [reset](Self::reset).
    pub fn reset_register(&mut self, instance: &str, value: &Value, enable: &Value) -> Value {
        let kind = if value.width() >= GATED_FROM { Zeroed::Gated } else { Zeroed::Enabled };
        self.zeroed(instance, value, enable, kind)
    }

    /// The same behind a clock gate whatever its width, because it seldom changes.
    ///
    /// # Panics
    /// As [`Self::reset_register`].
    pub fn gated_register(&mut self, instance: &str, value: &Value, enable: &Value) -> Value {
        self.zeroed(instance, value, enable, Zeroed::Gated)
    }

    /// A register that is zero after reset, of flags that change only while `enable` is
    /// high: what it is given while `enable` is low for that reason is what it holds.
    ///
    /// # Panics
    /// As [`Self::reset_register`].
    pub fn flag_register(&mut self, instance: &str, value: &Value, enable: &Value) -> Value {
        self.zeroed(instance, value, enable, Zeroed::Flags)
    }

    fn zeroed(&mut self, instance: &str, value: &Value, enable: &Value, kind: Zeroed) -> Value {
        let (name, doc, body) = match kind {
            Zeroed::Gated => ("axp_gated_reg", "clock-gated register with reset", BankBody::Gated),
            Zeroed::Enabled => ("axp_reg", "register with enable and reset", BankBody::Enabled),
            Zeroed::Flags => ("axp_flags", "flags that seldom change, with enable and reset", BankBody::Enabled),
        };
        let shape = BankShape {
            kind: name,
            doc,
            reset: self.reset.as_ref().map(|(_, style)| *style),
            body,
            lanes: vec![("", value.width())],
        };
        assert!(shape.reset.is_some(), "{}: a register with reset in a circuit without", self.name);
        self.bank(instance, shape, &[("d_i", value)], enable).port("q_o")
    }

    /// A bank of several words.
    ///
    /// # Panics
    /// If a word is missing, unknown or of another width, or there is no
    /// [clock](Self::clock).
    pub fn bank(&mut self, instance: &str, shape: BankShape, words: &[(&str, &Value)], enable: &Value) -> Instance {
        assert!(self.clock.is_some(), "{}: a register without a clock", self.name);
        let bank = RegisterBank::new(shape);
        let (inputs, outputs) = (bank.ports(AtomKind::InputParameter), bank.ports(AtomKind::OutputParameter));
        let driven: Vec<(&str, &Value)> = words.iter().copied().chain([("en_i", enable)]).collect();
        self.child(instance, Inner::Bank(Box::new(bank)), inputs, outputs, &driven)
    }

    /// A [branch](ClockBranch) of the clock, for [`on_branch`](Self::on_branch) and
    /// [`stay_on_branch`](Self::stay_on_branch). It runs in cycles in which `enable` is
    /// high, which must be all those in which something on it is enabled; a reset that
    /// the clock samples starts it too.
    ///
    /// ```text
    ///                ┌──────────┐
    /// clk_i ─────────┤  branch  ├─► clk_i of what is on it
    /// enable ──►OR──►┤ en_i     │
    /// ~rst_ni ──►    └──────────┘   synchronous reset only
    /// ```
    ///
    /// # Panics
    /// If there is no [clock](Self::clock).
    pub fn clock_branch(&mut self, instance: &str, enable: &Value) -> Branch {
        assert!(self.clock.is_some(), "{}: a branch without a clock", self.name);
        let runs = match &self.reset {
            Some((reset, ResetStyle::Sync)) => enable | !reset,
            _ => enable.clone(),
        };
        let branch = ClockBranch::new();
        let (inputs, outputs) = (branch.ports(AtomKind::InputParameter), branch.ports(AtomKind::OutputParameter));
        let made = self.child(instance, Inner::Branch(Box::new(branch)), inputs, outputs, &[("en_i", &runs)]);
        Branch(made.port("clk_o"))
    }

    /// Puts what `describe` adds, registers and instances, onto a branch of the clock.
    pub fn on_branch<T>(&mut self, branch: &Branch, describe: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.branch.replace(branch.0.clone());
        let described = describe(self);
        self.branch = before;
        described
    }

    /// Puts everything that is added from here on onto a branch of the clock.
    pub fn stay_on_branch(&mut self, branch: Branch) {
        self.branch = Some(branch.0);
    }

    fn child(
        &mut self,
        instance: &str,
        block: Inner,
        inputs: Vec<(String, u32)>,
        outputs: Vec<(String, u32)>,
        driven: &[(&str, &Value)],
    ) -> Instance {
        for (port, _) in driven {
            assert!(inputs.iter().any(|(name, _)| name == port), "{}: {instance} has no input {port}", self.name);
        }
        let mut child = Child { instance: instance.to_owned(), block, inputs: Vec::new(), outputs: Vec::new() };
        for (port, width) in inputs {
            let value = driven.iter().find(|(name, _)| *name == port).map(|(_, value)| (*value).clone());
            let value = value.or_else(|| self.common(&port));
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
        made
    }

    /// What reaches every block inside by itself.
    fn common(&self, port: &str) -> Option<Value> {
        match port {
            "clk_i" => self.branch.clone().or_else(|| self.clock.clone()),
            "rst_ni" => self.reset.as_ref().map(|(net, _)| net.clone()),
            "test_en_i" => self.test_enable.clone(),
            _ => None,
        }
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

    /// The distinct kinds of register banks in this circuit and below.
    pub fn banks(&self) -> Vec<BankShape> {
        let mut banks: Vec<BankShape> = Vec::new();
        for child in &self.children {
            let found = match &child.block {
                Inner::Circuit(inner) => inner.banks(),
                Inner::Bank(bank) => vec![bank.shape().clone()],
                Inner::Branch(_) => Vec::new(),
            };
            for bank in found {
                if !banks.contains(&bank) {
                    banks.push(bank);
                }
            }
        }
        banks
    }
}
