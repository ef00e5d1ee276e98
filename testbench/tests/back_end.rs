//! The back-end's expected texts (`hdl/tests/expect`) under real tools: no
//! warning from any linter, and the behaviour that the Rust simulation had.

mod frozen;

use axp_spec::{Accumulator, FloatFormat, MultiplierStyle, PeConfig, Storage};
use axp_testbench::dut::{Dut, Source};
use axp_testbench::lint::lint;
use axp_testbench::process::Invocation;
use axp_testbench::tools::Tool;
use frozen::{Shape, faint, frozen, index};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

static RUN: AtomicBool = AtomicBool::new(false);

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/tests/expect");
    let mut list: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    list.sort();
    assert!(list.len() >= 5, "{list:?}");
    list
}

fn modules(folder: &Path) -> Vec<Source> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let modules = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("axp_"));
    let read = |path: PathBuf| Source {
        file: path.file_name().unwrap().to_str().unwrap().to_owned(),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    modules.map(read).collect()
}

#[test]
fn expected_texts_have_no_warnings() {
    for folder in examples() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let dut = Dut {
            top: format!("axp_{name}"),
            sources: modules(&folder),
            ports: vec![],
            clock: "clk_i".into(),
            reset: "rst_ni".into(),
        };
        for pass in lint(&dut, &RUN).unwrap() {
            assert!(pass.messages.is_empty(), "{name}, {:?}: {}", pass.tool, pass.messages);
        }
    }
}

#[test]
fn configurations_of_all_sizes_formats_and_cuts_have_no_warnings() {
    let mut configs = axp_hdl::named::all();
    configs.extend([1, 2, 3, 17].map(|rows| PeConfig::pair("axp_any", rows)));
    for (index, format) in FloatFormat::ALL.into_iter().enumerate() {
        // Between them, every number of cuts and every kind of multiplier with each other.
        for (multiplier, multiplier_stages, adder_stages) in [
            (MultiplierStyle::Dadda, index as u32 % 3, 1),
            (MultiplierStyle::Booth, (index + 1) as u32 % 3, 0),
            (MultiplierStyle::Operator, (index + 2) as u32 % 3, 1),
        ] {
            let any = PeConfig::pair("axp_any", 2);
            let cut = PeConfig { format, multiplier, multiplier_stages, adder_stages, ..any };
            configs.push(PeConfig { am: None, ..cut.clone() });
            let accumulator = Accumulator::Fixed { width: 20 + index as u32, product_width: 16 };
            let fixed = PeConfig { accumulator, adder_stages: 0, ..cut.clone() };
            configs.extend([PeConfig { am: None, ..fixed.clone() }, fixed.clone(), cut.clone()]);
            // As many columns and mantissa bits as there are kinds; words of whole significands and shorter.
            let columns = PeConfig::factored("axp_any", 1 + index as u32, index as u32 % 3);
            let accumulator = Accumulator::Fixed { width: 20, product_width: 2 + index as u32 % 2 };
            configs.push(PeConfig { am: columns.am.clone(), accumulator, ..fixed });
            configs.push(PeConfig { am: columns.am, ..cut });
        }
    }
    let memories = [PeConfig::pair("axp_any", 3), PeConfig::factored("axp_any", 3, 1), PeConfig::grid("axp_any", 2, 3)];
    configs.extend(memories.map(|mut config| {
        config.am.as_mut().unwrap().storage = Storage::Latches;
        config
    }));
    for config in configs {
        for pass in lint(&Dut::of(&axp_hdl::generate(&config).unwrap()), &RUN).unwrap() {
            assert!(pass.messages.is_empty(), "{config:?}, {:?}: {}", pass.tool, pass.messages);
        }
    }
}

#[test]
fn frozen_contents_of_all_kinds_have_no_warnings() {
    let fixed = Accumulator::Fixed { width: 12, product_width: 5 };
    let memories = [PeConfig::pair("", 5), PeConfig::grid("", 5, 3), PeConfig::factored("", 4, 2)];
    for memory in memories {
        for shape in [Shape::Whole, Shape::Shared, Shape::Ragged] {
            for layers in [1, 3] {
                // Between them, all kinds of weights and sums.
                let config = frozen(memory.clone(), layers, shape);
                let indexed = match memory.columns() {
                    Some(_) => index(PeConfig { accumulator: fixed, ..memory.clone() }),
                    None => PeConfig { accumulator: fixed, ..memory.clone() },
                };
                let indexed = frozen(indexed, layers, shape);
                for config in [config.clone(), faint(config), indexed.clone(), faint(indexed)] {
                    for pass in lint(&Dut::of(&axp_hdl::generate(&config).unwrap()), &RUN).unwrap() {
                        assert!(pass.messages.is_empty(), "{config:?}, {:?}: {}", pass.tool, pass.messages);
                    }
                }
            }
        }
    }
}

/// Runs the bench of an example on these modules; its last line.
fn simulate(folder: &Path, sources: &[Source]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    for source in sources {
        std::fs::write(scratch.path().join(&source.file), &source.text).unwrap();
    }
    for file in ["bench.v", "vectors.mem"] {
        std::fs::copy(folder.join(file), scratch.path().join(file)).unwrap();
    }
    let files = sources.iter().map(|source| source.file.as_str()).chain(["bench.v"]);
    let compile = Invocation::new(&Tool::Iverilog.find().unwrap()).directory(scratch.path());
    compile.args(["-g2005", "-s", "bench", "-o", "bench.vvp"]).args(files).run().unwrap();
    let run = Invocation::new(&Tool::Vvp.find().unwrap()).directory(scratch.path()).args(["-n", "bench.vvp"]);
    run.run().unwrap().stdout.trim().to_owned()
}

#[test]
fn expected_texts_do_what_rust_does() {
    for folder in examples() {
        assert_eq!(simulate(&folder, &modules(&folder)), "PASS 600", "{}", folder.display());
    }
}

#[test]
fn the_benches_notice_a_difference() {
    for (name, from, to) in [
        ("exact", "a_i & b_i", "a_i | b_i"),
        ("exact", "word_i >> k_i", "word_i << k_i"),
        ("states", "phase_d_i = PHASE_LOAD", "phase_d_i = PHASE_RUN"),
        ("states", "count_q_o + 4'h1", "count_q_o - 4'h1"),
        ("lanes", "partial_1 ^", "partial_0 ^"),
        ("order", "early_o = work;", "early_o = later;"),
        ("fields", "s_axis_valid ?", "s_axis_ready ?"),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/tests/expect").join(name);
        let mut sources = modules(&folder);
        let top = sources.iter_mut().find(|source| source.file == format!("axp_{name}.v")).unwrap();
        assert!(top.text.contains(from), "{name} has no {from:?}");
        top.text = top.text.replacen(from, to, 1);
        let said = simulate(&folder, &sources);
        assert!(said.starts_with("FAIL line "), "{name}: {from} -> {to}: {said}");
    }
}
