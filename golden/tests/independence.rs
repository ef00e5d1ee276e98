//! The golden model and the hardware must not share arithmetic: neither crate
//! may depend on the other, not even for its tests or build scripts.

use std::path::Path;
use std::process::Command;

/// Names of all packages that `package` can come to depend on, whatever its
/// features: itself, normal, build and development dependencies.
fn dependencies(package: &str) -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--all-features", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}", "--package", package, "--manifest-path"])
        .arg(workspace)
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn golden_and_hdl_do_not_depend_on_each_other() {
    let (golden, hdl) = (dependencies("axp-golden"), dependencies("axp-hdl"));
    for (package, tree) in [("axp-golden", &golden), ("axp-hdl", &hdl)] {
        assert!(tree.iter().any(|name| name == package), "cargo tree does not list {package} itself");
        assert!(tree.iter().any(|name| name == "axp-spec"), "{package} takes its formats from axp-spec");
    }
    assert!(!golden.iter().any(|name| name == "axp-hdl"), "axp-golden depends on axp-hdl");
    assert!(!hdl.iter().any(|name| name == "axp-golden"), "axp-hdl depends on axp-golden");
    // The one crate they share must stay free of both.
    let spec = dependencies("axp-spec");
    assert!(spec.iter().any(|name| name == "axp-spec"));
    assert!(!spec.iter().any(|name| name == "axp-golden" || name == "axp-hdl"), "axp-spec depends on one side");
}
