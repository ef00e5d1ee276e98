//! Runs the command in a folder of its own and looks at what it did.

use axp_golden::net::Samples;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder for one test, and the command to run in it.
pub struct Runner {
    folder: TempDir,
}

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Runner {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, ready to run in the folder. Compiled simulators are kept
    /// between tests, below the build's own folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_axp"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).output().unwrap())
    }

    /// Runs and expects a refusal: exit code 2, a message that contains each of
    /// `words`, no panic, and nothing new in the folder.
    pub fn refused(&self, arguments: &[&str], words: &[&str]) {
        let before = self.entries();
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}\n{}\n{}", ended.stdout, ended.stderr);
        // Messages are wrapped to the terminal's width.
        let flat = ended.stderr.split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "{arguments:?} should mention {word:?}:\n{}", ended.stderr);
        }
        assert!(!flat.contains("internal error"), "{}", ended.stderr);
        assert_eq!(self.entries(), before, "{arguments:?} left something behind");
    }

    /// Everything in the folder, sorted.
    pub fn entries(&self) -> Vec<String> {
        entries(self.folder.path())
    }

    /// Writes `count` samples of a shape, with values from a small generator.
    pub fn write_samples(&self, name: &str, shape: &[usize], count: usize) -> String {
        let elements: usize = shape.iter().product();
        let values = (0..count * elements).map(|i| ((i * 37 + 11) % 64) as f32 / 16.0 - 2.0).collect();
        let samples = Samples::new(shape.to_vec(), values).unwrap();
        self.write(name, &samples.to_npy())
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        name.to_owned()
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

pub fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A graph of the importer's test set.
pub fn graph(name: &str) -> String {
    format!("{}/golden/tests/graphs/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A file of a bundled network.
pub fn bundled(net: &str, file: &str) -> String {
    format!("{}/golden/data/{net}/{file}", env!("CARGO_MANIFEST_DIR"))
}
