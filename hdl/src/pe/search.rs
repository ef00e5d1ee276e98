//! The search of the memory for the pair on the input bus, and the read of its product.

use super::align::places_bits;
use super::ports::{Ports, WeightPort};
use crate::am::{
    RowPort, Scale, codebook, factored_hit, factored_memory, grid_memory, is_regular, pair_memory, regular_read,
};
use crate::circuit::{Circuit, Instance, Value, concat, literal};
use axp_spec::{Accumulator, FactoredConfig, Organisation, PeConfig};

/// Where the search stands.
pub(super) struct Search<'a> {
    pub config: &'a PeConfig,
    pub ports: &'a Ports,
    /// The layer register of a frozen memory.
    pub layer: Option<&'a Value>,
}

/// What the search found.
pub(super) struct Lookup {
    /// The memory has the product.
    pub hit: Value,
    /// Magnitude of the weight in the multiplier's operands, where there is a codebook.
    pub magnitude: Option<Value>,
    /// The product is {sign, places, nonzero, fraction} for a fixed-point sum of its range.
    pub placed: bool,
    product: Product,
}

/// The product of a hit.
enum Product {
    /// On the bus: a register follows.
    Found(Value),
    /// Read from a key, behind the register that is described last.
    Keyed { key: Value, stored: Value, product: Value },
}

/// The operands of a search in a memory with columns.
struct Operands<'a> {
    activation: &'a Value,
    /// Sign of the weight, or the weight.
    weight: &'a Value,
    column: Option<&'a Value>,
}

impl Lookup {
    /// The product one stage after the bus, of pairs for which `recalls` held.
    pub fn product(self, c: &mut Circuit, recalls: &Value) -> Value {
        match self.product {
            Product::Found(product) => c.register("stored", &product, recalls),
            Product::Keyed { key, stored, product } => {
                let register = c.register("key", &key, recalls);
                c.define(&stored, register);
                product
            }
        }
    }
}

impl Search<'_> {
    /// The search; `None` in a PE without a memory. `miss_column` is the column of the
    /// weight in the multiplier's operands, `zero` says that the activation is ±0.
    pub fn describe(&self, c: &mut Circuit, miss_column: Option<&Value>, zero: &Value) -> Option<Lookup> {
        let organisation = self.config.organisation()?;
        if let (Organisation::Factored(shape), WeightPort::Index { sign, column }) = (organisation, &self.ports.weight)
            && is_regular(self.config, shape)
        {
            return Some(self.keyed(c, shape, (sign, column), miss_column, zero));
        }
        let activation = &self.ports.activation;
        let operands = match &self.ports.weight {
            WeightPort::Value { weight, column } => Operands { activation, weight, column: column.as_ref() },
            WeightPort::Index { sign, column } => Operands { activation, weight: sign, column: Some(column) },
        };
        let book = miss_column.map(|miss| self.codebook(c, "codebook", miss, operands.column));
        let memory = self.memory(c, "memory", &operands, book.as_ref());
        Some(Lookup {
            hit: memory.port("hit_o"),
            magnitude: book.map(|book| book.port("magnitude_o")),
            placed: false,
            product: Product::Found(memory.port("product_o")),
        })
    }

    /// A regular memory: two exponent bits decide nearly always, and a search that rests
    /// meanwhile decides the others. What is known to hit is read without a search.
    ///
    /// ```text
    ///            stage 0 (bus)                    │ stage 1
    /// index ────► key ────────────────────────────┼─► memory ─► product
    /// activ. ─┬─► key: exponent, mantissa bits ───┤
    ///         ├─► zero, or top exponent bits differ ─┬► hit
    ///         └─► & far ─► far memory ───────────────┘
    /// ```
    ///
    /// An activation is far if its top exponent bits are the same and its exponent is not 0; what
    /// is subnormal misses. Few gates say so, or the search would begin on every zero, which is told
    /// from what is not by all of its bits.
    fn keyed(
        &self,
        c: &mut Circuit,
        shape: FactoredConfig,
        (sign, column): (&Value, &Value),
        miss_column: Option<&Value>,
        zero: &Value,
    ) -> Lookup {
        let format = self.config.format;
        let (fraction_bits, exponent_bits) = (format.fraction_bits(), format.exponent_bits());
        let activation = &self.ports.activation;
        let exponent = activation.slice(fraction_bits, exponent_bits);
        let below = fraction_bits - shape.mantissa_bits;
        // Sign, exponent and the mantissa bits that select a row.
        let top = |value: &Value| value.slice(below, format.width() - below);

        // No weight of a regular memory is subnormal, so that a zero always hits.
        let (first, second) = (exponent.top(), exponent.bit(exponent_bits - 2));
        let near = c.net("near", &first ^ &second, "a hit whatever the weight");
        let tiny = match exponent_bits {
            2 => literal(0, 1),
            _ => !(&first | &second) & exponent.slice(0, exponent_bits - 2).any(),
        };
        let far = c.net("far", (&first & &second) | tiny, "the far memory knows");
        // A far magnitude is no zero. It is infinite or a NaN by its exponent where the
        // format has infinities, and selects a row by its top bits.
        let magnitude = activation.slice(0, format.width() - 1);
        let looked = if format.has_infinity() && below > 0 {
            concat(&[&magnitude.slice(below, magnitude.width() - below), &literal(0, below)])
        } else {
            magnitude
        };
        let shut = |c: &mut Circuit, name: &str, value: &Value, doc: &str| {
            c.choose(name, &[(&far, value)], &literal(0, value.width()), doc)
        };
        let far_activation = shut(c, "far_activation", &looked, "0 unless it is far");
        let far_column = shut(c, "far_column", column, "the same");
        // Nothing is multiplied with the far codebook.
        let none = literal(0, column.width());
        let far_book = self.codebook(c, "far_codebook", &none, Some(&far_column));
        let (far_exponent, far_zero) = (far_book.port("exponent_o"), far_book.port("zero_o"));
        let mut inputs = vec![("activation_i", &far_activation), ("column_i", &far_column)];
        inputs.extend([("weight_exponent_i", &far_exponent), ("weight_zero_i", &far_zero)]);
        inputs.extend(self.layer.map(|layer| ("layer_i", layer)));
        let found = &far & c.instance("far_memory", factored_hit(self.config, shape), &inputs).port("hit_o");
        let hit = c.net("hit", near | zero | found, "the memory has the product");

        let sign = c.net("key_sign", sign ^ activation.top(), "sign of the product");
        let selected = top(activation);
        let key = concat(&[&sign, column, &selected.slice(0, selected.width() - 1)]);
        let stored = c.forward("key_stored", key.width(), "sign, column, exponent, mantissa bits of a hit");
        let rest = exponent_bits + shape.mantissa_bits;
        let prefix = (shape.mantissa_bits > 0).then(|| stored.slice(0, shape.mantissa_bits));
        let (exponent, column) = (stored.slice(shape.mantissa_bits, exponent_bits), stored.slice(rest, column.width()));
        let placed = matches!(self.config.accumulator, Accumulator::Fixed { .. });
        let scale = if placed { Scale::Places(places_bits(format)) } else { Scale::Exponent };
        let mut inputs = vec![("column_i", &column), ("exponent_i", &exponent)];
        inputs.extend(prefix.iter().map(|prefix| ("prefix_i", prefix)));
        inputs.extend(self.layer.map(|layer| ("layer_i", layer)));
        let read = c.instance("memory", regular_read(self.config, shape, scale), &inputs);
        let [nonzero, scale, fraction] = ["nonzero_o", "scale_o", "fraction_o"].map(|port| read.port(port));
        let sign = stored.top();
        let product = match placed {
            true => concat(&[&sign, &scale, &nonzero, &fraction]),
            false => concat(&[&sign, &scale, &fraction]),
        };
        let magnitude = miss_column.map(|miss| self.codebook(c, "codebook", miss, Some(&none)).port("magnitude_o"));
        Lookup { hit, magnitude, placed, product: Product::Keyed { key, stored, product } }
    }

    /// A codebook, read for the multiplier at `miss_column`, and by a `factored` memory
    /// at `column`.
    fn codebook(&self, c: &mut Circuit, name: &str, miss_column: &Value, column: Option<&Value>) -> Instance {
        let mut inputs = vec![("miss_column_i", miss_column)];
        if let Some(port) = &self.ports.codebook {
            inputs.extend([
                ("codebook_we_i", &port.write),
                ("codebook_addr_i", &port.column),
                ("codebook_magnitude_i", &port.magnitude),
            ]);
        }
        inputs.extend(self.layer.map(|layer| ("layer_i", layer)));
        if self.config.factored_memory().is_some() {
            inputs.extend(column.map(|column| ("column_i", column)));
        }
        c.instance(name, codebook(self.config), &inputs)
    }

    /// The memory, searched for `operands`.
    fn memory(&self, c: &mut Circuit, name: &str, operands: &Operands<'_>, book: Option<&Instance>) -> Instance {
        let config = self.config;
        let memory = match config.organisation() {
            Some(Organisation::Grid(shape)) => grid_memory(config, shape),
            Some(Organisation::Factored(shape)) => factored_memory(config, shape),
            Some(Organisation::Pair) | None => pair_memory(config),
        };
        let mut inputs = vec![("activation_i", operands.activation)];
        inputs.extend(self.layer.map(|layer| ("layer_i", layer)));
        inputs.extend(self.ports.rows.iter().flat_map(RowPort::inputs));
        inputs.push((if config.has_codebook() { "weight_sign_i" } else { "weight_i" }, operands.weight));
        inputs.extend(operands.column.map(|column| ("column_i", column)));
        let said = book.filter(|_| config.factored_memory().is_some());
        let said = said.map(|book| (book.port("exponent_o"), book.port("zero_o")));
        if let Some((exponent, zero)) = &said {
            inputs.extend([("weight_exponent_i", exponent), ("weight_zero_i", zero)]);
        }
        c.instance(name, memory, &inputs)
    }
}
