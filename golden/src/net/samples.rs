//! Samples and labels from .npy files and .npz archives.

use super::arrays;
use super::error::SampleError;
use axp_spec::design::sha256_hex;
use ndarray::ArrayD;
use ndarray_npy::npy::header::Header;
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement, WriteNpyExt};
use std::path::Path;

/// Samples in memory, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// What a byte of a uint8 sample stands for: `byte * scale + offset`, each operation
/// rounded to float32, as NumPy does it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteScale {
    /// Of a step.
    pub scale: f32,
    /// Of the byte 0.
    pub offset: f32,
}

impl ByteScale {
    fn value(self, byte: u8) -> f32 {
        f32::from(byte) * self.scale + self.offset
    }
}

impl Samples {
    /// Samples of `shape` from their values, one sample after the other, or
    /// `None` if the values are not a whole number of samples.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        let elements: usize = shape.iter().product();
        (elements > 0 && values.len().is_multiple_of(elements)).then_some(Self { shape, values })
    }

    /// Reads a float32 array of shape `[samples, ..shape]`, in C or Fortran
    /// order: a .npy file, a .npz archive of one array, or `archive.npz:name`.
    ///
    /// # Errors
    /// An unreadable file, another type or shape, NaN or infinity, no samples.
    pub fn read(path: &Path, shape: &[usize]) -> Result<Self, SampleError> {
        Self::from_npy_bytes(path, &arrays::read(path, shape.iter().product())?, shape)
    }

    /// The same of an array of float32 or, where a scale is stated, of uint8.
    ///
    /// # Errors
    /// As [`Samples::read`]; a scale for what is not uint8.
    pub fn read_scaled(path: &Path, shape: &[usize], scale: Option<ByteScale>) -> Result<Self, SampleError> {
        let bytes = arrays::read(path, shape.iter().product())?;
        match scale {
            Some(scale) => Self::from_npy_of_bytes(path, &bytes, shape, scale),
            None => Self::from_npy_bytes(path, &bytes, shape),
        }
    }

    fn from_npy_of_bytes(path: &Path, npy: &[u8], shape: &[usize], scale: ByteScale) -> Result<Self, SampleError> {
        match parse::<u8>(npy) {
            Ok(array) => Self::from_array(path, &array.mapv(|byte| scale.value(byte)), shape),
            Err(ReadNpyError::WrongDescriptor(found)) => {
                let what = format!("a scale is for samples of uint8, these are {found}; leave it out for float32");
                Err(SampleError::Format { path: path.into(), what })
            }
            Err(error) => Err(unreadable(path, error)),
        }
    }

    /// [`Samples::read`] from the bytes of a file; `path` is for messages only.
    ///
    /// # Errors
    /// As [`Samples::read`].
    pub fn from_npy_bytes(path: &Path, bytes: &[u8], shape: &[usize]) -> Result<Self, SampleError> {
        let array = match parse::<f32>(bytes) {
            Ok(array) => array,
            Err(ReadNpyError::WrongDescriptor(found)) => {
                let what = match parse::<u8>(bytes) {
                    Ok(_) => "these samples are uint8: state the scale, as in --scale 1/255, or with an offset \
                              --scale 2/255,-1"
                        .into(),
                    Err(_) => {
                        format!("samples must be float32, these are {found}; convert them with .astype(np.float32)")
                    }
                };
                return Err(SampleError::Format { path: path.into(), what });
            }
            Err(error) => return Err(unreadable(path, error)),
        };
        Self::from_array(path, &array, shape)
    }

    fn from_array(path: &Path, array: &ArrayD<f32>, shape: &[usize]) -> Result<Self, SampleError> {
        if array.shape().get(1..) != Some(shape) {
            return Err(SampleError::Shape {
                path: path.into(),
                expected: shape.to_vec(),
                found: array.shape().to_vec(),
            });
        }
        // Row major, whatever order the file has.
        let values: Vec<f32> = array.iter().copied().collect();
        if values.is_empty() {
            return Err(SampleError::Format { path: path.into(), what: "there are no samples in it".into() });
        }
        let elements: usize = shape.iter().product();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(SampleError::NotFinite {
                path: path.into(),
                sample: index / elements,
                element: index % elements,
                value: values[index],
            });
        }
        Ok(Self { shape: shape.to_vec(), values })
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

    /// The samples as the bytes of a .npy file, an array of shape
    /// `[samples, ..shape]`.
    pub fn to_npy(&self) -> Vec<u8> {
        let shape: Vec<usize> = std::iter::once(self.len()).chain(self.shape.iter().copied()).collect();
        let mut bytes = Vec::new();
        // The values fill the shape, and writing to memory does not fail.
        let array = ArrayD::from_shape_vec(shape, self.values.clone()).expect("whole samples");
        array.write_npy(&mut bytes).expect("a vector takes all bytes");
        bytes
    }

    /// SHA-256 of the values in order, little endian, in lower-case hex.
    pub fn sha256(&self) -> String {
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        sha256_hex(&bytes)
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
    labels_from_npy_bytes(path, &arrays::read(path, 1)?, samples, classes)
}

/// [`read_labels`] from the bytes of a file; `path` is for messages only.
///
/// # Errors
/// As [`read_labels`].
pub fn labels_from_npy_bytes(
    path: &Path,
    bytes: &[u8],
    samples: usize,
    classes: usize,
) -> Result<Vec<usize>, SampleError> {
    let labels = integers(bytes).map_err(|error| match error {
        ReadNpyError::WrongDescriptor(found) => {
            let what = format!("labels must be class indices of an integer type, these are {found}");
            SampleError::Format { path: path.into(), what }
        }
        error => unreadable(path, error),
    })?;
    // A column of labels, [samples, 1], is as good as a row.
    if labels.len() != samples || labels.shape().iter().filter(|dim| **dim != 1).count() > 1 {
        return Err(SampleError::LabelCount { path: path.into(), shape: labels.shape().to_vec(), samples });
    }
    let class = |(index, label): (usize, &i128)| {
        usize::try_from(*label).ok().filter(|label| *label < classes).ok_or_else(|| SampleError::Label {
            path: path.into(),
            index,
            label: *label,
            classes,
        })
    };
    labels.iter().enumerate().map(class).collect()
}

fn unreadable(path: &Path, error: ReadNpyError) -> SampleError {
    SampleError::Format { path: path.into(), what: format!("this is not a usable .npy file: {error}") }
}

fn parse<T: ReadableElement>(bytes: &[u8]) -> Result<ArrayD<T>, ReadNpyError> {
    // The reader allocates what the header promises before it reads.
    let mut rest = bytes;
    let header = Header::from_reader(&mut rest)?;
    let elements = header.shape.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
    if elements.is_none_or(|elements| elements > rest.len()) {
        return Err(ReadNpyError::MissingData);
    }
    ArrayD::<T>::read_npy(bytes)
}

/// Reads integers of any width.
fn integers(bytes: &[u8]) -> Result<ArrayD<i128>, ReadNpyError> {
    fn try_as<T: ReadableElement + Copy + Into<i128>>(bytes: &[u8]) -> Option<Result<ArrayD<i128>, ReadNpyError>> {
        match parse::<T>(bytes) {
            Ok(array) => Some(Ok(array.mapv(Into::into))),
            Err(ReadNpyError::WrongDescriptor(_)) => None,
            Err(error) => Some(Err(error)),
        }
    }
    let tries = [try_as::<i64>, try_as::<i32>, try_as::<u8>, try_as::<i16>, try_as::<i8>, try_as::<u16>, try_as::<u32>];
    tries.iter().find_map(|attempt| attempt(bytes)).unwrap_or_else(|| parse::<u64>(bytes).map(|a| a.mapv(i128::from)))
}
