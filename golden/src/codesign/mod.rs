//! From a trained network to a design: clustered weights and rows of products.
//!
//! Everything is label-free and uses calibration samples only.
//!
//! ```text
//! Network + samples
//!    │ reference    the float network: activation profiles, covariances, outputs
//!    │ cluster      1-D k-means (k-means++) of each layer's weights
//!    │ feedback     weights rounded to the codebook with their errors in mind
//!    │ fill         rows by frequency        ternary   rows merged by error
//!    │ candidate    biases corrected layer by layer on the clustered network
//!    │ agreement    how far the outputs are from the float network's
//!    ▼ search       the highest hit rate within the accuracy bound
//! Design
//! ```
//!
//! Memories with columns of weights are filled by [`columns`], and [`ladder`] looks
//! for the smallest one that will do.
//!
//! [`search::search`] makes a design, [`sweep::key_sweep`] shows what partial
//! matching is worth. Results depend on the samples, the options and the seed
//! alone, not on the number of threads.

pub mod agreement;
pub mod candidate;
pub mod classes;
pub mod cluster;
pub mod columns;
pub mod covariance;
pub mod factored;
pub mod feedback;
pub mod fill;
pub mod grid;
pub mod ladder;
mod lockstep;
pub mod patterns;
pub mod product;
pub mod profile;
pub mod reference;
pub mod search;
pub mod sweep;
pub mod ternary;
pub mod trials;
