//! Design for memories with columns of weights: `grid` and `factored`.
//!
//! ```text
//! pe       which memories and sums there are, and what each layer runs with: a recipe
//! layer    a layer's sign-symmetric codebook, its rows, the range of its sums
//! trials   a recipe on the calibration samples
//! folds    the same on samples that it was not made from
//! search   the recipe that needs the least energy and keeps the accuracy
//! ```

mod folds;
mod layer;
mod pe;
mod search;
mod trials;

pub use pe::{ColumnMemory, ColumnOptions, Kind, LayerColumns, Recipe, Sum, sizes};
pub use search::search;
pub use trials::{ColumnTrials, Measured, Setting};
