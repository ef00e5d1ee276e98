//! One ternary row.

use super::storage::{Kept, Words, suffix};
use crate::circuit::{Circuit, literal};
use crate::prim::style_name;
use axp_spec::{FloatFormat, ResetStyle, Storage};

/// A row of the associative memory: storage, comparator and product gate.
///
/// The row matches if it is valid and the key agrees with its pattern in every
/// compared bit. Only the valid flag is reset; the rest is clocked by writes
/// alone. The search takes no clock; a write takes one edge.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | |
/// | `we_i` | 1 | writes the row at the clock edge |
/// | `key_i`, `care_i` | 2 W | pattern {weight, activation}, and which bits are compared |
/// | `product_i`, `valid_i` | P, 1 | product, and whether the row can match from now on |
/// | `key_held_i`, `care_held_i`, `product_held_i` | 2 W, 2 W, P | of latches: the same, from the edge that writes them on |
/// | `search_i` | 2 W | key to search for |
/// | `match_o` | 1 | the row matches |
/// | `select_i` | 1 | the row won the priority select |
/// | `product_o` | P | the stored product if selected, else 0 |
pub fn pair_row(format: FloatFormat, product_bits: u32, reset: ResetStyle, storage: Storage) -> Circuit {
    let width = format.width();
    let stored = if product_bits == width { String::new() } else { format!("_p{product_bits}") };
    let name = format!("axp_am_row_{}_w{width}{stored}{}", style_name(reset), suffix(storage));
    let mut c = Circuit::new(&name, "one ternary row: storage, comparator, product gate");
    c.clock();
    c.reset(reset);
    c.test_enable();
    let write = c.input("we_i", 1, "write the row at the clock edge");
    let words = [
        ("key", 2 * width, "pattern, {weight, activation}"),
        ("care", 2 * width, "compared bits of the pattern"),
        ("product", product_bits, "product to store"),
    ];
    let words = Words::of(&mut c, storage, &words);
    let valid = c.input("valid_i", 1, "the row can match from now on");
    let search = c.input("search_i", 2 * width, "key to search for");
    let select = c.input("select_i", 1, "the row won the priority select");

    let stored = words.store(&mut c, "storage", Kept::Row, &["key", "care", "product"], &write);
    let valid = c.reset_register("valid", &valid, &write);
    let differs = (&search ^ stored.port("key_o")) & stored.port("care_o");
    let differs = c.net("differs", differs, "compared bits that differ");
    c.output("match_o", valid & differs.none(), "the row matches");
    let gated = c.choose(
        "gated",
        &[(&select, &stored.port("product_o"))],
        &literal(0, product_bits),
        "stored product if selected",
    );
    c.output("product_o", gated, "stored product if selected, else 0");
    c
}
