//! The axp processing element in rust-hdl, and the back-end that writes it as
//! clean Verilog-2005.
//!
//! `prim`, `fpu`, `am` and `pe` describe the hardware; [`annotate`] attaches
//! module names and port documentation to it. `verilog` turns a description into
//! text, `package` into a folder with manifest, file list and FuseSoC core.

pub mod annotate;
mod error;
mod rtl;

pub use error::HdlError;
pub use rtl::{Module, Port, Direction, Rtl};
