//! Why the loader refuses an image.

use axp_spec::{AmError, LayerError};
use thiserror::Error;

/// Why an image cannot be loaded.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// A row breaks a rule of the image itself.
    #[error(transparent)]
    Image(#[from] AmError),
    /// Something else of a layer cannot be loaded.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A row that compares every key bit must be as exact as the multiplier.
    #[error(
        "row {row} compares every bit of {weight:08x} * {activation:08x} but stores {stored:08x}; \
         the rounded product is {expected:08x}: store that, or clear a bit of the care mask"
    )]
    ExactProduct {
        /// Index of the row.
        row: usize,
        /// Encoding of its weight.
        weight: u32,
        /// Encoding of its activation.
        activation: u32,
        /// The product that it stores.
        stored: u32,
        /// The product rounded to nearest even.
        expected: u32,
    },
    /// The same in a factored memory.
    #[error(
        "row {row} compares every bit of the fractions {weight:x} and {activation:x} but stores {stored:x}; \
         the rounded product of their significands is {expected:x}: store that"
    )]
    ExactSignificand {
        /// Index of the row.
        row: usize,
        /// Fraction of its weight.
        weight: u32,
        /// Fraction of its activation.
        activation: u32,
        /// The word that it stores.
        stored: u32,
        /// The product rounded to nearest even, as a word.
        expected: u32,
    },
}
