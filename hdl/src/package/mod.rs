//! Generated Verilog as a folder that other tools can use.
//!
//! | file | for |
//! |---|---|
//! | `<module>.v`, one each | everyone |
//! | `<top>.f` | `verilator -F`, `iverilog -c`: all files in compile order |
//! | `<top>.core` | FuseSoC: targets `default`, `lint`, `sim`, `synth` |
//! | `<top>.veo` | the instantiation, to be copied |
//! | `manifest.json` | scripts: parameters, ports, latency, hashes, versions |
//!
//! The contents depend on the configuration and on the version of axp, and on
//! nothing else: no date, no path, no machine.

mod file_list;
mod fusesoc;
pub mod header;
mod manifest;
mod template;

use crate::error::HdlError;
use crate::rtl::Rtl;
use std::fs;
use std::path::{Path, PathBuf};

pub use manifest::{Manifest, ManifestFile, ManifestPort, Versions};

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Name in the folder; no path in it.
    pub name: String,
    /// The contents.
    pub text: String,
}

/// All files of the package of `rtl`, modules first and in compile order.
pub fn files(rtl: &Rtl) -> Vec<PackageFile> {
    let modules = rtl.modules.iter().map(|module| PackageFile { name: module.file(), text: module.text.clone() });
    let about = [
        (format!("{}.f", rtl.top), file_list::text(rtl)),
        (format!("{}.core", rtl.top), fusesoc::text(rtl)),
        (format!("{}.veo", rtl.top), template::text(rtl)),
        ("manifest.json".to_owned(), Manifest::of(rtl).to_json()),
    ];
    modules.chain(about.into_iter().map(|(name, text)| PackageFile { name, text })).collect()
}

/// Writes the package of `rtl` into the folder `dir`, which must not exist or
/// be empty. The files are written beside it first, so that `dir` is either
/// complete or untouched.
///
/// # Errors
/// [`HdlError::NotEmpty`], or [`HdlError::Write`] with the file concerned.
pub fn write(rtl: &Rtl, dir: &Path) -> Result<(), HdlError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| HdlError::Write { path, source }
    };
    let occupied = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(dir)(error)),
    };
    if occupied {
        return Err(HdlError::NotEmpty { path: dir.to_path_buf() });
    }
    let partial = partial_name(dir);
    if let Some(parent) = partial.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    let result = write_files(rtl, &partial).and_then(|()| {
        // Not every system renames onto an empty folder.
        match fs::remove_dir(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(dir)(error)),
            _ => fs::rename(&partial, dir).map_err(failed(dir)),
        }
    });
    if result.is_err() {
        // The first error is the one to report.
        _ = fs::remove_dir_all(&partial);
    }
    result
}

/// A name beside `dir` that no other process uses.
fn partial_name(dir: &Path) -> PathBuf {
    let name = dir.file_name().map_or_else(|| "rtl".into(), |name| name.to_string_lossy().into_owned());
    dir.with_file_name(format!(".{name}.partial-{}", std::process::id()))
}

fn write_files(rtl: &Rtl, dir: &Path) -> Result<(), HdlError> {
    fs::create_dir(dir).map_err(|source| HdlError::Write { path: dir.to_path_buf(), source })?;
    for file in files(rtl) {
        let path = dir.join(&file.name);
        fs::write(&path, &file.text).map_err(|source| HdlError::Write { path, source })?;
    }
    Ok(())
}
