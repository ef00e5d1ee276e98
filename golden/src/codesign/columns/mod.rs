//! Design for memories with columns of weights: `grid` and `factored`.
//!
//! ```text
//! pe       which memories and sums there are, and what each layer runs with: a recipe
//! scales   powers of two of output channels that differ in scale
//! shared   codebooks of few significands at several powers of two
//! layer    a layer's sign-symmetric codebook, its rows, the range of its sums
//! trials   a recipe on the calibration samples
//! folds    the same on samples that it was not made from
//! search   the recipe that needs the least energy and keeps the accuracy
//! ```

mod folds;
mod layer;
mod pe;
mod scales;
mod search;
mod shared;
mod trials;

pub use pe::{ColumnMemory, ColumnOptions, Kind, LayerColumns, Recipe, Sum, shared_sizes, sizes};
pub use search::search;
pub use trials::{ColumnTrials, Measured, Setting};
