//! Sixteen words side by side, on whatever vector unit the CPU has.
//!
//! A [`Kernel`] is written once, generic in its [`Lanes`], and [`Level::run`] compiles
//! it for each unit. All units give the same bits: every operation is one IEEE or
//! integer operation on each word, and none is fused with another but where that changes nothing.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use portable::Portable;
#[cfg(target_arch = "x86_64")]
use {avx2::Avx2, avx512::Avx512};

/// Words side by side.
pub(super) const WIDTH: usize = 16;
/// They lie in memory like this.
pub(super) type Line = [u32; WIDTH];
/// Halves side by side.
pub(super) const HALF_WIDTH: usize = 2 * WIDTH;
/// They lie in memory like this.
pub(super) type HalfLine = [u16; HALF_WIDTH];

/// What begins where a line of the cache does, so that a register is loaded from one and not from two.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Aligned<T>(pub T);

/// A vector unit. A value of it says that the CPU has it.
pub(super) trait Lanes: Copy {
    /// Sixteen words of 32 bits.
    type Words: Copy;
    /// Thirty-two halves of 16 bits.
    type Halves: Copy;

    fn load(self, line: &Line) -> Self::Words;
    fn store(self, words: Self::Words) -> Line;
    fn splat(self, word: u32) -> Self::Words;
    fn widen(self, words: &[u16; WIDTH]) -> Self::Words;
    fn add_f32(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn mul_f32(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Sums with words times powers of two added, where these products are exact: whether they are fused
    /// with the addition makes no difference.
    #[inline(always)]
    fn add_scaled_f32(self, sums: Self::Words, words: Self::Words, powers: Self::Words) -> Self::Words {
        self.add_f32(sums, self.mul_f32(words, powers))
    }
    /// Wraps.
    fn add_i32(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn and(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Magnitudes of two's complement words.
    fn abs_i32(self, words: Self::Words) -> Self::Words;
    /// Rounds binary32 to integers, to nearest even; what is none of 32 bits becomes the least one.
    fn round_i32(self, words: Self::Words) -> Self::Words;
    fn max_u32(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Shifts each word right by `count`, below 32; zeros come in.
    fn shift_right(self, words: Self::Words, count: u32) -> Self::Words;
    /// The lower halves of words that are below 2^16.
    fn narrow(self, words: Self::Words) -> [u16; WIDTH];
    /// `other` where `keys` are `key`, else `words`.
    fn replace_at(self, keys: Self::Words, key: u32, words: Self::Words, other: Self::Words) -> Self::Words;
    fn contains(self, words: Self::Words, word: u32) -> bool;
    /// `other` where `words` are `word`.
    #[inline(always)]
    fn replace(self, words: Self::Words, word: u32, other: Self::Words) -> Self::Words {
        self.replace_at(words, word, words, other)
    }
    /// Sums with each product added, or taken away where its sign (the top bit) is set. Wraps.
    fn add_signed_i32(self, sums: Self::Words, products: Self::Words, signs: Self::Words) -> Self::Words;
    /// Words with the sign bits of others flipped where these have theirs set.
    fn flip_signs(self, words: Self::Words, signs: Self::Words) -> Self::Words;
    /// For each index, modulo `16 * N`, the word of a table in registers. `N` is a power of two.
    fn pick<const N: usize>(self, table: &[Self::Words; N], indices: Self::Words) -> Self::Words;
    /// For each index the word of a table in memory.
    fn gather(self, table: &Table, indices: Self::Words) -> Self::Words;

    fn load_halves(self, line: &HalfLine) -> Self::Halves;
    fn store_halves(self, halves: Self::Halves) -> HalfLine;
    /// Wraps.
    fn add_i16(self, a: Self::Halves, b: Self::Halves) -> Self::Halves;
    /// Magnitudes of two's complement halves; that of the least one wraps.
    fn abs_i16(self, halves: Self::Halves) -> Self::Halves;
    fn max_i16(self, a: Self::Halves, b: Self::Halves) -> Self::Halves;
    /// Sums with each product added, or taken away where its sign (the top bit) is set. Wraps.
    fn add_signed_i16(self, sums: Self::Halves, products: Self::Halves, signs: Self::Halves) -> Self::Halves;
    /// For each index, modulo `32 * N`, the half of a table in registers. `N` is 1 or 2.
    fn pick_halves<const N: usize>(self, table: &[Self::Halves; N], indices: Self::Halves) -> Self::Halves;
}

/// A table that is read by index: of 2^n words, so that an index whose upper bits are
/// cleared is inside.
#[derive(Clone, Debug)]
pub(super) struct Table(Vec<u32>);

impl Table {
    /// Filled up with `rest`.
    pub(super) fn new(mut words: Vec<u32>, rest: u32) -> Self {
        words.resize(words.len().next_power_of_two(), rest);
        Self(words)
    }

    /// One of its words; an index beyond them wraps.
    #[inline(always)]
    pub(super) fn get(&self, index: u32) -> u32 {
        self.0[index as usize & (self.0.len() - 1)]
    }

    /// Changes each of its words.
    pub(super) fn change(&mut self, change: impl FnMut(&mut u32)) {
        self.0.iter_mut().for_each(change);
    }

    fn mask(&self) -> u32 {
        (self.0.len() - 1) as u32
    }
}

/// What runs on any vector unit. Its `run`, and what that calls for each word, must be
/// `inline(always)`, or it is compiled without the unit's instructions.
pub(super) trait Kernel {
    type Output;
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Which vector unit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    /// What every CPU of the architecture has.
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Level {
    /// The CPU's, the best last.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        let portable = std::iter::once(Self::Portable(Portable));
        #[cfg(target_arch = "x86_64")]
        let all = portable.chain(Avx2::detect().map(Self::Avx2)).chain(Avx512::detect().map(Self::Avx512));
        #[cfg(not(target_arch = "x86_64"))]
        let all = portable;
        all
    }

    /// The best that the CPU has.
    pub(super) fn best() -> Self {
        Self::available().last().unwrap_or(Self::Portable(Portable))
    }

    /// Runs a kernel on it.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable(lanes) => kernel.run(lanes),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(lanes) => lanes.enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.enter(kernel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::array::from_fn;

    /// Bits of numbers below 2.
    const FINITE: u32 = !(1 << 30);

    /// Every operation, one after the other.
    struct All<'a> {
        a: Line,
        b: Line,
        power: u32,
        halves: [u16; WIDTH],
        rows: [Line; 8],
        table: &'a Table,
    }

    impl Kernel for All<'_> {
        type Output = (Vec<Line>, bool, [u16; WIDTH]);

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Self::Output {
            let (a, b) = (lanes.load(&self.a), lanes.load(&self.b));
            let rows = self.rows.map(|row| lanes.load(&row));
            let words = [
                lanes.add_f32(a, b),
                lanes.mul_f32(a, b),
                lanes.add_scaled_f32(a, lanes.and(b, lanes.splat(FINITE)), lanes.splat(self.power)),
                lanes.add_i32(a, b),
                lanes.and(a, b),
                lanes.abs_i32(a),
                lanes.round_i32(a),
                lanes.max_u32(a, b),
                lanes.widen(&self.halves),
                lanes.replace(a, self.b[0], b),
                lanes.replace_at(b, self.b[0], a, lanes.splat(9)),
                lanes.shift_right(a, self.b[0] % 32),
                lanes.pick::<1>(&[rows[0]], a),
                lanes.pick::<2>(&[rows[0], rows[1]], a),
                lanes.pick::<4>(&[rows[0], rows[1], rows[2], rows[3]], a),
                lanes.pick::<8>(&rows, a),
                lanes.gather(self.table, a),
                lanes.add_signed_i32(a, b, rows[0]),
                lanes.flip_signs(a, b),
            ];
            let narrow = lanes.narrow(lanes.and(a, lanes.splat(0xFFFF)));
            (words.map(|words| lanes.store(words)).to_vec(), lanes.contains(a, self.b[0]), narrow)
        }
    }

    /// Every operation on halves.
    struct AllHalves {
        a: HalfLine,
        b: HalfLine,
        rows: [HalfLine; 2],
    }

    impl Kernel for AllHalves {
        type Output = [HalfLine; 6];

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> [HalfLine; 6] {
            let (a, b) = (lanes.load_halves(&self.a), lanes.load_halves(&self.b));
            let rows = self.rows.map(|row| lanes.load_halves(&row));
            let halves = [
                lanes.add_i16(a, b),
                lanes.abs_i16(a),
                lanes.max_i16(a, b),
                lanes.pick_halves::<1>(&[rows[0]], a),
                lanes.pick_halves::<2>(&rows, a),
                lanes.add_signed_i16(a, b, rows[0]),
            ];
            halves.map(|halves| lanes.store_halves(halves))
        }
    }

    /// A NaN is a NaN: which one, IEEE leaves open.
    fn same(a: u32, b: u32) -> bool {
        a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan()
    }

    fn word() -> impl Strategy<Value = u32> {
        let special = [0, 1 << 31, 1, 0x007F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000];
        prop_oneof![any::<u32>(), (-2.0f32..2.0).prop_map(f32::to_bits), proptest::sample::select(special.to_vec())]
    }

    fn line() -> impl Strategy<Value = Line> {
        proptest::collection::vec(word(), WIDTH).prop_map(|words| from_fn(|lane| words[lane]))
    }

    proptest! {
        #[test]
        fn all_units_give_the_same_bits(
            (a, b, halves) in (line(), line(), any::<[u16; WIDTH]>()),
            rows in proptest::collection::vec(line(), 8),
            table in proptest::collection::vec(any::<u32>(), 1..50),
            power in (0..5_i32).prop_map(|exponent| 2_f32.powi(exponent)),
            equal in any::<bool>(),
        ) {
            let (mut b, table) = (b, Table::new(table, 7));
            if equal {
                b[0] = a[usize::from(halves[0]) % WIDTH];
            }
            let rows: [Line; 8] = from_fn(|row| rows[row]);
            let float = |f: fn(f32, f32) -> f32| from_fn(|i| f(f32::from_bits(a[i]), f32::from_bits(b[i])).to_bits());
            let pick = |limit: u32| from_fn(|i| rows.as_flattened()[(a[i] % limit) as usize]);
            let rounded = |bits: u32| {
                let number = f64::from(f32::from_bits(bits)).round_ties_even();
                if (-2_147_483_648.0..2_147_483_648.0).contains(&number) { number as i64 as u32 } else { 1 << 31 }
            };
            let expected: [Line; 19] = [
                float(|a, b| a + b),
                float(|a, b| a * b),
                from_fn(|i| (f32::from_bits(a[i]) + f32::from_bits(b[i] & FINITE) * power).to_bits()),
                from_fn(|i| a[i].wrapping_add(b[i])),
                from_fn(|i| a[i] & b[i]),
                a.map(|word| if word >> 31 == 1 { word.wrapping_neg() } else { word }),
                a.map(rounded),
                from_fn(|i| a[i].max(b[i])),
                halves.map(u32::from),
                from_fn(|i| if a[i] == b[0] { b[i] } else { a[i] }),
                from_fn(|i| if b[i] == b[0] { 9 } else { a[i] }),
                from_fn(|i| a[i] >> (b[0] % 32)),
                pick(16),
                pick(32),
                pick(64),
                pick(128),
                a.map(|index| table.0[index as usize % table.0.len()]),
                from_fn(|i| if rows[0][i] >> 31 == 1 { a[i].wrapping_sub(b[i]) } else { a[i].wrapping_add(b[i]) }),
                from_fn(|i| a[i] ^ b[i] & 1 << 31),
            ];
            for level in Level::available() {
                let (found, contains, narrow) = level.run(All { a, b, power: power.to_bits(), halves, rows, table: &table });
                for (operation, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let right = found.iter().zip(expected).all(|(a, b)| if operation < 3 { same(*a, *b) } else { a == b });
                    prop_assert!(right, "{:?}: operation {} gives {:x?}, not {:x?}", level, operation, found, expected);
                }
                prop_assert_eq!(contains, a.contains(&b[0]));
                prop_assert_eq!(narrow, a.map(|word| word as u16));
            }
        }

        #[test]
        fn all_units_give_the_same_halves(a: [u16; HALF_WIDTH], b: [u16; HALF_WIDTH], rows: [[u16; HALF_WIDTH]; 2]) {
            let signed = |f: fn(i16, i16) -> i16| from_fn(|i| f(a[i] as i16, b[i] as i16) as u16);
            let pick = |limit: u16| a.map(|index| rows.as_flattened()[usize::from(index % limit)]);
            let expected = [
                signed(|a, b| a.wrapping_add(b)),
                signed(|a, _| a.wrapping_abs()),
                signed(|a, b| a.max(b)),
                pick(32),
                pick(64),
                from_fn(|i| if rows[0][i] >> 15 == 1 { a[i].wrapping_sub(b[i]) } else { a[i].wrapping_add(b[i]) }),
            ];
            for level in Level::available() {
                prop_assert_eq!(level.run(AllHalves { a, b, rows }), expected, "{:?}", level);
            }
        }
    }
}
