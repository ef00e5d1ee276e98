//! From a configuration to its Verilog.

use crate::error::HdlError;
use crate::prim::ClockGate;
use crate::rtl::{Configuration, Rtl};
use crate::{fpu, pe, verilog};
use axp_spec::design::sha256_hex;
use axp_spec::{FpuConfig, PeConfig};
use rust_hdl::prelude::Block;

/// Generates the Verilog of a configuration.
///
/// The same configuration always gives the same text: nothing in it depends on
/// the machine, the date or the folder.
///
/// # Errors
/// [`HdlError::Config`] if the configuration is not valid.
pub fn generate(config: &PeConfig) -> Result<Rtl, HdlError> {
    let pe = pe::describe(config)?;
    emit(&pe, &config.name, Configuration::Pe(config.clone()), &origin(config))
}

/// Generates the Verilog of an arithmetic unit.
///
/// # Errors
/// [`HdlError::FpuConfig`] if the configuration is not valid.
pub(crate) fn generate_fpu(config: &FpuConfig) -> Result<Rtl, HdlError> {
    let unit = fpu::describe(config)?;
    emit(&unit, &config.module(), Configuration::Fpu(*config), &[])
}

fn emit(block: &dyn Block, top: &str, config: Configuration, origin: &[String]) -> Result<Rtl, HdlError> {
    let mut gate = ClockGate::new();
    gate.connect_all();
    let emitted = verilog::emit(block, top, origin, &[&gate])?;
    Ok(Rtl { config, top: top.to_owned(), modules: emitted.modules, ports: emitted.ports, stock: emitted.stock })
}

/// The configuration in a line of JSON. A frozen content would make it longer than
/// lexers take: its hash stands for it, and the manifest has it whole.
fn shown(config: &PeConfig) -> String {
    // A configuration is a plain structure: it cannot fail to serialise.
    let mut json = serde_json::to_value(config).unwrap_or_default();
    if config.is_frozen() {
        let layers = json["am"]["content"]["frozen"]["layers"].take();
        let sha256 = sha256_hex(layers.to_string().as_bytes());
        let count = config.frozen_layers().len();
        json["am"]["content"]["frozen"] = serde_json::json!({ "layers": count, "sha256": sha256 });
    }
    json.to_string()
}

/// The configuration as lines for the header of the top module. Its name has
/// been checked, and everything else in it is a number or a keyword of ours.
fn origin(config: &PeConfig) -> Vec<String> {
    let json = shown(config);
    vec![
        format!("Configuration: {json}"),
        format!("Latency from `last` to the result: {} cycles, one operand pair a cycle.", config.latency()),
        "Written by `axp generate --config` with this configuration.".to_owned(),
    ]
}
