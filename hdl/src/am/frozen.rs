//! Words that are built into the netlist, one a layer.

use crate::circuit::{Circuit, Value, literal};
use axp_spec::{AmRow, FactoredConfig, LayerMemory, PeConfig};

/// A word that depends on the layer alone: what `of` says for each layer of a
/// frozen memory, and 0 for a layer that there is not.
///
/// The layer does not change while pairs are in the pipe, so that nothing of this
/// switches then.
pub(crate) fn frozen_word(
    c: &mut Circuit,
    (name, doc): (&str, &str),
    (config, layer): (&PeConfig, &Value),
    width: u32,
    of: impl Fn(&LayerMemory) -> u128,
) -> Value {
    let words = config.frozen_layers().iter().map(of);
    let arms: Vec<(Value, Value)> = (0..)
        .zip(words)
        .filter(|(_, word)| *word != 0)
        .map(|(number, word): (u128, u128)| (layer.equals(&literal(number, layer.width())), literal(word, width)))
        .collect();
    let arms: Vec<(&Value, &Value)> = arms.iter().map(|(test, word)| (test, word)).collect();
    let zero = literal(0, width);
    if arms.is_empty() { zero } else { c.choose(name, &arms, &zero, doc) }
}

/// 1 and the product in a row of a layer's `factored` memory, 0 where there is none.
pub(super) fn frozen_product(config: &PeConfig, shape: FactoredConfig, memory: &LayerMemory, row: usize) -> u128 {
    let at = |row: &&AmRow| {
        let (column, _, activation) = shape.parts(config.format, row.key);
        shape.address(config.format, column, activation) as usize
    };
    let found = memory.am.rows.iter().find(|other| at(other) == row);
    found.map_or(0, |row| 1 << config.product_bits() | u128::from(row.product.0))
}
