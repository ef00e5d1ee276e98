//! The `pair` memory: rows keyed by {weight, activation}.

use super::AmRow;
use super::wiring::{ReductionTree, Source, assign, assign_bit, binary, bit, literal, signal, slice, unary};
use crate::annotate;
use crate::prim::{PrioritySelect, style_name};
use crate::quiet::{Quiet, inputs};
use axp_spec::ResetStyle;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};
use rust_hdl::prelude::*;

/// Ternary rows of binary32 operand pairs, searched at once.
///
/// The lowest valid row that matches wins, and `product_o` is its product; an
/// infinite or NaN operand never hits, whatever the rows say. `A` is the width
/// of the row address and `N` = 2^A; the number of rows is a run-time value of
/// at most `N`. The search takes no clock; a write takes one edge.
///
/// The logic between the rows is irregular (one bit of a vector a row, a
/// reduction tree over any number of rows), which the macro cannot express: the
/// block implements `Logic` by hand, behaviour and Verilog from one wiring table.
#[derive(LogicBlock)]
pub struct PairAm<const A: usize, const N: usize> {
    /// Clock, rising edge.
    pub clk_i: Signal<In, Clock>,
    /// Reset, active low: all rows become invalid.
    pub rst_ni: Signal<In, Bit>,
    /// Test enable of the clock gates.
    pub test_en_i: Signal<In, Bit>,
    /// Writes a row at the clock edge.
    pub row_we_i: Signal<In, Bit>,
    /// The row to write; past the last row nothing is written.
    pub row_addr_i: Signal<In, Bits<A>>,
    /// Pattern of the weight.
    pub row_key_weight_i: Signal<In, Bits<32>>,
    /// Pattern of the activation.
    pub row_key_activation_i: Signal<In, Bits<32>>,
    /// Compared bits of the weight.
    pub row_care_weight_i: Signal<In, Bits<32>>,
    /// Compared bits of the activation.
    pub row_care_activation_i: Signal<In, Bits<32>>,
    /// Product to store.
    pub row_product_i: Signal<In, Bits<32>>,
    /// Whether the row can match from now on.
    pub row_valid_i: Signal<In, Bit>,
    /// Weight to search for.
    pub weight_i: Signal<In, Bits<32>>,
    /// Activation to search for.
    pub activation_i: Signal<In, Bits<32>>,
    /// A row matches and neither operand is infinite or NaN.
    pub hit_o: Signal<Out, Bit>,
    /// Product of the lowest matching row; 0 if there is none.
    pub product_o: Signal<Out, Bits<32>>,
    row: Vec<Quiet<AmRow<32>>>,
    lowest: PrioritySelect<N>,
    matching: Signal<Local, Bits<N>>,
    special: Signal<Local, Bit>,
    merged: Vec<Signal<Local, Bits<32>>>,
    _tree: ReductionTree,
}

/// Inputs that every row gets as they are: row port and memory port.
const SHARED: [(&str, &str); 11] = [
    ("clk_i", "clk_i"),
    ("rst_ni", "rst_ni"),
    ("test_en_i", "test_en_i"),
    ("key_weight_i", "row_key_weight_i"),
    ("key_activation_i", "row_key_activation_i"),
    ("care_weight_i", "row_care_weight_i"),
    ("care_activation_i", "row_care_activation_i"),
    ("product_i", "row_product_i"),
    ("valid_i", "row_valid_i"),
    ("weight_i", "weight_i"),
    ("activation_i", "activation_i"),
];

inputs!([const A: usize, const N: usize] PairAm<A, N>:
    clk_i, rst_ni, test_en_i, row_we_i, row_addr_i, row_key_weight_i, row_key_activation_i, row_care_weight_i,
    row_care_activation_i, row_product_i, row_valid_i, weight_i, activation_i,
);

impl<const A: usize, const N: usize> PairAm<A, N> {
    /// A memory of `rows` invalid rows.
    ///
    /// # Panics
    /// If there is no row, or more than `N`.
    pub fn new(rows: usize, reset: ResetStyle) -> Self {
        const { assert!(N == 1 << A) };
        assert!((1..=N).contains(&rows), "{rows} rows with a row address of {A} bits");
        let tree = ReductionTree::new(rows);
        let mut memory = Self {
            clk_i: annotate::signal("clock, rising edge"),
            rst_ni: annotate::signal("reset, active low: all rows become invalid"),
            test_en_i: annotate::signal("test enable of the clock gates"),
            row_we_i: annotate::signal("write a row at the clock edge"),
            row_addr_i: annotate::signal("row to write; past the last row nothing is written"),
            row_key_weight_i: annotate::signal("pattern of the weight"),
            row_key_activation_i: annotate::signal("pattern of the activation"),
            row_care_weight_i: annotate::signal("compared bits of the weight"),
            row_care_activation_i: annotate::signal("compared bits of the activation"),
            row_product_i: annotate::signal("product to store, binary32"),
            row_valid_i: annotate::signal("the row can match from now on"),
            weight_i: annotate::signal("weight to search for, binary32"),
            activation_i: annotate::signal("activation to search for, binary32"),
            hit_o: annotate::signal("a row matches and both operands are finite"),
            product_o: annotate::signal("product of the lowest matching row, 0 if there is none"),
            row: (0..rows).map(|_| Quiet::new(AmRow::new(reset))).collect(),
            lowest: PrioritySelect::new(),
            matching: annotate::signal("which rows match, row 0 at bit 0"),
            special: annotate::signal("an operand is infinite or a NaN"),
            merged: tree.nodes.iter().map(|_| annotate::signal("OR of two products")).collect(),
            _tree: tree,
        };
        let name = format!("axp_pair_am_{}_r{rows}", style_name(reset));
        annotate::module(&mut memory.clk_i, &name, "associative memory of ternary {weight, activation} rows");
        memory
    }

    fn read(&self, source: Source) -> Bits<32> {
        match source {
            Source::Leaf(row) => self.row[row].product_o.val(),
            Source::Node(node) => self.merged[node].val(),
        }
    }
}

fn wire(source: Source) -> VerilogExpression {
    match source {
        Source::Leaf(row) => signal(&format!("row${row}$product_o")),
        Source::Node(node) => signal(&format!("merged${node}")),
    }
}

fn vector<const N: usize>(bits: impl Iterator<Item = bool>) -> Bits<N> {
    let mut word = [false; N];
    word.iter_mut().zip(bits).for_each(|(to, from)| *to = from);
    if N > 32 {
        return Bits::Long(word.into());
    }
    word.iter().enumerate().fold(0u64, |all, (index, bit)| all | u64::from(*bit) << index).into()
}

impl<const A: usize, const N: usize> Logic for PairAm<A, N> {
    fn update(&mut self) {
        for (index, row) in self.row.iter_mut().enumerate() {
            row.clk_i.next = self.clk_i.val();
            row.rst_ni.next = self.rst_ni.val();
            row.test_en_i.next = self.test_en_i.val();
            row.we_i.next = self.row_we_i.val() & (self.row_addr_i.val() == bits::<A>(index as u64));
            row.key_weight_i.next = self.row_key_weight_i.val();
            row.key_activation_i.next = self.row_key_activation_i.val();
            row.care_weight_i.next = self.row_care_weight_i.val();
            row.care_activation_i.next = self.row_care_activation_i.val();
            row.product_i.next = self.row_product_i.val();
            row.valid_i.next = self.row_valid_i.val();
            row.weight_i.next = self.weight_i.val();
            row.activation_i.next = self.activation_i.val();
            row.select_i.next = self.lowest.select_o.val().get_bit(index);
        }
        self.matching.next = vector(self.row.iter().map(|row| row.match_o.val()));
        self.lowest.match_i.next = self.matching.val();
        self.special.next =
            self.weight_i.val().get_bits::<8>(23).all() | self.activation_i.val().get_bits::<8>(23).all();
        self.hit_o.next = self.matching.val().any() & !self.special.val();
        for (node, (left, right)) in self._tree.nodes.iter().enumerate() {
            self.merged[node].next = self.read(*left) | self.read(*right);
        }
        self.product_o.next = self.read(self._tree.root);
    }

    fn connect(&mut self) {
        for row in &mut self.row {
            row.clk_i.connect();
            row.rst_ni.connect();
            row.test_en_i.connect();
            row.we_i.connect();
            row.key_weight_i.connect();
            row.key_activation_i.connect();
            row.care_weight_i.connect();
            row.care_activation_i.connect();
            row.product_i.connect();
            row.valid_i.connect();
            row.weight_i.connect();
            row.activation_i.connect();
            row.select_i.connect();
        }
        self.matching.connect();
        self.lowest.match_i.connect();
        self.special.connect();
        self.hit_o.connect();
        self.merged.iter_mut().for_each(Logic::connect);
        self.product_o.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut code = Vec::new();
        for row in 0..self.row.len() {
            for (input, source) in SHARED {
                code.push(assign(&format!("row${row}${input}"), signal(source)));
            }
            let addressed = binary(signal("row_addr_i"), VerilogOp::Eq, literal(bits::<A>(row as u64)));
            let write = binary(signal("row_we_i"), VerilogOp::BitAnd, addressed);
            code.push(assign(&format!("row${row}$we_i"), write));
            code.push(assign(&format!("row${row}$select_i"), bit("lowest$select_o", row)));
        }
        code.push(assign("matching", literal(Bits::<N>::default())));
        for row in 0..self.row.len() {
            code.push(assign_bit("matching", row, signal(&format!("row${row}$match_o"))));
        }
        code.push(assign("lowest$match_i", signal("matching")));
        let special = |operand| unary(VerilogOpUnary::All, slice(operand, 23, 8));
        code.push(assign("special", binary(special("weight_i"), VerilogOp::BitOr, special("activation_i"))));
        let any = unary(VerilogOpUnary::Any, signal("matching"));
        let finite = unary(VerilogOpUnary::Not, signal("special"));
        code.push(assign("hit_o", binary(any, VerilogOp::BitAnd, finite)));
        for (node, (left, right)) in self._tree.nodes.iter().enumerate() {
            code.push(assign(&format!("merged${node}"), binary(wire(*left), VerilogOp::BitOr, wire(*right))));
        }
        code.push(assign("product_o", wire(self._tree.root)));
        Verilog::Combinatorial(code)
    }
}
