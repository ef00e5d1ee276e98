//! The stored product: w·ā rounded once to binary32.

/// The binary32 nearest to `weight`·`activation` (ties to even), rounded once
/// from the exact product of a binary32 and a binary64 value.
///
/// None where the rounded product is not finite, or an operand is not: such a
/// product cannot be stored.
///
/// The binary64 product is first forced to odd where it is inexact: 53 bits
/// are more than 24 + 2, so the second rounding sees the same half as the
/// exact product (Boldo and Melquiond, "When double rounding is odd", 2005).
/// No binary64 underflow can get in the way, because a product that small
/// rounds to a binary32 zero from either side.
pub fn round_product(weight: f32, activation: f64) -> Option<f32> {
    let weight = f64::from(weight);
    let product = weight * activation;
    let odd = if product == 0.0 || !product.is_finite() {
        product
    } else {
        to_odd(product, weight.mul_add(activation, -product))
    };
    let rounded = odd as f32;
    rounded.is_finite().then_some(rounded)
}

/// The product of two numbers in [1, 2) as a `factored` memory stores it in
/// `word_bits`: whether it is 2 or more, above the fraction of its normalised
/// significand, rounded once to nearest even. Rounding stops below 4.
pub fn round_significand(word_bits: u32, weight: f64, activation: f64) -> u32 {
    let stored_bits = word_bits - 1;
    let product = weight * activation;
    let odd = to_odd(product, weight.mul_add(activation, -product));
    let carry = u32::from(odd >= 2.0);
    let one = f64::from(1_u32 << stored_bits);
    // Powers of two: exact. A carry of the rounding moves into the bit above.
    let rounded = (odd * one / f64::from(1 + carry)).round_ties_even() as u32;
    ((carry << stored_bits) + rounded - (1 << stored_bits)).min((1 << word_bits) - 1)
}

/// `value` + `rest` rounded to odd, where `rest` is less than one unit in the
/// last place of `value`: unchanged if exact, else the one of the two
/// neighbouring encodings that is odd.
fn to_odd(value: f64, rest: f64) -> f64 {
    let bits = value.to_bits();
    if rest == 0.0 || bits & 1 == 1 {
        value
    } else if (rest > 0.0) == (value > 0.0) {
        f64::from_bits(bits + 1)
    } else {
        f64::from_bits(bits - 1)
    }
}
