//! The associative memory: the products that a PE need not compute.
//!
//! `pair`: ternary rows searched by {weight, activation}. A search returns the
//! lowest valid row that matches, and its stored product. Infinite and NaN
//! operands never match, whatever the rows say: the loader refuses rows that
//! would, and the search guards against rows that came through the row port
//! instead.
//!
//! `grid`: ternary patterns searched by the magnitude of the activation, each with a
//! product for every column of weights. The sign of the product is the XOR of the
//! operands' signs. Infinite and NaN operands never match here either.
//!
//! `factored`: rows selected by {column of the weight, top mantissa bits of the
//! activation}, each the product of two significands. The sign of the product is
//! the XOR of the operands' signs, its exponent field the sum of theirs less the
//! bias, and one more where the significands' product is 2 or more. It is a miss
//! when the row is invalid; when an operand is subnormal, infinite or a NaN; and
//! when the product would not be a normal number of the format. A weight or an
//! activation of zero with an operand that is neither of those is a hit without
//! a row: a zero with the sign of the product.

mod factored;
mod grid;
mod load_error;
mod memory;
mod operands;
mod pattern;
mod significand;
mod words;

pub use load_error::LoadError;
pub use memory::{Am, Hit};
pub use operands::Operands;
pub use pattern::Pattern;
pub use significand::rounded_product;
