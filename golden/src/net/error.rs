//! Why a model or samples cannot be used.

use std::path::PathBuf;
use thiserror::Error;

/// Why a model cannot be imported.
#[derive(Error, Debug)]
pub enum NetError {
    /// No bytes at all.
    #[error("the model file is empty; give an ONNX file")]
    Empty,
    /// The bytes are not an ONNX protobuf.
    #[error("this is not an ONNX file, or it is truncated: {what}")]
    NotOnnx {
        /// What the reader stumbled over.
        what: String,
    },
    /// An ONNX file whose parts contradict each other.
    #[error("the ONNX file is damaged: {what}")]
    Malformed {
        /// What is wrong, and where.
        what: String,
    },
    /// A sound ONNX file that needs what is not read.
    #[error("{what}")]
    Unsupported {
        /// What it needs, where, and what to do.
        what: String,
    },
    /// The graph is made for several samples at once.
    #[error(
        "the model is made for a batch of {batch} and cannot take one sample: {what}; export it with a batch of 1 or an open one"
    )]
    FixedBatch {
        /// The batch size of its input.
        batch: usize,
        /// What contradicts a batch of 1.
        what: String,
    },
    /// An operator that cannot be run.
    #[error("node {node:?} uses the operator {op}, which is not supported; {advice}")]
    UnsupportedOperator {
        /// The operator, with its domain where that is not ONNX's own.
        op: String,
        /// The node's name.
        node: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// Not exactly one input.
    #[error("the model has {} inputs ({inputs:?}); only models with one input can be mapped", inputs.len())]
    Inputs {
        /// Names of the inputs.
        inputs: Vec<String>,
    },
    /// The input is not a float32 tensor.
    #[error("input {input:?} is {found}; only float32 inputs can be mapped")]
    InputType {
        /// Name of the input.
        input: String,
        /// What the model declares.
        found: String,
    },
    /// No output holds floating-point numbers.
    #[error("the model has no floating-point output ({found}); export it with its class scores")]
    OutputType {
        /// Names and types of the outputs.
        found: String,
    },
    /// A dimension other than the batch has no value.
    #[error(
        "input {input:?} has the shape {shape}, which leaves dimensions open; \
         give the shape of one sample, without the batch: --input-shape {example}"
    )]
    DynamicShape {
        /// Name of the input.
        input: String,
        /// The shape as the model declares it.
        shape: String,
        /// A value for the option, open dimensions as `?`.
        example: String,
    },
    /// `ImportOptions::input_shape` contradicts the model.
    #[error("--input-shape {given} does not fit input {input:?} of shape {shape} (batch first)")]
    InputShape {
        /// Name of the input.
        input: String,
        /// The shape as the model declares it.
        shape: String,
        /// The shape given.
        given: String,
    },
    /// Nothing to map.
    #[error("the model has no layer that can run on a PE{}", unmapped_list(.unmapped))]
    NoMacLayer {
        /// Layers that were considered, with the reason against each.
        unmapped: Vec<super::UnmappedLayer>,
    },
    /// A weight or bias that is NaN or infinite.
    #[error("layer {layer:?}: element {index} of its {what} is {value}; only finite numbers can be mapped")]
    NotFinite {
        /// Name of the layer.
        layer: String,
        /// Weights or bias, as stored or with batch normalization folded in.
        what: &'static str,
        /// Flat index of the element.
        index: usize,
        /// NaN, inf or -inf.
        value: f32,
    },
    /// A sample does not fit the input.
    #[error("the model takes samples of {expected} numbers, this one has {found}")]
    Sample {
        /// Elements of the input.
        expected: usize,
        /// Elements of the sample.
        found: usize,
    },
    /// The rest of the network cannot be run.
    #[error("the model cannot be run: {what}")]
    Run {
        /// The cause, with the node where it is known.
        what: String,
    },
}

/// Most layers that a message lists.
const LISTED: usize = 4;

fn unmapped_list(unmapped: &[super::UnmappedLayer]) -> String {
    let mut list: String =
        unmapped.iter().take(LISTED).map(|u| format!("; {} {:?}: {}", u.op, u.name, u.reason)).collect();
    if unmapped.len() > LISTED {
        list += &format!("; and {} more", unmapped.len() - LISTED);
    }
    list
}

/// Why samples or labels cannot be used.
#[derive(Error, Debug)]
pub enum SampleError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a .npy file of the expected type.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        what: String,
    },
    /// Samples of another shape than the model's input.
    #[error(
        "{}: the model takes samples of shape {expected:?}, the file has shape {found:?}; \
         it should be [number of samples, then {expected:?}]", path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Shape of one sample.
        expected: Vec<usize>,
        /// Shape of the array in the file.
        found: Vec<usize>,
    },
    /// A sample holds NaN or infinity.
    #[error("{}: sample {sample} holds {value} at element {element}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Index of the sample.
        sample: usize,
        /// Flat index in the sample.
        element: usize,
        /// NaN, inf or -inf.
        value: f32,
    },
    /// A label is not a class index of the model.
    #[error("{}: label {index} is {label}, the model has classes 0 to {}", path.display(), classes - 1)]
    Label {
        /// The file.
        path: PathBuf,
        /// Index of the label.
        index: usize,
        /// Its value.
        label: i128,
        /// Number of classes.
        classes: usize,
    },
    /// Not one label a sample.
    #[error("{}: the labels have shape {shape:?}, there are {samples} samples; give one label a sample", path.display())]
    LabelCount {
        /// The file.
        path: PathBuf,
        /// Shape of the array in the file.
        shape: Vec<usize>,
        /// Samples.
        samples: usize,
    },
}
