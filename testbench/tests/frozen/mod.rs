//! Contents of frozen memories, made up from a seed.

use axp_golden::am::Am;
use axp_spec::{AmImage, AmRow, Bits32, Content, LayerMemory, Organisation, PeConfig, WeightOperand};

/// How a content is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As trained networks have it: weights around 1, all rows. The last one of several
    /// columns of a `factored` memory holds a zero in every second layer.
    Whole,
    /// The same, but that weights of a `factored` memory are two significands at neighbouring powers
    /// of two, so that columns have the same products: the lowest bit of a column tells which.
    Shared,
    /// Rows left out, weights anywhere, subnormal and zero ones among them.
    Ragged,
}

/// The configuration with weights given by index.
pub fn index(mut config: PeConfig) -> PeConfig {
    config.am.as_mut().unwrap().weight = WeightOperand::Index;
    config
}

/// The configuration with so many layers frozen into it.
pub fn frozen(mut config: PeConfig, layers: u64, shape: Shape) -> PeConfig {
    // Only the configuration that results must have a name.
    config.name = "axp_pe_frozen".into();
    let made: Vec<LayerMemory> = (0..layers).map(|number| layer(&config, number, shape)).collect();
    let am = config.am.as_mut().unwrap();
    am.content = Content::Frozen { layers: made };
    config.validate().unwrap_or_else(|error| panic!("{error}"));
    config
}

/// The configuration with every second pattern or row storing products of 0, in all layers.
pub fn faint(mut config: PeConfig) -> PeConfig {
    let columns = config.grid_memory().map_or(1, |shape| shape.columns as usize);
    if let Some(Content::Frozen { layers }) = config.am.as_mut().map(|am| &mut am.content) {
        let rows = layers.iter_mut().flat_map(|layer| layer.am.rows.iter_mut().enumerate());
        rows.filter(|(row, _)| (row / columns).is_multiple_of(2)).for_each(|(_, row)| row.product = Bits32(0));
    }
    config.validate().unwrap_or_else(|error| panic!("{error}"));
    config
}

/// A layer that the memory of `config` takes.
fn layer(config: &PeConfig, number: u64, shape: Shape) -> LayerMemory {
    let format = config.format;
    let mixed = |what: u64, index: u64| {
        let x = (number << 48 ^ what << 32 ^ index).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ x >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 7
    };
    let near_one = |random: u64| {
        let exponent = format.bias() as u64 - 1 - random % 2;
        (exponent << format.fraction_bits() | random >> 8 & ((1 << format.fraction_bits()) - 1)) as u32
    };
    let columns = u64::from(config.columns().unwrap_or(0));
    let unused = |column| config.factored_memory().is_some() && column > 0 && column + 1 == columns && number % 2 == 1;
    let magnitude = |column: u64| match (shape, mixed(0, column) % 6) {
        (Shape::Whole, _) if unused(column) => 0,
        (Shape::Shared, _) => {
            let fraction = mixed(1, column % 2) & ((1 << format.fraction_bits()) - 1);
            ((format.bias() as u64 + column / 2 - 3) << format.fraction_bits() | fraction) as u32
        }
        (Shape::Whole, _) | (_, 0..3) => near_one(mixed(1, column)),
        (Shape::Ragged, 3) => 0,
        // The port of a format has as many bits; infinities become the largest number.
        (Shape::Ragged, 4) => (mixed(2, column) & (format.sign_mask() - 1)).min(format.largest_finite()) as u32,
        (Shape::Ragged, _) => 1 + (mixed(2, column) % 3) as u32,
    };
    let kept = |row: u64| shape != Shape::Ragged || mixed(3, row) % 4 > 0;
    let product = |row: u64| Bits32(mixed(4, row) as u32 & (u64::MAX >> (64 - config.product_bits())) as u32);
    let magnitudes: Vec<Bits32> = (0..columns).map(|column| Bits32(magnitude(column))).collect();
    let rows: Vec<AmRow> = match config.organisation().unwrap() {
        Organisation::Factored(factored) => {
            let rows = (0..factored.rows() as u64).filter(|row| kept(*row));
            let row = |row: u64| {
                let (column, prefix) = ((row >> factored.mantissa_bits) as u32, row as u32);
                let prefix = prefix << (format.fraction_bits() - factored.mantissa_bits);
                let key = factored.key(format, column, magnitudes[column as usize].0, prefix);
                let product = match shape {
                    Shape::Shared => product(row & ((2 << factored.mantissa_bits) - 1)),
                    Shape::Whole | Shape::Ragged => product(row),
                };
                AmRow { key, care: factored.care(format), product }
            };
            rows.map(row).collect()
        }
        Organisation::Grid(grid) => {
            let patterns = (0..u64::from(grid.patterns)).filter(|pattern| kept(*pattern));
            patterns
                .flat_map(|pattern| (0..grid.columns).map(move |column| (pattern, column)))
                .map(|(pattern, column)| {
                    // Whole: of one exponent, by as many fraction bits as are needed. Ragged: overlapping.
                    let bits = u64::BITS - u64::from(grid.patterns).leading_zeros();
                    let below = format.fraction_bits().saturating_sub(bits);
                    let (key, care) = match shape {
                        Shape::Whole | Shape::Shared => {
                            let one = (format.bias() as u64) << format.fraction_bits();
                            (one | pattern << below, u64::MAX << below)
                        }
                        Shape::Ragged => {
                            let care = u64::MAX << (mixed(5, pattern) % u64::from(format.fraction_bits() + 1));
                            (u64::from(near_one(mixed(6, pattern))), care)
                        }
                    };
                    let care = care as u32 & (format.sign_mask() - 1) as u32;
                    let all = (1 << grid.column_bits()) - 1;
                    let product = product(pattern << 16 | u64::from(column));
                    let product = match config.stores_units() {
                        true => product,
                        false => Bits32(u64::from(product.0).min(format.largest_finite()) as u32),
                    };
                    AmRow {
                        key: grid.key(format, column, key as u32 & care),
                        care: grid.key(format, all, care),
                        product,
                    }
                })
                .collect()
        }
        Organisation::Pair => (0..config.rows() as u64)
            .filter(|row| kept(*row))
            .map(|row| {
                let (weight, activation) = (near_one(mixed(7, row % 3)), near_one(mixed(8, row)));
                let care = format.key_of(u32::MAX, u32::MAX << (format.fraction_bits() - 2));
                let key = format.key_of(weight, activation) & care;
                AmRow { key, care, product: product(row) }
            })
            .collect(),
    };
    let fixed = config.accumulator_format(0).is_some();
    let range = if fixed { (format.bias() + 1 + (number % 3) as i32) as u32 } else { 0 };
    let magnitudes = if config.has_codebook() { magnitudes } else { Vec::new() };
    let mut layer = LayerMemory { range, magnitudes, am: AmImage { rows } };
    // A row that the loader refuses, one that is exact or infinite, is left out.
    if config.organisation() == Some(Organisation::Pair) {
        let alone = |row: &AmRow| Am::new(config).load(&AmImage { rows: vec![*row] }).is_ok();
        layer.am.rows.retain(alone);
    }
    layer
}
