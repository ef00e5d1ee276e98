//! The factored memory: its products against host arithmetic, its loader.

use crate::operands::{any_encoding, encode};
use axp_golden::am::{Am, LoadError, Operands, rounded_product};
use axp_golden::float;
use axp_spec::FloatFormat::{Binary32, E4m3, E5m2};
use axp_spec::{Accumulator, AmError, AmImage, AmRow, Bits32, FactoredConfig, FloatFormat, PeConfig, RowWrite};
use proptest::prelude::*;

/// Columns of the memories here.
pub const COLUMNS: u32 = 5;

/// A memory of any depth, with words of the format's width, or shorter ones
/// beside a fixed-point accumulator.
pub fn config(mantissa_bits: u32, word_bits: u32) -> PeConfig {
    let accumulator = match word_bits {
        24 => Accumulator::Float,
        product_width => Accumulator::Fixed { width: 40, product_width },
    };
    PeConfig { accumulator, ..PeConfig::factored("pe", COLUMNS, mantissa_bits) }
}

/// The value that a hit must have, from the host's binary64: the word times the
/// powers of two of both operands. `None` if it is a miss.
pub fn host_product(word: Option<u32>, word_bits: u32, weight: u32, activation: u32) -> Option<f32> {
    let [w, a] = [weight, activation].map(f32::from_bits);
    let usable = |x: f32| x == 0.0 || x.is_normal();
    if !usable(w) || !usable(a) {
        return None;
    }
    if w == 0.0 || a == 0.0 {
        return Some(w * a);
    }
    let (word, unit) = (word?, 1u32 << (word_bits - 1));
    let doubled = if word >= unit { 2.0 } else { 1.0 };
    let significands = doubled * (1.0 + f64::from(word % unit) / f64::from(unit));
    let power = |x: f32| f64::from(f32::from_bits(x.to_bits() & 0xFF80_0000));
    let product = significands * power(w) * power(a);
    let normal = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
    normal.contains(&product.abs()).then_some(product as f32)
}

/// Operands with exponents everywhere, so that products leave the range too.
pub fn operand() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => (any::<bool>(), 120..134u32, any::<u32>()).prop_map(|(s, e, f)| encode(s, e, f)),
        3 => (any::<bool>(), 1..255u32, any::<u32>()).prop_map(|(s, e, f)| encode(s, e, f)),
        2 => any_encoding(),
    ]
}

/// An activation whose product with `weight` has an exponent field near the ends
/// of the range, if there is one.
fn at_the_ends(weight: u32, end: u32, fraction: u32) -> u32 {
    let exponent = (end + 127).saturating_sub(weight >> 23 & 0xFF).min(255);
    exponent << 23 | fraction & 0x7F_FFFF
}

fn write() -> impl Strategy<Value = (u32, u32, u32, bool)> {
    // One column more than there are: it writes nothing.
    (0..COLUMNS + 1, any::<u32>(), any::<u32>(), prop::bool::weighted(0.9))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn hits_are_the_stored_words_scaled(
        (mantissa_bits, word_bits) in (0..=23u32, prop_oneof![2 => Just(24u32), 1 => 2..24u32]),
        writes in prop::collection::vec(write(), 1..30),
        pairs in prop::collection::vec((0..8u32, operand(), operand()), 1..20),
        ends in prop::collection::vec((operand(), prop::sample::select(&[0u32, 1, 2, 253, 254, 255][..])), 8),
    ) {
        let config = config(mantissa_bits, word_bits);
        let mut am = Am::new(&config);
        // Prefixes of activations, so that the depth does not matter; the last of a kind counts.
        let prefix = |activation: u32| (activation & 0x7F_FFFF) >> (23 - mantissa_bits);
        let mut rows: Vec<(u32, u32, Option<u32>)> = Vec::new();
        for (column, activation, word, valid) in &writes {
            let address = column << mantissa_bits | prefix(*activation);
            let word = word >> (32 - word_bits);
            // Bits above the width of the port, and a key, must not matter.
            let product = word | if word_bits < 32 { u32::MAX << word_bits } else { 0 };
            am.write(&RowWrite { address, key: u64::MAX, care: u64::MAX, product, valid: *valid });
            if *column < COLUMNS {
                rows.push((*column, prefix(*activation), valid.then_some(word)));
            }
        }
        let near = writes.iter().zip(&ends).map(|((column, activation, ..), (weight, end))| {
            (*column, *weight, at_the_ends(*weight, *end, *activation))
        });
        let matching = writes.iter().zip(&pairs).map(|((column, fraction, ..), (_, weight, activation))| {
            (*column, *weight, activation & 0xFF80_0000 | fraction & 0x7F_FFFF)
        });
        for (column, weight, activation) in near.chain(matching).chain(pairs.iter().copied()) {
            let found = rows.iter().rev().find(|(c, p, _)| *c == column && *p == prefix(activation));
            let expected = host_product(found.and_then(|(.., word)| *word), word_bits, weight, activation);
            let product = am.product(Operands { column, weight, activation });
            prop_assert_eq!(product, expected.map(f32::to_bits), "{} {:08x} {:08x}", column, weight, activation);
        }
        let mut valid: Vec<_> = rows.iter().rev().map(|(c, p, _)| (c, p)).collect();
        valid.sort();
        valid.dedup();
        let last = |(c, p)| rows.iter().rev().find(|(column, prefix, _)| (column, prefix) == (c, p)).unwrap().2;
        prop_assert_eq!(am.valid_rows(), valid.into_iter().filter(|row| last(*row).is_some()).count());
        // No pair of encodings, only the pair organisation's search, finds rows by value.
        prop_assert_eq!(am.search(pairs[0].1, pairs[0].2), None);
    }

    /// Signs and exponents never matter, and the host rounds the same product.
    #[test]
    fn exact_words_are_rounded_host_products(weight in any::<u32>(), activation in any::<u32>(), word_bits in 2..=24u32) {
        let [w, a] = [weight, activation].map(|x| f32::from_bits(x & 0x7F_FFFF | 0x3F80_0000));
        let product = f64::from(w) * f64::from(a);
        let doubled = if product >= 2.0 { 2.0 } else { 1.0 };
        // Ties to even at the stored width; 2 has one encoding, 4 has none.
        let unit = 2f64.powi(word_bits as i32 - 1);
        let steps = ((product / doubled - 1.0) * unit).round_ties_even();
        let word = ((doubled - 1.0) * unit + steps).min(2.0 * unit - 1.0) as u32;
        prop_assert_eq!(rounded_product(Binary32, word_bits, weight, activation), word);
        if word_bits == 24 {
            prop_assert_eq!(host_product(Some(word), 24, w.to_bits(), a.to_bits()), Some(w * a));
        }
    }

    /// Loading is writing every address, those without a row as invalid.
    #[test]
    fn loading_replaces_the_whole_content(
        before in prop::collection::vec(write(), 0..16),
        rows in prop::collection::btree_map(0..COLUMNS * 4, 0..1u32 << 24, 0..12),
    ) {
        let (config, shape) = (config(2, 24), FactoredConfig { columns: COLUMNS, mantissa_bits: 2 });
        let key = |address: u32| shape.key(Binary32, address >> 2, 7 + (address >> 2), address << 21);
        let row = |(address, word): (&u32, &u32)| AmRow { key: key(*address), care: shape.care(Binary32), product: Bits32(*word) };
        let image = AmImage { rows: rows.iter().rev().map(row).collect() };
        let mut loaded = Am::new(&config);
        for (column, prefix, product, valid) in &before {
            loaded.write(&RowWrite { address: column << 2 | prefix >> 30, product: *product, valid: *valid, ..RowWrite::default() });
        }
        let mut written = loaded.clone();
        loaded.load(&image).unwrap();
        image.writes(&config).iter().for_each(|write| written.write(write));
        prop_assert_eq!(&loaded, &written);
        prop_assert_eq!(loaded.valid_rows(), rows.len());
        for (address, word) in &rows {
            let operands = Operands { column: address >> 2, weight: 1f32.to_bits(), activation: 0x3F80_0000 | (address & 3) << 21 };
            prop_assert_eq!(loaded.product(operands), Some(0x3F80_0000 + word));
        }
    }
}

/// With the whole fraction compared and exact words, every hit of every pair of
/// encodings is the multiplier's product, and a miss has its reason.
#[test]
fn exact_memories_of_eight_bit_formats_equal_the_multiplier() {
    for format in [E4m3, E5m2] {
        let fraction_bits = format.fraction_bits();
        let columns = 1 << fraction_bits;
        let config = PeConfig { format, ..PeConfig::factored("pe", columns, fraction_bits) };
        config.validate().unwrap();
        let shape = config.factored_memory().unwrap();
        let pairs = (0..columns).flat_map(|weight| (0..columns).map(move |activation| (weight, activation)));
        let rows = pairs.map(|(weight, activation)| AmRow {
            key: shape.key(format, weight, weight, activation),
            care: shape.care(format),
            product: Bits32(rounded_product(format, fraction_bits + 1, weight, activation)),
        });
        let mut am = Am::new(&config);
        am.load(&AmImage { rows: rows.collect() }).unwrap();
        let (mut hits, mut zeros) = (0, 0);
        for (weight, activation) in (0..256u32).flat_map(|weight| (0..256u32).map(move |a| (weight, a))) {
            let product = float::mul(format, weight.into(), activation.into()).bits as u32;
            let found = am.product(Operands { column: weight % columns, weight, activation });
            let magnitude = |bits: u32| bits & 0x7F;
            let zero = |bits| magnitude(bits) == 0;
            let odd = |bits| !zero(bits) && magnitude(bits) < columns || format.is_special(u64::from(bits));
            let usable = !odd(weight) && !odd(activation);
            zeros += u64::from(usable && (zero(weight) || zero(activation)));
            match found {
                Some(found) => {
                    hits += 1;
                    assert!(usable, "{format}: {weight:x} * {activation:x}");
                    assert_eq!(found, product, "{format}: {weight:x} * {activation:x}");
                }
                // A product below the least normal number can be rounded up to it.
                None => assert!(
                    !usable || magnitude(product) <= columns || format.is_special(product.into()),
                    "{format}: {weight:x} * {activation:x} = {product:x}"
                ),
            }
        }
        println!("{format}: {hits} hits, {zeros} of them zeros");
        assert!(zeros > 0 && hits > 2 * zeros && hits < 60_000);
    }
}

fn row(shape: FactoredConfig, format: FloatFormat, column: u32, pair: (u32, u32), word: u32) -> AmRow {
    AmRow { key: shape.key(format, column, pair.0, pair.1), care: shape.care(format), product: Bits32(word) }
}

#[test]
fn a_refused_image_changes_nothing() {
    let (three, third) = (3f32.to_bits(), (1f32 / 3.0).to_bits());
    let whole = config(23, 24);
    let shape = whole.factored_memory().unwrap();
    // 3 * (1/3) is 1 after rounding: of significands 1.5 * 1.33333337 = 2.00000006, rounded to 2.
    let exact = row(shape, Binary32, 1, (three, third), 1 << 23);
    let mut am = Am::new(&whole);
    am.load(&AmImage { rows: vec![exact] }).unwrap();
    let before = am.clone();
    let off = AmRow { product: Bits32((1 << 23) + 1), ..exact };
    let refused = am.load(&AmImage { rows: vec![row(shape, Binary32, 0, (0, 0), 0), off] }).unwrap_err();
    let (weight, activation) = (three & 0x7F_FFFF, third & 0x7F_FFFF);
    let (stored, expected) = ((1 << 23) + 1, 1 << 23);
    assert_eq!(refused, LoadError::ExactSignificand { row: 1, weight, activation, stored, expected });
    let refused = am.load(&AmImage { rows: vec![row(shape, Binary32, COLUMNS, (0, 0), 0)] }).unwrap_err();
    assert_eq!(refused, LoadError::Image(AmError::Column { row: 0, column: COLUMNS, columns: COLUMNS }));
    assert_eq!(am, before);
    // One bit not compared, or a word that is shorter: the row is an approximation, and free.
    for config in [config(22, 24), config(23, 23)] {
        let shape = config.factored_memory().unwrap();
        let free = row(shape, Binary32, 1, (three, third), 1);
        assert_eq!(Am::new(&config).load(&AmImage { rows: vec![free] }), Ok(()));
    }
}
