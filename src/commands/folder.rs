//! A folder that `axp build` wrote, read back and checked.

use crate::exit::Failure;
use crate::input;
use crate::report::Report;
use axp_golden::infer::Engine;
use axp_golden::net::{ImportOptions, Network};
use axp_spec::Design;
use axp_spec::design::sha256_hex;
use std::path::Path;

/// Names of the files in the folder.
pub const DESIGN: &str = "design.json";
/// The model, as it was given.
pub const MODEL: &str = "model.onnx";
/// The samples that the replay draws on.
pub const REPLAY: &str = "replay.npy";
/// What the build found.
pub const REPORT: &str = "report.json";
/// The same as a page.
pub const PAGE: &str = "report.html";
/// The Verilog package.
pub const RTL: &str = "rtl";

/// A built design, ready to run.
pub struct BuiltDesign {
    /// The design.
    pub design: Design,
    /// The network on the PE's arithmetic.
    pub engine: Engine,
}

/// Reads a build folder.
///
/// # Errors
/// [`Failure::Input`]: a file is missing or damaged, or the files do not belong together.
pub fn open(folder: &Path) -> Result<BuiltDesign, Failure> {
    let path = folder.join(DESIGN);
    if !path.is_file() {
        return Err(Failure::input(
            format!("{} is not a folder that `axp build` wrote: it has no {DESIGN}", folder.display()),
            "give the folder that was --out",
        ));
    }
    let damaged = |what: String| Failure::input(what, "build the design again");
    let design = Design::from_json(&input::read_text(&path)?)
        .map_err(|error| damaged(format!("{}: {error}", path.display())))?;
    let report_path = folder.join(REPORT);
    let report: Report = serde_json::from_str(&input::read_text(&report_path)?)
        .map_err(|error| damaged(format!("{}: {error}", report_path.display())))?;
    let model_path = folder.join(MODEL);
    let onnx = input::read(&model_path)?;
    if sha256_hex(&onnx) != design.provenance.model_sha256 {
        return Err(damaged(format!("{} is not the model that {DESIGN} was made from", model_path.display())));
    }
    let options =
        ImportOptions { input_shape: Some(report.model.input_shape.clone()), folder: Some(folder.to_owned()) };
    let network = Network::from_onnx(&onnx, &options).map_err(|e| input::network_failure(&model_path, &e))?;
    let engine = Engine::from_design(&network, &design).map_err(|e| damaged(format!("{}: {e}", path.display())))?;
    Ok(BuiltDesign { design, engine })
}
