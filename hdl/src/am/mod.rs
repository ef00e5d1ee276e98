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
//! Ternary patterns of the activation with a product for each column of weights,
//! [`grid_memory`]. Products of significands, read by a one-hot address,
//! [`factored_memory`]. Magnitudes of weights that are given by their column,
//! [`codebook()`].
//!
//! The search is combinational. A row written at a clock edge is searched from
//! that edge on. The rows' clock is a branch that rests unless a row is written:
//!
//! ```text
//! clk_i ─► branch ─┬─► row 0: gate ─► storage
//!            ▲     ├─► row 1: gate ─► storage
//! row_we_i ──┘     └─►   …     ▲
//! row_addr_i ─► decoder ───────┘
//! ```
//!
//! Rows are kept in flip-flops or, if the configuration says so, in latches that a
//! register of the memory feeds; see [`Storage`](axp_spec::Storage).

mod codebook;
mod column_bits;
mod factored;
mod factored_row;
mod frozen;
mod grid;
mod grid_pattern;
mod merge;
mod operand;
mod pair;
mod priority;
mod regular;
mod regular_read;
mod row;
mod source;
mod storage;

pub use codebook::codebook;
pub(crate) use factored::factored_hit;
pub use factored::factored_memory;
pub use factored_row::factored_row;
pub(crate) use frozen::frozen_word;
pub use grid::grid_memory;
pub use grid_pattern::grid_pattern;
pub use pair::pair_memory;
pub(crate) use regular::is_regular;
pub(crate) use regular_read::{Scale, regular_read};
pub use row::pair_row;
pub(crate) use source::RowPort;
pub use storage::ROW_STORAGE;
