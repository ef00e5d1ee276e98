//! Golden model of the axp processing element (PE).
//!
//! The reference that the hardware is verified against, written so that it can
//! be checked by reading: floating-point arithmetic from integers alone
//! ([`float`]), the associative memory of stored products ([`am`]), and what a
//! PE computes, as numbers and cycle by cycle ([`pe`]). It shares no arithmetic
//! with `axp-hdl`; `axp-spec` holds all that the two have in common.
//!
//! With the feature `onnx` (on by default) the crate also goes from an ONNX
//! model to a design. Without it, it builds in seconds.
//!
//! ```
//! use axp_golden::{am::Am, pe};
//! use axp_spec::{AmImage, AmRow, FloatFormat::Binary32, PeConfig};
//!
//! let config = PeConfig::pair("axp_pe", 4);
//! let mut am = Am::new(&config);
//! let [half, three] = [0.5f32, 3.0].map(f32::to_bits);
//! am.load(&AmImage { rows: vec![AmRow::exact(Binary32, half, three, 1.5f32.to_bits())] })?;
//!
//! // One product is read from the memory, the other one multiplied.
//! let sum = pe::sum(&config, &am, false, [(half, three), (three, three)]);
//! assert_eq!((f32::from_bits(sum.data), sum.hits, sum.misses), (10.5, 1, 1));
//! # Ok::<(), axp_golden::am::LoadError>(())
//! ```

pub mod am;
pub mod float;
pub mod pe;

#[cfg(feature = "onnx")]
pub mod codesign;
#[cfg(feature = "onnx")]
pub mod infer;
#[cfg(feature = "onnx")]
pub mod net;
