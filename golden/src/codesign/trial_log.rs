//! What was tried, kept in a file, so that a search can go on where it was stopped.
//!
//! A line a trial, appended when the trial is done: {"key": …, "trial": …} as JSON. The key
//! names everything that the trial depends on, so that one file can serve several searches.
//! A last line that was cut off is of no account.

use super::trials::Trial;
use crate::infer::EngineError;
use axp_spec::design::sha256_hex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Trials by their keys.
#[derive(Debug, Default)]
pub struct TrialLog {
    known: HashMap<String, Trial>,
    file: Option<(PathBuf, File)>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    trial: Trial,
}

/// The key of what `of` says.
pub(super) fn key(of: &impl Serialize) -> String {
    // Plain structures with string keys: they cannot fail to serialise.
    sha256_hex(serde_json::to_string(of).unwrap_or_default().as_bytes())
}

/// To twelve significant digits, which JSON keeps: a trial is the same whether it was made
/// now or before.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// The trial with its numbers as they are kept.
pub(super) fn as_kept(mut trial: Trial) -> Trial {
    let agreement = &mut trial.agreement;
    let numbers = [
        &mut trial.hit_rate,
        &mut trial.nonzero_hit_rate,
        &mut agreement.top1,
        &mut agreement.smoothed_disagreement,
        &mut agreement.expected_loss,
        &mut agreement.flip_loss,
        &mut agreement.flip_loss_error,
        &mut agreement.divergence,
    ];
    for number in numbers.into_iter().chain(&mut trial.pj_per_mac) {
        *number = rounded(*number);
    }
    trial
}

impl TrialLog {
    /// Keeps nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Goes on with a file, or begins it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let failed = |source: io::Error| EngineError::Log { path: path.to_path_buf(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        // What follows the last whole line is written over.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        let lines = text[..whole].split(|byte| *byte == b'\n');
        // A line of another version of axp is of no use.
        let known = lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .map(|line: Line| (line.key, as_kept(line.trial)));
        Ok(Self { known: known.collect(), file: Some((path.to_path_buf(), file)) })
    }

    /// The trial of this key, if it was made before.
    pub(super) fn find(&self, key: &str) -> Option<&Trial> {
        self.known.get(key)
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Keeps a trial.
    pub(super) fn add(&mut self, key: String, trial: &Trial) -> Result<(), EngineError> {
        if let Some((path, file)) = &mut self.file {
            let failed = |source: io::Error| EngineError::Log { path: path.clone(), source };
            let line = Line { key: key.clone(), trial: trial.clone() };
            let text = serde_json::to_string(&line).map_err(io::Error::from).map_err(failed)? + "\n";
            // One write, so that a line is there or not.
            file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
        }
        self.known.insert(key, trial.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codesign::agreement::Agreement;
    use crate::codesign::trials::Rows;

    fn trial(rows: usize) -> Trial {
        Trial {
            name: "a \"name\"\n".to_owned(),
            clusters: Some(3),
            key_fraction_bits: 4,
            rows,
            fill: Rows::Patterns,
            mixed: false,
            exact: 1,
            hit_rate: 0.1,
            nonzero_hit_rate: 0.333_333_333_333,
            pj_per_mac: Some(0.3),
            agreement: Agreement { samples: 7, top1: 0.7, ..Agreement::default() },
            feasible: true,
        }
    }

    #[test]
    fn what_was_kept_is_found_again_but_for_a_line_that_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let mut log = TrialLog::open(&path).unwrap();
        assert!(log.is_empty());
        let keys: Vec<String> = (0..3).map(|number| key(&number)).collect();
        for (number, key) in keys.iter().enumerate() {
            log.add(key.clone(), &trial(number)).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 2, 100] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut again = TrialLog::open(&path).unwrap();
            assert_eq!((again.len(), again.find(&keys[1]), again.find(&keys[2])), (2, Some(&trial(1)), None));
            again.add(keys[2].clone(), &trial(2)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        let odd = as_kept(Trial { hit_rate: 1.0 / 3.0, pj_per_mac: Some(30.400_000_000_000_002), ..trial(9) });
        let mut log = TrialLog::open(&path).unwrap();
        log.add("odd".to_owned(), &odd).unwrap();
        assert_eq!(TrialLog::open(&path).unwrap().find("odd"), Some(&odd));
        let none = TrialLog::none();
        assert!(none.find(&keys[0]).is_none());
        assert!(TrialLog::open(&folder.path().join("absent/trials.jsonl")).is_err());
    }
}
