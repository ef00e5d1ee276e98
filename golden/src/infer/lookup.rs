//! What a layer with AM rows needs beside its weights.

use super::arithmetic::Arithmetic;
use super::classes::Classes;
use super::counts::Counts;
use super::products::Products;

/// Classes of activations and the products that they select.
#[derive(Debug)]
pub(super) struct Lookup<A: Arithmetic> {
    pub(super) classes: Classes,
    pub(super) products: Products<A>,
    pub(super) counts: Counts,
    /// The distinct weights.
    pub(super) codebook: Vec<f32>,
    /// For each element of the weight tensor its index among them.
    pub(super) assignment: Vec<u32>,
}
