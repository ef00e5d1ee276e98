//! A circuit as a rust-hdl block: passes, syntax tree, probes.

use super::instance::Inner;
use super::order::order;
use super::simulation::Simulation;
use super::{Circuit, Step};
use rust_hdl::core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogConditional, VerilogExpression as Tree, VerilogStatement,
};
use rust_hdl::prelude::*;

impl Circuit {
    /// Passes until nothing changes, as a simulation does between two events.
    pub fn settle(&mut self) {
        self.update_all();
        while self.has_changed() {
            self.update_all();
        }
    }

    /// Evaluates everything from the nets that are driven from outside.
    fn evaluate(&mut self) {
        let mut simulation = self.simulation.take().unwrap_or_else(|| Box::new(Simulation::of(self)));
        for (slot, wire) in self.wires.iter().filter(|(_, wire)| wire.kind == AtomKind::InputParameter) {
            simulation.drive(*slot, wire.val);
        }
        simulation.settle();
        for (slot, wire) in self.wires.iter_mut().filter(|(_, wire)| wire.kind != AtomKind::InputParameter) {
            wire.next = simulation.read(*slot);
        }
        self.simulation = Some(simulation);
    }
}

impl Logic for Circuit {
    fn update(&mut self) {
        self.evaluate();
    }

    fn connect(&mut self) {
        for (_, wire) in &mut self.wires {
            if wire.kind != AtomKind::InputParameter {
                wire.connect();
            }
        }
        for child in &mut self.children {
            match &mut child.block {
                Inner::Circuit(inner) => inner.drive_inputs(),
                Inner::Bank(bank) => bank.drive_inputs(),
                Inner::Branch(branch) => branch.drive_inputs(),
            }
        }
    }

    fn hdl(&self) -> Verilog {
        let mut names = vec![String::new(); self.slots];
        for (slot, wire) in &self.wires {
            names[*slot].clone_from(&wire.name);
        }
        for child in &self.children {
            for (port, slot) in &child.inputs {
                names[*slot] = format!("{}${port}", child.instance);
            }
        }
        let assign = |slot: usize, value: Tree| VerilogStatement::Assignment(Tree::Signal(names[slot].clone()), value);
        let mut code = VerilogBlock::new();
        let graph: Vec<(usize, Vec<usize>)> = self.steps.iter().map(|step| (step.target(), step.reads())).collect();
        // What passes through a child is no order of statements here.
        let order = order(&graph).unwrap_or_else(|slot| panic!("{}: {} is on a loop", self.name, names[slot]));
        for step in order.into_iter().map(|index| &self.steps[index]) {
            match step {
                Step::Assign(slot, value) => code.push(assign(*slot, value.tree())),
                Step::Choose(slot, arms, otherwise) => {
                    let mut rest = VerilogBlockOrConditional::Block(vec![assign(*slot, otherwise.tree())]);
                    for (test, value) in arms.iter().rev() {
                        let conditional = VerilogConditional {
                            test: test.tree(),
                            then: vec![assign(*slot, value.tree())],
                            otherwise: rest,
                        };
                        rest = VerilogBlockOrConditional::Conditional(Box::new(VerilogStatement::If(conditional)));
                    }
                    match rest {
                        VerilogBlockOrConditional::Conditional(chain) => code.push(*chain),
                        VerilogBlockOrConditional::Block(plain) => code.extend(plain),
                        VerilogBlockOrConditional::None => {}
                    }
                }
            }
        }
        Verilog::Combinatorial(code)
    }
}

impl Circuit {
    /// Marks the inputs as driven by the block around.
    fn drive_inputs(&mut self) {
        for (_, wire) in &mut self.wires {
            if wire.kind == AtomKind::InputParameter {
                wire.connect();
            }
        }
    }
}

impl Block for Circuit {
    fn connect_all(&mut self) {
        self.connect();
        for child in &mut self.children {
            match &mut child.block {
                Inner::Circuit(inner) => inner.connect_all(),
                Inner::Bank(bank) => bank.connect_all(),
                Inner::Branch(branch) => branch.connect_all(),
            }
        }
    }

    /// The children are part of the table: they are not passed on their own.
    fn update_all(&mut self) {
        let inputs = |wire: &super::Wire| wire.kind == AtomKind::InputParameter;
        let mut disturbed = !self.settled;
        for (_, wire) in self.wires.iter_mut().filter(|(_, wire)| inputs(wire)) {
            wire.update_all();
            disturbed |= wire.changed;
        }
        if disturbed {
            self.evaluate();
        }
        for (_, wire) in self.wires.iter_mut().filter(|(_, wire)| !inputs(wire)) {
            wire.update_all();
        }
        self.settled = true;
    }

    fn has_changed(&self) -> bool {
        self.wires.iter().any(|(_, wire)| wire.changed)
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.accept_inside(probe, true);
        probe.visit_end_scope(name, self);
    }
}

impl Circuit {
    /// Shows a probe the children and nets, the ports among them or not,
    /// without a scope of their own.
    pub(crate) fn accept_inside(&self, probe: &mut dyn Probe, ports: bool) {
        for (_, wire) in self.wires.iter().filter(|(_, wire)| ports || wire.kind == AtomKind::LocalSignal) {
            wire.accept(&wire.name, probe);
        }
        for child in &self.children {
            match &child.block {
                Inner::Circuit(inner) => inner.accept(&child.instance, probe),
                Inner::Bank(bank) => bank.accept(&child.instance, probe),
                Inner::Branch(branch) => branch.accept(&child.instance, probe),
            }
        }
    }
}
