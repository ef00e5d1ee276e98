//! The `pair` memory: rows keyed by {weight, activation}.

use super::frozen::frozen_word;
use super::merge::merge;
use super::operand::special;
use super::priority::lowest;
use super::row::pair_row;
use super::source::Source;
use super::storage::suffix;
use crate::circuit::{Circuit, Value, concat, literal};
use crate::prim::style_name;
use axp_spec::{AmRow, LayerMemory, PeConfig};

/// Ternary rows of operand pairs, searched at once.
///
/// The lowest valid row that matches wins, and `product_o` is its product; an
/// infinite or NaN operand never hits, whatever the rows say. The search takes
/// no clock; a write takes one edge. W is the width of the PE's format, P that of
/// a stored product.
///
/// In a frozen memory the rows depend on the layer alone, and nothing is written.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | programmable: reset makes all rows invalid |
/// | `row_we_i`, `row_addr_i` | 1, A | programmable: writes a row; past the last row nothing is written |
/// | `row_key_i`, `row_care_i` | 2 W | programmable: its pattern {weight, activation}, and which bits are compared |
/// | `row_product_i`, `row_valid_i` | P, 1 | programmable: its product, and whether it can match from now on |
/// | `layer_i` | L | frozen: the layer that runs |
/// | `weight_i`, `activation_i` | W | operands to search for |
/// | `hit_o` | 1 | a row matches and neither operand is infinite or NaN |
/// | `product_o` | P | product of the lowest matching row; 0 if there is none |
pub fn pair_memory(config: &PeConfig) -> Circuit {
    let (format, reset, rows) = (config.format, config.reset, config.rows());
    let (width, product_bits) = (format.width(), config.product_bits());
    let stored = if product_bits == width { String::new() } else { format!("_p{product_bits}") };
    let name = match config.is_frozen() {
        true => format!("{}_memory", config.name),
        false => {
            let latch = suffix(config.storage());
            format!("axp_pair_am_{}_{format}{stored}_r{rows}{latch}", style_name(reset))
        }
    };
    let mut c = Circuit::new(&name, "associative memory of ternary {weight, activation} rows");
    let source = Source::of(&mut c, config);
    let weight = c.input("weight_i", width, "weight to search for");
    let activation = c.input("activation_i", width, "activation to search for");
    let search = concat(&[&weight, &activation]);

    let selects: Vec<Value> =
        (0..rows).map(|row| c.forward(&format!("select_{row}"), 1, "this row is the lowest that matches")).collect();
    let (mut matches, mut products) = (Vec::new(), Vec::new());
    for (row, select) in selects.iter().enumerate() {
        let (found, product) = read(&mut c, &source, config, row, (&search, select));
        matches.push(found);
        products.push(product);
    }
    let selects: Vec<Option<Value>> = selects.into_iter().map(Some).collect();
    let any = lowest(&mut c, &matches, &selects);
    let special = special(&mut c, format, "weight", &weight) | special(&mut c, format, "activation", &activation);
    let special = c.net("special", special, "an operand is infinite or a NaN");
    c.output("hit_o", any & !special, "a row matches and both operands are finite");
    let product = merge(&mut c, "merged", &products);
    c.output("product_o", product, "product of the lowest matching row, 0 if there is none");
    c
}

/// Whether a row matches, and its product if it is selected, else 0.
fn read(
    c: &mut Circuit,
    source: &Source,
    config: &PeConfig,
    row: usize,
    (search, select): (&Value, &Value),
) -> (Value, Value) {
    let (format, product_bits) = (config.format, config.product_bits());
    let layer = match source {
        Source::Port(rows) => {
            let port = &rows.port;
            let here = &port.write & port.address.equals(&literal(row as u128, port.address.width()));
            let mut inputs = vec![("we_i", &here), ("search_i", search), ("select_i", select)];
            inputs.extend(rows.inputs());
            let row_module = pair_row(format, product_bits, config.reset, config.storage());
            let instance = c.instance(&format!("row_{row}"), row_module, &inputs);
            return (instance.port("match_o"), instance.port("product_o"));
        }
        Source::Layer(layer) => layer,
    };
    let name = format!("row_{row}");
    let word = |c: &mut Circuit, what: &str, width, of: fn(&AmRow) -> u64| {
        let of = |memory: &LayerMemory| memory.am.rows.get(row).map_or(0, |row| of(row).into());
        frozen_word(c, (&format!("{name}_{what}"), "of this row, by layer"), (config, layer), width, of)
    };
    let key = word(c, "key", 2 * format.width(), |row| row.key);
    let care = word(c, "care", 2 * format.width(), |row| row.care);
    let valid = word(c, "valid", 1, |_| 1);
    let product = word(c, "product", product_bits, |row| row.product.0.into());
    let differs = (search ^ &key) & &care;
    let differs = c.net(&format!("{name}_differs"), differs, "compared bits that differ");
    let found = c.net(&format!("{name}_matches"), valid & differs.none(), "the row matches");
    let zero = literal(0, product_bits);
    (found, c.choose(&format!("{name}_gated"), &[(select, &product)], &zero, "its product if selected"))
}
