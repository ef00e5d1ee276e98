//! The float arithmetic against three oracles that share nothing with it:
//! Berkeley SoftFloat, a port of LLVM's APFloat, and tables of all values.

mod conversions;
mod mul_add;
mod oracle;
mod pe_sums;
mod properties;
mod sweep;
mod tininess;
