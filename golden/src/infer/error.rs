//! Why inference stops.

use crate::am::LoadError;
use crate::net::NetError;
use thiserror::Error;

/// Why an engine cannot be made or a run not finished.
#[derive(Error, Debug)]
pub enum EngineError {
    /// The design does not belong to the network.
    #[error("the design does not fit the network: {what}")]
    Design {
        /// What differs.
        what: String,
    },
    /// A layer's AM rows are refused by the loader.
    #[error("layer {layer:?}: {source}")]
    Am {
        /// Name of the layer.
        layer: String,
        /// What is wrong with the rows.
        source: LoadError,
    },
    /// The design contradicts itself.
    #[error(transparent)]
    Invalid(#[from] axp_spec::DesignError),
    /// The rest of the network failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// What was tried cannot be kept.
    #[error("cannot write {path}: {source}", path = path.display())]
    Log {
        /// The file.
        path: std::path::PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// `Control::cancel` became true.
    #[error("interrupted")]
    Cancelled,
}
