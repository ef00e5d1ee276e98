//! Names and documentation that travel with rust-hdl signals to the Verilog.
//!
//! rust-hdl keeps neither the name of a block's type nor its doc comments, so
//! the descriptions attach them to signals as custom constraints, which its
//! probe hands to the back-end and its simulation ignores:
//!
//! ```
//! use axp_hdl::annotate;
//! use rust_hdl::prelude::*;
//!
//! let mut clk_i: Signal<In, Clock> = Default::default();
//! annotate::module(&mut clk_i, "axp_fp_mul", "binary32 multiplier, round to nearest even");
//! annotate::port(&mut clk_i, "clock, rising edge");
//! assert_eq!(annotate::port_doc(&clk_i).as_deref(), Some("clock, rising edge"));
//! ```
//!
//! A module is named once, on any one of its own signals (its first port is the
//! custom). Two blocks may share a name only if their Verilog is the same, so
//! whatever changes the text (a width, the kind of reset) belongs in the name.

use rust_hdl::prelude::{Atom, Constraint, Direction, PinConstraint, Signal, Synth};

const MODULE: &str = "module: ";
const DOC: &str = "doc: ";

/// What [`module`] attached to a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleNote {
    /// Name of the Verilog module.
    pub name: String,
    /// What the module is, in one line.
    pub doc: String,
}

/// Names the Verilog module of the block that `signal` belongs to, and says in
/// one line what it is.
pub fn module<D: Direction, T: Synth>(signal: &mut Signal<D, T>, name: &str, doc: &str) {
    attach(signal, module_text(name, doc));
}

/// Documents a port (or a local signal) in a few words: what it carries, its
/// unit or encoding, when it is valid.
pub fn port<D: Direction, T: Synth>(signal: &mut Signal<D, T>, doc: &str) {
    attach(signal, doc_text(doc));
}

/// The text of a module note, for signals that are not rust-hdl's own.
pub(crate) fn module_text(name: &str, doc: &str) -> String {
    format!("{MODULE}{name}: {doc}")
}

/// The text of a documentation note, for signals that are not rust-hdl's own.
pub(crate) fn doc_text(doc: &str) -> String {
    format!("{DOC}{doc}")
}

/// The module note on a signal, if there is one.
pub fn module_note(atom: &dyn Atom) -> Option<ModuleNote> {
    let text = find(atom, MODULE)?;
    let (name, doc) = text.split_once(": ").unwrap_or((&text, ""));
    Some(ModuleNote { name: name.to_owned(), doc: doc.to_owned() })
}

/// The documentation of a signal, if there is any.
pub fn port_doc(atom: &dyn Atom) -> Option<String> {
    find(atom, DOC)
}

/// A new signal with its documentation, see [`port`].
pub fn signal<D: Direction, T: Synth>(doc: &str) -> Signal<D, T> {
    let mut signal = Signal::default();
    port(&mut signal, doc);
    signal
}

fn attach<D: Direction, T: Synth>(signal: &mut Signal<D, T>, text: String) {
    signal.add_constraint(PinConstraint { index: 0, constraint: Constraint::Custom(text) });
}

fn find(atom: &dyn Atom, prefix: &str) -> Option<String> {
    atom.constraints().iter().find_map(|pin| match &pin.constraint {
        Constraint::Custom(text) => text.strip_prefix(prefix).map(str::to_owned),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::prelude::*;

    #[test]
    fn notes_come_back_as_they_were_attached() {
        let mut signal: Signal<Out, Bits<8>> = Signal::default();
        assert_eq!(module_note(&signal), None);
        assert_eq!(port_doc(&signal), None);
        module(&mut signal, "axp_adder", "adds: wraps at 8 bits");
        port(&mut signal, "sum: one cycle later");
        let note = ModuleNote { name: "axp_adder".into(), doc: "adds: wraps at 8 bits".into() };
        assert_eq!(module_note(&signal), Some(note));
        assert_eq!(port_doc(&signal).as_deref(), Some("sum: one cycle later"));
    }
}
