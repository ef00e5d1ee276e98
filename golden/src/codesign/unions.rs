//! Two ternary patterns that differ in one bit are one pattern that does not compare it.
//!
//! Neighbours in the tree of prefixes are one prefix already where that is best. But two prefixes
//! far apart in it, say the exponents 01111100 and 01111110, may share a row as well, which costs
//! little where one of them is seldom met.

use super::patterns::Pattern;

/// Importance, importance·magnitude and importance·magnitude² of some activations.
pub(super) type Mass = [f64; 3];

/// Σ importance·(magnitude − mean)².
pub(super) fn error([mass, moment, square]: Mass) -> f64 {
    if mass > 0.0 { (square - moment * moment / mass).max(0.0) } else { 0.0 }
}

/// A pattern and the activations that have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leaf {
    pub pattern: Pattern,
    pub mass: Mass,
}

impl Leaf {
    /// Both in one pattern that matches nothing else; none if there is no such pattern.
    fn union(&self, other: &Self) -> Option<Self> {
        let (own, bits) = (self.pattern, self.pattern.key ^ other.pattern.key);
        (own.care == other.pattern.care && bits.is_power_of_two()).then(|| Self {
            pattern: Pattern { key: own.key & !bits, care: own.care & !bits },
            mass: [0, 1, 2].map(|moment| self.mass[moment] + other.mass[moment]),
        })
    }
}

/// At most `most` patterns for the same activations: those two are united, again and again, whose
/// union adds the least error. None if there are not enough that differ in one bit.
pub(super) fn unite(mut leaves: Vec<Leaf>, most: usize) -> Option<Vec<Leaf>> {
    while leaves.len() > most {
        let mut best: Option<(f64, [usize; 2], Leaf)> = None;
        for (second, other) in leaves.iter().enumerate() {
            for (first, leaf) in leaves[..second].iter().enumerate() {
                let Some(union) = leaf.union(other) else { continue };
                let added = error(union.mass) - error(leaf.mass) - error(other.mass);
                if best.as_ref().is_none_or(|best| added < best.0) {
                    best = Some((added, [first, second], union));
                }
            }
        }
        let (_, [first, second], union) = best?;
        leaves[first] = union;
        leaves.remove(second);
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(key: u32, care: u32, mass: f64, value: f64) -> Leaf {
        Leaf { pattern: Pattern { key, care }, mass: [mass, mass * value, mass * value * value] }
    }

    #[test]
    fn those_are_united_that_add_the_least() {
        let leaves = vec![leaf(0b00, 0b11, 1.0, 1.0), leaf(0b01, 0b11, 9.0, 2.0), leaf(0b10, 0b11, 9.0, 3.0)];
        // 00 goes with 01 (0.9 times 1 squared), not with 10 (0.9 times 2 squared); 01 and 10 differ in two bits.
        let found = unite(leaves.clone(), 2).unwrap();
        assert_eq!(found, [leaves[0].union(&leaves[1]).unwrap(), leaves[2]]);
        assert_eq!(found[0].pattern, Pattern { key: 0b00, care: 0b10 });
        assert!((error(found[0].mass) - 0.9).abs() < 1e-12);
        assert_eq!(unite(leaves.clone(), 1), None);
        assert_eq!(unite(leaves.clone(), 3), Some(leaves));
    }

    proptest! {
        #[test]
        fn a_union_matches_both_and_nothing_else(key in 0..256u32, care in 0..256u32, bit in 0..8u32, other in 0..256u32) {
            let (care, key) = (care | 1 << bit, key & (care | 1 << bit));
            let (a, b) = (leaf(key, care, 1.0, 1.0), leaf(key ^ 1 << bit, care, 2.0, 3.0));
            let union = a.union(&b).unwrap();
            prop_assert_eq!(union, b.union(&a).unwrap());
            prop_assert_eq!(union.pattern.key & !union.pattern.care, 0);
            for value in 0..256 {
                let either = a.pattern.matches(value) || b.pattern.matches(value);
                prop_assert_eq!(union.pattern.matches(value), either);
            }
            let far = leaf(other & care, care, 1.0, 1.0);
            prop_assert_eq!(a.union(&far).is_some(), (key ^ other & care).count_ones() == 1);
            // Patterns that compare different bits have no union of this kind.
            prop_assert_eq!(a.union(&leaf(b.pattern.key & !1, care ^ 1, 1.0, 1.0)), None);
        }
    }
}
