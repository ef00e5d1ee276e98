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
//! Memories with columns of weights have a search of their own, [`columns`], which weighs
//! up what designs should use, as an [`energy`] model says.
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
pub mod energy;
pub mod explore;
pub mod factored;
pub mod feedback;
pub mod fill;
pub mod grid;
mod lockstep;
pub mod patterns;
pub mod product;
pub mod profile;
pub mod reference;
pub mod search;
pub mod subset;
pub mod sweep;
pub mod ternary;
pub mod trial_log;
pub mod trials;
mod unions;
