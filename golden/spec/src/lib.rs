//! What the golden model and the hardware of axp agree on, and nothing more.
//!
//! Formats (as widths), the configuration of a processing element, the rows of
//! its associative memory, the signals of one clock cycle, and the `Design`
//! artifact that carries a network from co-design to silicon. There is no
//! arithmetic here: `axp-golden` and `axp-hdl` both depend on this crate and
//! never on each other, so that one cannot inherit the other's mistake.

pub mod am;
pub mod bits;
pub mod cycle;
pub mod design;
pub mod factored;
pub mod format;
pub mod fpu;
pub mod grid;
pub mod memory;
pub mod names;
mod narrow;
pub mod pe;

pub use am::{AmError, AmImage, AmRow};
pub use bits::Bits32;
pub use cycle::{CodebookWrite, PeInputs, PeOutputs, RowWrite};
pub use design::{Design, DesignError, LayerDesign, Provenance, SampleSet};
pub use factored::FactoredConfig;
pub use format::{FloatFormat, UnknownFormat};
pub use fpu::{FixedFormat, FpuConfig, FpuConfigError, FpuOperation, MultiplierStyle, Rounding};
pub use grid::GridConfig;
pub use memory::{AmConfig, Content, LayerError, LayerMemory, MAX_ROWS, Organisation, Storage, WeightOperand};
pub use narrow::NarrowOperands;
pub use pe::{Accumulator, PeConfig, PeConfigError, ResetStyle};
