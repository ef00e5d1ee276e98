//! Components of a processing element, and what each one's energy goes with.

use super::activity::Activity;
use crate::energy::figures::Split;
use axp_spec::{Accumulator, GridConfig, Organisation, PeConfig};
use serde::{Deserialize, Serialize};

/// A part of a processing element whose energy has a row of its own in a table.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// `pair` rows with a row port.
    PairProgrammable,
    /// `pair` rows in logic.
    PairFrozen,
    /// A `grid` with a row port.
    GridProgrammable,
    /// A `grid` in logic.
    GridFrozen,
    /// A `factored` memory with a row port.
    FactoredProgrammable,
    /// A `factored` memory in logic.
    FactoredFrozen,
    /// The binary32 multiplier.
    Multiplier,
    /// The binary32 sum, and the logic between the parts.
    FloatSum,
    /// The fixed-point sum with its conversions, and the logic between the parts.
    FixedSum,
    /// Data in registers and in the output buffer.
    Registers,
    /// Clock pins and clock gates.
    Clock,
    /// What flows without transitions.
    Leakage,
    /// Writing the rows of a layer, or its number.
    Reload,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::PairProgrammable,
        Self::PairFrozen,
        Self::GridProgrammable,
        Self::GridFrozen,
        Self::FactoredProgrammable,
        Self::FactoredFrozen,
        Self::Multiplier,
        Self::FloatSum,
        Self::FixedSum,
        Self::Registers,
        Self::Clock,
        Self::Leakage,
        Self::Reload,
    ];

    /// What it is called in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PairProgrammable => "pair, programmable",
            Self::PairFrozen => "pair, frozen",
            Self::GridProgrammable => "grid, programmable",
            Self::GridFrozen => "grid, frozen",
            Self::FactoredProgrammable => "factored, programmable",
            Self::FactoredFrozen => "factored, frozen",
            Self::Multiplier => "multiplier",
            Self::FloatSum => "binary32 sum",
            Self::FixedSum => "fixed-point sum",
            Self::Registers => "registers",
            Self::Clock => "clock",
            Self::Leakage => "leakage",
            Self::Reload => "reload",
        }
    }

    /// The components of a configuration. The multiplier and what follows it are in all.
    pub fn of(config: &PeConfig) -> Vec<Self> {
        let memory = config.organisation().map(|organisation| match (organisation, config.is_frozen()) {
            (Organisation::Pair, false) => Self::PairProgrammable,
            (Organisation::Pair, true) => Self::PairFrozen,
            (Organisation::Grid(_), false) => Self::GridProgrammable,
            (Organisation::Grid(_), true) => Self::GridFrozen,
            (Organisation::Factored(_), false) => Self::FactoredProgrammable,
            (Organisation::Factored(_), true) => Self::FactoredFrozen,
        });
        let sum = match config.accumulator {
            Accumulator::Float => Self::FloatSum,
            Accumulator::Fixed { .. } => Self::FixedSum,
        };
        let reload = memory.map(|_| Self::Reload);
        let common = [Self::Multiplier, sum, Self::Registers, Self::Clock, Self::Leakage];
        memory.into_iter().chain(common).chain(reload).collect()
    }

    /// Its place in a split.
    pub const fn place(self, split: &mut Split) -> &mut f64 {
        match self {
            Self::PairProgrammable
            | Self::PairFrozen
            | Self::GridProgrammable
            | Self::GridFrozen
            | Self::FactoredProgrammable
            | Self::FactoredFrozen => &mut split.search_and_read,
            Self::Multiplier => &mut split.multiplier,
            Self::FloatSum | Self::FixedSum => &mut split.accumulator,
            Self::Registers => &mut split.registers,
            Self::Clock => &mut split.clock,
            Self::Leakage => &mut split.leakage,
            Self::Reload => &mut split.reload,
        }
    }

    /// What the component's energy a MAC goes with: names and sizes. A table has an
    /// energy in pJ for each name; the energy of the component is the sum of products.
    /// Those of [`Component::Reload`] go with layers, see [`Component::reload_terms`].
    pub fn terms(self, config: &PeConfig, activity: &Activity) -> Vec<(&'static str, f64)> {
        let Activity {
            hits,
            misses,
            starts,
            awake,
            bus_bits,
            column_changes,
            prefix_changes,
            key_bits,
            operand_bits,
            product_bits,
            magnitude_bits,
            sign_flips,
            sum_bits,
            order_changes,
            near,
        } = *activity;
        let size = Size::of(config);
        let summed = hits + misses;
        match self {
            Self::PairProgrammable | Self::PairFrozen => {
                vec![
                    ("row", size.rows),
                    ("row_bus_bit", size.rows * bus_bits),
                    ("hit", hits),
                    ("row_hit", size.rows * hits),
                    // Lines that reach all rows grow longer, and their glitches with them.
                    ("square_row_bus_bit", size.rows * size.rows * bus_bits),
                ]
            }
            // All patterns are compared with all bits; and a column's line leads to the products of all patterns.
            Self::GridProgrammable => vec![
                ("pattern_bus_bit", size.patterns * bus_bits),
                ("product_column_change_bit", size.products * column_changes * size.product_bits),
            ],
            // All terms go with what changes: hits of one activation and weight after another take next to
            // nothing. Logic that reads a product is shared by those beside it, and a column's line leads
            // to a product of every pattern; fewer of their bits are the layer's own where there are more layers.
            Self::GridFrozen => vec![
                ("root_product_prefix_change", size.products.sqrt() * prefix_changes),
                (
                    "pattern_column_change_bit_root_layer",
                    size.patterns * column_changes * size.product_bits / size.frozen_layers.max(1.0).sqrt(),
                ),
            ],
            // A column's line leads to its rows, and what tells a row's prefix to those of all columns.
            Self::FactoredProgrammable => vec![
                ("hit", hits),
                ("column_change", column_changes),
                ("column_column_change", size.columns * column_changes),
                ("prefix_change", prefix_changes),
            ],
            Self::FactoredFrozen => vec![
                ("bus_bit", bus_bits),
                ("hit", hits),
                ("key_bit", key_bits),
                ("root_row_key_bit", size.rows.sqrt() * key_bits),
                // A read is gated by its select: what leads to a row grows, not all rows switch.
                ("root_row_hit_product_bit", size.rows.sqrt() * hits * size.product_bits),
                ("hit_product_bit", hits * size.product_bits),
                ("miss", misses),
            ],
            Self::Multiplier => vec![("miss", misses), ("operand_bit", operand_bits)],
            Self::FloatSum => vec![
                ("awake", awake),
                ("sum", summed),
                ("start", starts),
                // A product that logic reads settles late, and what orders the next sum follows all of it.
                ("root_row_read", size.rows_in_logic.sqrt() * hits),
                ("product_bit", product_bits),
                ("sign_flip", sign_flips),
                ("order_change", order_changes),
                ("near", near),
                ("sum_bit", sum_bits),
            ],
            Self::FixedSum => vec![
                ("searched", size.searched),
                ("awake", awake),
                ("bus_bit", bus_bits),
                ("hit", hits),
                ("hit_product_bit", hits * size.product_bits),
                ("miss", misses),
                ("miss_sum_bit", misses * size.sum_bits),
                ("magnitude_bit", magnitude_bits),
                ("scaled_magnitude_bit", size.scaled * magnitude_bits),
                // All bits of the addend are flipped, and each may ripple through all above it.
                ("sign_flip_sum_bit", sign_flips * size.sum_bits),
                ("sign_flip_square_sum_bit", sign_flips * size.sum_bits * size.sum_bits),
                ("sum_bit", sum_bits),
            ],
            Self::Registers => {
                let sum = match config.accumulator {
                    Accumulator::Float => [("float_sum", summed), ("float_sum_bit", sum_bits)],
                    Accumulator::Fixed { .. } => [("fixed_sum", summed), ("fixed_sum_bit", sum_bits)],
                };
                let others = [
                    ("searched", size.searched),
                    ("awake", awake),
                    ("bus_bit", bus_bits),
                    ("key_bit", key_bits),
                    ("operand_bit", operand_bits),
                    ("product_bit", product_bits),
                    ("scaled_hit", size.scaled * hits),
                ];
                others.into_iter().chain(sum).collect()
            }
            Self::Clock => vec![
                ("cycle", 1.0),
                ("awake", awake),
                ("hit", hits),
                ("miss", misses),
                ("sum_bit", summed * size.sum_bits),
                ("hit_product_bit", hits * size.product_bits),
                ("scaled_hit", size.scaled * hits),
                ("gate", size.gates),
            ],
            Self::Leakage => vec![("cycle", 1.0), ("row", size.rows), ("stored_bit", size.stored_bits)],
            Self::Reload => Vec::new(),
        }
    }

    /// The same for what comes once a layer: `macs` are those of one inference, of all
    /// `layers`.
    pub fn reload_terms(config: &PeConfig, layers: usize, macs: u64) -> Vec<(&'static str, f64)> {
        let times = layers as f64 / (macs as f64).max(1.0);
        let size = Size::of(config);
        if config.is_frozen() {
            return vec![("layer", times), ("layer_stored_bit", times * size.stored_bits)];
        }
        let book = if config.has_codebook() { size.columns } else { 0.0 };
        let writes = times * (size.rows + book);
        vec![("write", writes), ("row_write", writes * size.rows)]
    }
}

/// Sizes of a configuration that energies go with.
pub(super) struct Size {
    /// Rows of the memory, the products of all columns counted.
    pub(super) rows: f64,
    /// Those of a `factored` memory in logic.
    rows_in_logic: f64,
    /// Patterns of a `grid`.
    pub(super) patterns: f64,
    /// Bits of the activation that patterns in logic are compared with, in any of the layers, all together.
    pub(super) compared_bits: f64,
    /// Products of a `grid`, of all patterns and columns.
    products: f64,
    /// Their bits.
    pub(super) grid_bits: f64,
    /// Layers of a frozen memory.
    frozen_layers: f64,
    /// Bits in registers of a programmable memory and its codebook.
    pub(super) register_bits: f64,
    /// Columns of weights.
    pub(super) columns: f64,
    /// Bits in the rows; of a frozen memory those of all layers.
    pub(super) stored_bits: f64,
    /// Clock gates of a programmable memory.
    pub(super) gates: f64,
    /// 1 if a hit's product has an exponent beside it, which is added and shifted by: that of a `factored` memory.
    scaled: f64,
    /// 1 if every pair is searched for on the bus, and 0 if what hits is known without.
    searched: f64,
    /// Bits of a stored product.
    product_bits: f64,
    /// Bits of the sum.
    sum_bits: f64,
}

impl Size {
    pub(super) fn of(config: &PeConfig) -> Self {
        let layers = config.frozen_layers().iter().map(|layer| layer.different_rows(config) as f64);
        let (all_layers, most) = layers.fold((0.0, 0.0), |(sum, most), rows| (sum + rows, rows.max(most)));
        // In logic, rows that hold the same are one.
        let rows = if config.is_frozen() { most } else { config.rows() as f64 };
        let patterns = config.grid_memory().map_or(0.0, |shape| f64::from(shape.patterns));
        let columns = f64::from(config.columns().unwrap_or(0));
        let compared_bits = config.grid_memory().map_or(0.0, |shape| compared_bits(config, shape));
        let product_bits = f64::from(config.product_bits());
        let width = f64::from(config.format.width());
        let row_bits = match config.organisation() {
            Some(Organisation::Pair) => 4.0 * width + product_bits,
            _ => product_bits,
        };
        let stored_rows = if config.is_frozen() { all_layers } else { rows };
        let gates =
            if config.is_frozen() { 0.0 } else { rows + patterns + if config.has_codebook() { columns } else { 0.0 } };
        let sum_bits = match config.accumulator {
            Accumulator::Float => width,
            Accumulator::Fixed { width, .. } => f64::from(width),
        };
        let scaled = f64::from(u8::from(config.factored_memory().is_some()));
        let rows_in_logic = if config.is_frozen() { scaled * rows } else { 0.0 };
        // Contents of trained networks are regular.
        let known = config.factored_memory().is_some() && config.is_frozen() && config.has_codebook();
        let searched = f64::from(u8::from(!known));
        let stored_bits = stored_rows * row_bits;
        let products = patterns * columns;
        let grid_bits = products * product_bits;
        // Each row and pattern has a bit that says that it is valid, and a codebook has magnitudes.
        let of_columns = columns * (width - 1.0);
        let register_bits = match config.organisation() {
            _ if config.is_frozen() => 0.0,
            Some(Organisation::Pair) => rows * (row_bits + 1.0),
            Some(Organisation::Grid(_)) => patterns * (2.0 * width - 1.0) + grid_bits + of_columns,
            Some(Organisation::Factored(_)) => rows * (product_bits + 1.0) + of_columns,
            None => 0.0,
        };
        Self {
            rows,
            rows_in_logic,
            patterns,
            compared_bits,
            products,
            grid_bits,
            frozen_layers: config.frozen_layers().len() as f64,
            register_bits,
            columns,
            stored_bits,
            gates,
            scaled,
            searched,
            product_bits,
            sum_bits,
        }
    }
}

/// Of all patterns of a frozen `grid` the bits that one of the layers compares.
fn compared_bits(config: &PeConfig, shape: GridConfig) -> f64 {
    let of_pattern = |pattern: u32| {
        let first = (pattern * shape.columns) as usize;
        let cares = config.frozen_layers().iter().filter_map(|layer| layer.am.rows.get(first));
        cares.fold(0, |bits, row| bits | shape.parts(config.format, row.care).1).count_ones()
    };
    f64::from((0..shape.patterns).map(of_pattern).sum::<u32>())
}
