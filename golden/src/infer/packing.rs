//! How sums lie side by side in registers: words of 32 bits, or halves of 16.

use super::arithmetic::Arithmetic;
use super::lanes::{HALF_WIDTH, HalfLine, Lanes, Line, WIDTH};
use std::array::from_fn;
use std::fmt::Debug;

/// One way to lay out sums.
pub(super) trait Packing: Copy + Debug {
    /// Sums in a register.
    const WIDTH: usize;
    /// The top bit of one.
    const SIGN_BIT: u32;
    /// Words or indices of so many weights, in memory.
    type Line: Copy + Debug;
    /// Sums or products of so many weights.
    type Words<L: Lanes>: Copy;
    /// Sums as they are given on: signed words of 32 bits.
    type Stored: AsRef<[u32]> + Copy;

    fn line(word: impl Fn(usize) -> u32) -> Self::Line;
    fn zero<L: Lanes>(lanes: L) -> Self::Words<L>;
    fn load<L: Lanes>(lanes: L, line: &Self::Line) -> Self::Words<L>;
    /// As [`Lanes::pick`].
    fn pick<L: Lanes, const N: usize>(lanes: L, table: &[Self::Words<L>; N], indices: Self::Words<L>)
    -> Self::Words<L>;
    fn add<A: Arithmetic, L: Lanes>(lanes: L, sums: Self::Words<L>, products: Self::Words<L>) -> Self::Words<L>;
    /// As [`Arithmetic::add_signed_words`].
    fn add_signed<A: Arithmetic, L: Lanes>(
        lanes: L,
        sums: Self::Words<L>,
        products: Self::Words<L>,
        signs: Self::Words<L>,
    ) -> Self::Words<L>;
    fn look<A: Arithmetic, L: Lanes>(lanes: L, marks: Self::Words<L>, sums: Self::Words<L>) -> Self::Words<L>;
    fn store<L: Lanes>(lanes: L, words: Self::Words<L>) -> Self::Stored;
}

/// Words: every arithmetic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole;

impl Packing for Whole {
    const WIDTH: usize = WIDTH;
    const SIGN_BIT: u32 = 31;
    type Line = Line;
    type Words<L: Lanes> = L::Words;
    type Stored = Line;

    fn line(word: impl Fn(usize) -> u32) -> Line {
        from_fn(word)
    }

    #[inline(always)]
    fn zero<L: Lanes>(lanes: L) -> L::Words {
        lanes.splat(0)
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, line: &Line) -> L::Words {
        lanes.load(line)
    }

    #[inline(always)]
    fn pick<L: Lanes, const N: usize>(lanes: L, table: &[L::Words; N], indices: L::Words) -> L::Words {
        lanes.pick(table, indices)
    }

    #[inline(always)]
    fn add<A: Arithmetic, L: Lanes>(lanes: L, sums: L::Words, products: L::Words) -> L::Words {
        A::add_words(lanes, sums, products)
    }

    #[inline(always)]
    fn add_signed<A: Arithmetic, L: Lanes>(lanes: L, sums: L::Words, products: L::Words, signs: L::Words) -> L::Words {
        A::add_signed_words(lanes, sums, products, signs)
    }

    #[inline(always)]
    fn look<A: Arithmetic, L: Lanes>(lanes: L, marks: L::Words, sums: L::Words) -> L::Words {
        A::look(lanes, marks, sums)
    }

    #[inline(always)]
    fn store<L: Lanes>(lanes: L, words: L::Words) -> Line {
        lanes.store(words)
    }
}

/// Halves: integer sums which do not leave 16 bits before they are looked at
/// ([`Arithmetic::fits_halves`]).
#[derive(Clone, Copy, Debug)]
pub(super) struct Half;

impl Packing for Half {
    const WIDTH: usize = HALF_WIDTH;
    const SIGN_BIT: u32 = 15;
    type Line = HalfLine;
    type Words<L: Lanes> = L::Halves;
    type Stored = [u32; HALF_WIDTH];

    fn line(word: impl Fn(usize) -> u32) -> HalfLine {
        from_fn(|lane| word(lane) as u16)
    }

    #[inline(always)]
    fn zero<L: Lanes>(lanes: L) -> L::Halves {
        lanes.load_halves(&[0; HALF_WIDTH])
    }

    #[inline(always)]
    fn load<L: Lanes>(lanes: L, line: &HalfLine) -> L::Halves {
        lanes.load_halves(line)
    }

    #[inline(always)]
    fn pick<L: Lanes, const N: usize>(lanes: L, table: &[L::Halves; N], indices: L::Halves) -> L::Halves {
        lanes.pick_halves(table, indices)
    }

    #[inline(always)]
    fn add<A: Arithmetic, L: Lanes>(lanes: L, sums: L::Halves, products: L::Halves) -> L::Halves {
        lanes.add_i16(sums, products)
    }

    #[inline(always)]
    fn add_signed<A: Arithmetic, L: Lanes>(
        lanes: L,
        sums: L::Halves,
        products: L::Halves,
        signs: L::Halves,
    ) -> L::Halves {
        lanes.add_signed_i16(sums, products, signs)
    }

    #[inline(always)]
    fn look<A: Arithmetic, L: Lanes>(lanes: L, marks: L::Halves, sums: L::Halves) -> L::Halves {
        lanes.max_i16(marks, lanes.abs_i16(sums))
    }

    #[inline(always)]
    fn store<L: Lanes>(lanes: L, words: L::Halves) -> [u32; HALF_WIDTH] {
        let mut stored = [0; HALF_WIDTH];
        for (stored, half) in stored.iter_mut().zip(lanes.store_halves(words)) {
            *stored = i32::from(half as i16) as u32;
        }
        stored
    }
}
