//! Associative memory: ternary rows that map an operand pair to its product.
//!
//! ```text
//!              weight, activation
//!                      │
//!   row port ──► row 0 ┤ match ─┐            ┌ select ─► product & select ─┐
//!                row 1 ┤ match ─┤  priority  ├ select ─► product & select ─┤ OR ─► product_o
//!                  …   ┤   …    ┤   select   ├   …                         │ tree
//!                row R ┤ match ─┘            └ select ─► product & select ─┘
//! ```
//!
//! The search is combinational. A row written at a clock edge is searched from
//! that edge on.

mod pair;
mod priority;
mod row;

pub use pair::pair_memory;
pub use row::{ROW_STORAGE, pair_row};
