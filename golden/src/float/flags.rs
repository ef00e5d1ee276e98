//! The exceptions that an operation raises, and their bits.

/// The IEEE 754 exceptions that an operation of this module can signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// No useful result: 0 × ∞, ∞ − ∞, a signalling NaN operand, or any NaN
    /// converted to fixed point. E4M3 has one NaN a sign, which is quiet.
    pub invalid: bool,
    /// Rounded with an unbounded exponent, the result is beyond the largest
    /// finite number of the format. Always with `inexact`.
    pub overflow: bool,
    /// The result is tiny *after rounding*, and inexact. Tiny: rounded to the
    /// format's precision with an unbounded exponent, it would lie strictly
    /// between ± the smallest normal number.
    pub underflow: bool,
    /// The result differs from the exact one.
    pub inexact: bool,
}

impl Flags {
    const INVALID: u8 = 1 << 4;
    // Bit 3 is SoftFloat's "infinite", which only divisions raise.
    const OVERFLOW: u8 = 1 << 2;
    const UNDERFLOW: u8 = 1 << 1;
    const INEXACT: u8 = 1;

    /// No result to speak of, and no other exception.
    pub(super) const INVALID_ALONE: Self = Self { invalid: true, overflow: false, underflow: false, inexact: false };
    /// A result out of range.
    pub(super) const OUT_OF_RANGE: Self = Self { invalid: false, overflow: true, underflow: false, inexact: true };

    /// The flags as Berkeley SoftFloat and TestFloat write them, and as the
    /// hardware drives them on `flags_o`: invalid 16, infinite 8 (never set),
    /// overflow 4, underflow 2, inexact 1.
    pub const fn bits(self) -> u8 {
        (self.invalid as u8 * Self::INVALID)
            | (self.overflow as u8 * Self::OVERFLOW)
            | (self.underflow as u8 * Self::UNDERFLOW)
            | (self.inexact as u8 * Self::INEXACT)
    }

    /// The flags that `bits` stand for; `None` if a bit is set that no
    /// operation here can raise.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !(Self::INVALID | Self::OVERFLOW | Self::UNDERFLOW | Self::INEXACT) != 0 {
            return None;
        }
        Some(Self {
            invalid: bits & Self::INVALID != 0,
            overflow: bits & Self::OVERFLOW != 0,
            underflow: bits & Self::UNDERFLOW != 0,
            inexact: bits & Self::INEXACT != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_in_softfloats_order_and_read_back() {
        let all = Flags { invalid: true, overflow: true, underflow: true, inexact: true };
        assert_eq!(all.bits(), 16 + 4 + 2 + 1);
        assert_eq!((Flags::INVALID_ALONE.bits(), Flags::OUT_OF_RANGE.bits()), (16, 5));
        let readable: Vec<u8> = (0..=u8::MAX).filter(|bits| Flags::from_bits(*bits).is_some()).collect();
        assert_eq!(readable, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
        assert!(readable.iter().all(|bits| Flags::from_bits(*bits).map(Flags::bits) == Some(*bits)));
    }
}
