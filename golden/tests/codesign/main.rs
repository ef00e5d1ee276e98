//! Co-design against brute force: products, profiles, rows, error feedback;
//! and the search on a bundled network.
#![cfg(feature = "onnx")]

mod column_search;
mod columns;
mod exact;
mod feedback;
mod fill;
mod layers;
mod product;
mod profile;
mod search;
