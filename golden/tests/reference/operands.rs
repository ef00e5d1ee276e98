//! Operands biased to where floating-point arithmetic goes wrong.

use proptest::prelude::*;

/// A binary32 encoding from its fields.
pub fn encode(negative: bool, exponent: u32, fraction: u32) -> u32 {
    u32::from(negative) << 31 | exponent << 23 | fraction & 0x007F_FFFF
}

/// Fractions with long runs of zeros or ones, or a single bit.
fn fraction() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>().prop_map(|x| x & 0x007F_FFFF),
        (0..24u32).prop_map(|n| (1 << n) & 0x007F_FFFF),
        (0..24u32).prop_map(|n| (1 << n) - 1),
        (0..24u32).prop_map(|n| !((1 << n) - 1) & 0x007F_FFFF),
        (any::<u32>(), 0..23u32).prop_map(|(x, n)| x << n & 0x007F_FFFF),
    ]
}

/// Any encoding: zeros, subnormals, infinities, NaNs with payloads, the largest
/// and smallest numbers, ordinary ones, raw patterns.
pub fn any_encoding() -> impl Strategy<Value = u32> {
    prop_oneof![
        2 => any::<u32>(),
        2 => (any::<bool>(), Just(0), fraction()).prop_map(|(s, e, f)| encode(s, e, f)),
        1 => (any::<bool>(), Just(255), fraction()).prop_map(|(s, e, f)| encode(s, e, f)),
        1 => (any::<bool>(), prop::sample::select(&[0, 255][..])).prop_map(|(s, e)| encode(s, e, 0)),
        2 => (any::<bool>(), prop::sample::select(&[1, 2, 24, 25, 253, 254][..]), fraction())
            .prop_map(|(s, e, f)| encode(s, e, f)),
        4 => (any::<bool>(), 100..155u32, fraction()).prop_map(|(s, e, f)| encode(s, e, f)),
    ]
}

/// Finite numbers as a network has them: exact zeros, small magnitudes, and few
/// different values, so that rows of a memory match often.
pub fn network_value() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => Just(0),
        1 => Just(0x8000_0000),
        1 => (any::<bool>(), Just(0), fraction()).prop_map(|(s, e, f)| encode(s, e, f)),
        8 => (any::<bool>(), 124..130u32, 0..4u32).prop_map(|(s, e, f)| encode(s, e, f << 21)),
        4 => (any::<bool>(), 110..140u32, fraction()).prop_map(|(s, e, f)| encode(s, e, f)),
    ]
}

/// Pairs for an addition: unrelated, nearly cancelling, at every alignment
/// distance, and exactly half a unit in the last place apart.
pub fn sum_pair() -> impl Strategy<Value = (u32, u32)> {
    let cancelling = (any_encoding(), -3i32..=3).prop_map(|(a, d)| (a, (a ^ 1 << 31).wrapping_add_signed(d)));
    let aligned = (any::<(bool, bool)>(), 0..255u32, 0..40u32, fraction(), fraction())
        .prop_map(|((s, t), e, d, f, g)| (encode(s, e, f), encode(t, e.saturating_sub(d), g)));
    let halfway = (any::<(bool, bool)>(), 26..255u32, fraction(), 0..2u32, any::<bool>())
        .prop_map(|((s, t), e, f, extra, up)| (encode(s, e, f), encode(t, e - 24 + u32::from(up), extra)));
    prop_oneof![(any_encoding(), any_encoding()), cancelling, aligned, halfway]
}

/// Pairs for a multiplication: unrelated, with a product near the largest
/// number, near the smallest normal one or the smallest of all, and with a
/// product exactly halfway between two neighbours.
pub fn product_pair() -> impl Strategy<Value = (u32, u32)> {
    let target = |centre: i32, spread: i32| {
        (any::<(bool, bool)>(), 1..254i32, -spread..=spread, fraction(), fraction()).prop_map(
            move |((s, t), e, d, f, g)| {
                let other = (centre + 254 - e + d).clamp(0, 254);
                (encode(s, e as u32, f), encode(t, other as u32, g))
            },
        )
    };
    // Significands x (n bits) and y (25 - n or 26 - n bits), both odd: the
    // product is odd and has one bit too many, or two.
    let halfway = (any::<(bool, bool)>(), 1..24u32, any::<(u32, u32)>(), 90..160u32, 1..160u32).prop_map(
        |((s, t), n, (x, y), e, d)| {
            let odd = |bits: u32, raw: u32| (raw & ((1 << bits) - 1)) | 1 | 1 << (bits - 1);
            let normal = |bits: u32, raw: u32| odd(bits, raw) << (24 - bits);
            (encode(s, e, normal(n, x)), encode(t, d, normal((25 - n).min(24), y)))
        },
    );
    prop_oneof![(any_encoding(), any_encoding()), target(127, 2), target(-126, 4), target(-149, 4), halfway,]
}
