//! ONNX import and whole-net inference.
#![cfg(feature = "onnx")]

mod damage;
mod engine;
mod files;
mod folds;
mod graphs;
mod kernels;
mod memories;
mod narrow;
mod samples;
mod workloads;
