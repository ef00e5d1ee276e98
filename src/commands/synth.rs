//! `axp synth`: area and longest path of an arithmetic unit on cell libraries and FPGAs.

use super::replay::cache_folder;
use super::synth_report::{self, FpgaRow, LibraryRow, Ratios, Report};
use crate::args::{DeviceChoice, ModuleChoice, SynthOptions};
use crate::exit::{Failure, Outcome};
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use axp_hdl::Rtl;
use axp_spec::{FixedFormat, FpuConfig, FpuOperation, MultiplierStyle};
use axp_testbench::synth::fpga::{self, Family, Placed};
use axp_testbench::synth::liberty::{CellLibrary, LibertyError, OSU018, OSU018_PACKAGE};
use axp_testbench::synth::{self, Design, Goal, Netlist, SynthError};
use std::path::{Path, PathBuf};

/// Control inputs of pipelined units: they end at clock gates.
const CONTROL: &[&str] = &["en_i", "test_en_i"];

/// Runs the command.
///
/// # Errors
/// See [`Failure`]; a file that is no library, or a missing tool, is wrong input.
pub fn run(options: &SynthOptions, cancel: &Cancel) -> Outcome {
    let config = configuration(options)?;
    // Libraries are read before anything takes time.
    let libraries = libraries(&options.liberty)?;
    let rtl = generate(&config)?;
    let other = (options.compare && config.operation == FpuOperation::Mul)
        .then_some(FpuConfig { multiplier: MultiplierStyle::Operator, ..config });
    let other = other.map(|config| generate(&config)).transpose()?;
    let stages = Stages::new();
    let mut rows = Vec::new();
    for library in &libraries {
        let origin =
            synth::origin(&design(&rtl, &modules(&rtl), &config), library).map_err(|error| failure(&error, cancel))?;
        let goal = goal(options, &config, library);
        let netlist = gates(&rtl, &config, library, goal, &stages, cancel)?;
        let ratios = match &other {
            Some(other) => {
                let plain = gates(other, &config, library, goal, &stages, cancel)?;
                Some(Ratios::of((netlist.ge, netlist.longest_path_ns), (plain.ge, plain.longest_path_ns)))
            }
            None => None,
        };
        if let Some(folder) = &options.netlist {
            let path = folder.join(format!("{}-{}.v", rtl.top, library.name));
            std::fs::write(&path, &netlist.verilog).map_err(|error| Failure::io("write", &path, &error))?;
        }
        rows.push(LibraryRow::new(netlist, origin, goal, ratios));
    }
    let mut devices = Vec::new();
    for device in &options.fpga {
        let family = match device {
            DeviceChoice::Ice40 => Family::Ice40,
            DeviceChoice::Ecp5 => Family::Ecp5,
        };
        let placed = place(&rtl, family, &stages, cancel)?;
        let ratios = match &other {
            Some(other) => {
                let plain = place(other, family, &stages, cancel)?;
                // Cells are compared as look-up tables, speed as time a cycle.
                Some(Ratios::of((placed.luts as f64, 1.0 / placed.fmax_mhz), (plain.luts as f64, 1.0 / plain.fmax_mhz)))
            }
            None => None,
        };
        devices.push(FpgaRow { placed, ratios });
    }
    let report = Report { module: rtl.top.clone(), libraries: rows, fpga: devices };
    if options.json {
        println!("{}", synth_report::json(&report));
    } else {
        print!("{}", synth_report::table(&report));
    }
    Ok(())
}

fn configuration(options: &SynthOptions) -> Result<FpuConfig, Failure> {
    let fixed = || match (options.width, options.last_bit) {
        (Some(width), Some(last_bit)) => Ok(FixedFormat { width, last_bit }),
        _ => Err(Failure::input(
            "a conversion needs the fixed-point format",
            "add --width BITS and --last-bit EXPONENT: 32-bit integers are --width 32 --last-bit 0",
        )),
    };
    let operation = match options.module {
        ModuleChoice::FpMul => FpuOperation::Mul,
        ModuleChoice::FpAdd => FpuOperation::Add,
        ModuleChoice::FpToFixed => FpuOperation::ToFixed(fixed()?),
        ModuleChoice::FixedToFp => FpuOperation::FromFixed(fixed()?),
    };
    if operation.operands() == 2 && (options.width.is_some() || options.last_bit.is_some()) {
        return Err(Failure::input(
            "fp_mul and fp_add take no fixed-point format",
            "--width and --last-bit belong to fp_to_fixed and fixed_to_fp",
        ));
    }
    let config = FpuConfig {
        multiplier: options.multiplier.into(),
        stages: options.stages,
        ..FpuConfig::new(operation, options.format, options.rounding.into())
    };
    config.validate().map_err(|error| Failure::input(error, "see axp synth --help for the ranges"))?;
    Ok(config)
}

/// Reads the libraries that were named; osu018 if none was.
///
/// # Errors
/// A file is missing, or is no library.
pub fn libraries(liberty: &[PathBuf]) -> Result<Vec<CellLibrary>, Failure> {
    let default = [PathBuf::from(OSU018)];
    let paths = if liberty.is_empty() {
        if !Path::new(OSU018).is_file() {
            return Err(Failure::input(
                format!("the cell library osu018 is not at {OSU018}"),
                format!("apt-get install {OSU018_PACKAGE}, or name a library with --liberty FILE"),
            ));
        }
        &default[..]
    } else {
        liberty
    };
    paths.iter().map(|path| CellLibrary::read(path).map_err(|error| unreadable(&error))).collect()
}

fn unreadable(error: &LibertyError) -> Failure {
    match error {
        LibertyError::Read { path, source, .. } => Failure::io("read", path, source),
        LibertyError::Gzip { .. } => Failure::input(error, "get the file again; gzip -t says whether it is whole"),
        _ => Failure::input(error, "a Liberty file (.lib or .lib.gz) of standard cells is needed"),
    }
}

fn generate(config: &FpuConfig) -> Result<Rtl, Failure> {
    axp_hdl::fpu::generate(config).map_err(|error| Failure::input(error, "please report it"))
}

/// The period of the search: what the user wants, or the default of the module
/// on this library, divided among the pipeline stages.
fn goal(options: &SynthOptions, config: &FpuConfig, library: &CellLibrary) -> Goal {
    let period = options.period.unwrap_or_else(|| {
        let whole = if config.operation == FpuOperation::Mul { 13.5 } else { 12.0 };
        // sky130's cells are about half again as slow at this fan-out.
        let slower = if library.name.starts_with("sky130") { 1.5 } else { 1.0 };
        whole * slower / f64::from(config.stages + 1)
    });
    Goal { period, wire_load: options.wire_load.unwrap_or_else(|| library.wire_load()) }
}

fn modules(rtl: &Rtl) -> Vec<(&str, &str)> {
    rtl.modules.iter().map(|module| (module.name.as_str(), module.text.as_str())).collect()
}

fn design<'a>(rtl: &'a Rtl, modules: &'a [(&'a str, &'a str)], config: &FpuConfig) -> Design<'a> {
    let pipelined = config.stages > 0;
    Design {
        top: &rtl.top,
        modules,
        clock: pipelined.then_some("clk_i"),
        control: if pipelined { CONTROL } else { &[] },
    }
}

fn gates(
    rtl: &Rtl,
    config: &FpuConfig,
    library: &CellLibrary,
    goal: Goal,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Netlist, Failure> {
    let stage = stages.start("synth", 0);
    stage.say(format!("{} on {}", rtl.top, library.name));
    let modules = modules(rtl);
    let netlist = synth::synthesise(&design(rtl, &modules, config), library, goal, Some(&cache_folder()), cancel)
        .map_err(|error| failure(&error, cancel))?;
    stage.done(format!("{} on {}: {:.0} GE, {:.2} ns", rtl.top, library.name, netlist.ge, netlist.longest_path_ns));
    Ok(netlist)
}

fn place(rtl: &Rtl, family: Family, stages: &Stages, cancel: &Cancel) -> Result<Placed, Failure> {
    let stage = stages.start("place", 0);
    stage.say(format!("{} on {}", rtl.top, synth_report::device(family)));
    let tools = cache_folder().join("fpga");
    let placed = fpga::place(&rtl.top, &modules(rtl), &rtl.ports, family, &tools, cancel)
        .map_err(|error| failure(&error, cancel))?;
    stage.done(format!("{} on {}: {:.1} MHz", rtl.top, synth_report::device(family), placed.fmax_mhz));
    Ok(placed)
}

fn failure(error: &SynthError, cancel: &Cancel) -> Failure {
    match error {
        _ if requested(cancel) => Failure::Interrupted,
        SynthError::Missing(missing) => Failure::input(missing, "./scripts/test.sh installs what is missing"),
        other => Failure::input(other, "check that the tools run, and that the library suits them"),
    }
}
