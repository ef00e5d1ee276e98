//! The reference model against independent ones: host arithmetic, naive
//! searches, transaction counts.

mod am;
mod checked;
mod factored;
mod factored_sum;
mod float;
mod host;
mod operands;
mod pe_cycle;
mod pe_sum;
