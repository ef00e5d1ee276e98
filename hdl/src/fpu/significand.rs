//! Unsigned multiplier of two significands.

use super::full_adders::full_adders;
use crate::circuit::{Circuit, Value, concat, literal, vector};
use axp_spec::MultiplierStyle;

/// A module that multiplies two significands, without its last addition.
///
/// `a_i` and `b_i` of `width` bits in; `sum_o` and `carry_o`, each of
/// 2·`width` bits, out, combinational. Their *complements* add up to the
/// product, modulo 2^(2·`width`).
///
/// Partial products are NANDs, the smallest and fastest gate there is, so the
/// tree works on complemented bits. A full adder is self-dual: complemented
/// inputs give complemented outputs. The columns are reduced in Dadda's stages
/// (L. Dadda, "Some schemes for parallel multipliers", Alta Frequenza 34, 1965),
/// the earliest bits first.
pub fn carry_save(style: MultiplierStyle, width: u32) -> Circuit {
    let name = match style {
        MultiplierStyle::Booth => format!("axp_booth_w{width}"),
        _ => format!("axp_dadda_w{width}"),
    };
    let mut c = Circuit::new(&name, "significand product as two complemented addends, combinational");
    let a = c.input("a_i", width, "first significand");
    let b = c.input("b_i", width, "second significand");
    let columns = match style {
        MultiplierStyle::Booth => booth_rows(&mut c, &a, &b),
        _ => nand_rows(&mut c, &a, &b),
    };
    let (sum, carry) = reduce(&mut c, columns);
    c.output("sum_o", sum, "first addend, complemented");
    c.output("carry_o", carry, "second addend, complemented");
    c
}

/// The product of what [`carry_save`] gives: ~(x + y + 1) = ~x + ~y, wrapped.
pub(super) fn product(c: &mut Circuit, sum: &Value, carry: &Value) -> Value {
    let width = sum.width();
    // The carry that is added stands as a column of its own below the last bit.
    let one = literal(1, 1);
    let total = concat(&[sum, &one]) + concat(&[carry, &one]);
    let total = c.net("product_sum", total, "complemented product, and a place for the carry in");
    c.net("product", !total.slice(1, width), "product of the significands")
}

/// A bit, and the time in full-adder delays at which it arrives.
pub(super) type Dot = (u32, Value);

/// The bits of each weight.
pub(super) type Columns = Vec<Vec<Dot>>;

/// `N` bits of a column that go into one cell.
type Cell<const N: usize> = (usize, [Dot; N]);

fn nand_rows(c: &mut Circuit, a: &Value, b: &Value) -> Columns {
    let width = a.width();
    let mut columns: Columns = vec![Vec::new(); 2 * width as usize];
    let complement = c.net("a_complement", !a, "complement of the first significand");
    for row in 0..width {
        let name = format!("row_{row}");
        let ones = literal((1 << width) - 1, width);
        let bits = c.choose(&name, &[(&b.bit(row), &complement)], &ones, "complemented partial products");
        for column in 0..width {
            columns[(row + column) as usize].push((0, bits.bit(column)));
        }
    }
    columns
}

/// Radix-4 Booth digits of b, -2 to 2, times a (A. D. Booth 1951; O. L.
/// MacSorley, "High-speed arithmetic in binary computers", Proc. IRE 49, 1961).
///
/// A negative multiple is the ones' complement of the positive one, and a 1 in
/// its last column. The sign of row i would be repeated up to the top; it is
/// worth -neg·2^k = (1 - neg)·2^k - 2^k instead, and the constants of all rows
/// are added up beforehand.
fn booth_rows(c: &mut Circuit, a: &Value, b: &Value) -> Columns {
    let width = a.width();
    let modulus = 2 * width;
    let mut columns: Columns = vec![Vec::new(); modulus as usize];
    let mut constant: u128 = 0;
    let zero = literal(0, 1);
    let digit_bit =
        |place: Option<u32>| place.filter(|place| *place < width).map_or(zero.clone(), |place| b.bit(place));
    let (single, double) = (a.extend(width + 1), a.above(1));
    let none = literal(0, width + 1);
    for row in 0..=width / 2 {
        let (low, middle, high) =
            (digit_bit((2 * row).checked_sub(1)), digit_bit(Some(2 * row)), digit_bit(Some(2 * row + 1)));
        let one = c.net(&format!("one_{row}"), &middle ^ &low, "the digit is 1 or -1");
        let other = (&high & !&middle & !&low) | (!&high & &middle & &low);
        let two = c.net(&format!("two_{row}"), other, "the digit is 2 or -2");
        let once = c.choose(&format!("once_{row}"), &[(&one, &single)], &none, "a if the digit is 1");
        let twice = c.choose(&format!("twice_{row}"), &[(&two, &double)], &none, "2a if the digit is 2");
        let multiple = c.net(&format!("multiple_{row}"), once | twice, "multiple of a without its sign");
        // The top digit cannot be negative: b has no bit above it.
        let negative = 2 * row + 1 < width;
        let bits = if negative {
            let bits =
                c.choose(&format!("row_{row}"), &[(&high, &multiple)], &!&multiple, "complemented bits of the row");
            let sign = c.net(&format!("plus_{row}"), !&high, "the digit is not negative");
            columns[2 * row as usize].push((1, sign));
            let top = 2 * row + width + 1;
            if top < modulus {
                columns[top as usize].push((1, high.clone()));
                constant = constant.wrapping_sub(1 << top);
            }
            bits
        } else {
            c.net(&format!("row_{row}"), !&multiple, "complemented bits of the row")
        };
        for place in 0..=width {
            if let Some(column) = columns.get_mut((2 * row + place) as usize) {
                column.push((2, bits.bit(place)));
            }
        }
    }
    for (place, column) in columns.iter_mut().enumerate() {
        if constant >> place & 1 == 1 {
            column.push((0, zero.clone()));
        }
    }
    columns
}

/// Reduces columns of complemented bits to two each.
pub(super) fn reduce(c: &mut Circuit, mut columns: Columns) -> (Value, Value) {
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut heights = vec![2];
    while heights[heights.len() - 1] * 3 / 2 < tallest {
        heights.push(heights[heights.len() - 1] * 3 / 2);
    }
    for (stage, height) in heights.iter().rev().enumerate() {
        columns = reduce_to(c, stage, columns, *height);
    }
    let one = literal(1, 1);
    let row = |index: usize| -> Value {
        // A missing bit is 0, and its complement 1.
        vector(
            &columns.iter().map(|bits| bits.get(index).map_or(one.clone(), |(_, bit)| bit.clone())).collect::<Vec<_>>(),
        )
    };
    (row(0), row(1))
}

/// One stage: no column has more than `height` bits afterwards.
fn reduce_to(c: &mut Circuit, stage: usize, columns: Columns, height: usize) -> Columns {
    let mut full: Vec<Vec<Cell<3>>> = Vec::new();
    let mut half: Vec<Cell<2>> = Vec::new();
    let mut with_one: Vec<Cell<2>> = Vec::new();
    let mut after: Columns = vec![Vec::new(); columns.len()];
    let mut carries = 0;
    for (index, mut bits) in columns.into_iter().enumerate() {
        bits.sort_by_key(|(time, _)| *time);
        let mut left = bits.into_iter();
        let mut count = left.len() + carries;
        carries = 0;
        while count > height {
            if count == height + 1 {
                let (Some(x), Some(y)) = (left.next(), left.next()) else { unreachable!("Dadda's heights") };
                half.push((index, [x, y]));
                count -= 1;
            } else {
                let (Some(x), Some(y), Some(z)) = (left.next(), left.next(), left.next()) else {
                    unreachable!("Dadda's heights")
                };
                count -= 2;
                if x.1.is_constant() {
                    with_one.push((index, [y, z]));
                } else {
                    // The lane counts full adders of this column alone.
                    let lane =
                        full.iter().take_while(|cells| cells.last().is_some_and(|(last, _)| *last == index)).count();
                    if full.len() <= lane {
                        full.push(Vec::new());
                    }
                    full[lane].push((index, [x, y, z]));
                }
            }
            carries += 1;
        }
        after[index].extend(left);
    }
    for (lane, cells) in full.iter().enumerate() {
        let name = format!("stage_{stage}_lane_{lane}");
        let pick = |pin: usize| vector(&cells.iter().map(|(_, bits)| bits[pin].1.clone()).collect::<Vec<_>>());
        let inputs = [pick(0), pick(1), pick(2)];
        let adders = c.instance(
            &name,
            full_adders(cells.len() as u32),
            &[("a_i", &inputs[0]), ("b_i", &inputs[1]), ("c_i", &inputs[2])],
        );
        let (sum, carry) = (adders.port("sum_o"), adders.port("carry_o"));
        for (place, (index, bits)) in (0..).zip(cells) {
            let time = bits.iter().map(|(time, _)| *time).max().unwrap_or(0) + 1;
            after[*index].push((time, sum.bit(place)));
            // The carry out of the last column is beyond the product's modulus.
            if index + 1 < after.len() {
                after[index + 1].push((time, carry.bit(place)));
            }
        }
    }
    for (index, [(early, x), (late, y)]) in with_one {
        // A full adder whose third bit is 1, so that its complement is 0.
        let sum = c.net(&format!("stage_{stage}_one_sum_{index}"), &x ^ &y, "complemented sum of two bits and 1");
        let time = early.max(late) + 1;
        after[index].push((time, sum));
        if index + 1 < after.len() {
            let name = format!("stage_{stage}_one_carry_{index}");
            after[index + 1].push((time, c.net(&name, &x & &y, "complemented carry of two bits and 1")));
        }
    }
    for (index, [(early, x), (late, y)]) in half {
        // On complemented bits, a half adder's sum is XNOR and its carry OR.
        let sum = c.net(&format!("stage_{stage}_half_sum_{index}"), !(&x ^ &y), "complemented sum of two bits");
        let time = early.max(late) + 1;
        after[index].push((time, sum));
        if index + 1 < after.len() {
            let name = format!("stage_{stage}_half_carry_{index}");
            after[index + 1].push((time, c.net(&name, &x | &y, "complemented carry of two bits")));
        }
    }
    after
}
