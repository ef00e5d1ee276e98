//! Products of significands, as a factored memory stores them.

use axp_spec::FloatFormat;

/// The product of the significands of two normal numbers, of whose encodings
/// only the fractions count, as a word of `word_bits` (2 to 1 more than the
/// format's fraction, see [`PeConfig::product_bits`](axp_spec::PeConfig)): the top
/// bit says whether the product is 2 or more, the others are the fraction of its
/// normalised significand, rounded to nearest even.
///
/// In a word shorter than the format's significand the rounding could reach 4;
/// it then stops at the greatest word.
///
/// ```
/// use axp_golden::am::rounded_product;
/// use axp_spec::FloatFormat::Binary32;
///
/// // 1.5 * 1.75 = 2.625 = 2 * 1.0101 in binary; 0.375 and -7 have the same significands.
/// assert_eq!(rounded_product(Binary32, 5, 1.5f32.to_bits(), 1.75f32.to_bits()), 0b1_0101);
/// assert_eq!(rounded_product(Binary32, 4, 0.375f32.to_bits(), (-7f32).to_bits()), 0b1_010);
/// ```
pub fn rounded_product(format: FloatFormat, word_bits: u32, weight: u32, activation: u32) -> u32 {
    let fraction_bits = format.fraction_bits();
    let significand = |encoding: u32| {
        let leading = 1u64 << fraction_bits;
        leading | u64::from(encoding) & (leading - 1)
    };
    let stored_bits = word_bits - 1;
    let product = significand(weight) * significand(activation);
    let carry = (product >> (2 * fraction_bits + 1)) as u32;
    // Leading bit and stored fraction; a carry of the rounding adds 1 to `carry`,
    // which stands right above the fraction, and leaves a fraction of 0.
    let rounded = half_to_even(product, 2 * fraction_bits + carry - stored_bits);
    let word = (u64::from(carry) << stored_bits) + rounded - (1 << stored_bits);
    word.min((1 << word_bits) - 1) as u32
}

/// `value / 2^places`, rounded to nearest even.
fn half_to_even(value: u64, places: u32) -> u64 {
    let Some(last) = places.checked_sub(1) else { return value };
    let (floor, rest, half) = (value >> places, value & ((1 << places) - 1), 1 << last);
    floor + u64::from(rest > half || rest == half && floor & 1 == 1)
}
