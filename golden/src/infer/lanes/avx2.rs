//! The vector unit of x86-64 with 256 bits.
//!
//! A value of [`Avx2`] comes from its `detect` alone, and says that the CPU has the unit. Each
//! `unsafe` rests on that, and the few that read or write memory on references to as much of it as
//! they touch.
#![expect(unsafe_code, reason = "instructions that not every CPU has")]

use super::{HALF_WIDTH, HalfLine, Kernel, Lanes, Line, Table, WIDTH};
use std::arch::x86_64::*;

/// A CPU with AVX2.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Runs a kernel compiled for this unit.
    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2")]
        fn inner<K: Kernel>(lanes: Avx2, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: the CPU has the unit.
        unsafe { inner(self, kernel) }
    }
}

impl Lanes for Avx2 {
    type Words = [__m256i; 2];
    type Halves = [__m256i; 2];

    #[inline(always)]
    fn load(self, line: &Line) -> Self::Words {
        let (parts, _) = line.as_chunks::<8>();
        // SAFETY: the CPU has the unit, and each part is 32 bytes.
        unsafe { [_mm256_loadu_si256(parts[0].as_ptr().cast()), _mm256_loadu_si256(parts[1].as_ptr().cast())] }
    }

    #[inline(always)]
    fn store(self, words: Self::Words) -> Line {
        let mut line = [0; WIDTH];
        let (parts, _) = line.as_chunks_mut::<8>();
        for (part, words) in parts.iter_mut().zip(words) {
            // SAFETY: as in `load`.
            unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), words) }
        }
        line
    }

    #[inline(always)]
    fn splat(self, word: u32) -> Self::Words {
        // SAFETY: the CPU has the unit.
        [unsafe { _mm256_set1_epi32(word as i32) }; 2]
    }

    #[inline(always)]
    fn widen(self, words: &[u16; WIDTH]) -> Self::Words {
        let (parts, _) = words.as_chunks::<8>();
        // SAFETY: the CPU has the unit, and each part is 16 bytes.
        unsafe {
            [
                _mm256_cvtepu16_epi32(_mm_loadu_si128(parts[0].as_ptr().cast())),
                _mm256_cvtepu16_epi32(_mm_loadu_si128(parts[1].as_ptr().cast())),
            ]
        }
    }

    #[inline(always)]
    fn add_f32(self, a: Self::Words, b: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe {
            [
                _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(a[0]), _mm256_castsi256_ps(b[0]))),
                _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(a[1]), _mm256_castsi256_ps(b[1]))),
            ]
        }
    }

    #[inline(always)]
    fn mul_f32(self, a: Self::Words, b: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe {
            [
                _mm256_castps_si256(_mm256_mul_ps(_mm256_castsi256_ps(a[0]), _mm256_castsi256_ps(b[0]))),
                _mm256_castps_si256(_mm256_mul_ps(_mm256_castsi256_ps(a[1]), _mm256_castsi256_ps(b[1]))),
            ]
        }
    }

    #[inline(always)]
    fn add_i32(self, a: Self::Words, b: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
    }

    #[inline(always)]
    fn and(self, a: Self::Words, b: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_and_si256(a[0], b[0]), _mm256_and_si256(a[1], b[1])] }
    }

    #[inline(always)]
    fn abs_i32(self, words: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_abs_epi32(words[0]), _mm256_abs_epi32(words[1])] }
    }

    #[inline(always)]
    fn round_i32(self, words: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe {
            [_mm256_cvtps_epi32(_mm256_castsi256_ps(words[0])), _mm256_cvtps_epi32(_mm256_castsi256_ps(words[1]))]
        }
    }

    #[inline(always)]
    fn max_u32(self, a: Self::Words, b: Self::Words) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_max_epu32(a[0], b[0]), _mm256_max_epu32(a[1], b[1])] }
    }

    #[inline(always)]
    fn contains(self, words: Self::Words, word: u32) -> bool {
        let word = self.splat(word);
        // SAFETY: the CPU has the unit.
        unsafe {
            let (low, high) = (_mm256_cmpeq_epi32(words[0], word[0]), _mm256_cmpeq_epi32(words[1], word[1]));
            _mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0
        }
    }

    #[inline(always)]
    fn shift_right(self, words: Self::Words, count: u32) -> Self::Words {
        // SAFETY: the CPU has the unit.
        unsafe {
            let count = _mm_cvtsi32_si128(count as i32);
            [_mm256_srl_epi32(words[0], count), _mm256_srl_epi32(words[1], count)]
        }
    }

    #[inline(always)]
    fn narrow(self, words: Self::Words) -> [u16; WIDTH] {
        let mut halves = [0; WIDTH];
        // SAFETY: the CPU has the unit, and the halves are 32 bytes. Packing takes both operands'
        // lower quarters first.
        unsafe {
            let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(words[0], words[1]));
            _mm256_storeu_si256(halves.as_mut_ptr().cast(), packed);
        }
        halves
    }

    #[inline(always)]
    fn replace_at(self, keys: Self::Words, key: u32, words: Self::Words, other: Self::Words) -> Self::Words {
        let key = self.splat(key);
        let mut replaced = words;
        for half in 0..2 {
            // SAFETY: the CPU has the unit.
            replaced[half] =
                unsafe { _mm256_blendv_epi8(words[half], other[half], _mm256_cmpeq_epi32(keys[half], key[half])) };
        }
        replaced
    }

    #[inline(always)]
    fn add_signed_i32(self, sums: Self::Words, products: Self::Words, signs: Self::Words) -> Self::Words {
        let mut added = sums;
        for half in 0..2 {
            // SAFETY: the CPU has the unit.
            added[half] = unsafe {
                let sign = _mm256_srai_epi32::<31>(signs[half]);
                let signed = _mm256_sub_epi32(_mm256_xor_si256(products[half], sign), sign);
                _mm256_add_epi32(sums[half], signed)
            };
        }
        added
    }

    #[inline(always)]
    fn flip_signs(self, words: Self::Words, signs: Self::Words) -> Self::Words {
        let signs = self.and(signs, self.splat(1 << 31));
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_xor_si256(words[0], signs[0]), _mm256_xor_si256(words[1], signs[1])] }
    }

    #[inline(always)]
    fn pick<const N: usize>(self, table: &[Self::Words; N], indices: Self::Words) -> Self::Words {
        let mut picked = indices;
        for picked in &mut picked {
            // An instruction looks up in eight words: bit 3 chooses between a line's
            // halves, and the bits above it between lines. A choice looks at the sign.
            // SAFETY: the CPU has the unit.
            unsafe {
                let mut found = [_mm256_setzero_ps(); N];
                let mut bit = _mm256_slli_epi32::<28>(*picked);
                for (found, line) in found.iter_mut().zip(table) {
                    let low = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(line[0], *picked));
                    let high = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(line[1], *picked));
                    *found = _mm256_blendv_ps(low, high, _mm256_castsi256_ps(bit));
                }
                let mut left = N;
                let mut above = _mm256_srli_epi32::<4>(*picked);
                while left > 1 {
                    bit = _mm256_slli_epi32::<31>(above);
                    above = _mm256_srli_epi32::<1>(above);
                    for pair in 0..left / 2 {
                        found[pair] = _mm256_blendv_ps(found[2 * pair], found[2 * pair + 1], _mm256_castsi256_ps(bit));
                    }
                    left /= 2;
                }
                *picked = _mm256_castps_si256(found[0]);
            }
        }
        picked
    }

    #[inline(always)]
    fn gather(self, table: &Table, indices: Self::Words) -> Self::Words {
        let indices = self.and(indices, self.splat(table.mask()));
        let words = table.0.as_ptr().cast();
        // SAFETY: the CPU has the unit, and every index is below the table's length.
        unsafe { [_mm256_i32gather_epi32::<4>(words, indices[0]), _mm256_i32gather_epi32::<4>(words, indices[1])] }
    }

    #[inline(always)]
    fn load_halves(self, line: &HalfLine) -> Self::Halves {
        let (parts, _) = line.as_chunks::<16>();
        // SAFETY: the CPU has the unit, and each part is 32 bytes.
        unsafe { [_mm256_loadu_si256(parts[0].as_ptr().cast()), _mm256_loadu_si256(parts[1].as_ptr().cast())] }
    }

    #[inline(always)]
    fn store_halves(self, halves: Self::Halves) -> HalfLine {
        let mut line = [0; HALF_WIDTH];
        let (parts, _) = line.as_chunks_mut::<16>();
        for (part, halves) in parts.iter_mut().zip(halves) {
            // SAFETY: as in `load_halves`.
            unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), halves) }
        }
        line
    }

    #[inline(always)]
    fn add_i16(self, a: Self::Halves, b: Self::Halves) -> Self::Halves {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_add_epi16(a[0], b[0]), _mm256_add_epi16(a[1], b[1])] }
    }

    #[inline(always)]
    fn abs_i16(self, halves: Self::Halves) -> Self::Halves {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_abs_epi16(halves[0]), _mm256_abs_epi16(halves[1])] }
    }

    #[inline(always)]
    fn max_i16(self, a: Self::Halves, b: Self::Halves) -> Self::Halves {
        // SAFETY: the CPU has the unit.
        unsafe { [_mm256_max_epi16(a[0], b[0]), _mm256_max_epi16(a[1], b[1])] }
    }

    #[inline(always)]
    fn add_signed_i16(self, sums: Self::Halves, products: Self::Halves, signs: Self::Halves) -> Self::Halves {
        let mut added = sums;
        for half in 0..2 {
            // SAFETY: the CPU has the unit.
            added[half] = unsafe {
                let sign = _mm256_srai_epi16::<15>(signs[half]);
                let signed = _mm256_sub_epi16(_mm256_xor_si256(products[half], sign), sign);
                _mm256_add_epi16(sums[half], signed)
            };
        }
        added
    }

    #[inline(always)]
    fn pick_halves<const N: usize>(self, table: &[Self::Halves; N], indices: Self::Halves) -> Self::Halves {
        let mut picked = indices;
        for picked in &mut picked {
            // An instruction looks bytes up in the sixteen of a quarter of a line: bits 3 and 4 choose
            // between its quarters, bit 5 between lines. A choice looks at the sign of each byte.
            // SAFETY: the CPU has the unit.
            unsafe {
                let entry = _mm256_and_si256(*picked, _mm256_set1_epi16(7));
                let twice = _mm256_mullo_epi16(entry, _mm256_set1_epi16(0x0202));
                let bytes = _mm256_add_epi8(twice, _mm256_set1_epi16(0x0100));
                // No closures: they would be compiled without the unit's instructions.
                let mut signs = [_mm256_setzero_si256(); 3];
                for (index, sign) in signs.iter_mut().enumerate() {
                    let bit = _mm256_set1_epi16(8 << index);
                    *sign = _mm256_cmpeq_epi16(_mm256_and_si256(*picked, bit), bit);
                }
                let mut found = [_mm256_setzero_si256(); N];
                for (found, line) in found.iter_mut().zip(table) {
                    let mut halves = *line;
                    for half in &mut halves {
                        let low = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x00>(*half, *half), bytes);
                        let high = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x11>(*half, *half), bytes);
                        *half = _mm256_blendv_epi8(low, high, signs[0]);
                    }
                    *found = _mm256_blendv_epi8(halves[0], halves[1], signs[1]);
                }
                *picked = match N {
                    1 => found[0],
                    _ => _mm256_blendv_epi8(found[0], found[N - 1], signs[2]),
                };
            }
        }
        picked
    }
}
