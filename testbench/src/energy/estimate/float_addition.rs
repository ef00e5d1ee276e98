//! What an addition to a binary32 sum makes the adder switch for: which operand is the greater one, and
//! whether leading bits may cancel.

/// Bits of a significand with its leading one.
const SIGNIFICAND: u32 = 24;

/// One addition, its operands ordered by their exponents alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FloatAddition {
    /// The product has the greater exponent: the sum before is shifted.
    pub swap: bool,
    /// More than one leading bit may be lost, so that the sum is normalised; that path rests otherwise.
    pub near: bool,
}

impl FloatAddition {
    /// Of a product to the sum before; a sum begins with +0.
    pub(super) fn of(before: f32, product: f32) -> Self {
        let [(before_scale, before_bits), (product_scale, product_bits)] = [before, product].map(parts);
        let swap = product_scale > before_scale;
        let (greater, places) = match swap {
            true => (product_bits, product_scale - before_scale),
            false => (before_bits, before_scale - product_scale),
        };
        let subtract = before.is_sign_negative() != product.is_sign_negative();
        // From 1.5 on the greater one loses one bit at most.
        let large = greater >> (SIGNIFICAND - 2) == 3;
        Self { swap, near: subtract && before != 0.0 && (places == 0 || places == 1 && !large) }
    }
}

/// Biased exponent and significand; those of subnormal numbers and zeros are 0.
fn parts(number: f32) -> (u32, u32) {
    let bits = number.to_bits();
    match bits >> (SIGNIFICAND - 1) & 0xFF {
        0 => (0, 0),
        scale => (scale, bits & ((1 << (SIGNIFICAND - 1)) - 1) | 1 << (SIGNIFICAND - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_ordered_by_exponent_and_cancel_where_they_are_close() {
        for (before, product, swap, near) in [
            (1.0, 0.25, false, false),
            (0.25, -1.0, true, false),
            (1.0, -1.5, false, true),
            (1.25, -0.5, false, true),
            (1.5, -0.5, false, false),
            (-0.5, 1.25, true, true),
            (-1.0, 0.25, false, false),
            (1.0, 0.5, false, false),
            // A sum begins with +0, from which nothing is lost.
            (0.0, -3.0, true, false),
            (2.0, -0.0, false, false),
        ] {
            assert_eq!(FloatAddition::of(before, product), FloatAddition { swap, near }, "{before} + {product}");
        }
    }
}
