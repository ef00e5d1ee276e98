//! Primitives: the only hand-written Verilog of axp, each with its behaviour in Rust.
//!
//! | primitive | Verilog | used for |
//! |---|---|---|
//! | [`Register`] | flip-flops with enable and reset | flags, accumulator, results |
//! | [`GatedRegister`], [`GatedOperands`], [`RowStorage`] | flip-flops behind a clock gate | operands, products, rows |
//! | [`RegisterBank`] | the same, width at run time | pipeline cuts of the arithmetic |
//! | [`ClockGate`] | latch + AND | below every gated bank |
//! | [`PrioritySelect`] | `x & -x` | lowest matching row |
//!
//! Everything else (`fpu`, `am`, `pe`) is rust-hdl without Verilog text of its
//! own; a test in `tests/confinement.rs` holds both to that.

mod bank;
mod clock_gate;
mod gated;
mod priority;
mod register;

pub use bank::RegisterBank;
pub use clock_gate::ClockGate;
pub use gated::{GatedOperands, GatedRegister, RowStorage};
pub use priority::PrioritySelect;
pub use register::{Register, style_name};
