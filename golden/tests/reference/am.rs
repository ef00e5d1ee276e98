//! The associative memory against a naive one that compares trits one by one.

use crate::operands::{any_encoding, network_value};
use axp_golden::am::{Am, Hit, LoadError, Pattern};
use axp_golden::float;
use axp_spec::{AmError, AmImage, AmRow, Bits32, FloatFormat::Binary32, PeConfig, RowWrite};
use proptest::prelude::*;

/// One row as text would show it: a character '0', '1' or 'x' a key bit.
type Trits = [u8; 64];

fn trits(key: u64, care: u64) -> Trits {
    std::array::from_fn(|bit| match (care >> bit & 1, key >> bit & 1) {
        (0, _) => b'x',
        (_, 0) => b'0',
        _ => b'1',
    })
}

/// The same memory, naively: a slot a row, scanned bit by bit.
struct Naive {
    rows: Vec<Option<(Trits, u32)>>,
}

impl Naive {
    fn new(capacity: usize) -> Self {
        Self { rows: vec![None; capacity] }
    }

    fn write(&mut self, write: &RowWrite) {
        if let Some(slot) = self.rows.get_mut(write.address as usize) {
            *slot = write.valid.then(|| (trits(write.key, write.care), write.product));
        }
    }

    fn matching(&self, weight: u32, activation: u32) -> Vec<Hit> {
        if !f32::from_bits(weight).is_finite() || !f32::from_bits(activation).is_finite() {
            return Vec::new();
        }
        let key = trits(Binary32.key_of(weight, activation), u64::MAX);
        let agrees = |row: &Trits| row.iter().zip(key).all(|(have, want)| *have == b'x' || *have == want);
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(row, slot)| slot.filter(|(trits, _)| agrees(trits)).map(|(_, product)| Hit { row, product }))
            .collect()
    }
}

/// Masks from "everything" over partial activations to nothing but noise.
fn care() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(u64::MAX),
        (0..32u32).prop_map(|ignored| u64::MAX << ignored),
        any::<u64>(),
        any::<(u64, u64)>().prop_map(|(a, b)| a & b),
        Just(0),
    ]
}

fn row_write(capacity: u32) -> impl Strategy<Value = RowWrite> {
    (0..capacity + 2, network_value(), network_value(), care(), any::<u32>(), prop::bool::weighted(0.8)).prop_map(
        |(address, weight, activation, care, product, valid)| {
            // Key bits outside the mask are left in: the port drops them.
            RowWrite { address, key: Binary32.key_of(weight, activation), care, product, valid }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn searches_find_the_lowest_matching_row(
        capacity in 1..20u32,
        raw_writes in prop::collection::vec(row_write(20), 0..60),
        pairs in prop::collection::vec((network_value(), network_value()), 1..40),
        odd_pairs in prop::collection::vec((any_encoding(), any_encoding()), 1..10),
    ) {
        let config = PeConfig::pair("pe", capacity as usize);
        let (mut am, mut naive) = (Am::new(&config), Naive::new(capacity as usize));
        for write in &raw_writes {
            am.write(write);
            naive.write(write);
            // Operands that agree with the row just written, as well as others.
            let own = ((write.key >> 32) as u32, write.key as u32);
            for (weight, activation) in pairs.iter().chain(&odd_pairs).chain([&own]) {
                let expected = naive.matching(*weight, *activation).first().copied();
                prop_assert_eq!(am.search(*weight, *activation), expected);
            }
        }
        prop_assert_eq!(am.valid_rows(), naive.rows.iter().flatten().count());
    }

    #[test]
    fn patterns_are_what_their_trits_say(
        (key, care) in (any::<u64>(), care()),
        (other_key, other_care) in (any::<u64>(), care()),
        noise: u64,
    ) {
        let pattern = Pattern::new(key, care);
        prop_assert_eq!((pattern.key(), pattern.care()), (key & care, care));
        prop_assert_eq!(pattern.compared_bits() as u32, care.count_ones());
        prop_assert_eq!(pattern.is_exact(Binary32), care == u64::MAX);
        prop_assert_eq!(pattern, Pattern::of(&pattern.row(7)));
        prop_assert_eq!(pattern.row(7).product, Bits32(7));

        let inside = key & care | noise & !care;
        prop_assert!(pattern.matches(Binary32, (inside >> 32) as u32, inside as u32));
        let (a, b) = (trits(key, care), trits(noise, u64::MAX));
        let agrees = a.iter().zip(b).all(|(have, want)| *have == b'x' || *have == want);
        prop_assert_eq!(pattern.matches(Binary32, (noise >> 32) as u32, noise as u32), agrees);

        let other = Pattern::new(other_key, other_care);
        let (a, b) = (trits(key, care), trits(other_key, other_care));
        let common_key_exists = a.iter().zip(b).all(|(x, y)| *x == y || *x == b'x' || y == b'x');
        prop_assert_eq!(pattern.overlaps(&other), common_key_exists);
    }

    #[test]
    fn partial_patterns_compare_the_top_of_the_activation(
        weight: u32, activation in any_encoding(), other in any_encoding(), fraction_bits in 0..40u32,
    ) {
        let pattern = Pattern::partial(Binary32, weight, activation, fraction_bits);
        let dropped = 23 - fraction_bits.min(23);
        prop_assert_eq!(pattern.matches(Binary32, weight, other), activation >> dropped == other >> dropped);
        prop_assert!(!pattern.matches(Binary32, weight ^ 1, activation));
        prop_assert_eq!(pattern.is_exact(Binary32), fraction_bits >= 23);
        prop_assert_eq!(pattern.compared_bits() as u32, 64 - dropped);
    }

    #[test]
    fn infinities_and_nans_never_match(
        (exponent_of_weight, sign, fraction) in (any::<bool>(), any::<bool>(), 0..0x0080_0000u32),
        other in network_value(), care in care(),
    ) {
        let special = u32::from(sign) << 31 | 0x7F80_0000 | fraction;
        let (weight, activation) = if exponent_of_weight { (special, other) } else { (other, special) };
        let mut am = Am::new(&PeConfig::pair("pe", 2));
        for (address, care) in [(0, care), (1, 0)] {
            am.write(&RowWrite { address, key: Binary32.key_of(weight, activation), care, product: 0, valid: true });
        }
        prop_assert_eq!(am.search(weight, activation), None);
        prop_assert!(am.search(other, other).is_some(), "row 1 compares nothing, so finite operands match it");
    }

    /// Loading is writing every row, the rows after the image as invalid.
    #[test]
    fn loading_replaces_the_whole_content(
        before in prop::collection::vec(row_write(8), 0..16),
        pairs in prop::collection::vec((network_value(), network_value(), 0..=23u32), 0..8),
    ) {
        let config = PeConfig::pair("pe", 8);
        let rows: Vec<AmRow> = pairs.iter().map(|(w, a, m)| row_of(*w, *a, *m)).collect();
        let mut loaded = Am::new(&config);
        before.iter().for_each(|write| loaded.write(write));
        loaded.load(&AmImage { rows: rows.clone() }).unwrap();

        let mut written = Am::new(&config);
        before.iter().for_each(|write| written.write(write));
        for address in 0..8 {
            let row = rows.get(address as usize).copied().unwrap_or(AmRow::exact(Binary32, 0, 0, 0));
            let valid = (address as usize) < rows.len();
            written.write(&RowWrite { address, key: row.key, care: row.care, product: row.product.0, valid });
        }
        prop_assert_eq!(loaded, written);
    }
}

fn product(weight: u32, activation: u32) -> u32 {
    float::mul(Binary32, weight.into(), activation.into()).bits as u32
}

/// A loadable row: the activation's top `fraction_bits`, the product of the pair itself.
fn row_of(weight: u32, activation: u32, fraction_bits: u32) -> AmRow {
    Pattern::partial(Binary32, weight, activation, fraction_bits).row(product(weight, activation))
}

const ONE: u32 = 0x3F80_0000;
const THREE: u32 = 0x4040_0000;

#[test]
fn a_refused_image_changes_nothing() {
    let config = PeConfig::pair("pe", 2);
    let mut am = Am::new(&config);
    am.load(&AmImage { rows: vec![row_of(ONE, THREE, 23)] }).unwrap();
    let before = am.clone();

    let good = row_of(THREE, THREE, 2);
    let too_many = AmImage { rows: vec![good; 3] };
    let special = AmImage { rows: vec![good, AmRow::exact(Binary32, ONE, 0x7F80_0000, 0)] };
    let wrong = AmImage { rows: vec![good, AmRow::exact(Binary32, THREE, THREE, ONE)] };
    let errors = [&too_many, &special, &wrong].map(|image| am.load(image).unwrap_err());
    assert_eq!(am, before);
    assert_eq!(
        errors,
        [
            LoadError::Image(AmError::TooManyRows { rows: 3, capacity: 2 }),
            LoadError::Image(AmError::MatchesSpecial { row: 1, operand: "activation" }),
            LoadError::ExactProduct { row: 1, weight: THREE, activation: THREE, stored: ONE, expected: 0x4110_0000 },
        ]
    );
    let text = errors[2].to_string();
    assert!(text.contains("row 1") && text.contains("40400000") && text.contains("41100000"), "{text}");
}

#[test]
fn exact_rows_need_the_rounded_product_and_its_sign() {
    let load = |row| Am::new(&PeConfig::pair("pe", 1)).load(&AmImage { rows: vec![row] });
    let third = (1.0f32 / 3.0).to_bits();
    assert_eq!(load(AmRow::exact(Binary32, third, THREE, ONE)), Ok(()), "rounded to nearest even");
    assert!(load(AmRow::exact(Binary32, third, THREE, ONE - 1)).is_err());
    // A zero has a sign, and a hit must have the same one as a miss.
    let minus_zero = 0x8000_0000;
    assert_eq!(load(AmRow::exact(Binary32, ONE, minus_zero, minus_zero)), Ok(()));
    assert!(load(AmRow::exact(Binary32, ONE, minus_zero, 0)).is_err());
    // A product that overflows has no exact row at all.
    let largest = f32::MAX.to_bits();
    assert!(load(AmRow::exact(Binary32, largest, largest, 0x7F80_0000)).is_err());
    assert!(load(AmRow::exact(Binary32, largest, largest, largest)).is_err());
    // With one bit ignored the row is an approximation, and free.
    assert_eq!(load(Pattern::partial(Binary32, ONE, THREE, 22).row(ONE)), Ok(()));
}
