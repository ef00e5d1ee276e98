//! The axp processing element in rust-hdl, and the back-end that writes it as
//! clean Verilog-2005.
//!
//! `prim`, `fpu`, `am` and `pe` describe the hardware; [`annotate`] attaches
//! module names and port documentation to it. `verilog` turns a description into
//! text, `package` into a folder with manifest, file list and FuseSoC core.

pub mod am;
pub mod annotate;
pub mod circuit;
mod error;
pub mod fpu;
mod generate;
pub mod named;
pub mod package;
pub mod pe;
pub mod prim;
mod rtl;
pub mod sim;
pub mod verilog;

pub use error::HdlError;
pub use generate::generate;
pub use rtl::{Configuration, Direction, Module, Port, Rtl};
