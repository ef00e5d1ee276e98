//! Files that appear complete or not at all.

use std::fs;
use std::io;
use std::path::Path;

/// Writes a file under another name in its folder, which is made if need be, and moves it
/// to its place.
///
/// # Errors
/// Whatever the file system answers; then nothing is left, and what was there is as it was.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), text)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
