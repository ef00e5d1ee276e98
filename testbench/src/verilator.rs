//! Building the Verilated simulator of a design, once for each content.

use crate::dut::{Body, Dut};
use crate::harness;
use crate::process::Invocation;
use crate::simulator::{Simulator, SimulatorError, SimulatorKind};
use crate::tools::Tool;
use crate::vectors::Layout;
use axp_spec::design::sha256_hex;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Options of Verilator that every build has. Warnings are the business of
/// `lint`; here they must not stop a design that a test has broken on purpose.
const OPTIONS: &[&str] = &[
    "--cc",
    "--exe",
    "--build",
    "-j",
    "2",
    "-O3",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "-Wno-lint",
    "-Wno-style",
    "-Wno-fatal",
    "--prefix",
    "Vdut",
    "-CFLAGS",
    "-O3",
];

/// Builds the simulator of a design, or takes it from `cache` if the same
/// sources, harness, options and Verilator have been built there before.
///
/// `trace` compiles waveforms in, which costs speed.
///
/// # Errors
/// A missing tool, Verilog that does not compile, a folder that cannot be
/// written, or a cancelled run.
pub fn build(
    dut: &Dut,
    body: Body,
    trace: bool,
    cache: &Path,
    cancel: &AtomicBool,
) -> Result<Simulator, SimulatorError> {
    let layout = Layout::of(dut)?;
    let verilator = Tool::Verilator.find()?;
    Tool::Make.find()?;
    Tool::Gxx.find()?;
    let text = harness::cpp(dut, &layout);
    let stage = harness::stage(dut, &layout);
    let mut options: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    options.extend(["--top-module".into(), harness::STAGE.to_owned()]);
    options.extend(body.define().map(|name| format!("+define+{name}=1")));
    options.extend(trace.then(|| "--trace".to_owned()));
    let key = content_key(&[Tool::Verilator.version()?, options.join(" "), text.clone(), stage.clone()], dut);
    let program = cache.join(format!("verilator-{key}"));
    let simulator = Simulator { kind: SimulatorKind::Verilator, layout, program: program.clone(), image: None };
    if program.is_file() {
        return Ok(simulator);
    }
    fs::create_dir_all(cache).map_err(|source| SimulatorError::file(cache, source))?;
    // Built beside its place and moved there when complete, so that the cache
    // never holds half a program, whoever else builds the same.
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(cache)
        .map_err(|source| SimulatorError::file(cache, source))?;
    dut.write(folder.path()).map_err(|(path, source)| SimulatorError::File { path, source })?;
    for (name, text) in [("AxpMain.cpp", text.as_str()), ("AxpStage.v", &stage)] {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(|source| SimulatorError::file(&path, source))?;
    }
    Invocation::new(&verilator)
        .directory(folder.path())
        .args(&options)
        .args(["--Mdir", "obj", "-o", "sim"])
        .args(dut.sources.iter().map(|source| &source.file))
        .args(["AxpStage.v", "AxpMain.cpp"])
        .cancel(cancel)
        .run()?;
    let built = folder.path().join("obj").join("sim");
    fs::rename(&built, &program).map_err(|source| SimulatorError::file(&program, source))?;
    Ok(simulator)
}

/// A file name for what these texts and the design determine.
pub(crate) fn content_key(texts: &[String], dut: &Dut) -> String {
    let mut bytes = Vec::new();
    let sources = dut.sources.iter().flat_map(|source| [&source.file, &source.text]);
    for part in texts.iter().chain(sources) {
        // With their lengths, so that no two lists of parts look the same.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    sha256_hex(&bytes)[..24].to_owned()
}
