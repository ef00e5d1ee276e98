//! Samples and labels from .npy files.

use super::error::SampleError;
use std::path::Path;

/// Samples in memory, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Samples {
    /// Samples of `shape` from their values, one sample after the other, or
    /// `None` if the values are not a whole number of samples.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        let elements: usize = shape.iter().product();
        (elements > 0 && values.len().is_multiple_of(elements)).then_some(Self { shape, values })
    }

    /// Reads a float32 array of shape `[samples, ..shape]`.
    ///
    /// # Errors
    /// An unreadable file, another type or shape, NaN or infinity, no samples.
    pub fn read(path: &Path, shape: &[usize]) -> Result<Self, SampleError> {
        let _ = (path, shape);
        todo!()
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.iter().product::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Shape of one sample.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values of sample `index`, row major.
    ///
    /// # Panics
    /// If there are not so many samples.
    pub fn get(&self, index: usize) -> &[f32] {
        let elements: usize = self.shape.iter().product();
        &self.values[index * elements..][..elements]
    }

    /// The samples at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is past the last sample.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { shape: self.shape.clone(), values: indices.iter().flat_map(|i| self.get(*i)).copied().collect() }
    }

    /// All values, sample after sample.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Reads one class index for each of `samples` samples; any integer type.
///
/// # Errors
/// An unreadable file, another type, another count, a label that is not one
/// of `classes` classes.
pub fn read_labels(path: &Path, samples: usize, classes: usize) -> Result<Vec<usize>, SampleError> {
    let _ = (path, samples, classes);
    todo!()
}
