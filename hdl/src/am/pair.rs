//! The `pair` memory: rows keyed by {weight, activation}.

use super::merge::merge;
use super::operand::special;
use super::priority::lowest;
use super::row::pair_row;
use crate::circuit::{Circuit, Value, concat, literal};
use crate::prim::style_name;
use axp_spec::PeConfig;

/// Ternary rows of operand pairs, searched at once.
///
/// The lowest valid row that matches wins, and `product_o` is its product; an
/// infinite or NaN operand never hits, whatever the rows say. The search takes
/// no clock; a write takes one edge. W is the width of the PE's format, P that of
/// a stored product.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | reset makes all rows invalid |
/// | `row_we_i`, `row_addr_i` | 1, A | writes a row; past the last row nothing is written |
/// | `row_key_i`, `row_care_i` | 2 W | its pattern {weight, activation}, and which bits are compared |
/// | `row_product_i`, `row_valid_i` | P, 1 | its product, and whether it can match from now on |
/// | `weight_i`, `activation_i` | W | operands to search for |
/// | `hit_o` | 1 | a row matches and neither operand is infinite or NaN |
/// | `product_o` | P | product of the lowest matching row; 0 if there is none |
pub fn pair_memory(config: &PeConfig) -> Circuit {
    let (format, reset, rows) = (config.format, config.reset, config.rows());
    let (width, product_bits, address_bits) = (format.width(), config.product_bits(), config.row_address_bits());
    let stored = if product_bits == width { String::new() } else { format!("_p{product_bits}") };
    let name = format!("axp_pair_am_{}_{format}{stored}_r{rows}", style_name(reset));
    let mut c = Circuit::new(&name, "associative memory of ternary {weight, activation} rows");
    c.clock();
    c.reset(reset);
    c.test_enable();
    let write = c.input("row_we_i", 1, "write a row at the clock edge");
    let address = c.input("row_addr_i", address_bits, "row to write; past the last row nothing is written");
    let key = c.input("row_key_i", 2 * width, "its pattern, {weight, activation}");
    let care = c.input("row_care_i", 2 * width, "compared bits of the pattern");
    let product = c.input("row_product_i", product_bits, "its product");
    let valid = c.input("row_valid_i", 1, "whether it can match from now on");
    let weight = c.input("weight_i", width, "weight to search for");
    let activation = c.input("activation_i", width, "activation to search for");
    let search = concat(&[&weight, &activation]);

    let selects: Vec<Value> =
        (0..rows).map(|row| c.forward(&format!("select_{row}"), 1, "this row is the lowest that matches")).collect();
    let (mut matches, mut products) = (Vec::new(), Vec::new());
    for (row, select) in selects.iter().enumerate() {
        let here = &write & address.equals(&literal(row as u128, address_bits));
        let instance = c.instance(
            &format!("row_{row}"),
            pair_row(format, product_bits, reset),
            &[
                ("we_i", &here),
                ("key_i", &key),
                ("care_i", &care),
                ("product_i", &product),
                ("valid_i", &valid),
                ("search_i", &search),
                ("select_i", select),
            ],
        );
        matches.push(instance.port("match_o"));
        products.push(instance.port("product_o"));
    }
    let any = lowest(&mut c, &matches, &selects);
    let special = special(&mut c, format, "weight", &weight) | special(&mut c, format, "activation", &activation);
    let special = c.net("special", special, "an operand is infinite or a NaN");
    c.output("hit_o", any & !special, "a row matches and both operands are finite");
    let product = merge(&mut c, "merged", &products);
    c.output("product_o", product, "product of the lowest matching row, 0 if there is none");
    c
}
