//! binary32 multiplier and adder: IEEE encodings in and out, round to nearest
//! even, subnormals kept, one canonical NaN (7FC00000). Combinational.
//!
//! ```text
//! fp_mul: unpack → normalise one operand → × → shift right → round → pack
//! fp_add: swap by magnitude → shift right → ± → normalise → round → pack
//! ```
//!
//! Both share the rounding stage, the right shifter and the leading-zero
//! counter. All arithmetic stands in `Local` signals of exact width, one
//! operation a statement, because rust-hdl's own emitter prints neither
//! parentheses nor truncations.

mod add;
mod leading_zeros;
mod mul;
mod round;
mod shift;

pub use add::FpAdd;
pub use leading_zeros::LeadingZeros;
pub use mul::FpMul;
pub use round::Round;
pub use shift::ShiftRightSticky;
