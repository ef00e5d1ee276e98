//! The options of `axp energy`.

use axp_testbench::energy::Baseline;
use clap::Args;
use std::path::PathBuf;

/// What is measured, and on what.
#[derive(Args, Debug)]
pub struct MeasureOptions {
    /// Liberty file, may be gzipped; can be given several times [default: osu018]
    #[arg(long, value_name = "FILE[.gz]")]
    pub liberty: Vec<PathBuf>,
    /// Multiply-accumulates of each layer to simulate, at least
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(512..=1 << 20))]
    pub macs: u64,
}

#[derive(Args, Debug)]
pub struct EnergyOptions {
    /// A folder that `axp build` wrote
    pub design: PathBuf,
    #[command(flatten)]
    pub measure: MeasureOptions,
    /// Clock period of the design and all baselines [default: their longest path, rounded up to a
    /// whole ns, a library]
    #[arg(long, value_name = "20ns", value_parser = parse_clock)]
    pub clock: Option<f64>,
    /// What to compare with: all, none, or names with commas between: fp32, fp32_zero_skip,
    /// fp32_fixed, fp32_fixed_zero_skip, bf16, bf16_zero_skip, bf16_fixed, bf16_fixed_zero_skip,
    /// int8, int8_zero_skip; beside a design with fixed-point sums also fp32_same,
    /// fp32_same_zero_skip, bf16_same, bf16_same_zero_skip, whose sums are as wide
    #[arg(long, value_name = "NAMES", default_value = "all", value_parser = parse_baselines)]
    pub baselines: Baselines,
    /// Estimate with this table beside the measurement [default: the one that comes with axp]
    #[arg(long, value_name = "energy.json")]
    pub table: Option<PathBuf>,
    /// Draw what each processing element uses, and where the saving comes from; with several
    /// libraries the first
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct EnergyTableOptions {
    /// Folders that `axp build` wrote: the more kinds of memories and sums, the more the table covers
    #[arg(required = true)]
    pub designs: Vec<PathBuf>,
    #[command(flatten)]
    pub measure: MeasureOptions,
    /// File to write
    #[arg(long, value_name = "energy.json")]
    pub out: PathBuf,
    /// Keep what the file has of other libraries
    #[arg(long)]
    pub keep: bool,
}

/// Baselines on the command line, the plainest first, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baselines(pub Vec<Baseline>);

fn parse_clock(text: &str) -> Result<f64, String> {
    match text.strip_suffix("ns").unwrap_or(text).trim().parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e4 => Ok(value),
        _ => Err("write a positive number of ns, such as 20ns".to_owned()),
    }
}

fn parse_baselines(text: &str) -> Result<Baselines, String> {
    match text {
        "all" => return Ok(Baselines(Baseline::ALL.to_vec())),
        "none" => return Ok(Baselines(Vec::new())),
        _ => {}
    }
    let known = || Baseline::ALL.map(Baseline::name).join(", ");
    let one = |name: &str| {
        Baseline::of_name(name.trim()).ok_or_else(|| format!("{name:?} is not all, none, or one of {}", known()))
    };
    let mut found = text.split(',').map(one).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(Baselines(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_ns_and_baselines_have_names() {
        assert_eq!((parse_clock("20ns"), parse_clock("12.5")), (Ok(20.0), Ok(12.5)));
        for bad in ["", "ns", "0", "-3ns", "nan", "inf", "20us"] {
            assert!(parse_clock(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_baselines("none"), Ok(Baselines(vec![])));
        assert_eq!(parse_baselines("all"), Ok(Baselines(Baseline::ALL.to_vec())));
        let two = Baselines(vec![Baseline::Plain, Baseline::Fixed]);
        assert_eq!(parse_baselines("fp32_fixed, fp32,fp32"), Ok(two));
        assert!(parse_baselines("int4").unwrap_err().contains("fp32_zero_skip"));
    }
}
