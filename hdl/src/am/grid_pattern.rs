//! One pattern of a grid: its storage, its comparator, its products.

use super::merge::merge;
use super::storage::{Kept, Words, suffix};
use crate::circuit::{Circuit, Value, literal};
use crate::prim::style_name;
use axp_spec::{FloatFormat, GridConfig, ResetStyle, Storage};

/// A ternary pattern of the activation's magnitude, with a product a column.
///
/// The valid flag alone is reset; pattern and products are clocked by writes. The
/// search takes no clock; a write takes one edge. M is the width of a magnitude, P
/// that of a stored product, K the number of columns.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | |
/// | `we_i`, `column_we_i` | 1, K | writes the pattern, and the product of these columns |
/// | `key_i`, `care_i`, `valid_i` | M, M, 1 | pattern, which bits are compared, whether it can match from now on |
/// | `product_i` | P | product to store |
/// | `key_held_i`, `care_held_i`, `product_held_i` | M, M, P | of latches: the same, from the edge that writes them on |
/// | `search_i` | M | magnitude to search for |
/// | `match_o` | 1 | the pattern is valid and matches |
/// | `select_i`, `column_i` | 1, K | the pattern won the priority select; the column, one-hot |
/// | `product_o` | P | the product of the column if selected, else 0 |
///
/// ```text
/// clk_i       _/‾\_/‾\_/‾\_
/// we_i        _/‾‾‾\_______   with column_we_i = 1
/// match_o     _____/‾‾‾‾‾‾‾
/// ```
pub fn grid_pattern(
    format: FloatFormat,
    GridConfig { columns, .. }: GridConfig,
    product_bits: u32,
    reset: ResetStyle,
    storage: Storage,
) -> Circuit {
    let (width, latch) = (format.width() - 1, suffix(storage));
    let name = format!("axp_am_pattern_{}_w{width}_c{columns}_p{product_bits}{latch}", style_name(reset));
    let mut c = Circuit::new(&name, "one pattern of a grid: storage, comparator, products");
    c.clock();
    c.reset(reset);
    c.test_enable();
    let write = c.input("we_i", 1, "write the pattern at the clock edge");
    let column_writes = c.input("column_we_i", columns, "write the product of these columns");
    let words = [
        ("key", width, "pattern of the magnitude"),
        ("care", width, "compared bits of the pattern"),
        ("product", product_bits, "product to store"),
    ];
    let words = Words::of(&mut c, storage, &words);
    let valid = c.input("valid_i", 1, "the pattern can match from now on");
    let search = c.input("search_i", width, "magnitude to search for");
    let select = c.input("select_i", 1, "the pattern won the priority select");
    let column = c.input("column_i", columns, "column of the weight, one-hot");

    let stored = words.store(&mut c, "pattern", Kept::Pattern, &["key", "care"], &write);
    let valid = c.reset_register("valid", &valid, &write);
    let differs = (&search ^ stored.port("key_o")) & stored.port("care_o");
    let differs = c.net("differs", differs, "compared bits that differ");
    c.output("match_o", valid & differs.none(), "the pattern is valid and matches");
    let word = |c: &mut Circuit, number: u32| {
        let here = c.net(&format!("write_{number}"), &write & column_writes.bit(number), "this product is written");
        words.store(c, &format!("product_{number}"), Kept::Product, &["product"], &here).port("product_o")
    };
    let products: Vec<Value> = (0..columns).map(|number| word(&mut c, number)).collect();
    let product = read_columns(&mut c, &products, &select, &column);
    c.output("product_o", product, "product of the column if selected, else 0");
    c
}

/// The word of the column that is set in `column`, if `select` is.
fn read_columns(c: &mut Circuit, words: &[Value], select: &Value, column: &Value) -> Value {
    let zero = literal(0, words[0].width());
    let gated = |c: &mut Circuit, (number, word): (usize, &Value)| {
        let here = c.net(&format!("read_{number}"), select & column.bit(number as u32), "this product is read");
        c.choose(&format!("gated_{number}"), &[(&here, word)], &zero, "the product if it is read")
    };
    let gated: Vec<Value> = words.iter().enumerate().map(|word| gated(c, word)).collect();
    merge(c, "merged", &gated)
}
