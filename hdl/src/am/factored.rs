//! The `factored` memory: products of significands, signs and exponents beside it.

use super::column_bits::ColumnBits;
use super::factored_row::factored_row;
use super::frozen::{frozen_products, layer_word};
use super::merge::merge;
use super::operand::{Operand, classify};
use super::source::Source;
use super::storage::suffix;
use crate::circuit::{Circuit, Value, concat, literal};
use crate::prim::style_name;
use axp_spec::{FactoredConfig, FloatFormat, PeConfig};

/// Products of significands, selected by {column of the weight, top m fraction
/// bits of the activation}; the product's sign and exponent are made beside them.
///
/// ```text
/// column ─► one-hot ─┐
///                    ├─ AND ─► row: product & select ─► OR tree ─┬─ fraction ──► product_o
/// a's top m bits ─► one-hot ─┘                                   └─ carry ─┐
/// exponents ─► + ──────────────────────────────────────────────── + 1 + ◄──┴─► in range? ─► hit_o
/// ```
///
/// The columns are shut while an operand is not normal, so that nothing is read
/// then. A hit is a valid row whose product is a normal number of the format; or
/// a zero with an operand that is zero or normal: a zero with a sign. The read
/// takes no clock; a write takes one edge. W is the width of the PE's format, E
/// that of its exponent, P that of a stored product: a bit for 2 or more, and the
/// fraction. Ties and the like are the loader's business: nothing is rounded here.
///
/// In a frozen memory the words depend on the layer alone, and nothing is written; columns that hold
/// the same in all layers are one. A
/// PE that is given weights by index has a codebook beside the memory, which says what
/// the weight's exponent is and whether it is zero.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | programmable: reset makes all rows invalid |
/// | `row_we_i`, `row_addr_i` | 1, A | programmable: writes row {column, prefix}; past the last row nothing is written |
/// | `row_product_i`, `row_valid_i` | P, 1 | programmable: its product, and whether it can hit from now on |
/// | `layer_i` | L | frozen: the layer that runs |
/// | `weight_i` | W | by value: weight |
/// | `weight_sign_i`, `weight_exponent_i`, `weight_zero_i` | 1, E, 1 | by index: what the codebook says of the weight |
/// | `activation_i` | W | activation |
/// | `column_i` | C | column of the weight |
/// | `hit_o` | 1 | the memory has the product |
/// | `product_o` | E + P | on a hit {sign, exponent field, upper part of the fraction} |
///
/// ```text
/// clk_i         _/‾\_/‾\_/‾\_
/// row_we_i      _/‾‾‾\_______   the row that the pair on the bus selects
/// hit_o         _____/‾‾‾‾‾‾‾
/// ```
pub fn factored_memory(config: &PeConfig, shape: FactoredConfig) -> Circuit {
    memory(config, shape, Answer::Product)
}

/// The same for a frozen memory whose weights come by index and whose products are read elsewhere: without
/// `product_o`, and without signs, so that `activation_i` is a magnitude.
pub(crate) fn factored_hit(config: &PeConfig, shape: FactoredConfig) -> Circuit {
    memory(config, shape, Answer::Hit)
}

/// What a memory is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Product,
    Hit,
}

fn memory(config: &PeConfig, shape: FactoredConfig, answer: Answer) -> Circuit {
    let (format, reset) = (config.format, config.reset);
    let (width, product_bits) = (format.width(), config.product_bits());
    let FactoredConfig { columns, mantissa_bits } = shape;
    let index = if config.has_codebook() { "_index" } else { "" };
    let name = match config.is_frozen() {
        true if answer == Answer::Hit => format!("{}_hit", config.name),
        true => format!("{}_memory", config.name),
        false => {
            let (style, latch) = (style_name(reset), suffix(config.storage()));
            format!("axp_factored_am_{style}_{format}_c{columns}_m{mantissa_bits}_p{product_bits}{index}{latch}")
        }
    };
    let mut c = Circuit::new(&name, "memory of significand products, by weight column and mantissa bits");
    let source = Source::of(&mut c, config);
    let w = match config.has_codebook() {
        false => {
            let weight = c.input("weight_i", width, "weight");
            classify(&mut c, format, "weight", &weight)
        }
        true => {
            let sign = match answer {
                Answer::Product => c.input("weight_sign_i", 1, "sign of the weight"),
                Answer::Hit => literal(0, 1),
            };
            let exponent = c.input("weight_exponent_i", format.exponent_bits(), "exponent field of its magnitude");
            let zero = c.input("weight_zero_i", 1, "its magnitude is 0");
            // A magnitude is finite.
            let normal = c.net("weight_normal", exponent.any(), "no zero, not subnormal");
            Operand { sign, exponent, zero, normal }
        }
    };
    let activation = match answer {
        Answer::Product => c.input("activation_i", width, "activation"),
        Answer::Hit => concat(&[&literal(0, 1), &c.input("activation_i", width - 1, "magnitude of the activation")]),
    };
    let column = c.input("column_i", shape.column_bits(), "column of the weight");
    let a = classify(&mut c, format, "activation", &activation);

    // Read: both decoders are one-hot, and a row that is not selected is quiet.
    let both = c.net("both_normal", &w.normal & &a.normal, "the product has significands");
    let bits = match &source {
        Source::Port(_) => ColumnBits::all(column.width()),
        Source::Layer(_) => ColumnBits::of_words(config, shape),
    };
    let column_is = |c: &mut Circuit, id: u32| {
        let selected = &both & bits.is(&column, id);
        (id, c.net(&format!("column_{id}"), selected, bits.doc(&column)))
    };
    let columns: Vec<(u32, Value)> = bits.columns(columns).into_iter().map(|id| column_is(&mut c, id)).collect();
    let prefix_is = |c: &mut Circuit, id: u128| {
        let top = activation.slice(format.fraction_bits() - mantissa_bits, mantissa_bits);
        let selected = top.equals(&literal(id, mantissa_bits));
        c.net(&format!("prefix_{id}"), selected, "the activation begins with these mantissa bits")
    };
    let prefixes: Option<Vec<Value>> =
        (mantissa_bits > 0).then(|| (0..1 << mantissa_bits).map(|id| prefix_is(&mut c, id)).collect());
    let layers = config.frozen_layers().iter();
    let stored: Vec<Vec<u128>> = layers.map(|layer| frozen_products(config, shape, layer)).collect();
    // The fraction matters to a hit only where it tells a number from none.
    let whole = answer == Answer::Product || !format.has_infinity();
    let mut words = Vec::new();
    for (column, selected) in &columns {
        for prefix in 0..1_usize << mantissa_bits {
            let row = (*column as usize) << mantissa_bits | prefix;
            let select = match &prefixes {
                None => selected.clone(),
                Some(prefixes) => {
                    c.net(&format!("select_{row}"), selected & &prefixes[prefix], "the pair selects this row")
                }
            };
            words.push(word(&mut c, &source, (config, &stored), (row, whole), &select));
        }
    }
    let word = merge(&mut c, "merged", &words);
    let word = c.net("word", word, "1 and the product of the row that hits, else 0");
    let fraction = if whole { word.slice(0, product_bits - 1) } else { literal(0, product_bits - 1) };
    let (found, carry) = (word.top(), word.bit(word.width() - 2));

    let scaled = scale(&mut c, format, (&w, &a), &carry, &fraction);
    let zero = (&w.zero & (&a.zero | &a.normal)) | (&a.zero & &w.normal);
    let zero = c.net("zero", zero, "the product is a zero with a sign");
    c.output("hit_o", (found & scaled.fits) | zero, "the memory has the product");
    if answer == Answer::Hit {
        return c;
    }
    let zeros = literal(0, format.exponent_bits());
    let exponent = c.choose("product_exponent", &[(&both, &scaled.exponent)], &zeros, "exponent field of the product");
    let sign = c.net("product_sign", &w.sign ^ &a.sign, "sign of the product");
    c.output("product_o", concat(&[&sign, &exponent, &fraction]), "on a hit the product, without lower fraction bits");
    c
}

/// 1 and the product of the row if it is selected and valid, else 0; of the product its carry alone
/// unless it is asked for as a `whole`.
fn word(
    c: &mut Circuit,
    source: &Source,
    (config, stored): (&PeConfig, &[Vec<u128>]),
    (row, whole): (usize, bool),
    select: &Value,
) -> Value {
    let product_bits = config.product_bits();
    match source {
        Source::Port(rows) => {
            let port = &rows.port;
            let here = &port.write & port.address.equals(&literal(row as u128, port.address.width()));
            let mut inputs = vec![("we_i", &here), ("select_i", select)];
            inputs.extend(rows.inputs());
            let row_module = factored_row(product_bits, config.reset, config.storage());
            let instance = c.instance(&format!("row_{row}"), row_module, &inputs);
            instance.port("word_o")
        }
        Source::Layer(layer) => {
            let below = if whole { 0 } else { product_bits - 1 };
            let words: Vec<u128> = stored.iter().map(|words| words[row] >> below).collect();
            let (name, doc) = (format!("stored_{row}"), "1 and the product in this row, else 0");
            let word = layer_word(c, (&name, doc), layer, product_bits + 1 - below, &words);
            let zero = literal(0, word.width());
            c.choose(&format!("gated_{row}"), &[(select, &word)], &zero, "the same if it is selected")
        }
    }
}

/// The exponent of a product of two normal numbers.
struct Scaled {
    /// Its field, if `fits`.
    exponent: Value,
    /// The product is a normal number.
    fits: Value,
}

/// Adds the exponents, less the bias, and the carry of the significands.
///
/// The bias is 2^(E-1) - 1, so that the field plus 2^(E-1) is the sum of the
/// fields plus 1 plus the carry: the lower bits are those of that sum, and the
/// bits from E-1 up are 1 or 2 if the field is within its E bits.
fn scale(
    c: &mut Circuit,
    format: FloatFormat,
    (w, a): (&Operand, &Operand),
    carry: &Value,
    fraction: &Value,
) -> Scaled {
    let e = format.exponent_bits();
    let wide = e + 2;
    let fields = c.net("exponents", w.exponent.extend(wide) + a.exponent.extend(wide), "sum of the exponent fields");
    // The carry comes last, from the rows: it enters the second adder alone.
    let none = c.net("carry_none", !carry, "the product of the significands is below 2");
    let more = concat(&[carry, &none]).extend(wide);
    let sum = c.net("exponent_sum", fields + more, "exponent field of the product plus 2^(E-1)");
    let above = sum.slice(e - 1, 3);
    let lower = c.net("exponent_lower", above.equals(&literal(1, 3)), "the field is in the lower half of its range");
    let upper = c.net("exponent_upper", above.equals(&literal(2, 3)), "the field is in the upper half of its range");
    let exponent = concat(&[&upper, &sum.slice(0, e - 1)]);
    let ones = exponent.all();
    let large = if format.has_infinity() {
        ones
    } else if fraction.width() == format.fraction_bits() {
        // Only all ones is no number.
        ones & fraction.all()
    } else {
        literal(0, 1)
    };
    let large = c.net("too_large", large, "the encoding would not be a number");
    let fits = c.net("fits", (lower | upper) & exponent.any() & !large, "the product is a normal number");
    Scaled { exponent, fits }
}
