//! `generated/` holds exactly what the generator writes today.

use axp_hdl::package::{self, Manifest, header};
use axp_hdl::{generate, named};
use axp_spec::{Accumulator, FloatFormat, PeConfig, ResetStyle, Storage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn generated(config: &PeConfig) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../generated").join(&config.name)
}

fn folder(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn the_committed_folders_are_what_is_generated() {
    for config in named::all() {
        let expected: BTreeMap<String, String> =
            package::files(&generate(&config).unwrap()).into_iter().map(|file| (file.name, file.text)).collect();
        let found = folder(&generated(&config));
        let names = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
        let advice = "run `cargo run --release -p axp-hdl --example regenerate` and look at the difference";
        assert_eq!(names(&found), names(&expected), "generated/{}: {advice}", config.name);
        for (name, text) in &expected {
            assert!(found[name] == *text, "generated/{}/{name} differs: {advice}", config.name);
        }
    }
}

#[test]
fn a_package_is_written_whole_and_only_into_an_empty_folder() {
    let rtl = generate(&PeConfig::pair("axp_small", 2)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("a/b");
    package::write(&rtl, &dir).unwrap();
    let found = folder(&dir);
    assert_eq!(found.len(), rtl.modules.len() + 4);
    for file in package::files(&rtl) {
        assert_eq!(found[&file.name], file.text);
    }
    // Nothing else is left beside it.
    assert_eq!(std::fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1);
    let error = package::write(&rtl, &dir).unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");

    std::fs::create_dir(scratch.path().join("empty")).unwrap();
    package::write(&rtl, &scratch.path().join("empty")).unwrap();

    std::fs::write(scratch.path().join("file"), "").unwrap();
    let error = package::write(&rtl, &scratch.path().join("file")).unwrap_err().to_string();
    assert!(error.starts_with("cannot write "), "{error}");
    let error = package::write(&rtl, &scratch.path().join("file/below")).unwrap_err().to_string();
    assert!(error.starts_with("cannot write "), "{error}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 3);
}

#[test]
fn the_manifest_tells_the_truth() {
    let rtl = generate(&PeConfig::pair("axp_small", 3)).unwrap();
    let files: BTreeMap<_, _> = package::files(&rtl).into_iter().map(|file| (file.name, file.text)).collect();
    let manifest: Manifest = serde_json::from_str(&files["manifest.json"]).unwrap();
    assert_eq!(manifest.config, rtl.config);
    assert_eq!(manifest.latency_cycles, 4);
    let cut = PeConfig { multiplier_stages: 2, adder_stages: 1, ..PeConfig::pair("axp_cut", 3) };
    assert_eq!(Manifest::of(&generate(&cut).unwrap()).latency_cycles, 8);
    assert_eq!(manifest.top, "axp_small");
    let mut whole = String::new();
    for file in &manifest.files {
        assert_eq!(axp_spec::design::sha256_hex(files[&file.name].as_bytes()), file.sha256);
        whole.push_str(&files[&file.name]);
    }
    assert_eq!(axp_spec::design::sha256_hex(whole.as_bytes()), manifest.sha256);
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let locked = format!("name = \"rust-hdl\"\nversion = \"{}\"", manifest.versions.rust_hdl);
    assert!(lock.contains(&locked), "Cargo.lock has another rust-hdl than {}", header::RUST_HDL_VERSION);

    let ports: Vec<(&str, &str, usize)> =
        manifest.ports.iter().map(|p| (p.name.as_str(), p.direction.as_str(), p.width)).collect();
    assert_eq!(
        ports,
        [
            ("clk_i", "input", 1),
            ("rst_ni", "input", 1),
            ("test_en_i", "input", 1),
            ("zero_skip_i", "input", 1),
            ("row_we_i", "input", 1),
            ("row_addr_i", "input", 2),
            ("row_key_i", "input", 64),
            ("row_care_i", "input", 64),
            ("row_product_i", "input", 32),
            ("row_valid_i", "input", 1),
            ("in_valid_i", "input", 1),
            ("in_ready_o", "output", 1),
            ("in_first_i", "input", 1),
            ("in_last_i", "input", 1),
            ("in_weight_i", "input", 32),
            ("in_activation_i", "input", 32),
            ("out_ready_i", "input", 1),
            ("out_valid_o", "output", 1),
            ("out_data_o", "output", 32),
        ]
    );
}

#[test]
fn files_follow_the_rules_of_the_house() {
    let pipelined = PeConfig { multiplier_stages: 2, adder_stages: 1, ..PeConfig::pair("axp_any", 3) };
    let narrow = PeConfig { format: FloatFormat::E4m3, ..pipelined.clone() };
    let configs = [1, 2, 5, 64].map(|rows| PeConfig::pair("axp_any", rows));
    let factored = PeConfig::factored("axp_any", 5, 3);
    for config in configs.iter().chain([&pipelined, &narrow, &factored]) {
        let rtl = generate(config).unwrap();
        let mut known: Vec<&str> = Vec::new();
        for module in &rtl.modules {
            let text = &module.text;
            let code = header::hashed_part(text).unwrap();
            assert_eq!(header::stated_hash(text), Some(axp_spec::design::sha256_hex(code.as_bytes()).as_str()));
            assert!(code.starts_with("`default_nettype none\n") && code.ends_with("\n`default_nettype wire\n"));
            assert!(module.name.starts_with("axp_"), "{}", module.name);
            assert_eq!(text.matches("\nmodule ").count(), 1, "{}", module.name);
            for banned in ["$", "initial", "\t", " \n"] {
                assert!(!code.contains(banned), "{}: {banned:?}", module.name);
            }
            assert!(code.lines().all(|line| line.len() <= 120), "{}: a long line", module.name);
            for child in &module.children {
                assert!(known.contains(&child.as_str()), "{} stands before its child {child}", module.name);
            }
            known.push(&module.name);
        }
        assert_eq!(known.last(), Some(&rtl.top.as_str()));
    }
}

/// Two configurations can be used side by side: what they share is the same.
#[test]
fn modules_of_one_name_have_one_text() {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut number = 0;
    for rows in [4, 16, 17] {
        for (reset, format, stages) in [
            (ResetStyle::Async, FloatFormat::Binary32, (0, 0)),
            (ResetStyle::Sync, FloatFormat::Binary32, (1, 1)),
            (ResetStyle::Async, FloatFormat::Bfloat16, (2, 1)),
            (ResetStyle::Async, FloatFormat::Binary16, (0, 0)),
            (ResetStyle::Async, FloatFormat::E4m3, (1, 0)),
            (ResetStyle::Async, FloatFormat::E5m2, (0, 1)),
        ] {
            number += 1;
            let (multiplier_stages, adder_stages) = stages;
            let named = PeConfig::pair(&format!("axp_pe{number}"), rows);
            let pair = PeConfig { reset, format, multiplier_stages, adder_stages, ..named };
            // As many words of a few widths, and of a width that patterns have elsewhere.
            let columns = PeConfig::factored(&format!("axp_pe{number}_columns"), rows as u32, 1);
            let columns = PeConfig { am: columns.am, name: columns.name, ..pair.clone() };
            let fixed = |product_width: u32| Accumulator::Fixed { width: 32, product_width };
            let sums = PeConfig {
                accumulator: fixed(16),
                name: format!("axp_pe{number}_sums"),
                adder_stages: 0,
                ..pair.clone()
            };
            let short = PeConfig { accumulator: fixed(16.min(format.fraction_bits() + 1)), ..sums.clone() };
            let short = PeConfig { am: columns.am.clone(), name: format!("axp_pe{number}_short"), ..short };
            // Any width of its products.
            let pattern = PeConfig::grid(&format!("axp_pe{number}_patterns"), 3, 2);
            let pattern = PeConfig { am: pattern.am, name: pattern.name, ..pair.clone() };
            let latched = |config: &PeConfig| {
                let mut config = PeConfig { name: format!("{}_latch", config.name), ..config.clone() };
                config.am.as_mut().unwrap().storage = Storage::Latches;
                config
            };
            let latches = [&pair, &columns, &sums, &short, &pattern].map(latched);
            for config in [pair, columns, sums, short, pattern].into_iter().chain(latches) {
                for module in generate(&config).unwrap().modules {
                    let known = texts.entry(module.name.clone()).or_insert_with(|| module.text.clone());
                    assert!(*known == module.text, "{} differs between configurations", module.name);
                }
            }
        }
    }
}
