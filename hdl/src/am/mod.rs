//! Associative memory: products that need no multiplier.
//!
//! Ternary rows that map an operand pair to its product, [`pair_memory`]:
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
//! Products of significands, read by a one-hot address, [`factored_memory`].
//!
//! The search is combinational. A row written at a clock edge is searched from
//! that edge on.

mod factored;
mod factored_row;
mod merge;
mod operand;
mod pair;
mod priority;
mod row;

pub use factored::factored_memory;
pub use factored_row::factored_row;
pub use pair::pair_memory;
pub use row::{ROW_STORAGE, pair_row};
