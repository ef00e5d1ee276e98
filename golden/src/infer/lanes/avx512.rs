//! The vector unit of x86-64 with 512 bits.
//!
//! A value of [`Avx512`] comes from its `detect` alone, and says that the CPU has the unit. Each
//! `unsafe` rests on that, and the few that read or write memory on references to as much of it as
//! they touch.
#![expect(unsafe_code, reason = "instructions that not every CPU has")]

use super::{HALF_WIDTH, HalfLine, Kernel, Lanes, Line, Table, WIDTH};
use std::arch::x86_64::*;

/// A CPU with AVX-512 (F and BW).
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx2");
        all.then_some(Self(()))
    }

    /// Runs a kernel compiled for this unit.
    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx2")]
        fn inner<K: Kernel>(lanes: Avx512, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: the CPU has the unit.
        unsafe { inner(self, kernel) }
    }
}

impl Lanes for Avx512 {
    type Words = __m512i;
    type Halves = __m512i;

    #[inline(always)]
    fn load(self, line: &Line) -> __m512i {
        // SAFETY: the CPU has the unit, and a line is 64 bytes.
        unsafe { _mm512_loadu_si512(line.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, words: __m512i) -> Line {
        let mut line = [0; WIDTH];
        // SAFETY: as in `load`.
        unsafe { _mm512_storeu_si512(line.as_mut_ptr().cast(), words) }
        line
    }

    #[inline(always)]
    fn splat(self, word: u32) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_set1_epi32(word as i32) }
    }

    #[inline(always)]
    fn widen(self, words: &[u16; WIDTH]) -> __m512i {
        // SAFETY: the CPU has the unit, and the words are 32 bytes.
        unsafe { _mm512_cvtepu16_epi32(_mm256_loadu_si256(words.as_ptr().cast())) }
    }

    #[inline(always)]
    fn add_f32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b))) }
    }

    #[inline(always)]
    fn mul_f32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_castps_si512(_mm512_mul_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b))) }
    }

    #[inline(always)]
    fn add_scaled_f32(self, sums: __m512i, words: __m512i, powers: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe {
            let (words, powers) = (_mm512_castsi512_ps(words), _mm512_castsi512_ps(powers));
            _mm512_castps_si512(_mm512_fmadd_ps(words, powers, _mm512_castsi512_ps(sums)))
        }
    }

    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn abs_i32(self, words: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_abs_epi32(words) }
    }

    #[inline(always)]
    fn round_i32(self, words: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_cvtps_epi32(_mm512_castsi512_ps(words)) }
    }

    #[inline(always)]
    fn max_u32(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_max_epu32(a, b) }
    }

    #[inline(always)]
    fn contains(self, words: __m512i, word: u32) -> bool {
        let word = self.splat(word);
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_cmpeq_epi32_mask(words, word) != 0 }
    }

    #[inline(always)]
    fn shift_right(self, words: __m512i, count: u32) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_srl_epi32(words, _mm_cvtsi32_si128(count as i32)) }
    }

    #[inline(always)]
    fn narrow(self, words: __m512i) -> [u16; WIDTH] {
        let mut halves = [0; WIDTH];
        // SAFETY: the CPU has the unit, and the halves are 32 bytes.
        unsafe { _mm256_storeu_si256(halves.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(words)) }
        halves
    }

    #[inline(always)]
    fn replace_at(self, keys: __m512i, key: u32, words: __m512i, other: __m512i) -> __m512i {
        let key = self.splat(key);
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_mask_blend_epi32(_mm512_cmpeq_epi32_mask(keys, key), words, other) }
    }

    #[inline(always)]
    fn add_signed_i32(self, sums: __m512i, products: __m512i, signs: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe {
            let negative = _mm512_cmplt_epi32_mask(signs, _mm512_setzero_si512());
            let added = _mm512_mask_add_epi32(sums, !negative, sums, products);
            _mm512_mask_sub_epi32(added, negative, added, products)
        }
    }

    #[inline(always)]
    fn flip_signs(self, words: __m512i, signs: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit. One instruction: words ^ signs & top bit.
        unsafe { _mm512_ternarylogic_epi32::<0x78>(words, signs, _mm512_set1_epi32(i32::MIN)) }
    }

    #[inline(always)]
    fn pick<const N: usize>(self, table: &[__m512i; N], indices: __m512i) -> __m512i {
        if N == 1 {
            // SAFETY: the CPU has the unit.
            return unsafe { _mm512_permutexvar_epi32(indices, table[0]) };
        }
        // One instruction looks an index up in two registers, so that bit 5 and those
        // above it choose between what the pairs of registers give.
        let mut found = *table;
        for pair in 0..N / 2 {
            // SAFETY: the CPU has the unit.
            found[pair] = unsafe { _mm512_permutex2var_epi32(table[2 * pair], indices, table[2 * pair + 1]) };
        }
        let (mut left, mut bit) = (N / 2, 2 * WIDTH as u32);
        while left > 1 {
            let bits = self.splat(bit);
            for pair in 0..left / 2 {
                // SAFETY: the CPU has the unit.
                found[pair] = unsafe {
                    let set = _mm512_test_epi32_mask(indices, bits);
                    _mm512_mask_blend_epi32(set, found[2 * pair], found[2 * pair + 1])
                };
            }
            (left, bit) = (left / 2, bit * 2);
        }
        found[0]
    }

    #[inline(always)]
    fn gather(self, table: &Table, indices: __m512i) -> __m512i {
        let indices = self.and(indices, self.splat(table.mask()));
        // SAFETY: the CPU has the unit, and every index is below the table's length.
        unsafe { _mm512_i32gather_epi32::<4>(indices, table.0.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_halves(self, line: &HalfLine) -> __m512i {
        // SAFETY: the CPU has the unit, and a line is 64 bytes.
        unsafe { _mm512_loadu_si512(line.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_halves(self, halves: __m512i) -> HalfLine {
        let mut line = [0; HALF_WIDTH];
        // SAFETY: as in `load_halves`.
        unsafe { _mm512_storeu_si512(line.as_mut_ptr().cast(), halves) }
        line
    }

    #[inline(always)]
    fn add_i16(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_add_epi16(a, b) }
    }

    #[inline(always)]
    fn abs_i16(self, halves: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_abs_epi16(halves) }
    }

    #[inline(always)]
    fn max_i16(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe { _mm512_max_epi16(a, b) }
    }

    #[inline(always)]
    fn add_signed_i16(self, sums: __m512i, products: __m512i, signs: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe {
            let negative = _mm512_movepi16_mask(signs);
            let added = _mm512_mask_add_epi16(sums, !negative, sums, products);
            _mm512_mask_sub_epi16(added, negative, added, products)
        }
    }

    #[inline(always)]
    fn pick_halves<const N: usize>(self, table: &[__m512i; N], indices: __m512i) -> __m512i {
        // SAFETY: the CPU has the unit.
        unsafe {
            match N {
                1 => _mm512_permutexvar_epi16(indices, table[0]),
                _ => _mm512_permutex2var_epi16(table[0], indices, table[1]),
            }
        }
    }
}
