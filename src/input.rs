//! The network and the samples that a command works on: files, or what is bundled.

use crate::args::{Bundled, NetworkOptions};
use crate::exit::Failure;
use axp_golden::net::{ByteScale, ImportOptions, NetError, Network, SampleError, Samples, samples};
use std::fs;
use std::path::{Path, PathBuf};

/// A network with its samples, read and checked.
pub struct Input {
    /// The network.
    pub network: Network,
    /// The ONNX file's bytes.
    pub onnx: Vec<u8>,
    /// What to call it: the file's path as given, or the bundled network's name. Data.
    pub name: String,
    /// Calibration samples.
    pub calibration: Samples,
    /// Evaluation samples, where given.
    pub evaluation: Option<Evaluation>,
}

/// Evaluation samples and, where there are any, their labels.
pub struct Evaluation {
    /// The samples.
    pub samples: Samples,
    /// Class indices, one a sample.
    pub labels: Option<Vec<usize>>,
}

struct BundledFiles {
    name: &'static str,
    onnx: &'static [u8],
    x_calib: &'static [u8],
    x_test: &'static [u8],
    y_test: &'static [u8],
}

macro_rules! bundled {
    ($name:literal) => {
        BundledFiles {
            name: $name,
            onnx: include_bytes!(concat!("../golden/data/", $name, "/model.onnx")),
            x_calib: include_bytes!(concat!("../golden/data/", $name, "/x_calib.npy")),
            x_test: include_bytes!(concat!("../golden/data/", $name, "/x_test.npy")),
            y_test: include_bytes!(concat!("../golden/data/", $name, "/y_test.npy")),
        }
    };
}

/// Reads and checks what the options name; the bundled digits if they name nothing.
///
/// # Errors
/// [`Failure::Input`] with what is wrong with which file.
pub fn load(options: &NetworkOptions) -> Result<Input, Failure> {
    match (&options.model, &options.calib) {
        (Some(model), Some(calib)) => load_files(model, calib, &options.eval, options),
        _ => load_bundled(options.bundled.unwrap_or(Bundled::Digits), options),
    }
}

fn load_files(model: &Path, calib: &Path, eval: &[PathBuf], options: &NetworkOptions) -> Result<Input, Failure> {
    let onnx = read(model)?;
    let network = import(&onnx, model, options)?;
    let shape = network.input_shape();
    let calibration = Samples::read_scaled(calib, shape, options.scale).map_err(samples_failure)?;
    let evaluation = match eval {
        [] => None,
        [x, rest @ ..] => Some(load_evaluation(x, rest.first().map(PathBuf::as_path), options.scale, &network)?),
    };
    Ok(Input { name: model.display().to_string(), onnx, network, calibration, evaluation })
}

/// Reads evaluation samples and labels for a network.
///
/// # Errors
/// [`Failure::Input`] with what is wrong with which file.
pub fn load_evaluation(
    x: &Path,
    y: Option<&Path>,
    scale: Option<ByteScale>,
    network: &Network,
) -> Result<Evaluation, Failure> {
    let samples = Samples::read_scaled(x, network.input_shape(), scale).map_err(samples_failure)?;
    let labels =
        y.map(|y| samples::read_labels(y, samples.len(), network.classes())).transpose().map_err(samples_failure)?;
    Ok(Evaluation { samples, labels })
}

fn load_bundled(which: Bundled, options: &NetworkOptions) -> Result<Input, Failure> {
    let files = match which {
        Bundled::Digits => bundled!("digits"),
        Bundled::Keywords => bundled!("keywords"),
    };
    let network = import(files.onnx, Path::new(files.name), options)?;
    let shape = network.input_shape();
    let calibration =
        Samples::from_npy_bytes(Path::new("x_calib.npy"), files.x_calib, shape).map_err(samples_failure)?;
    let samples = Samples::from_npy_bytes(Path::new("x_test.npy"), files.x_test, shape).map_err(samples_failure)?;
    let labels =
        samples::labels_from_npy_bytes(Path::new("y_test.npy"), files.y_test, samples.len(), network.classes())
            .map_err(samples_failure)?;
    Ok(Input {
        name: files.name.to_owned(),
        onnx: files.onnx.to_vec(),
        calibration,
        evaluation: Some(Evaluation { samples, labels: Some(labels) }),
        network,
    })
}

fn import(onnx: &[u8], model: &Path, options: &NetworkOptions) -> Result<Network, Failure> {
    let import = ImportOptions {
        input_shape: options.input_shape.as_ref().map(|shape| shape.0.clone()),
        folder: model.parent().map(Path::to_path_buf),
    };
    Network::from_onnx(onnx, &import).map_err(|error| network_failure(model, &error))
}

/// Reads a whole file.
///
/// # Errors
/// [`Failure::Input`] with the path.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|e| Failure::io("read", path, &e))
}

/// Reads a whole text file.
///
/// # Errors
/// [`Failure::Input`] with the path.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::input(format!("{} is not text", path.display()), "give a JSON file"))
}

/// A model that cannot be used, as a message about its file.
pub fn network_failure(model: &Path, error: &NetError) -> Failure {
    Failure::input(
        format!("{}: {error}", model.display()),
        "axp takes ONNX models with float32 weights, one input and at least one Conv, Gemm or MatMul with constant weights",
    )
}

fn samples_failure(error: SampleError) -> Failure {
    Failure::input(
        error,
        "samples are arrays of float32, or of uint8 with --scale, with the batch first; labels are integer class \
         indices; both in .npy files or .npz archives (data.npz:x_test where there are several)",
    )
}
