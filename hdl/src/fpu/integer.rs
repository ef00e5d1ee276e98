//! Multiplier of integers.

use super::significand::{Columns, product, reduce};
use crate::circuit::{Circuit, concat, literal};

/// A module that multiplies two's complement integers of `width` bits, at least 2.
///
/// `a_i`, `b_i` in, `result_o` of 2·`width` bits out, combinational and exact.
///
/// Partial products with one sign bit count negatively; each is replaced by its
/// complement and a constant (C. R. Baugh and B. A. Wooley, "A two's complement
/// parallel array multiplication algorithm", IEEE Trans. Computers C-22, 1973). The
/// tree is that of the significands, on complemented bits.
///
/// ```text
/// a, b ── partial products ── full adders ── + ── result
/// ```
pub(crate) fn integer_multiplier(width: u32) -> Circuit {
    let mut c = Circuit::new(&format!("axp_int_mul_w{width}"), "two's complement multiplier, combinational");
    let a = c.input("a_i", width, "first factor");
    let b = c.input("b_i", width, "second factor");
    let low = width - 1;
    let ones = literal((1 << low) - 1, low);
    let (zero, one) = (literal(0, 1), literal(1, 1));
    let complement = c.net("a_complement", !&a, "complement of the first factor");
    let mut columns: Columns = vec![Vec::new(); 2 * width as usize];
    for row in 0..width {
        // What stands here is the complement of what is added.
        let (chosen, otherwise) = if row < low {
            (concat(&[&a.top(), &complement.slice(0, low)]), concat(&[&zero, &ones]))
        } else {
            (concat(&[&complement.top(), &a.slice(0, low)]), concat(&[&one, &literal(0, low)]))
        };
        let name = format!("row_{row}");
        let bits = c.choose(&name, &[(&b.bit(row), &chosen)], &otherwise, "complemented partial products");
        for column in 0..width {
            columns[(row + column) as usize].push((0, bits.bit(column)));
        }
    }
    for place in [width, 2 * width - 1] {
        columns[place as usize].push((0, zero.clone()));
    }
    let (sum, carry) = reduce(&mut c, columns);
    let result = product(&mut c, &sum, &carry);
    c.output("result_o", result, "product, two's complement");
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::prelude::Block;

    #[test]
    fn every_product_of_narrow_integers_is_right() {
        for width in [2, 3, 8] {
            let mut multiplier = integer_multiplier(width);
            multiplier.connect_all();
            let (end, mask) = (1_i64 << (width - 1), (1_u128 << (2 * width)) - 1);
            for a in -end..end {
                for b in -end..end {
                    multiplier.drive("a_i", a as u128);
                    multiplier.drive("b_i", b as u128);
                    multiplier.settle();
                    assert_eq!(multiplier.read("result_o"), (a * b) as u128 & mask, "{a} * {b}");
                }
            }
        }
    }
}
