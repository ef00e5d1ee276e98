//! A signal whose width is a run-time value.

use rust_hdl::prelude::*;

/// A named net of a circuit, up to 128 bits.
///
/// rust-hdl's own `Signal` has its width in its type; everything that its
/// probes, checks and emitters ask of a signal is the `Atom` trait, though.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub name: String,
    pub width: u32,
    pub kind: AtomKind,
    /// What is driven onto the net.
    pub next: u128,
    /// What has been passed on.
    pub val: u128,
    pub changed: bool,
    connected: bool,
    notes: Vec<PinConstraint>,
    id: usize,
}

impl Wire {
    pub fn new(name: &str, width: u32, kind: AtomKind, notes: Vec<String>) -> Self {
        let notes = notes.into_iter().map(|text| PinConstraint { index: 0, constraint: Constraint::Custom(text) });
        let id = rust_hdl::core::signal::get_signal_id();
        Self {
            name: name.to_owned(),
            width,
            kind,
            next: 0,
            val: 0,
            changed: false,
            connected: false,
            notes: notes.collect(),
            id,
        }
    }
}

impl Atom for Wire {
    fn bits(&self) -> usize {
        self.width as usize
    }

    fn connected(&self) -> bool {
        self.connected
    }

    fn changed(&self) -> bool {
        self.changed
    }

    fn kind(&self) -> AtomKind {
        self.kind
    }

    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor { name: format!("Bits::<{}>", self.width), kind: TypeKind::Bits(self.width as usize) }
    }

    fn vcd(&self) -> VCDValue {
        let bit = |place: u32| VCDValue::from(self.val >> place & 1 == 1);
        if self.width == 1 {
            return bit(0);
        }
        let single = |value| if let VCDValue::Single(bit) = value { Some(bit) } else { None };
        VCDValue::Vector((0..self.width).rev().filter_map(|place| single(bit(place))).collect())
    }

    fn id(&self) -> usize {
        self.id
    }

    fn verilog(&self) -> VerilogLiteral {
        (0..128).fold(Bits::<128>::default(), |bits, place| bits.replace_bit(place, self.val >> place & 1 == 1)).into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        self.notes.clone()
    }
}

impl Logic for Wire {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.connected = true;
    }
}

impl Block for Wire {
    fn connect_all(&mut self) {}

    fn update_all(&mut self) {
        self.changed = self.val != self.next;
        self.val = self.next;
    }

    fn has_changed(&self) -> bool {
        self.changed
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}
