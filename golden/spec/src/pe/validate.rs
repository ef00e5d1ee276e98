//! What a configuration must not be.

use super::{Accumulator, MAX_ADDER_STAGES, MAX_MULTIPLIER_STAGES, PeConfig};
use crate::format::FloatFormat;
use crate::fpu::FixedFormat;
use crate::memory::{AmConfig, Content, LayerError, MAX_LAYERS, MAX_ROWS, Organisation, Storage, WeightOperand};
use crate::names::is_safe_name;
use crate::narrow::NarrowOperands;
use thiserror::Error;

/// Why a configuration cannot be built.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum PeConfigError {
    /// The name would not be a safe module and folder name.
    #[error(
        "{0:?} cannot name a configuration: use 1 to 48 lower-case letters, digits and '_', \
         a letter first, no '__', no '_' at the end, and no Verilog keyword"
    )]
    Name(String),
    /// The number of rows is outside the supported range.
    #[error("an associative memory of {0} rows cannot be built: use 1 to {MAX_ROWS}")]
    Rows(usize),
    /// More mantissa bits of the activation than it has.
    #[error("{mantissa_bits} mantissa bits cannot select a row: {format} has {}", format.fraction_bits())]
    MantissaBits {
        /// What was asked for.
        mantissa_bits: u32,
        /// The PE's format.
        format: FloatFormat,
    },
    /// The number of rows is not that of the shape.
    #[error("a memory of this shape has {expected} rows, not {rows}")]
    ShapeRows {
        /// What was asked for.
        rows: usize,
        /// Columns times prefixes, or times patterns.
        expected: usize,
    },
    /// A weight cannot be given by its column.
    #[error("a pair memory has no columns, so that a weight must be given by its value")]
    Index,
    /// Latches in a memory without rows to be written.
    #[error("a frozen memory has no rows to keep in latches: use storage flops, or make it programmable")]
    FrozenLatches,
    /// Narrow operands in a PE that is not a plain one.
    #[error("{} operands need a plain PE in fp32 without cuts (int8 also accumulator float, multiplier dadda)", .0.name())]
    Operands(NarrowOperands),
    /// No layers, or too many.
    #[error("a frozen memory of {0} layers cannot be built: use 1 to {MAX_LAYERS}")]
    Layers(usize),
    /// A layer of a frozen memory cannot be loaded.
    #[error("layer {layer} of the frozen memory: {source}")]
    Frozen {
        /// Its index.
        layer: usize,
        /// What is wrong with it.
        source: Box<LayerError>,
    },
    /// The accumulator is too narrow or too wide.
    #[error(
        "an accumulator of {width} bits cannot be built: use {} to {}",
        FixedFormat::MIN_ACCUMULATOR,
        FixedFormat::MAX_WIDTH
    )]
    AccumulatorWidth {
        /// What was asked for.
        width: u32,
    },
    /// The stored products are too narrow or too wide.
    #[error("stored products of {product_width} bits cannot be built: use 2 to {most}")]
    ProductWidth {
        /// What was asked for.
        product_width: u32,
        /// The most that fits the accumulator and the row port, or the most that
        /// a significand has.
        most: u32,
    },
    /// A width for products that have one already.
    #[error("product_bits is for a factored memory beside a floating-point sum: leave it out")]
    ProductBits,
    /// More pipeline cuts than a unit has places for.
    #[error("{cuts} pipeline cuts in the {unit} cannot be built: use 0 to {most}")]
    Stages {
        /// `multiplier`, `adder` or `fixed-point accumulator`.
        unit: &'static str,
        /// What was asked for.
        cuts: u32,
        /// The most there can be.
        most: u32,
    },
}

impl PeConfig {
    /// Checks what the types cannot: the name and the sizes.
    pub fn validate(&self) -> Result<(), PeConfigError> {
        if !is_safe_name(&self.name) {
            return Err(PeConfigError::Name(self.name.clone()));
        }
        self.validate_operands()?;
        if let Some(am) = &self.am {
            self.validate_memory(am)?;
        }
        let adder = match self.accumulator {
            Accumulator::Float => ("adder", self.adder_stages, MAX_ADDER_STAGES),
            Accumulator::Fixed { width, product_width } => {
                if !(FixedFormat::MIN_ACCUMULATOR..=FixedFormat::MAX_WIDTH).contains(&width) {
                    return Err(PeConfigError::AccumulatorWidth { width });
                }
                let most = match self.organisation() {
                    Some(Organisation::Factored(_)) => (self.format.fraction_bits() + 1).min(width - 1),
                    Some(Organisation::Grid(_)) => (width - 1).min(31),
                    Some(Organisation::Pair) | None => width.min(32),
                };
                if !(2..=most).contains(&product_width) {
                    return Err(PeConfigError::ProductWidth { product_width, most });
                }
                ("fixed-point accumulator", self.adder_stages, 0)
            }
        };
        let cuts = [("multiplier", self.multiplier_stages, MAX_MULTIPLIER_STAGES), adder];
        for (unit, cuts, most) in cuts {
            if cuts > most {
                return Err(PeConfigError::Stages { unit, cuts, most });
            }
        }
        // Last, because what a layer may hold depends on all of the above.
        self.frozen_layers().iter().enumerate().try_for_each(|(layer, memory)| {
            memory.validate(self).map_err(|source| PeConfigError::Frozen { layer, source: Box::new(source) })
        })
    }

    fn validate_memory(&self, am: &AmConfig) -> Result<(), PeConfigError> {
        if !(1..=MAX_ROWS).contains(&am.rows) {
            return Err(PeConfigError::Rows(am.rows));
        }
        let expected = match am.organisation {
            Organisation::Pair => am.rows,
            Organisation::Grid(shape) => shape.rows(),
            Organisation::Factored(shape) => {
                let (mantissa_bits, format) = (shape.mantissa_bits, self.format);
                if mantissa_bits > format.fraction_bits() {
                    return Err(PeConfigError::MantissaBits { mantissa_bits, format });
                }
                shape.rows()
            }
        };
        if expected != am.rows {
            return Err(PeConfigError::ShapeRows { rows: am.rows, expected });
        }
        if am.weight == WeightOperand::Index && am.organisation == Organisation::Pair {
            return Err(PeConfigError::Index);
        }
        if am.storage == Storage::Latches && self.is_frozen() {
            return Err(PeConfigError::FrozenLatches);
        }
        if let Some(product_width) = am.product_bits {
            let most = self.format.fraction_bits() + 1;
            match (am.organisation, self.accumulator) {
                (Organisation::Factored(_), Accumulator::Float) if (2..=most).contains(&product_width) => {}
                (Organisation::Factored(_), Accumulator::Float) => {
                    return Err(PeConfigError::ProductWidth { product_width, most });
                }
                _ => return Err(PeConfigError::ProductBits),
            }
        }
        match &am.content {
            Content::Frozen { layers } if !(1..=MAX_LAYERS).contains(&layers.len()) => {
                Err(PeConfigError::Layers(layers.len()))
            }
            _ => Ok(()),
        }
    }
}
