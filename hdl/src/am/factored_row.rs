//! One row of a factored memory.

use super::storage::{Kept, Words, suffix};
use crate::circuit::{Circuit, concat, literal};
use crate::prim::style_name;
use axp_spec::{ResetStyle, Storage};

/// A row of a factored memory: storage of one product of significands, and the
/// AND part of the one-hot read.
///
/// Only the valid flag is reset; the product is clocked by writes alone, and a
/// row that is not selected or not valid gives zeros. The read takes no clock; a
/// write takes one edge. P is the width of a stored product.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | |
/// | `we_i` | 1 | writes the row at the clock edge |
/// | `product_i`, `valid_i` | P, 1 | product of the significands, and whether it can hit from now on |
/// | `product_held_i` | P | of latches: the same product, from the edge that writes it on |
/// | `select_i` | 1 | the pair on the bus selects this row |
/// | `word_o` | P + 1 | 1 and the product if selected and valid, else 0 |
///
/// ```text
/// clk_i     _/‾\_/‾\_/‾\_
/// we_i      _/‾‾‾\_______   product_i = p, valid_i = 1
/// select_i  ‾‾‾‾‾‾‾‾‾\___
/// word_o    ==0==X1p X 0 =
/// ```
pub fn factored_row(product_bits: u32, reset: ResetStyle, storage: Storage) -> Circuit {
    let name = format!("axp_am_row_factored_{}_w{product_bits}{}", style_name(reset), suffix(storage));
    let mut c = Circuit::new(&name, "one row of a factored memory: storage and product gate");
    c.clock();
    c.reset(reset);
    c.test_enable();
    let write = c.input("we_i", 1, "write the row at the clock edge");
    let words = Words::of(&mut c, storage, &[("product", product_bits, "product of the significands to store")]);
    let valid = c.input("valid_i", 1, "the row can hit from now on");
    let select = c.input("select_i", 1, "the pair selects this row");
    let stored = words.store(&mut c, "storage", Kept::Product, &["product"], &write).port("product_o");
    let valid = c.reset_register("valid", &valid, &write);
    let hit = c.net("hit", select & valid, "selected and valid");
    let word = concat(&[&literal(1, 1), &stored]);
    let word = c.choose("gated", &[(&hit, &word)], &literal(0, product_bits + 1), "1 and the product if it hits");
    c.output("word_o", word, "1 and the product if selected and valid, else 0");
    c
}
