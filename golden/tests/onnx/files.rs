//! Weights in a file beside the model.

use super::graphs::folder;
use axp_golden::net::{ImportOptions, NetError, Network};
use std::path::Path;

/// The graph of `bad_external_weight.onnx` in a folder that has the file.
#[test]
fn weights_beside_the_model_are_read_from_its_folder_only() {
    let model = std::fs::read(folder().join("bad_external_weight.onnx")).unwrap();
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("external_weight");
    std::fs::create_dir_all(&home).unwrap();
    let import = |folder: Option<&Path>| {
        Network::from_onnx(&model, &ImportOptions { folder: folder.map(Path::to_path_buf), ..ImportOptions::default() })
    };
    let file = home.join("missing.bin");
    let _ = std::fs::remove_file(&file);
    assert!(matches!(import(None), Err(NetError::Unsupported { .. })));
    assert!(import(Some(&home)).is_err());
    let values: Vec<f32> = (0..54).map(|index| index as f32).collect();
    std::fs::write(&file, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    let network = import(Some(&home)).unwrap();
    assert_eq!(network.layers()[0].weights, values);
    // Truncated: an error, and no panic.
    std::fs::write(&file, [0; 100]).unwrap();
    assert!(import(Some(&home)).is_err());
}
