//! What one PE computes: as numbers ([`sum`]), and cycle by cycle ([`CyclePe`]).
//!
//! Both follow the same number rules, of which this is the reference:
//!
//! - The accumulator starts a sum at +0 and takes the operand pairs in order.
//!   With a pipelined adder there are two, which take turns and are added at
//!   the end.
//! - Zero skip on: an activation of ±0 leaves the accumulator untouched,
//!   whatever the weight (infinity and NaN included) and whatever the memory
//!   holds. A subnormal is not a zero, and a zero weight is not skipped.
//! - Hit: the product is the word stored in the lowest matching valid row, or in a
//!   `factored` memory what the word, signs and exponents make, see [`am`](crate::am).
//!   An infinite or NaN operand never hits.
//! - Miss: the product of weight and activation, rounded to nearest even.
//! - A fixed-point accumulator takes the miss rounded once more, to its last bit,
//!   and a hit's stored integer (or, from a `factored` memory, the product of a hit
//!   rounded to its last bit like that of a miss); every addition saturates and is remembered by a
//!   flag, infinities are out of range, a NaN counts as 0 and raises another
//!   flag. The sum is converted at the end, rounded to nearest even.
//! - Narrow operands are widened first, which loses nothing. bfloat16 becomes binary32;
//!   integers of 8 bits are multiplied exactly, and their sum of 32 bits wraps.
//! - Every addition rounds to nearest even. Subnormals are kept; the only NaN
//!   that comes out of an operation is the format's canonical one.

mod accumulator;
mod cycle;
mod narrow;
mod numeric;

pub use cycle::CyclePe;
pub use numeric::{Epilogue, Settings, SumOutcome, sum, sum_operands};
