//! When the sender has nothing to send and the receiver does not take.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// How often either side stalls, in 1/256 of the occasions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalls {
    /// After an accepted operand pair: a gap of 1 to 4 cycles.
    pub gap: u8,
    /// After a result: the receiver takes none for 1 to 4 cycles.
    pub short_hold: u8,
    /// After a result: it takes none for up to two sums, so that the next
    /// results fill the skid buffer and the pipe freezes.
    pub long_hold: u8,
}

impl Default for Stalls {
    /// About an eighth of the cycles without an accepted operand.
    fn default() -> Self {
        Self { gap: 8, short_hold: 64, long_hold: 8 }
    }
}

impl Stalls {
    /// No stalls at all.
    pub const NONE: Self = Self { gap: 0, short_hold: 0, long_hold: 0 };
}

/// The stalls of one run: the same for the same seed.
#[derive(Clone, Debug)]
pub struct StallPattern {
    stalls: Stalls,
    random: Xoshiro256PlusPlus,
    /// Cycles for which the sender still has nothing.
    gap: u32,
    /// Cycles for which the receiver still takes nothing.
    hold: u32,
}

impl StallPattern {
    /// The pattern of a seed.
    pub fn new(stalls: Stalls, seed: u64) -> Self {
        Self { stalls, random: Xoshiro256PlusPlus::seed_from_u64(seed), gap: 0, hold: 0 }
    }

    /// Whether the sender has a pair in this cycle.
    pub fn sends(&mut self) -> bool {
        let sends = self.gap == 0;
        self.gap = self.gap.saturating_sub(1);
        sends
    }

    /// Whether the receiver takes a result in this cycle.
    pub fn takes(&mut self) -> bool {
        let takes = self.hold == 0;
        self.hold = self.hold.saturating_sub(1);
        takes
    }

    /// A pair was accepted: perhaps a gap follows.
    pub fn sent(&mut self) {
        let dice = self.random.next_u32();
        if dice as u8 % u8::MAX < self.stalls.gap {
            self.gap = 1 + (dice >> 8) % 4;
        }
    }

    /// A result of a sum of `pairs` pairs was taken: perhaps a hold follows.
    pub fn taken(&mut self, pairs: usize) {
        let dice = self.random.next_u32();
        let pairs = u32::try_from(pairs).unwrap_or(u32::MAX);
        if dice as u8 % u8::MAX < self.stalls.long_hold {
            // Far below u32::MAX for any sum that can be streamed.
            self.hold = (dice >> 8) % pairs.saturating_mul(2).max(8);
        } else if (dice >> 24) as u8 % u8::MAX < self.stalls.short_hold {
            self.hold = 1 + (dice >> 8) % 4;
        }
    }

    /// What an idle bus carries: it must not matter.
    pub fn junk(&mut self) -> u64 {
        self.random.next_u64()
    }
}
