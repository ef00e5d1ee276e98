//! Primitives: the only hand-written Verilog of axp.
//!
//! | primitive | Verilog | used for |
//! |---|---|---|
//! | [`RegisterBank`] | flip-flops with an enable or behind a clock gate, with a reset or without; or latches | every register |
//! | [`ClockGate`] | latch + AND | below every gated bank |
//! | [`ClockBranch`] | a clock gate, or a wire | above the banks of a memory's rows, and of what seldom changes in a PE |
//!
//! Everything else (`fpu`, `am`, `pe`) is rust-hdl without Verilog text of its
//! own; a test in `tests/confinement.rs` holds both to that.

mod bank;
mod clock_branch;
mod clock_gate;
mod latch;

pub use bank::{BankBody, BankShape, RegisterBank, style_name};
pub use clock_branch::ClockBranch;
pub use clock_gate::ClockGate;
