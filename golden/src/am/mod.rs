//! The associative memory: ternary rows searched by {weight, activation}.
//!
//! A search returns the lowest valid row that matches, and its stored product.
//! Infinite and NaN operands never match, whatever the rows say: the loader
//! refuses rows that would, and the search guards against rows that came
//! through the row port instead.

mod memory;
mod pattern;

pub use memory::{Am, Hit, LoadError};
pub use pattern::Pattern;
