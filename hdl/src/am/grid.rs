//! The `grid` memory: ternary patterns of the activation, a product a column.

use super::frozen::frozen_word;
use super::grid_pattern::grid_pattern;
use super::merge::merge;
use super::operand::special;
use super::priority::lowest;
use super::source::Source;
use super::storage::suffix;
use crate::circuit::{Circuit, Value, concat, literal, vector};
use crate::prim::style_name;
use axp_spec::{GridConfig, LayerMemory, PeConfig};

/// Ternary patterns of the activation's magnitude, each with a product for every
/// column of weights; the product's sign is made beside them.
///
/// ```text
/// activation ─► pattern 0 … R ─► lowest ─► row ─┐
///                                               ├─ AND ─► product & select ─► OR tree ─► product_o
/// column ─► one-hot ────────────────────────────┘
/// ```
///
/// The lowest valid pattern that matches wins; infinities and NaNs never match. A
/// column past the last one is a miss. The search takes no clock; a write takes one
/// edge. In a frozen memory patterns and products depend on the layer alone. W is the
/// width of the PE's format, P that of a stored product, which is a magnitude.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | programmable: reset makes all patterns invalid |
/// | `row_we_i`, `row_addr_i` | 1, A | programmable: writes {pattern, column}; where there is none nothing |
/// | `row_key_i`, `row_care_i`, `row_valid_i` | W - 1, W - 1, 1 | programmable: the pattern |
/// | `row_product_i` | P | programmable: the product |
/// | `layer_i` | L | frozen: the layer that runs |
/// | `weight_i` or `weight_sign_i` | W or 1 | the weight, or by index its sign |
/// | `activation_i`, `column_i` | W, C | activation, column of the weight |
/// | `hit_o` | 1 | a pattern matches and no operand is infinite or NaN |
/// | `product_o` | 1 + P | on a hit {sign, magnitude of the product} |
///
/// ```text
/// clk_i         _/‾\_/‾\_/‾\_
/// row_we_i      _/‾‾‾\_______   a pattern that the activation on the bus matches
/// hit_o         _____/‾‾‾‾‾‾‾
/// ```
pub fn grid_memory(config: &PeConfig, shape: GridConfig) -> Circuit {
    let (format, reset) = (config.format, config.reset);
    let (width, product_bits) = (format.width(), config.product_bits());
    let GridConfig { patterns, columns } = shape;
    let index = if config.has_codebook() { "_index" } else { "" };
    let name = match config.is_frozen() {
        true => format!("{}_memory", config.name),
        false => {
            let (style, latch) = (style_name(reset), suffix(config.storage()));
            format!("axp_grid_am_{style}_{format}_r{patterns}_c{columns}_p{product_bits}{index}{latch}")
        }
    };
    let mut c = Circuit::new(&name, "associative memory of activation patterns, a product a weight column");
    let source = Source::of(&mut c, config);
    let (sign, special_weight) = if config.has_codebook() {
        (c.input("weight_sign_i", 1, "sign of the weight"), None)
    } else {
        let weight = c.input("weight_i", width, "weight");
        let special = special(&mut c, format, "weight", &weight);
        (weight.top(), Some(special))
    };
    let activation = c.input("activation_i", width, "activation");
    let column = c.input("column_i", shape.column_bits(), "column of the weight");
    let magnitude = activation.slice(0, width - 1);

    let here = |c: &mut Circuit, id: u32| {
        let here = column.equals(&literal(id.into(), column.width()));
        c.net(&format!("column_{id}"), here, "the weight is in this column")
    };
    let selected: Vec<Value> = (0..columns).map(|id| here(&mut c, id)).collect();
    let selected = vector(&selected);
    // Patterns of which no two match the same magnitude need no priority.
    let exclusive = config.is_frozen() && config.frozen_layers().iter().all(|layer| disjoint(config, shape, layer));
    let mut select = |pattern| {
        let select = !exclusive && has_products(config, shape, pattern);
        select.then(|| c.forward(&format!("select_{pattern}"), 1, "this pattern is the lowest that matches"))
    };
    let selects: Vec<Option<Value>> = (0..patterns).map(&mut select).collect();
    let (mut matches, mut products) = (Vec::new(), Vec::new());
    for (pattern, select) in (0..).zip(&selects) {
        let select = (select.as_ref(), &selected);
        let (found, product) = read(&mut c, &source, (config, shape), pattern, &magnitude, select);
        matches.push(found);
        products.push(product);
    }
    let any = if exclusive {
        c.net("any", vector(&matches).any(), "a pattern matches")
    } else {
        lowest(&mut c, &matches, &selects)
    };
    let special = special(&mut c, format, "activation", &activation);
    let special = match special_weight {
        Some(weight) => c.net("special", weight | special, "an operand is infinite or a NaN"),
        None => special,
    };
    let known = c.net("known", selected.any(), "there is such a column");
    c.output("hit_o", any & !special & known, "a pattern matches and the operands are finite");
    let product = merge(&mut c, "products", &products);
    let product = c.net("magnitude", product, "magnitude of the product");
    let sign = c.net("product_sign", sign ^ activation.top(), "sign of the product");
    c.output("product_o", concat(&[&sign, &product]), "on a hit the product");
    c
}

/// Whether anything is read of a pattern: products that are 0 in all layers need no gates.
fn has_products(config: &PeConfig, shape: GridConfig, pattern: u32) -> bool {
    let rows = (pattern * shape.columns) as usize..((pattern + 1) * shape.columns) as usize;
    let read = |layer: &LayerMemory| layer.am.rows.iter().take(rows.end).skip(rows.start).any(|row| row.product.0 != 0);
    !config.is_frozen() || config.frozen_layers().iter().any(read)
}

/// Whether no magnitude matches two patterns of a layer.
fn disjoint(config: &PeConfig, shape: GridConfig, layer: &LayerMemory) -> bool {
    let rows = layer.am.rows.iter().step_by(shape.columns as usize);
    let halves: Vec<(u32, u32)> =
        rows.map(|row| (shape.parts(config.format, row.key).1, shape.parts(config.format, row.care).1)).collect();
    let apart = |a: &(u32, u32), b: &(u32, u32)| (a.0 ^ b.0) & a.1 & b.1 != 0;
    (0..halves.len()).all(|i| halves[i + 1..].iter().all(|other| apart(&halves[i], other)))
}

/// Whether the pattern matches; and the product of the column if it was selected,
/// else 0. Without a priority select the match selects.
fn read(
    c: &mut Circuit,
    source: &Source,
    (config, shape): (&PeConfig, GridConfig),
    pattern: u32,
    magnitude: &Value,
    (select, columns): (Option<&Value>, &Value),
) -> (Value, Value) {
    let (format, product_bits) = (config.format, config.product_bits());
    let name = format!("pattern_{pattern}");
    match source {
        Source::Port(rows) => {
            let (port, bits) = (&rows.port, shape.column_bits());
            let addressed = port.address.slice(bits, port.address.width() - bits);
            let column = port.address.slice(0, bits);
            let this = addressed.equals(&literal(pattern.into(), addressed.width()));
            let this = c.net(&format!("{name}_addressed"), this, "the address is in this pattern");
            let each: Vec<Value> = (0..shape.columns)
                .map(|id| {
                    let here = column.equals(&literal(id.into(), bits));
                    c.net(&format!("{name}_column_{id}"), here, "the address is in this column")
                })
                .collect();
            let each = vector(&each);
            let writes = &port.write & this & each.any();
            let writes = c.net(&format!("{name}_written"), writes, "something of this pattern is written");
            let mut inputs =
                vec![("we_i", &writes), ("column_we_i", &each), ("search_i", magnitude), ("column_i", columns)];
            inputs.extend(select.map(|select| ("select_i", select)));
            inputs.extend(rows.inputs());
            let pattern_module = grid_pattern(format, shape, product_bits, config.reset, config.storage());
            let instance = c.instance(&name, pattern_module, &inputs);
            (instance.port("match_o"), instance.port("product_o"))
        }
        Source::Layer(layer) => {
            let at = |memory: &LayerMemory, column: u32| {
                memory.am.rows.get((pattern * shape.columns + column) as usize).copied()
            };
            let part = |bits: u64| u128::from(shape.parts(format, bits).1);
            let width = magnitude.width();
            let from = (config, layer);
            let word = |c: &mut Circuit, what: &str, width, of: &dyn Fn(&LayerMemory) -> u128| {
                frozen_word(c, (&format!("{name}_{what}"), "of this pattern, by layer"), from, width, of)
            };
            let key = word(c, "key", width, &|memory| at(memory, 0).map_or(0, |row| part(row.key)));
            let care = word(c, "care", width, &|memory| at(memory, 0).map_or(0, |row| part(row.care)));
            let valid = word(c, "valid", 1, &|memory| at(memory, 0).is_some().into());
            let differs = (magnitude ^ &key) & &care;
            let differs = c.net(&format!("{name}_differs"), differs, "compared bits that differ");
            let found = c.net(&format!("{name}_matches"), valid & differs.none(), "the pattern matches");
            let words: Vec<Value> = (0..shape.columns)
                .map(|column| {
                    let of = |memory: &LayerMemory| at(memory, column).map_or(0, |row| row.product.0.into());
                    word(c, &format!("word_{column}"), product_bits, &of)
                })
                .collect();
            // A product is read where the pattern and the column meet.
            let select = select.unwrap_or(&found);
            let zero = literal(0, product_bits);
            let gated: Vec<Value> = words
                .iter()
                .enumerate()
                .filter(|(_, word)| !word.is_constant())
                .map(|(column, word)| {
                    let here = select & columns.bit(column as u32);
                    let here = c.net(&format!("{name}_read_{column}"), here, "this product is read");
                    c.choose(&format!("{name}_gated_{column}"), &[(&here, word)], &zero, "the product if read")
                })
                .collect();
            let product = if gated.is_empty() { zero } else { merge(c, &format!("{name}_merged"), &gated) };
            (found, product)
        }
    }
}
