//! Rows and operand pairs of a factored memory.

use super::{Encoding, Operand, Row};
use axp_spec::{FactoredConfig, FloatFormat, PeConfig, RowWrite};

/// A row with any word. There is no port for a key: what stands there must not matter.
pub(super) fn write(row: &Row, config: &PeConfig) -> RowWrite {
    let word = row.product.bits(FloatFormat::Binary32);
    RowWrite {
        address: row.address(config),
        key: row.stray,
        care: !row.stray,
        product: word & u32::MAX >> (32 - config.product_bits()),
        valid: row.valid,
    }
}

/// Column, weight and activation of a pair. Columns that are not there, and bits
/// above the port, are among them.
pub(super) fn operand(
    format: FloatFormat,
    shape: FactoredConfig,
    operand: &Operand,
    rows: &[Option<RowWrite>],
) -> (u32, u32, u32) {
    let valid: Vec<u32> = rows.iter().flatten().map(|row| row.address).collect();
    let any_column = |weight: u32, activation: u32| weight.wrapping_mul(0x9E37_79B1) ^ activation;
    match operand {
        Operand::Row(index, fill) if !valid.is_empty() => {
            let address = valid[index.index(valid.len())];
            let (weight, activation) = selecting(format, shape, address, *fill);
            (address >> shape.mantissa_bits, weight, activation)
        }
        Operand::Row(_, fill) => {
            let (weight, activation) = (Encoding::Any(*fill as u32), Encoding::Any((fill >> 32) as u32));
            (*fill as u32 >> 7, weight.bits(format), activation.bits(format))
        }
        Operand::Pair(weight, activation) => {
            let (weight, activation) = (weight.bits(format), activation.bits(format));
            (any_column(weight, activation), weight, activation)
        }
        Operand::Zero(weight, negative) => {
            let weight = weight.bits(format);
            (any_column(weight, 0), weight, if *negative { format.sign_mask() as u32 } else { 0 })
        }
    }
}

/// A pair whose mantissa bits select the row; `fill` says the rest: signs, the
/// weight's fraction, and exponents of an ordinary product, of one at the ends of
/// the range, or any, those of subnormals and infinities included.
fn selecting(format: FloatFormat, shape: FactoredConfig, address: u32, fill: u64) -> (u32, u32) {
    let bits = format.fraction_bits();
    let prefix = u64::from(address) & ((1 << shape.mantissa_bits) - 1);
    let fraction = prefix << (bits - shape.mantissa_bits) | fill & ((1 << (bits - shape.mantissa_bits)) - 1);
    let most = (1i64 << format.exponent_bits()) - 1;
    let (bias, near) = (i64::from(format.bias()), i64::from(format.bias() * 17 / 127).max(1));
    let one_of = |shift: u32, count: i64| (fill >> shift & 0xFF) as i64 * count / 256;
    let ordinary = |shift: u32| bias - near + one_of(shift, 2 * near + 1);
    let (weight, activation) = match fill >> 60 {
        0 => (0, ordinary(40)),
        1 | 2 => {
            // A sum of -1, 0 or 1, or of 1 below to 1 above the greatest field.
            let ends = [-1, 0, 1, most - 2, most - 1, most];
            let (weight, end) = (1 + one_of(32, most - 1), ends[one_of(40, 6) as usize]);
            (weight, (end + bias - weight).clamp(0, most))
        }
        3 => (one_of(32, most + 1), one_of(40, most + 1)),
        _ => (ordinary(32), ordinary(40)),
    };
    let encode = |sign: u64, exponent: i64, fraction: u64| {
        ((sign & 1) << (format.width() - 1) | (exponent as u64) << bits | fraction) as u32
    };
    // A weight of zero has no fraction.
    let of_weight = if fill >> 60 == 0 { 0 } else { fill >> 17 & ((1 << bits) - 1) };
    (encode(fill >> 59, weight, of_weight), encode(fill >> 58, activation, fraction))
}
