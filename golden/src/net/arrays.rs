//! The bytes of an array: a .npy file, or a member of a .npz archive.

use super::error::SampleError;
use ndarray_npy::npy::header::Header;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// How a .npz archive begins, which is a zip archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// What stands between the name of an archive and that of an array in it.
const MEMBER: &str = ".npz:";

/// Most names that a message lists.
const LISTED: usize = 8;

/// Bytes that a header may have: 64 KiB in version 1, and no array of numbers
/// needs another one.
const HEADER: u64 = 10 + (1 << 16);

/// Samples or labels that a compressed array may hold. A compressed zero takes
/// next to no room, so that a small file could fill the memory.
const MOST: u64 = 1 << 20;

/// The .npy bytes of `path`: a .npy file, a .npz archive of one array, or
/// `archive.npz:name`, one of several. Each of the caller's items, a sample or
/// a label, has `numbers` numbers.
///
/// # Errors
/// An unreadable file, a damaged archive, no such array in it or several, or
/// one that would unpack to more than it says, or to more than a million items.
pub(super) fn read(path: &Path, numbers: usize) -> Result<Vec<u8>, SampleError> {
    let (file, member) = split(path);
    let bytes = fs::read(&file).map_err(|source| SampleError::Io { path: file.clone(), source })?;
    if bytes.starts_with(ZIP) {
        return extract(&bytes, member, numbers).map_err(|what| SampleError::Format { path: file, what });
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
fn extract(bytes: &[u8], member: Option<&str>, numbers: usize) -> Result<Vec<u8>, String> {
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
    let mut file = archive.by_name(found).map_err(|error| damaged(&error))?;
    let size = file.size();
    let mut npy = Vec::new();
    file.by_ref().take(size.min(HEADER)).read_to_end(&mut npy).map_err(|error| damaged(&error))?;
    let stored = file.compression() == CompressionMethod::Stored;
    let most = (!stored).then(|| (numbers as u64).saturating_mul(MOST));
    check_size(&npy, size, most)?;
    // One byte more tells whether there is more than it says.
    let rest = (size - npy.len() as u64).saturating_add(1);
    file.by_ref().take(rest).read_to_end(&mut npy).map_err(|error| damaged(&error))?;
    if npy.len() as u64 != size {
        return Err(damaged(&format_args!("{found:?} holds more or less than the {size} bytes that it claims")));
    }
    Ok(npy)
}

/// Checks that an array, of which the first bytes are here, has the size that
/// its header gives it, and not more than `most` numbers.
fn check_size(start: &[u8], size: u64, most: Option<u64>) -> Result<(), String> {
    let mut rest = start;
    let header = Header::from_reader(&mut rest).map_err(|error| format!("this is not a usable .npy array: {error}"))?;
    let kind = header.type_descriptor.to_string();
    let width = kind.trim_matches('\'').trim_start_matches(['<', '>', '|', '=', 'b', 'i', 'u', 'f', 'c']);
    let Some(width) = width.parse::<u64>().ok().filter(|width| (1..=32).contains(width)) else {
        return Err(format!("its numbers are {kind}; give float32, uint8 with a scale, or integers for labels"));
    };
    let numbers = header.shape.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim as u64));
    let header_bytes = (start.len() - rest.len()) as u64;
    let bytes = numbers.and_then(|numbers| numbers.checked_mul(width)?.checked_add(header_bytes));
    if bytes != Some(size) {
        return Err(format!("the archive says {size} bytes, which an array of shape {:?} has not", header.shape));
    }
    match most {
        Some(most) if numbers > Some(most) => Err(format!(
            "the array of shape {:?} would unpack to {size} bytes, more than {MOST} of what the model takes; \
             give it as a .npy file",
            header.shape
        )),
        _ => Ok(()),
    }
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
