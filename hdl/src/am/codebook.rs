//! The codebook of a PE that is given weights by index.

use super::column_bits::ColumnBits;
use super::frozen::frozen_word;
use super::merge::merge;
use crate::circuit::{Circuit, Value, literal};
use crate::prim::style_name;
use axp_spec::{LayerMemory, PeConfig};

/// One magnitude a column, read on a miss; and for a `factored` memory its exponent
/// field, read on the bus.
///
/// Both reads are one-hot and take no clock; a write takes one edge. A column past
/// the last one reads 0. The words' clock runs while one is written. In a frozen memory
/// the words depend on the layer alone, and nothing is written. W is the width of the PE's format, E that of its exponent, C
/// that of a column.
///
/// | port | width | |
/// |---|---|---|
/// | `clk_i`, `rst_ni`, `test_en_i` | 1 | programmable: reset makes all magnitudes 0 |
/// | `codebook_we_i`, `codebook_addr_i`, `codebook_magnitude_i` | 1, C, W - 1 | programmable: writes a word |
/// | `layer_i` | L | frozen: the layer that runs |
/// | `miss_column_i` → `magnitude_o` | C → W - 1 | read for the multiplier |
/// | `column_i` → `exponent_o`, `zero_o` | C → E, 1 | `factored`: read on the bus |
///
/// ```text
/// clk_i                 _/‾\_/‾\_/‾\_
/// codebook_we_i         _/‾‾‾\_______   column 3
/// magnitude_o           ==old===X new =   while miss_column_i = 3
/// ```
pub fn codebook(config: &PeConfig) -> Circuit {
    let (format, reset) = (config.format, config.reset);
    let (columns, bits) = (config.columns().unwrap_or(1), config.column_bits().unwrap_or(1));
    let width = format.width() - 1;
    let name = match config.is_frozen() {
        true => format!("{}_codebook", config.name),
        false => format!("axp_codebook_{}_{format}_c{columns}{}", style_name(reset), suffix(config)),
    };
    let mut c = Circuit::new(&name, "magnitudes of the weights, by column");
    let words: Vec<Value> = if let Some(layer_bits) = config.layer_bits() {
        let layer = c.input("layer_i", layer_bits, "the layer that runs");
        let word = |c: &mut Circuit, column: u32| {
            let (name, of) = (format!("word_{column}"), config);
            frozen_word(c, (&name, "magnitude of this column"), (of, &layer), width, |l| l.magnitude(column).into())
        };
        (0..columns).map(|column| word(&mut c, column)).collect()
    } else {
        c.clock();
        c.reset(reset);
        c.test_enable();
        let write = c.input("codebook_we_i", 1, "write a word at the clock edge");
        let address = c.input("codebook_addr_i", bits, "its column; past the last one nothing is written");
        let magnitude = c.input("codebook_magnitude_i", width, "the magnitude");
        let branch = c.clock_branch("word_clock", &write);
        c.stay_on_branch(branch);
        let word = |c: &mut Circuit, column: u32| {
            let here = &write & address.equals(&literal(column.into(), bits));
            let here = c.net(&format!("write_{column}"), here, "this column is written");
            c.reset_register(&format!("word_{column}"), &magnitude, &here)
        };
        (0..columns).map(|column| word(&mut c, column)).collect()
    };
    let miss = c.input("miss_column_i", bits, "column of the weight that is multiplied");
    let every = ColumnBits::all(bits);
    let magnitude = read(&mut c, "magnitude", (&miss, every), &words);
    c.output("magnitude_o", magnitude, "its magnitude; 0 past the last column");
    if config.factored_memory().is_some() {
        let (fraction_bits, exponent_bits) = (format.fraction_bits(), format.exponent_bits());
        let column = c.input("column_i", bits, "column of the weight on the bus");
        // Frozen, columns of one exponent can be one.
        let part = |layer: &LayerMemory, id: u32| {
            let magnitude = layer.magnitude(id);
            u128::from(magnitude >> fraction_bits << 1) | u128::from(magnitude != 0)
        };
        let some = match config.is_frozen() {
            true => ColumnBits::of_column_words(config, bits, part),
            false => every,
        };
        let fields: Vec<Value> = words.iter().map(|word| word.slice(fraction_bits, exponent_bits)).collect();
        let exponent = read(&mut c, "exponent", (&column, some), &fields);
        c.output("exponent_o", exponent, "exponent field of its magnitude");
        // Of columns that are one, the first is read.
        let read_at = some.columns(columns);
        let zero = |c: &mut Circuit, (number, word): (u32, &Value)| match read_at.contains(&number) {
            true => c.net(&format!("word_nonzero_{number}"), word.any(), "this magnitude is not 0"),
            false => literal(0, 1),
        };
        let nonzero: Vec<Value> = (0..).zip(&words).map(|word| zero(&mut c, word)).collect();
        let nonzero = read(&mut c, "nonzero", (&column, some), &nonzero);
        c.output("zero_o", !nonzero, "its magnitude is 0");
    }
    c
}

/// A one-hot read of `words`, by some bits of the column.
fn read(c: &mut Circuit, name: &str, (column, bits): (&Value, ColumnBits), words: &[Value]) -> Value {
    let gated = |c: &mut Circuit, number: u32| {
        let word = &words[number as usize];
        let here = bits.is(column, number);
        let here = c.net(&format!("{name}_select_{number}"), here, "this column is read");
        let zero = literal(0, word.width());
        c.choose(&format!("{name}_{number}"), &[(&here, word)], &zero, "its word if it is read")
    };
    let gated: Vec<Value> = bits.columns(words.len() as u32).into_iter().map(|number| gated(c, number)).collect();
    merge(c, name, &gated)
}

fn suffix(config: &PeConfig) -> &'static str {
    if config.factored_memory().is_some() { "_exponents" } else { "" }
}
