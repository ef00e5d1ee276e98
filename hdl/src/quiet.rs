//! Simulation that leaves blocks alone in which nothing can happen.
//!
//! rust-hdl evaluates every block in every pass of a cycle, a dozen or more. But
//! a pass is a function of a block's signals: if the last one changed nothing
//! and no input has been driven to another value since, the next one will change
//! nothing either. [`Quiet`] skips it. The wrapper does not exist for probes, so
//! neither the hierarchy nor the Verilog changes.

use rust_hdl::prelude::*;
use std::ops::{Deref, DerefMut};

/// A block that can tell whether an input has been driven to a new value.
pub trait Disturbed: Block {
    /// Names of the inputs that [`Disturbed::disturbed`] looks at: all of them.
    const INPUTS: &'static [&'static str];

    /// Whether the next pass may change something because of an input.
    fn disturbed(&self) -> bool;
}

/// Implements [`Disturbed`] from the list of a block's inputs, all of them.
macro_rules! inputs {
    ([$(const $name:ident: $kind:ty),*] $block:ty: $($input:ident),+ $(,)?) => {
        impl<$(const $name: $kind),*> $crate::quiet::Disturbed for $block {
            const INPUTS: &'static [&'static str] = &[$(stringify!($input)),+];

            fn disturbed(&self) -> bool {
                $(self.$input.next != self.$input.val())||+
            }
        }
    };
}
pub(crate) use inputs;

/// A block whose passes are skipped while it is settled and undisturbed.
pub struct Quiet<B> {
    block: B,
    settled: bool,
    skipped: bool,
}

impl<B: Disturbed> Quiet<B> {
    /// Wraps a block; its first pass is never skipped.
    pub fn new(block: B) -> Self {
        Self { block, settled: false, skipped: false }
    }
}

impl<B> Deref for Quiet<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.block
    }
}

impl<B> DerefMut for Quiet<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.block
    }
}

impl<B: Disturbed> Logic for Quiet<B> {
    fn update(&mut self) {
        self.block.update();
    }

    fn connect(&mut self) {
        self.block.connect();
    }

    fn hdl(&self) -> Verilog {
        self.block.hdl()
    }

    fn timing(&self) -> Vec<TimingInfo> {
        self.block.timing()
    }
}

impl<B: Disturbed> Block for Quiet<B> {
    fn connect_all(&mut self) {
        self.block.connect_all();
    }

    fn update_all(&mut self) {
        self.skipped = self.settled && !self.block.disturbed();
        if !self.skipped {
            self.block.update_all();
            self.settled = !self.block.has_changed();
        }
    }

    fn has_changed(&self) -> bool {
        !self.skipped && self.block.has_changed()
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        self.block.accept(name, probe);
    }
}
