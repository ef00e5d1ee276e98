//! Products of a `factored` memory by weight and class, looked up without signs.
//!
//! The sign of a product is the exclusive or of its operands' signs, and nothing else of it
//! depends on them. So each magnitude of a weight is looked up once, with the classes of positive activations.

use super::by_rule::ByRule;
use super::compiled::Word;
use crate::am::Operands;
use rayon::prelude::*;
use std::collections::HashMap;

const SIGN: u32 = 1 << 31;

/// What the memory has for each magnitude of a weight.
pub(super) struct SignFolded {
    /// For each class its place among those of its sign, and whether that is negative.
    places: Vec<(usize, bool)>,
    /// By column and magnitude of the weight: for each place what a positive and a negative
    /// product add to a sum; `None` for a miss.
    words: HashMap<(u32, u32), Vec<Option<[u32; 2]>>>,
}

impl SignFolded {
    /// Looks all weights of a layer up. `members` has an activation of each class, see
    /// [`Classes::prefixes`](super::classes::Classes::prefixes): the zeros, and then as many
    /// positive ones as negative ones in the same order.
    pub(super) fn new(rule: &ByRule, members: &[u32], word: Word<'_>) -> Self {
        let mut seen = [0, 0];
        let place = |activation: &u32| {
            let negative = activation & SIGN != 0;
            let place = &mut seen[usize::from(negative)];
            *place += 1;
            (*place - 1, negative)
        };
        let places = members.iter().map(place).collect();
        let positive: Vec<u32> = members.iter().copied().filter(|activation| activation & SIGN == 0).collect();
        let look_up = |column: u32, weight: u32| {
            let product = |(place, activation): (usize, &u32)| {
                // A class holds more than its member where this is subnormal or not finite.
                let one = place == 0 || f32::from_bits(*activation).is_normal();
                let found = rule.am.product(Operands { column, weight, activation: *activation });
                found.filter(|_| one).map(|product| [word(product, false), word(product ^ SIGN, false)])
            };
            positive.iter().enumerate().map(product).collect()
        };
        let mut keys: Vec<(u32, u32)> = (0..rule.codebook.len()).map(|index| key(rule, index)).collect();
        keys.sort_unstable();
        keys.dedup();
        let words = keys.into_par_iter().map(|key| (key, look_up(key.0, key.1))).collect();
        Self { places, words }
    }

    /// What the products of a weight, by its index in the codebook, add to a sum, for each class.
    pub(super) fn look_up(&self, rule: &ByRule, weight: usize) -> Vec<Option<u32>> {
        let Some(words) = self.words.get(&key(rule, weight)) else { return vec![None; self.places.len()] };
        let negative = rule.codebook[weight].is_sign_negative();
        let of_class = |(place, sign): &(usize, bool)| words[*place].map(|words| words[usize::from(*sign != negative)]);
        self.places.iter().map(of_class).collect()
    }
}

/// The column of a weight and its magnitude.
fn key(rule: &ByRule, weight: usize) -> (u32, u32) {
    (rule.columns[weight], rule.codebook[weight].to_bits() & !SIGN)
}
