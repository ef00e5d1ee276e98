//! One ternary pattern: which bits of a key are compared, and to what.

use axp_spec::{AmRow, Bits32, FloatFormat};
use bitvec::array::BitArray;
use bitvec::field::BitField;
use bitvec::order::Lsb0;

/// The bits of one key; bit 0 is the activation's last fraction bit.
type KeyBits = BitArray<[u64; 1], Lsb0>;

/// A ternary pattern over a key {weight, activation}: each bit is 0, 1 or
/// "don't care".
///
/// ```
/// use axp_golden::am::Pattern;
/// use axp_spec::FloatFormat::Binary32;
///
/// // 1.5 compared by sign, exponent and one fraction bit: all of [1.5, 2).
/// let pattern = Pattern::partial(Binary32, 0x3F80_0000, 1.5f32.to_bits(), 1);
/// assert!(pattern.matches(Binary32, 0x3F80_0000, 1.75f32.to_bits()));
/// assert!(!pattern.matches(Binary32, 0x3F80_0000, 1.25f32.to_bits()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// 0 wherever `care` is 0.
    key: KeyBits,
    care: KeyBits,
}

impl Pattern {
    /// The pattern of `key` under the mask `care` (1 = compared). Key bits
    /// outside the mask say nothing and are dropped.
    pub fn new(key: u64, care: u64) -> Self {
        let care = KeyBits::new([care]);
        Self { key: KeyBits::new([key]) & care, care }
    }

    /// The pattern that matches one operand pair alone.
    pub fn exact(format: FloatFormat, weight: u32, activation: u32) -> Self {
        Self::new(format.key_of(weight, activation), format.key_mask())
    }

    /// All bits of the weight; of the activation, sign, exponent and the top
    /// `fraction_bits` bits of the fraction. As many bits as the fraction has,
    /// or more, make the pattern exact.
    pub fn partial(format: FloatFormat, weight: u32, activation: u32, fraction_bits: u32) -> Self {
        let mut care = KeyBits::new([format.key_mask()]);
        let ignored = format.fraction_bits().saturating_sub(fraction_bits) as usize;
        care[..ignored].fill(false);
        Self::new(format.key_of(weight, activation), care.load_le())
    }

    /// The pattern of a row, stray key bits dropped.
    pub fn of(row: &AmRow) -> Self {
        Self::new(row.key, row.care)
    }

    /// This pattern as a row that stores `product`.
    pub fn row(&self, product: u32) -> AmRow {
        AmRow { key: self.key(), care: self.care(), product: Bits32(product) }
    }

    /// The compared values; 0 where nothing is compared.
    pub fn key(&self) -> u64 {
        self.key.load_le()
    }

    /// The match mask: 1 where a key bit is compared.
    pub fn care(&self) -> u64 {
        self.care.load_le()
    }

    /// How many key bits are compared.
    pub fn compared_bits(&self) -> usize {
        self.care.count_ones()
    }

    /// Whether every key bit of a format is compared.
    pub fn is_exact(&self, format: FloatFormat) -> bool {
        self.row(0).is_exact(format)
    }

    /// Whether the pattern agrees with the pair wherever it compares. This is
    /// the ternary match alone; the memory adds the guard against infinities
    /// and NaNs.
    pub fn matches(&self, format: FloatFormat, weight: u32, activation: u32) -> bool {
        let key = KeyBits::new([format.key_of(weight, activation)]);
        ((key ^ self.key) & self.care).not_any()
    }

    /// Whether some key matches both patterns, so that their order decides.
    pub fn overlaps(&self, other: &Self) -> bool {
        ((self.key ^ other.key) & self.care & other.care).not_any()
    }
}
