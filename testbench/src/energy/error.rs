//! Why no energy of a processing element is stated.

use crate::equivalence::netlist::NetlistError;
use crate::gates::GatesError;
use crate::process::ProcessError;
use crate::synth::SynthError;
use crate::vectors::LayoutError;
use axp_golden::am::LoadError;
use axp_hdl::HdlError;
use thiserror::Error;

/// Why there is no figure.
#[derive(Error, Debug)]
pub enum EnergyError {
    /// A netlist could not be made.
    #[error("{contender}: {source}")]
    Synth {
        /// The processing element.
        contender: String,
        /// Why not.
        source: SynthError,
    },
    /// A netlist could not be simulated, or what it did is not to be trusted.
    #[error("{contender}: {source}")]
    Gates {
        /// The processing element.
        contender: String,
        /// Why.
        source: GatesError,
    },
    /// A netlist is not what its Verilog says, or could not be compared with it.
    #[error("{contender}: {source}")]
    Netlist {
        /// The processing element.
        contender: String,
        /// What differs.
        source: NetlistError,
    },
    /// There is no Verilog of the configuration.
    #[error(transparent)]
    Hdl(#[from] HdlError),
    /// The ports cannot be driven.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The rows of a layer cannot be loaded.
    #[error("layer {layer:?}: {source}")]
    Rows {
        /// Name of the layer.
        layer: String,
        /// What is wrong with them.
        source: LoadError,
    },
    /// A frozen memory holds something else for a layer.
    #[error("layer {layer:?}: the frozen memory of the processing element does not hold what the layer needs")]
    Frozen {
        /// Name of the layer.
        layer: String,
    },
    /// There is nothing to stream.
    #[error("layer {layer:?} has no multiply-accumulates to stream")]
    Empty {
        /// Name of the layer.
        layer: String,
    },
    /// A fixed-point sum went out of its range.
    #[error("{contender}, layer {layer:?}: a sum left the range of the fixed-point accumulator")]
    Overflow {
        /// The processing element.
        contender: String,
        /// Name of the layer.
        layer: String,
    },
    /// The golden model stalls although nothing holds it back.
    #[error("{contender}: the golden model was not ready in a stream without stalls; this is a bug in axp")]
    Stalled {
        /// The processing element.
        contender: String,
    },
    /// The clock is too fast for one of the netlists.
    #[error("a clock period of {period_ns} ns is too short on {library}: {least_ns} ns is the least, for {slowest}")]
    Clock {
        /// The period asked for, in ns.
        period_ns: f64,
        /// The shortest possible, in ns.
        least_ns: f64,
        /// Name of the library.
        library: String,
        /// The processing element with the longest path.
        slowest: String,
    },
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl EnergyError {
    /// Whether the user cancelled.
    pub fn is_cancelled(&self) -> bool {
        let process = |error: &ProcessError| matches!(error, ProcessError::Cancelled { .. });
        match self {
            Self::Cancelled => true,
            Self::Netlist { source, .. } => source.is_cancelled(),
            Self::Synth { source: SynthError::Process(error), .. }
            | Self::Gates {
                source: GatesError::Process(error) | GatesError::Synth(SynthError::Process(error)), ..
            } => process(error),
            _ => false,
        }
    }

    /// Whether a check failed: the measurement was made and is not to be trusted.
    pub const fn is_failed_check(&self) -> bool {
        match self {
            Self::Gates { source, .. } => matches!(
                source,
                GatesError::Mismatch { .. }
                    | GatesError::Unknown { .. }
                    | GatesError::Unsettled { .. }
                    | GatesError::Annotation { .. }
                    | GatesError::Period { .. }
                    | GatesError::TooSlow { .. }
            ),
            Self::Netlist { source, .. } => source.is_failed_check(),
            Self::Overflow { .. } | Self::Stalled { .. } => true,
            _ => false,
        }
    }

    pub(super) fn gates(contender: &str) -> impl Fn(GatesError) -> Self {
        move |source| Self::Gates { contender: contender.to_owned(), source }
    }
}
