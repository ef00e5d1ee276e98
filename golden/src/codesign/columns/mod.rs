//! Design for memories with columns of weights: `grid` and `factored`.
//!
//! ```text
//! pe       which memories and sums there are
//! recipe   what each layer runs with
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
mod recipe;
mod scales;
mod search;
mod shared;
mod trials;

pub use pe::{ColumnMemory, ColumnOptions, Kind, Sum, shared_sizes, sizes};
pub use recipe::{LayerColumns, LayerRows, Recipe};
pub use search::search;
pub use trials::{ColumnTrials, Measured, Setting};
