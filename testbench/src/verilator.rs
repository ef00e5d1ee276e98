//! Building the Verilated simulator of a design, once for each content.

use crate::dut::{Body, Dut};
use crate::harness;
use crate::process::Invocation;
use crate::simulator::{Simulator, SimulatorError, SimulatorKind};
use crate::tools::Tool;
use crate::vectors::Layout;
use axp_spec::design::sha256_hex;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Options of Verilator that every build has. Warnings are the business of
/// `lint`; here they must not stop a design that a test has broken on purpose.
const OPTIONS: &[&str] = &[
    "--cc",
    "--exe",
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
];

/// How the C++ compiler is called, as Verilator's make files want to be told: they put `-Os` behind what
/// `-CFLAGS` says. With `-O1` a simulator is as fast, and is built sooner; all files in one go, since most of what
/// a small one takes is reading Verilator's header. (`--output-split 0` would leave functions whole too, which takes
/// minutes where a frozen memory is large.)
const COMPILATION: [&str; 4] = ["OPT_FAST=-O1", "OPT_SLOW=-O1", "OPT_GLOBAL=-O1", "VM_PARALLEL_BUILDS=0"];

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
    let make = Tool::Make.find()?;
    Tool::Gxx.find()?;
    let mut arguments: Vec<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    arguments.extend_from_slice(options);
    arguments.extend(body.define().map(|name| format!("+define+{name}=1")));
    let mut texts = vec![Tool::Verilator.version()?, arguments.join(" "), COMPILATION.join(" ")];
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
    let objects = folder.path().join("obj");
    let runtime = Runtime::new(&arguments, cache)?;
    runtime.take(&objects)?;
    let make = Invocation::new(&make).directory(&objects).args(["-s", "-j", "2", "-f", "Vdut.mk"]).args(COMPILATION);
    make.cancel(cancel).run()?;
    runtime.keep(&objects)?;
    let built = objects.join("sim");
    fs::rename(&built, &program).map_err(|source| SimulatorError::file(&program, source))?;
    Ok(program)
}

/// Verilator's own run-time library, compiled: the same for every design, and
/// most of the time that a small design takes to build.
struct Runtime {
    folder: PathBuf,
}

impl Runtime {
    /// Objects without tracing; with it there are more, and it is rare.
    const OBJECTS: [&str; 2] = ["verilated.o", "verilated_threads.o"];

    /// Where they lie for these options, this Verilator and this compiler.
    fn new(arguments: &[String], cache: &Path) -> Result<Self, SimulatorError> {
        let tracing = arguments.iter().any(|argument| argument == "--trace");
        let options = [OPTIONS.join(" "), COMPILATION.join(" ")].join(" ");
        let parts = [Tool::Verilator.version()?, Tool::Gxx.version()?, options, tracing.to_string()];
        let key = &sha256_hex(parts.join("\n").as_bytes())[..24];
        Ok(Self { folder: cache.join(format!("runtime-{key}")) })
    }

    /// Puts the objects where make looks for them. They are new to it, so that
    /// it does not make them again.
    fn take(&self, objects: &Path) -> Result<(), SimulatorError> {
        for (kept, place) in Self::OBJECTS.map(|name| (self.folder.join(name), objects.join(name))) {
            match fs::read(&kept) {
                Ok(bytes) => fs::write(&place, bytes).map_err(|source| SimulatorError::file(&place, source))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(SimulatorError::file(&kept, source)),
            }
        }
        Ok(())
    }

    /// Keeps what make has made, for the next design.
    fn keep(&self, objects: &Path) -> Result<(), SimulatorError> {
        fs::create_dir_all(&self.folder).map_err(|source| SimulatorError::file(&self.folder, source))?;
        for name in Self::OBJECTS {
            let (made, kept) = (objects.join(name), self.folder.join(name));
            if made.is_file() && !kept.is_file() {
                // In one step: somebody else may be doing the same.
                fs::rename(&made, &kept).map_err(|source| SimulatorError::file(&kept, source))?;
            }
        }
        Ok(())
    }
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
