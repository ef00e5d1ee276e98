//! Rows and operand pairs of a grid.

use super::{Case, Encoding, Mask, Operand, Row};
use axp_spec::{FloatFormat, GridConfig, PeConfig, RowWrite};

impl Case {
    /// A pattern around the activation of a base, with any product.
    pub(super) fn write_pattern(&self, row: &Row, config: &PeConfig) -> RowWrite {
        let format = config.format;
        let magnitudes = format.sign_mask() - 1;
        let (_, activation) = &self.bases[row.base.index(self.bases.len())];
        let ignored = |bits: u32| u64::from(u32::MAX << (bits * format.fraction_bits()).div_ceil(23));
        let care = magnitudes
            & match row.mask {
                Mask::Exact => magnitudes,
                Mask::Activation(bits) | Mask::Both(_, bits) => ignored(bits),
                Mask::Wild(care) => care,
            };
        let key = u64::from(activation.bits(format)) & care | row.stray & !care & magnitudes;
        let product = row.product.bits(FloatFormat::Binary32) & (u64::MAX >> (64 - config.product_bits())) as u32;
        // Small products and any.
        let product = if product & 1 == 0 { product } else { product >> (config.product_bits() / 2) };
        RowWrite { address: row.address(config), key, care, product, valid: row.valid }
    }
}

/// Column, weight and activation of a pair. Columns that are not there, and bits above
/// the port, are among them.
pub(super) fn operand(
    format: FloatFormat,
    shape: GridConfig,
    operand: &Operand,
    rows: &[Option<RowWrite>],
) -> (u32, u32, u32) {
    let valid: Vec<&RowWrite> = rows.iter().flatten().collect();
    let sign = format.sign_mask() as u32;
    match operand {
        Operand::Row(index, fill) if !valid.is_empty() => {
            let row = valid[index.index(valid.len())];
            let magnitude = (row.key & row.care | fill & !row.care) as u32 & (sign - 1);
            let activation = if fill >> 40 & 1 == 1 { magnitude | sign } else { magnitude };
            // An ordinary weight, mostly.
            let weight = Encoding::Ordinary((fill >> 32) as u32, fill >> 41 & 1 == 1).bits(format);
            let weight = if fill >> 60 == 0 { *fill as u32 & format.encoding_mask() as u32 } else { weight };
            (row.address & ((1 << shape.column_bits()) - 1), weight, activation)
        }
        Operand::Row(_, fill) => {
            let (weight, activation) = (Encoding::Any(*fill as u32), Encoding::Any((fill >> 32) as u32));
            (*fill as u32 >> 7, weight.bits(format), activation.bits(format))
        }
        Operand::Pair(weight, activation) => {
            let (weight, activation) = (weight.bits(format), activation.bits(format));
            (weight.wrapping_mul(0x9E37_79B1) ^ activation, weight, activation)
        }
        Operand::Zero(weight, negative) => {
            let weight = weight.bits(format);
            (weight.wrapping_mul(0x9E37_79B1), weight, if *negative { sign } else { 0 })
        }
    }
}
