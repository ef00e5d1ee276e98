//! Operands where arithmetic goes wrong, for any format: simple patterns, the
//! deterministic half of what Berkeley TestFloat generates.
//!
//! TestFloat's documentation describes its cases as "simple pattern tests
//! intermixed with weighted random inputs", adequate for carry chains and
//! rounding, with every boundary checked: subnormals, zeros of both signs,
//! underflow, overflow, infinities and NaNs. Here that is every sign with every
//! exponent at which something begins or ends, and every fraction that is
//! constant but for one change: nothing set, one bit set or cleared, a run of
//! ones from the top or from the bottom. In binary32 the large family has
//! 7,929,856 ordered pairs; a level 2 run of TestFloat has 7,496,192 cases.

use axp_spec::{FixedFormat, FloatFormat};
use std::collections::BTreeSet;

/// The small family: every corner exponent with the two fractions at either
/// end. 128 operands in binary32.
pub fn level1(format: FloatFormat) -> Vec<u64> {
    let ones = fraction_mask(format);
    combine(format, &BTreeSet::from([0, 1, ones - 1, ones]))
}

/// The large family: every corner exponent with every simple fraction. 2816
/// operands in binary32. In the 8-bit formats it is nearly every encoding.
pub fn level2(format: FloatFormat) -> Vec<u64> {
    combine(format, &simple_patterns(format.fraction_bits()))
}

/// Fixed-point operands: every simple pattern of the whole word, and its
/// neighbours on both sides. Bits above the width are 0.
pub fn fixed(format: FixedFormat) -> Vec<u64> {
    let patterns = simple_patterns(format.width).into_iter();
    let near = patterns.flat_map(|x| [x.wrapping_sub(1), x, x.wrapping_add(1)].map(|x| x & format.mask()));
    near.collect::<BTreeSet<u64>>().into_iter().collect()
}

/// Every ordered pair of a family, the second operand changing fastest.
pub fn pairs(family: &[u64]) -> impl Iterator<Item = (u64, u64)> + '_ {
    family.iter().flat_map(move |a| family.iter().map(move |b| (*a, *b)))
}

/// Both signs of all corner exponents with all `fractions`, ascending.
fn combine(format: FloatFormat, fractions: &BTreeSet<u64>) -> Vec<u64> {
    let mut family = Vec::new();
    for sign in [0, format.sign_mask()] {
        for exponent in corner_exponents(format) {
            family.extend(fractions.iter().map(|fraction| sign | exponent << format.fraction_bits() | fraction));
        }
    }
    family
}

/// Exponent fields where something begins or ends.
fn corner_exponents(format: FloatFormat) -> BTreeSet<u64> {
    let (one, precision) = (i64::from(format.bias()), i64::from(format.fraction_bits()) + 1);
    let top = (1 << format.exponent_bits()) - 1;
    let corners = [
        // Zero and subnormals, the smallest normal numbers.
        0,
        1,
        2,
        // Squares at the smallest normal number, and at the largest one.
        one / 2,
        (top + one) / 2,
        // Around 1, and one precision away from it: where an addend stops to
        // matter, and where numbers stop to have a fraction.
        one - precision,
        one - precision + 1,
        one - 2,
        one - 1,
        one,
        one + 1,
        one + precision - 1,
        one + precision,
        // The largest numbers, infinities and NaNs.
        top - 2,
        top - 1,
        top,
    ];
    // In the small formats some corners fall outside the range, or together.
    corners.into_iter().filter(|e| (0..=top).contains(e)).map(|e| e as u64).collect()
}

/// Words of `bits` bits that are constant but for one change.
fn simple_patterns(bits: u32) -> BTreeSet<u64> {
    let ones = u64::MAX >> (64 - bits);
    let mut patterns = BTreeSet::from([0, ones]);
    for bit in 0..bits {
        let single = 1 << bit;
        patterns.extend([single, ones ^ single, ones & !(single - 1), single - 1]);
    }
    patterns
}

fn fraction_mask(format: FloatFormat) -> u64 {
    (1 << format.fraction_bits()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_of_binary32_have_the_documented_sizes() {
        assert_eq!(simple_patterns(23).len(), 88);
        let sizes = [level1, level2].map(|family| family(FloatFormat::Binary32).len());
        assert_eq!(sizes, [128, 2816]);
        assert!(pairs(&level2(FloatFormat::Binary32)).count() >= 7_496_192);
    }

    #[test]
    fn families_are_ascending_sets_of_encodings_with_every_boundary() {
        for format in FloatFormat::ALL {
            let (small, large) = (level1(format), level2(format));
            for family in [&small, &large] {
                assert!(family.is_sorted_by(|a, b| a < b), "{format}");
                assert!(family.iter().all(|x| *x >> format.width() == 0), "{format}");
                let smallest_normal = 1 << format.fraction_bits();
                for boundary in [0, 1, smallest_normal - 1, smallest_normal, format.largest_finite()] {
                    assert!(family.contains(&boundary) && family.contains(&(boundary | format.sign_mask())));
                }
                assert!(family.iter().any(|x| format.is_special(*x)), "{format}");
            }
            assert!(small.iter().all(|x| large.contains(x)), "{format}");
            assert!(large.contains(&format.canonical_nan()), "{format}");
        }
    }

    #[test]
    fn fixed_families_hold_the_limits() {
        for width in [2, 8, 33, 64] {
            let format = FixedFormat { width, last_bit: 0 };
            let family = fixed(format);
            for boundary in [0, 1, format.greatest(), format.greatest() + 1, format.mask()] {
                assert!(family.contains(&boundary), "{width} bits: {boundary:x}");
            }
            assert!(family.iter().all(|x| x & !format.mask() == 0));
        }
    }
}
