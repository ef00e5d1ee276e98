//! Co-design against brute force: products, profiles and rows.
#![cfg(feature = "onnx")]

mod exact;
mod fill;
mod layers;
mod product;
mod profile;
