//! Building the Verilated simulator of a design, once for each content.

use crate::dut::{Body, Dut};
use crate::harness;
use crate::process::Invocation;
use crate::simulator::{Simulator, SimulatorError, SimulatorKind};
use crate::tools::Tool;
use crate::vectors::Layout;
use axp_spec::design::sha256_hex;
use std::fs;
use std::path::{Path, PathBuf};
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
    let mut options = vec!["--top-module".to_owned(), harness::STAGE.to_owned()];
    options.extend(trace.then(|| "--trace".to_owned()));
    let (main, stage) = (harness::cpp(dut, &layout), harness::stage(dut, &layout));
    let files = [("AxpStage.v", stage.as_str()), ("AxpMain.cpp", &main)];
    let program = compile(dut, body, &options, &files, cache, cancel)?;
    Ok(Simulator { kind: SimulatorKind::Verilator, layout, program, image: None })
}

/// Compiles a design together with these files (a C++ main among them), unless
/// `cache` holds the program already. Returns its path.
pub(crate) fn compile(
    dut: &Dut,
    body: Body,
    options: &[String],
    files: &[(&str, &str)],
    cache: &Path,
    cancel: &AtomicBool,
) -> Result<PathBuf, SimulatorError> {
    let verilator = Tool::Verilator.find()?;
    Tool::Make.find()?;
    Tool::Gxx.find()?;
    let mut arguments: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    arguments.extend_from_slice(options);
    arguments.extend(body.define().map(|name| format!("+define+{name}=1")));
    let mut texts = vec![Tool::Verilator.version()?, arguments.join(" ")];
    texts.extend(files.iter().map(|(_, text)| (*text).to_owned()));
    let program = cache.join(format!("verilator-{}", content_key(&texts, dut)));
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(cache).map_err(|source| SimulatorError::file(cache, source))?;
    // Built beside its place and moved there when complete, so that the cache
    // never holds half a program, whoever else builds the same.
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(cache)
        .map_err(|source| SimulatorError::file(cache, source))?;
    dut.write(folder.path()).map_err(|(path, source)| SimulatorError::File { path, source })?;
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).map_err(|source| SimulatorError::file(&path, source))?;
    }
    Invocation::new(&verilator)
        .directory(folder.path())
        .args(&arguments)
        .args(["--Mdir", "obj", "-o", "sim"])
        .args(dut.sources.iter().map(|source| &source.file))
        .args(files.iter().map(|(name, _)| name))
        .cancel(cancel)
        .run()?;
    let built = folder.path().join("obj").join("sim");
    fs::rename(&built, &program).map_err(|source| SimulatorError::file(&program, source))?;
    Ok(program)
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
