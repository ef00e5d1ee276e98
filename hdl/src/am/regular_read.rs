//! The read of a regular `factored` memory: the product of a pair that is known to hit.

use super::column_bits::ColumnBits;
use super::frozen::{frozen_products, frozen_word, layer_word};
use super::merge::merge;
use crate::circuit::{Circuit, Value, literal, vector};
use crate::fpu::ripple_add;
use axp_spec::{FactoredConfig, LayerMemory, PeConfig};

/// What is read of a product's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Its exponent field.
    Exponent,
    /// The range of the sum less its exponent field, in two's complement of so many bits.
    Places(u32),
}

/// The product of a weight given by its column and an activation, in a memory whose
/// [contents are regular](super::is_regular); combinational.
///
/// Either scale is one number a column and the activation's exponent: the bias, the
/// weight's exponent and the range are in the number. The carry of the significands'
/// product is that of the one addition. Columns of weights that differ by a power of two have the
/// same words, which are there once: see [`ColumnBits`].
///
/// ```text
/// column, prefix ─► one-hot read ─┬─► nonzero_o, fraction_o
///                                 └─► carry ─┐
/// column ─────────► one-hot read ─► number ──┼─► + ─► scale_o
/// exponent ──────────────────────────────────┘
/// ```
///
/// | port | width | |
/// |---|---|---|
/// | `layer_i` | L | the layer that runs |
/// | `column_i` | C | column of the weight |
/// | `exponent_i` | E | exponent field of the activation; 0 is an activation of 0 |
/// | `prefix_i` | M | its upper mantissa bits; absent if M is 0 |
/// | `nonzero_o` | 1 | the product is not 0 |
/// | `scale_o` | E or more | its exponent field, 0 of a zero; or its places, anything of a zero |
/// | `fraction_o` | P - 1 | upper part of its fraction, 0 of a zero |
pub(crate) fn regular_read(config: &PeConfig, shape: FactoredConfig, scale: Scale) -> Circuit {
    let (format, product_bits) = (config.format, config.product_bits());
    let exponent_bits = format.exponent_bits();
    let FactoredConfig { columns, mantissa_bits } = shape;
    let mut c = Circuit::new(&format!("{}_read", config.name), "products of significands of pairs that hit");
    // Only frozen memories are regular.
    let layer = c.input("layer_i", config.layer_bits().unwrap_or(1), "the layer that runs");
    let column = c.input("column_i", shape.column_bits(), "column of the weight");
    let exponent = c.input("exponent_i", exponent_bits, "exponent field of the activation");
    let prefix = (mantissa_bits > 0).then(|| c.input("prefix_i", mantissa_bits, "its upper mantissa bits"));

    let normal = c.net("normal", exponent.any(), "the activation is not zero");
    let column_is = |c: &mut Circuit, name: &str, bits: ColumnBits, id: u32| {
        let selected = &normal & bits.is(&column, id);
        (id, c.net(&format!("{name}_{id}"), selected, bits.doc(&column)))
    };
    let low = ColumnBits::of_words(config, shape);
    let selects: Vec<(u32, Value)> =
        low.columns(columns).into_iter().map(|id| column_is(&mut c, "column", low, id)).collect();
    let prefix_is = |c: &mut Circuit, id: u32| {
        let selected = prefix.as_ref().map(|prefix| prefix.equals(&literal(id.into(), mantissa_bits)));
        c.net(&format!("prefix_{id}"), selected.unwrap_or_else(|| literal(1, 1)), "the activation begins so")
    };
    let prefixes: Vec<Value> = (0..1 << mantissa_bits).map(|id| prefix_is(&mut c, id)).collect();

    let mut words = Vec::new();
    let products: Vec<Vec<u128>> =
        config.frozen_layers().iter().map(|memory| frozen_products(config, shape, memory)).collect();
    for (column, selected) in &selects {
        for (at, prefix) in prefixes.iter().enumerate() {
            let row = (*column as usize) << mantissa_bits | at;
            let select = c.net(&format!("select_{row}"), selected & prefix, "the pair selects this row");
            let stored: Vec<u128> = products.iter().map(|products| products[row]).collect();
            let (name, doc) = (format!("stored_{row}"), "1 and the product in this row, 0 of a zero");
            let word = layer_word(&mut c, (&name, doc), &layer, product_bits + 1, &stored);
            words.push(gated(&mut c, &format!("gated_{row}"), &select, &word));
        }
    }
    let word = merge(&mut c, "merged", &words);
    let word = c.net("word", word, "nonzero, carry, fraction");
    let (nonzero, carry) = (word.top(), word.bit(product_bits - 1));

    let bits = match scale {
        Scale::Exponent => exponent_bits,
        Scale::Places(bits) => bits,
    };
    let bias = i64::from(format.bias());
    let number = |memory: &LayerMemory, id: u32| {
        let magnitude = memory.magnitude(id);
        let weight = i64::from(magnitude >> format.fraction_bits());
        let number = match scale {
            _ if magnitude == 0 => 0,
            Scale::Exponent => weight - bias,
            Scale::Places(_) => i64::from(memory.range) + bias - weight,
        };
        u128::from(number.rem_euclid(1 << bits).unsigned_abs())
    };
    let high = ColumnBits::of_column_words(config, column.width(), number);
    let mut numbers = Vec::new();
    for id in high.columns(columns) {
        let decoded = selects.iter().find(|(column, _)| high == low && *column == id);
        let (_, select) = decoded.cloned().unwrap_or_else(|| column_is(&mut c, "power", high, id));
        let (name, doc) = (format!("number_{id}"), "what the scale of this column begins with");
        let word = frozen_word(&mut c, (&name, doc), (config, &layer), bits, |memory| number(memory, id));
        numbers.push(gated(&mut c, &format!("scale_{id}"), &select, &word));
    }
    let number = merge(&mut c, "number", &numbers);
    let number = c.net("number", number, "what the scale of the column begins with");
    let wide = exponent.extend(bits);
    let scaled = match scale {
        Scale::Exponent => ripple_add(&mut c, "sum", (&number, &wide), &carry).sum,
        Scale::Places(_) => {
            // number - exponent - carry = number + ~exponent + (1 - carry).
            let none = c.net("carry_none", !&carry, "the product of the significands is below 2");
            let less = c.net("exponent_complement", !wide, "complement of the exponent field");
            ripple_add(&mut c, "sum", (&number, &less), &none).sum
        }
    };
    let scaled = match scale {
        Scale::Exponent => {
            let field = vector(&vec![nonzero.clone(); bits as usize]);
            c.net("field", scaled & field, "exponent field of the product")
        }
        Scale::Places(_) => scaled,
    };
    c.output("nonzero_o", nonzero, "the product is not 0");
    c.output("scale_o", scaled, "exponent field of the product, or its places");
    c.output("fraction_o", word.slice(0, product_bits - 1), "upper part of its fraction");
    c
}

/// A word while it is selected, else 0.
fn gated(c: &mut Circuit, name: &str, select: &Value, word: &Value) -> Value {
    c.choose(name, &[(select, word)], &literal(0, word.width()), "its word if it is selected")
}
