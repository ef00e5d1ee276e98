//! The command line.

mod energy;
mod explore;
mod memory;
mod scale;
mod units;

pub use energy::{EnergyOptions, EnergyTableOptions, MeasureOptions};
pub use explore::ExploreOptions;
pub use memory::MemoryOptions;
pub use units::{DeviceChoice, FpuChoice, FpuOptions, ModuleChoice, SynthOptions};

use axp_golden::net::ByteScale;
use clap::{Args, Parser, Subcommand, ValueEnum};
use scale::parse_scale;
use std::path::PathBuf;

/// From an ONNX ConvNet to verified, energy-efficient Verilog.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 a check failed or the accuracy bound was missed, \
    2 wrong input, I/O or a missing tool, 130 interrupted.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Take a network the whole way: co-design, Verilog, lint, replay, report
    Build(BuildOptions),
    /// Try every design of the space: energy, accuracy, area, a row each, and the best of them
    Explore(ExploreOptions),
    /// Replay the layers of a built design again and compare every output of every cycle
    Verify(VerifyOptions),
    /// Write the Verilog package of one PE configuration
    Generate(GenerateOptions),
    /// Run samples through a built design, bit-exact, and print accuracy and hit rates
    Eval(EvalOptions),
    /// Hit rate and loss for exact keys and for every key width: one table, one plot
    Keys(KeysOptions),
    /// Area and longest path of an arithmetic unit on cell libraries and FPGAs: one table
    Synth(SynthOptions),
    /// Energy a MAC of a built design and of plain MACs, on gates with the design's own layers
    Energy(EnergyOptions),
    /// Energies of components out of built designs: the table that `axp energy` estimates with
    EnergyTable(EnergyTableOptions),
    /// Compute cases with an arithmetic unit: hex in, result and exception flags out
    #[command(after_help = FPU_HELP)]
    Fpu(FpuOptions),
}

const FPU_HELP: &str = "\
A line of input is a case: its operands in hexadecimal, without a prefix; more columns are ignored. \
A line of output is the operands, the result and the flags: 10 invalid, 04 overflow, 02 underflow \
(tininess after rounding), 01 inexact. That is the format of Berkeley TestFloat:

  testfloat_gen -level 2 f32_mul | axp fpu mul | testfloat_ver f32_mul
  testfloat_gen -rminMag f16_add | axp fpu add --format fp16 --rounding rtz --rtl | testfloat_ver -rminMag f16_add
  testfloat_gen i32_to_f32 | axp fpu from-fixed --width 32 --last-bit 0 | testfloat_ver i32_to_f32";

/// A network that comes with axp.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundled {
    /// Vision: handwritten digits, 8 x 8 pixels
    Digits,
    /// Speech: spoken keywords
    Keywords,
}

/// What executes the generated Verilog.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatorChoice {
    /// Compiled, two-state, fast
    Verilator,
    /// Interpreted, four-state: also finds unknown values on outputs
    Icarus,
}

/// The network and its samples.
#[derive(Args, Debug)]
pub struct NetworkOptions {
    /// The trained network, an ONNX file with float32 weights
    #[arg(conflicts_with = "bundled", requires = "calib")]
    pub model: Option<PathBuf>,
    /// Use a network that comes with axp (default when no MODEL is given: digits)
    #[arg(long, value_enum, conflicts_with = "calib")]
    pub bundled: Option<Bundled>,
    /// Calibration samples, batch first: they shape the design, without labels. A .npy file,
    /// a .npz archive of one array, or archive.npz:name
    #[arg(long, value_name = "X.npy")]
    pub calib: Option<PathBuf>,
    /// Evaluation samples and, if there are any, their labels (class indices): used once, at the end
    #[arg(long, num_args = 1..=2, value_names = ["X.npy", "Y.npy"], requires = "calib")]
    pub eval: Vec<PathBuf>,
    /// What a byte stands for where samples are uint8 and not float32: byte x SCALE + OFFSET
    #[arg(long, value_name = "1/255[,OFFSET]", value_parser = parse_scale, requires = "calib")]
    pub scale: Option<ByteScale>,
    /// Shape of one sample, for a model whose input has dynamic dimensions
    #[arg(long, value_name = "1x28x28", value_parser = parse_shape)]
    pub input_shape: Option<Shape>,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Args, Debug)]
pub struct BuildOptions {
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Folder to write; it appears only when everything is done
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is in the output folder
    #[arg(long)]
    pub force: bool,
    /// Accuracy that may be lost, in percentage points
    #[arg(long, value_name = "PP", default_value_t = 1.0, value_parser = parse_loss)]
    pub max_loss: f64,
    /// Most rows that a layer's associative memory may use (pair)
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub rows: u32,
    /// Let activations of zero leave the accumulator untouched
    #[arg(long)]
    pub zero_skip: bool,
    #[command(flatten)]
    pub memory: MemoryOptions,
    #[command(flatten)]
    pub search: SearchOptions,
    /// Repeat the search on so many subsets of the calibration samples, two thirds of them each,
    /// and report the mean loss and its range
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub seeds: u32,
    /// Go on with a search that was stopped; what it had tried is in DIR.search
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub replay: ReplayOptions,
}

/// How weights become codebooks, and what the search reckons energy with.
#[derive(Args, Debug)]
pub struct SearchOptions {
    /// How weights are rounded to their codebook
    #[arg(long, value_enum, default_value_t = ClusteringChoice::ErrorFeedback)]
    pub clustering: ClusteringChoice,
    /// Let output channels be scaled by powers of two, so that channels of different scale share a
    /// codebook (grid, factored): whoever collects the sums multiplies by them
    #[arg(long)]
    pub channel_scales: bool,
    /// Energies of components, to choose designs by [default: those that come with axp]
    #[arg(long, value_name = "energy.json")]
    pub energy_table: Option<PathBuf>,
}

impl SearchOptions {
    /// Whether codebooks are rounded to with error feedback.
    pub fn feedback(&self) -> bool {
        self.clustering == ClusteringChoice::ErrorFeedback
    }
}

/// How weights are rounded to their codebook.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusteringChoice {
    /// One after the other, each making good what the others' rounding costs the outputs
    ErrorFeedback,
    /// Each to the nearest value of k-means: the baseline
    KMeans,
}

/// How much of the network is replayed on the Verilog.
#[derive(Args, Debug)]
pub struct ReplayOptions {
    /// Simulator for the replay
    #[arg(long, value_enum, default_value_t = SimulatorChoice::Verilator)]
    pub simulator: SimulatorChoice,
    /// Complete outputs to replay of every layer, at least
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub outputs: u32,
    /// Multiply-accumulates to replay in all, at least [default: 1200000, with Icarus 40000]
    #[arg(long, value_name = "N")]
    pub macs: Option<u64>,
}

#[derive(Args, Debug)]
pub struct VerifyOptions {
    /// A folder that `axp build` wrote
    pub design: PathBuf,
    /// Replay only this layer (by its ONNX name; can be given several times)
    #[arg(long, value_name = "NAME")]
    pub layer: Vec<String>,
    #[command(flatten)]
    pub replay: ReplayOptions,
    /// Where waveforms of a mismatch are kept [default: the design's folder]
    #[arg(long, value_name = "DIR")]
    pub waves: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct GenerateOptions {
    /// PE configuration, JSON
    #[arg(long, value_name = "pe.json")]
    pub config: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is in the output folder
    #[arg(long)]
    pub force: bool,
    /// Do not lint the result with Verilator, Icarus and Yosys
    #[arg(long)]
    pub no_lint: bool,
}

#[derive(Args, Debug)]
pub struct EvalOptions {
    /// A folder that `axp build` wrote
    pub design: PathBuf,
    /// Samples, batch first: a .npy file, a .npz archive of one array, or archive.npz:name
    #[arg(long, value_name = "X.npy")]
    pub data: PathBuf,
    /// What a byte stands for where samples are uint8 and not float32: byte x SCALE + OFFSET
    #[arg(long, value_name = "1/255[,OFFSET]", value_parser = parse_scale)]
    pub scale: Option<ByteScale>,
    /// Labels, class indices; without them the float net's own answers are the reference
    #[arg(long, value_name = "Y.npy")]
    pub labels: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct KeysOptions {
    #[command(flatten)]
    pub network: NetworkOptions,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace what is in the output folder
    #[arg(long)]
    pub force: bool,
    /// Weight values a layer
    #[arg(long, value_name = "K", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub clusters: u32,
    /// Rows of the associative memory
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub rows: u32,
}

/// A tensor shape on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Vec<usize>);

fn parse_shape(text: &str) -> Result<Shape, String> {
    let sizes: Result<Vec<usize>, _> = text.split(['x', ',']).map(|size| size.trim().parse()).collect();
    match sizes {
        Ok(sizes) if !sizes.contains(&0) => Ok(Shape(sizes)),
        _ => Err("write positive sizes with an x between them, such as 1x28x28".to_owned()),
    }
}

fn parse_loss(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(loss) if (0.0..=100.0).contains(&loss) => Ok(loss),
        _ => Err("write a number of percentage points from 0 to 100".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn shapes_and_losses_are_checked() {
        assert_eq!(parse_shape("1x28x28"), Ok(Shape(vec![1, 28, 28])));
        assert_eq!(parse_shape("40,101"), Ok(Shape(vec![40, 101])));
        for bad in ["", "0x3", "1xx2", "-1", "a"] {
            assert!(parse_shape(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_loss("0.5"), Ok(0.5));
        for bad in ["nan", "-1", "101", "inf", "x"] {
            assert!(parse_loss(bad).is_err(), "{bad}");
        }
    }
}
