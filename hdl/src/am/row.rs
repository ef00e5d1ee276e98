//! One ternary row.

use crate::annotate;
use crate::prim::{Register, RowStorage, style_name};
use crate::quiet::inputs;
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

/// A row of the associative memory: storage, comparator and product gate.
///
/// The row matches if it is valid and both operands agree with its patterns in
/// every compared bit. Only the valid flag is reset; the rest is clocked by
/// writes alone.
#[derive(LogicBlock)]
pub struct AmRow<const W: usize> {
    /// Clock, rising edge.
    pub clk_i: Signal<In, Clock>,
    /// Reset, active low: the row becomes invalid.
    pub rst_ni: Signal<In, Bit>,
    /// Test enable of the clock gate.
    pub test_en_i: Signal<In, Bit>,
    /// Writes the row at the clock edge.
    pub we_i: Signal<In, Bit>,
    /// Pattern of the weight.
    pub key_weight_i: Signal<In, Bits<W>>,
    /// Pattern of the activation.
    pub key_activation_i: Signal<In, Bits<W>>,
    /// Compared bits of the weight.
    pub care_weight_i: Signal<In, Bits<W>>,
    /// Compared bits of the activation.
    pub care_activation_i: Signal<In, Bits<W>>,
    /// Product to store.
    pub product_i: Signal<In, Bits<W>>,
    /// Whether the row can match from now on.
    pub valid_i: Signal<In, Bit>,
    /// Weight to search for.
    pub weight_i: Signal<In, Bits<W>>,
    /// Activation to search for.
    pub activation_i: Signal<In, Bits<W>>,
    /// The row matches.
    pub match_o: Signal<Out, Bit>,
    /// The row won the priority select.
    pub select_i: Signal<In, Bit>,
    /// The stored product if selected, else 0.
    pub product_o: Signal<Out, Bits<W>>,
    storage: RowStorage<W>,
    valid: Register<Bit>,
    weight_differs: Signal<Local, Bits<W>>,
    activation_differs: Signal<Local, Bits<W>>,
    differs: Signal<Local, Bit>,
}

inputs!([const W: usize] AmRow<W>:
    clk_i, rst_ni, test_en_i, we_i, key_weight_i, key_activation_i, care_weight_i, care_activation_i, product_i,
    valid_i, weight_i, activation_i, select_i,
);

impl<const W: usize> AmRow<W> {
    /// An invalid row.
    pub fn new(reset: ResetStyle) -> Self {
        let mut row = Self {
            clk_i: annotate::signal("clock, rising edge"),
            rst_ni: annotate::signal("reset, active low: the row becomes invalid"),
            test_en_i: annotate::signal("test enable of the clock gate"),
            we_i: annotate::signal("write the row at the clock edge"),
            key_weight_i: annotate::signal("pattern of the weight"),
            key_activation_i: annotate::signal("pattern of the activation"),
            care_weight_i: annotate::signal("compared bits of the weight"),
            care_activation_i: annotate::signal("compared bits of the activation"),
            product_i: annotate::signal("product to store"),
            valid_i: annotate::signal("the row can match from now on"),
            weight_i: annotate::signal("weight to search for"),
            activation_i: annotate::signal("activation to search for"),
            match_o: annotate::signal("the row matches"),
            select_i: annotate::signal("the row won the priority select"),
            product_o: annotate::signal("stored product if selected, else 0"),
            storage: RowStorage::new(),
            valid: Register::new(reset),
            weight_differs: annotate::signal("compared bits in which the weight differs"),
            activation_differs: annotate::signal("compared bits in which the activation differs"),
            differs: annotate::signal("some compared bit differs"),
        };
        let name = format!("axp_am_row_{}_w{W}", style_name(reset));
        annotate::module(&mut row.clk_i, &name, "one ternary row: storage, comparator, product gate");
        row
    }
}

impl<const W: usize> Logic for AmRow<W> {
    #[hdl_gen]
    fn update(&mut self) {
        self.storage.clk_i.next = self.clk_i.val();
        self.storage.test_en_i.next = self.test_en_i.val();
        self.storage.en_i.next = self.we_i.val();
        self.storage.key_weight_i.next = self.key_weight_i.val();
        self.storage.key_activation_i.next = self.key_activation_i.val();
        self.storage.care_weight_i.next = self.care_weight_i.val();
        self.storage.care_activation_i.next = self.care_activation_i.val();
        self.storage.product_i.next = self.product_i.val();
        self.valid.clk_i.next = self.clk_i.val();
        self.valid.rst_ni.next = self.rst_ni.val();
        self.valid.en_i.next = self.we_i.val();
        self.valid.d_i.next = self.valid_i.val();

        self.weight_differs.next =
            (self.weight_i.val() ^ self.storage.key_weight_o.val()) & self.storage.care_weight_o.val();
        self.activation_differs.next =
            (self.activation_i.val() ^ self.storage.key_activation_o.val()) & self.storage.care_activation_o.val();
        self.differs.next = self.weight_differs.val().any() | self.activation_differs.val().any();
        self.match_o.next = self.valid.q_o.val() & !self.differs.val();
        if self.select_i.val() {
            self.product_o.next = self.storage.product_o.val();
        } else {
            self.product_o.next = 0.into();
        }
    }
}
