//! From a trained network to a design: clustered weights and rows of products.

pub mod classes;
pub mod cluster;
pub mod fill;
pub mod product;
pub mod profile;
pub mod ternary;
