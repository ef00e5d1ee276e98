//! Hand-written Verilog lives in `src/prim` alone, and there is little of it.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn source_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

#[test]
fn descriptions_contain_no_verilog_text() {
    let mut files = 0;
    for folder in ["fpu", "am", "pe"] {
        for path in sources(&source_folder(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for word in
                ["Verilog::Custom", "Verilog::Wrapper", "Verilog::Blackbox", "Wrapper {", "BlackBox {", "always @"]
            {
                assert!(!text.contains(word), "{} contains {word:?}", path.display());
            }
            files += 1;
        }
    }
    assert!(files >= 10, "{files} files: the folders have moved");
}

/// rust-hdl derives Verilog from the tokens of a kernel, and some constructs come
/// out meaning something else without a word. Descriptions are circuits, whose
/// behaviour and text have one source; kernels stand among the back-end's
/// examples only.
#[test]
fn descriptions_contain_no_kernels() {
    let files = sources(&source_folder(""));
    assert!(files.len() >= 40, "{} files: the folders have moved", files.len());
    for path in files {
        assert!(!fs::read_to_string(&path).unwrap().contains("#[hdl_gen]"), "{} has a kernel", path.display());
    }
}

/// Lines of the string constants that hold Verilog: `const NAME: &str = "\` to
/// the closing quote.
fn verilog_lines(text: &str) -> usize {
    let mut lines = 0;
    let mut inside = false;
    for line in text.lines() {
        if inside && line == "\";" {
            inside = false;
        } else if inside {
            lines += 1;
        } else if line.starts_with("const ") && line.ends_with(": &str = \"\\") {
            inside = true;
        }
    }
    assert!(!inside, "a constant does not end");
    lines
}

#[test]
fn there_are_fewer_than_200_lines_of_verilog_text() {
    let mut lines = 0;
    for path in sources(&source_folder("prim")) {
        let text = fs::read_to_string(&path).unwrap();
        let found = verilog_lines(&text);
        // Text that this test would not see must not exist.
        let described = text.contains("Verilog::Custom") || text.contains("Verilog::Wrapper");
        assert_eq!(described, found > 0, "{}", path.display());
        let (keyword, constants) = (text.matches("always @").count(), text.matches(": &str = \"\\").count());
        assert!(keyword == 0 || constants > 0, "{}: Verilog outside a constant", path.display());
        lines += found;
    }
    assert!((10..200).contains(&lines), "{lines} lines of Verilog");
}

#[test]
fn only_the_clock_gate_silences_a_lint() {
    let everything = source_folder("");
    let silent: Vec<PathBuf> = sources(&everything)
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("verilator lint_off"))
        .collect();
    assert_eq!(silent, [source_folder("prim").join("clock_gate.rs")]);
}
