//! The manifest: what a package contains, for scripts.

use super::header::{AXP_VERSION, RUST_HDL_VERSION};
use crate::rtl::{Configuration, Direction, Rtl};
use axp_spec::design::sha256_hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout of `manifest.json`.
pub const SCHEMA: u32 = 1;

/// What is in a package.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this layout.
    pub schema: u32,
    /// Name of the top module.
    pub top: String,
    /// What the top module is.
    pub description: String,
    /// The configuration that it was generated from.
    pub config: Configuration,
    /// Clock cycles from the acceptance of `last` to the result.
    pub latency_cycles: u32,
    /// SHA-256 of all module files one after the other, in compile order.
    pub sha256: String,
    /// Ports of the top module, in order.
    pub ports: Vec<ManifestPort>,
    /// Module files in compile order.
    pub files: Vec<ManifestFile>,
    /// Macros that change the text, and what they do.
    pub defines: BTreeMap<String, String>,
    /// What generated it.
    pub versions: Versions,
}

/// A port of the top module.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ManifestPort {
    /// Its name.
    pub name: String,
    /// `input` or `output`.
    pub direction: String,
    /// Width in bits.
    pub width: usize,
    /// What it carries.
    pub description: String,
}

/// A module file.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Name in the folder.
    pub name: String,
    /// What the module is.
    pub description: String,
    /// Whether the body is hand-written rather than generated.
    pub primitive: bool,
    /// SHA-256 of the whole file.
    pub sha256: String,
}

/// Versions that the text depends on.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// The generator.
    pub axp: String,
    /// The hardware description library.
    pub rust_hdl: String,
}

impl Manifest {
    /// The manifest of `rtl`.
    pub fn of(rtl: &Rtl) -> Self {
        let all: String = rtl.modules.iter().map(|module| module.text.as_str()).collect();
        let ports = rtl.ports.iter().map(|port| ManifestPort {
            name: port.name.clone(),
            direction: match port.direction {
                Direction::Input => "input".to_owned(),
                Direction::Output => "output".to_owned(),
            },
            width: port.width,
            description: port.doc.clone(),
        });
        let files = rtl.modules.iter().map(|module| ManifestFile {
            name: module.file(),
            description: module.doc.clone(),
            primitive: module.primitive,
            sha256: sha256_hex(module.text.as_bytes()),
        });
        Self {
            schema: SCHEMA,
            top: rtl.top.clone(),
            description: rtl.modules.last().map_or_else(String::new, |module| module.doc.clone()),
            config: rtl.config.clone(),
            latency_cycles: rtl.config.latency(),
            sha256: sha256_hex(all.as_bytes()),
            ports: ports.collect(),
            files: files.collect(),
            defines: [("AXP_CE".to_owned(), "clock enables instead of gated clocks (FPGA, formal)".to_owned())].into(),
            versions: Versions { axp: AXP_VERSION.to_owned(), rust_hdl: RUST_HDL_VERSION.to_owned() },
        }
    }

    /// The manifest as JSON, with a line end.
    pub fn to_json(&self) -> String {
        // Strings and numbers only: there is nothing in it that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
