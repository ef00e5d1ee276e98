//! From a trained network to a design: clustered weights and rows of products.

pub mod agreement;
pub mod candidate;
pub mod classes;
pub mod cluster;
pub mod fill;
mod lockstep;
pub mod product;
pub mod profile;
pub mod reference;
pub mod search;
pub mod ternary;
pub mod trials;
