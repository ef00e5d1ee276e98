//! Words that are built into the netlist, one a layer.

use crate::circuit::{Circuit, Value, literal};
use axp_spec::{AmRow, FactoredConfig, LayerMemory, PeConfig};

/// A word that depends on the layer alone: what `of` says for each layer of a
/// frozen memory. See [`layer_word`].
pub(crate) fn frozen_word(
    c: &mut Circuit,
    named: (&str, &str),
    (config, layer): (&PeConfig, &Value),
    width: u32,
    of: impl Fn(&LayerMemory) -> u128,
) -> Value {
    let words: Vec<u128> = config.frozen_layers().iter().map(of).collect();
    layer_word(c, named, layer, width, &words)
}

/// A word that depends on the layer alone: one for each layer of a frozen memory, and 0
/// for a layer that there is not.
///
/// The layer does not change while pairs are in the pipe, so that nothing of this
/// switches then.
pub(super) fn layer_word(
    c: &mut Circuit,
    (name, doc): (&str, &str),
    layer: &Value,
    width: u32,
    words: &[u128],
) -> Value {
    let arms: Vec<(Value, Value)> = (0..)
        .zip(words)
        .filter(|(_, word)| **word != 0)
        .map(|(number, word): (u128, &u128)| (layer.equals(&literal(number, layer.width())), literal(*word, width)))
        .collect();
    let arms: Vec<(&Value, &Value)> = arms.iter().map(|(test, word)| (test, word)).collect();
    let zero = literal(0, width);
    if arms.is_empty() { zero } else { c.choose(name, &arms, &zero, doc) }
}

/// For each row of a layer's `factored` memory 1 and its product; 0 where there is none, and in
/// columns whose magnitude is 0 where weights are given by index.
pub(super) fn frozen_products(config: &PeConfig, shape: FactoredConfig, memory: &LayerMemory) -> Vec<u128> {
    let mut words = vec![0; shape.rows()];
    let at = |row: &AmRow| {
        let (column, _, activation) = shape.parts(config.format, row.key);
        (column, shape.address(config.format, column, activation) as usize)
    };
    for (row, (column, at)) in memory.am.rows.iter().map(|row| (row, at(row))) {
        // The first of them counts, as everywhere.
        if words[at] == 0 && (!config.has_codebook() || memory.magnitude(column) != 0) {
            words[at] = 1 << config.product_bits() | u128::from(row.product.0);
        }
    }
    words
}
