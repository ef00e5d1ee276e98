//! Words in arrays, for every CPU: the compiler makes of it what it can.

use super::{HALF_WIDTH, HalfLine, Lanes, Line, Table, WIDTH};
use std::array::from_fn;

#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Portable;

#[inline(always)]
fn floats(a: Line, b: Line, f: impl Fn(f32, f32) -> f32) -> Line {
    from_fn(|lane| f(f32::from_bits(a[lane]), f32::from_bits(b[lane])).to_bits())
}

impl Lanes for Portable {
    type Words = Line;
    type Halves = HalfLine;

    #[inline(always)]
    fn load(self, line: &Line) -> Line {
        *line
    }

    #[inline(always)]
    fn store(self, words: Line) -> Line {
        words
    }

    #[inline(always)]
    fn splat(self, word: u32) -> Line {
        [word; WIDTH]
    }

    #[inline(always)]
    fn widen(self, words: &[u16; WIDTH]) -> Line {
        words.map(u32::from)
    }

    #[inline(always)]
    fn add_f32(self, a: Line, b: Line) -> Line {
        floats(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn mul_f32(self, a: Line, b: Line) -> Line {
        floats(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn add_i32(self, a: Line, b: Line) -> Line {
        from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn and(self, a: Line, b: Line) -> Line {
        from_fn(|lane| a[lane] & b[lane])
    }

    #[inline(always)]
    fn abs_i32(self, words: Line) -> Line {
        words.map(|word| (word as i32).unsigned_abs())
    }

    #[inline(always)]
    fn round_i32(self, words: Line) -> Line {
        words.map(|word| {
            let rounded = f32::from_bits(word).round_ties_even();
            let limit = (1_u32 << 31) as f32;
            if rounded >= -limit && rounded < limit { rounded as i32 as u32 } else { 1 << 31 }
        })
    }

    #[inline(always)]
    fn max_u32(self, a: Line, b: Line) -> Line {
        from_fn(|lane| a[lane].max(b[lane]))
    }

    #[inline(always)]
    fn contains(self, words: Line, word: u32) -> bool {
        words.iter().fold(false, |any, one| any | (*one == word))
    }

    #[inline(always)]
    fn shift_right(self, words: Line, count: u32) -> Line {
        words.map(|word| word.wrapping_shr(count))
    }

    #[inline(always)]
    fn narrow(self, words: Line) -> [u16; WIDTH] {
        words.map(|word| word as u16)
    }

    #[inline(always)]
    fn replace_at(self, keys: Line, key: u32, words: Line, other: Line) -> Line {
        from_fn(|lane| if keys[lane] == key { other[lane] } else { words[lane] })
    }

    #[inline(always)]
    fn add_signed_i32(self, sums: Line, products: Line, signs: Line) -> Line {
        // All bits of a negative one's, so that nothing branches.
        let sign: Line = signs.map(|word| (word as i32 >> 31) as u32);
        from_fn(|lane| sums[lane].wrapping_add((products[lane] ^ sign[lane]).wrapping_sub(sign[lane])))
    }

    #[inline(always)]
    fn flip_signs(self, words: Line, signs: Line) -> Line {
        from_fn(|lane| words[lane] ^ signs[lane] & 1 << 31)
    }

    #[inline(always)]
    fn pick<const N: usize>(self, table: &[Line; N], indices: Line) -> Line {
        indices.map(|index| table[index as usize / WIDTH % N][index as usize % WIDTH])
    }

    #[inline(always)]
    fn gather(self, table: &Table, indices: Line) -> Line {
        let mask = table.mask();
        indices.map(|index| table.0[(index & mask) as usize])
    }

    #[inline(always)]
    fn load_halves(self, line: &HalfLine) -> HalfLine {
        *line
    }

    #[inline(always)]
    fn store_halves(self, halves: HalfLine) -> HalfLine {
        halves
    }

    #[inline(always)]
    fn add_i16(self, a: HalfLine, b: HalfLine) -> HalfLine {
        from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn abs_i16(self, halves: HalfLine) -> HalfLine {
        halves.map(|half| (half as i16).unsigned_abs())
    }

    #[inline(always)]
    fn max_i16(self, a: HalfLine, b: HalfLine) -> HalfLine {
        from_fn(|lane| (a[lane] as i16).max(b[lane] as i16) as u16)
    }

    #[inline(always)]
    fn add_signed_i16(self, sums: HalfLine, products: HalfLine, signs: HalfLine) -> HalfLine {
        let sign: HalfLine = signs.map(|half| (half as i16 >> 15) as u16);
        from_fn(|lane| sums[lane].wrapping_add((products[lane] ^ sign[lane]).wrapping_sub(sign[lane])))
    }

    #[inline(always)]
    fn pick_halves<const N: usize>(self, table: &[HalfLine; N], indices: HalfLine) -> HalfLine {
        indices.map(|index| table[usize::from(index) / HALF_WIDTH % N][usize::from(index) % HALF_WIDTH])
    }
}
