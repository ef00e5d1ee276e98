//! The cell that reduction trees are made of.

use crate::circuit::Circuit;

/// A module of `lanes` independent full adders.
///
/// `a_i`, `b_i`, `c_i` in, `sum_o`, `carry_o` out, each of `lanes` bits,
/// combinational. It is a module of its own so that synthesis can map every lane
/// to the library's full-adder cell; where there is none, it is plain logic.
pub fn full_adders(lanes: u32) -> Circuit {
    let name = format!("axp_full_adders_w{lanes}");
    let mut c = Circuit::new(&name, "independent full adders, for the cells of the library, combinational");
    let a = c.input("a_i", lanes, "first addend of each lane");
    let b = c.input("b_i", lanes, "second addend of each lane");
    let carry_in = c.input("c_i", lanes, "third addend of each lane");
    let half = c.net("half", &a ^ &b, "sum of the first two");
    c.output("sum_o", &half ^ &carry_in, "sum of each lane");
    c.output("carry_o", (&a & &b) | (&carry_in & &half), "carry of each lane");
    c
}
