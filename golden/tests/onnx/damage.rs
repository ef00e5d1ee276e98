//! Damaged model files: an error each time, never a panic that gets out.

use super::graphs::folder;
use axp_golden::net::{ImportOptions, NetError, Network};
use proptest::prelude::*;
use proptest::sample::Index;

/// Every small graph that can be imported.
fn files() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = entries.filter(|name| name.ends_with(".onnx") && !name.starts_with("bad_")).collect();
    files.sort();
    files
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

/// Importing it may fail, in one line, or succeed.
fn import(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Err(error) = Network::from_onnx(bytes, &ImportOptions::default()) {
        let text = error.to_string();
        prop_assert!(!text.is_empty() && text.lines().count() == 1, "{}", text);
    }
    Ok(())
}

#[test]
fn every_truncation_is_refused() {
    let whole = bytes("conv_bias_bn.onnx");
    for end in 0..whole.len() {
        let result = Network::from_onnx(&whole[..end], &ImportOptions::default());
        assert!(result.is_err(), "{end} of {} bytes", whole.len());
        if end == 0 {
            assert!(matches!(result, Err(NetError::Empty)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_do_no_harm(file in any::<Index>(), changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6)) {
        let mut bytes = bytes(file.get::<String>(&files()));
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        import(&bytes)?;
    }

    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Network::from_onnx(&noise, &ImportOptions::default()).is_err());
    }
}
