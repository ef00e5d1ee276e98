//! The bytes of an array: a .npy file, or a member of a .npz archive.

use super::error::SampleError;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// How a .npz archive begins, which is a zip archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// What stands between the name of an archive and that of an array in it.
const MEMBER: &str = ".npz:";

/// Most names that a message lists.
const LISTED: usize = 8;

/// The .npy bytes of `path`: a .npy file, a .npz archive of one array, or
/// `archive.npz:name`, one of several.
///
/// # Errors
/// An unreadable file, a damaged archive, no such array in it or several.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, SampleError> {
    let (file, member) = split(path);
    let bytes = fs::read(&file).map_err(|source| SampleError::Io { path: file.clone(), source })?;
    if bytes.starts_with(ZIP) {
        return extract(&bytes, member).map_err(|what| SampleError::Format { path: file, what });
    }
    if member.is_some() {
        return Err(SampleError::Format { path: file, what: "this is not a .npz archive".into() });
    }
    Ok(bytes)
}

/// The file, and the array in it that is asked for.
fn split(path: &Path) -> (PathBuf, Option<&str>) {
    // A file of that very name goes first.
    let named = path.to_str().filter(|_| !path.exists()).and_then(|text| text.rsplit_once(MEMBER));
    named.map_or_else(
        || (path.to_path_buf(), None),
        |(archive, member)| (PathBuf::from(format!("{archive}.npz")), Some(member)),
    )
}

/// One array of an archive.
fn extract(bytes: &[u8], member: Option<&str>) -> Result<Vec<u8>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("this is not a usable .npz archive: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    // A name that cannot be decoded is none that anyone can ask for.
    let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()));
    let arrays: Vec<String> = names.filter(|name| name.ends_with(".npy")).collect();
    let found = match member {
        Some(member) => arrays.iter().find(|name| name.strip_suffix(".npy") == Some(member)),
        None if arrays.len() == 1 => arrays.first(),
        None => None,
    };
    let Some(found) = found else { return Err(choose(&arrays, member)) };
    let mut npy = Vec::new();
    let mut file = archive.by_name(found).map_err(|error| damaged(&error))?;
    file.read_to_end(&mut npy).map_err(|error| damaged(&error))?;
    Ok(npy)
}

/// Which arrays there are, where none was found.
fn choose(arrays: &[String], member: Option<&str>) -> String {
    let mut names: Vec<String> =
        arrays.iter().take(LISTED).map(|name| format!("{:?}", name.trim_end_matches(".npy"))).collect();
    if arrays.len() > LISTED {
        names.push("…".into());
    }
    match (member, names.is_empty()) {
        (_, true) => "there is no array in this archive".into(),
        (Some(member), _) => format!("there is no array {member:?} in this archive, but {}", names.join(", ")),
        (None, _) => format!(
            "there are {} arrays in this archive: {}; name one behind a colon, as in data.npz:x_test",
            arrays.len(),
            names.join(", ")
        ),
    }
}
