//! An output folder that appears complete or not at all.

use crate::exit::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder being filled beside its final place; dropped unfinished, it vanishes.
pub struct Staging {
    folder: TempDir,
    target: PathBuf,
}

impl Staging {
    /// Starts filling what will become `target`.
    ///
    /// # Errors
    /// `target` exists, is not an empty folder, and `force` is off; or the file
    /// system refuses.
    pub fn begin(target: &Path, force: bool) -> Result<Self, Failure> {
        if !force && !is_absent_or_empty(target)? {
            return Err(Failure::input(
                format!("{} is there already and not empty", target.display()),
                "choose another folder with --out, or replace this one with --force",
            ));
        }
        if target.exists() && !target.is_dir() {
            return Err(Failure::input(
                format!("{} is a file, not a folder", target.display()),
                "choose another folder with --out",
            ));
        }
        let target = std::path::absolute(target).map_err(|e| Failure::io("use", target, &e))?;
        let parent = target.parent().ok_or_else(|| {
            Failure::input(format!("{} cannot be an output folder", target.display()), "choose a folder below it")
        })?;
        fs::create_dir_all(parent).map_err(|e| Failure::io("create", parent, &e))?;
        let folder = tempfile::Builder::new()
            .prefix(".axp-")
            .tempdir_in(parent)
            .map_err(|e| Failure::io("write to", parent, &e))?;
        Ok(Self { folder, target })
    }

    /// The folder to fill.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes one file, with folders as needed.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| Failure::io("create", folder, &e))?;
        }
        fs::write(&path, contents).map_err(|e| Failure::io("write", &self.target.join(name), &e))
    }

    /// Puts the finished folder in its place.
    ///
    /// # Errors
    /// The file system refuses; then what was there before is left as it was.
    pub fn finish(self) -> Result<(), Failure> {
        let Self { folder, target } = self;
        let io = |e: std::io::Error| Failure::io("write", &target, &e);
        let parent = target.parent().unwrap_or(Path::new("."));
        share_permissions(folder.path(), parent);
        // What was there is moved aside first: a rename cannot replace a folder
        // with files in it, and deleting first could lose both.
        let retired = tempfile::Builder::new().prefix(".axp-old-").tempdir_in(parent).map_err(io)?;
        let aside = retired.path().join("old");
        let replaced = target.exists();
        if replaced {
            fs::rename(&target, &aside).map_err(io)?;
        }
        if let Err(error) = fs::rename(folder.path(), &target) {
            if replaced {
                fs::rename(&aside, &target).map_err(io)?;
            }
            return Err(io(error));
        }
        // The folder has moved: there is nothing left for TempDir to delete.
        let _ = folder.keep();
        Ok(())
    }
}

/// Writes a file that appears complete or not at all; one that was there is replaced.
///
/// # Errors
/// The file system refuses.
pub fn write_file(path: &Path, contents: &str) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::io("write", path, &error);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".axp-").tempfile_in(parent).map_err(io)?;
    fs::write(file.path(), contents).map_err(io)?;
    // A temporary file is private to its owner; this one is as readable as any other.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Best effort: the contents are complete either way.
        let _ = fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644));
    }
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// A temporary folder is private to its owner; the finished one follows its parent.
fn share_permissions(folder: &Path, parent: &Path) {
    if let Ok(parent) = fs::metadata(parent) {
        // Best effort: the contents are complete either way.
        let _ = fs::set_permissions(folder, parent.permissions());
    }
}

fn is_absent_or_empty(target: &Path) -> Result<bool, Failure> {
    match fs::read_dir(target) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Failure::io("read", target, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a/b");
        let staging = Staging::begin(&target, false).unwrap();
        staging.write("x/y.txt", "one").unwrap();
        drop(staging);
        assert!(entries(&home.path().join("a")).is_empty(), "an abandoned folder leaves nothing");

        let staging = Staging::begin(&target, false).unwrap();
        staging.write("x/y.txt", "one").unwrap();
        staging.finish().unwrap();
        assert_eq!(fs::read_to_string(target.join("x/y.txt")).unwrap(), "one");
        assert_eq!(entries(&home.path().join("a")), ["b"]);
    }

    #[test]
    fn a_full_folder_is_replaced_only_by_force() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("out");
        fs::create_dir(&target).unwrap();
        Staging::begin(&target, false).unwrap();
        fs::write(target.join("old"), "old").unwrap();
        assert!(matches!(Staging::begin(&target, false), Err(Failure::Input(_))));
        let staging = Staging::begin(&target, true).unwrap();
        staging.write("new", "new").unwrap();
        assert_eq!(entries(&target), ["old"], "nothing changes before the end");
        staging.finish().unwrap();
        assert_eq!(entries(&target), ["new"]);
        assert_eq!(entries(home.path()), ["out"]);
    }

    #[test]
    fn a_single_file_is_replaced_whole() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("table.json");
        for text in ["one", "two"] {
            write_file(&target, text).unwrap();
            assert_eq!((fs::read_to_string(&target).unwrap().as_str(), entries(home.path()).len()), (text, 1));
        }
        assert!(matches!(write_file(&home.path().join("absent/table.json"), ""), Err(Failure::Input(_))));
        assert!(matches!(write_file(home.path(), ""), Err(Failure::Input(_))));
    }

    #[test]
    fn a_file_in_the_way_is_never_replaced() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("out");
        fs::write(&target, "precious").unwrap();
        assert!(Staging::begin(&target, false).is_err());
        assert!(Staging::begin(&target, true).is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}
