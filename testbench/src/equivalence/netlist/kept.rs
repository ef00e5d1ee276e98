//! Modules that were proven before, by all that a proof depends on.

use super::{decide, expand};
use crate::atomic;
use crate::equivalence::netlist::NetlistError;
use crate::synth::liberty::CellLibrary;
use crate::tools::{Tool, ToolError};
use axp_hdl::{Module, Rtl};
use axp_spec::design::sha256_hex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A proof that was made.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Proof {
    /// Bits that were proven equal.
    pub bits: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Version of the way modules are exported and proven.
const METHOD: &str = "netlist-proof-2";

/// What this process has proven, by key.
static PROVEN: Mutex<BTreeMap<String, Proof>> = Mutex::new(BTreeMap::new());

/// Keys of a netlist's modules, and where their proofs are.
pub struct Kept<'a> {
    folder: Option<&'a Path>,
    /// What all modules have in common.
    common: String,
}

/// All versions that a proof depends on.
pub fn methods() -> [&'static str; 2] {
    [METHOD, expand::METHOD]
}

impl<'a> Kept<'a> {
    /// Proofs on this library.
    pub fn of(library: &CellLibrary, folder: Option<&'a Path>) -> Result<Self, ToolError> {
        let common =
            [METHOD, expand::METHOD, &library.sha256, &Tool::Yosys.version()?, decide::SWEEP, &decide::script(1)]
                .join("\n\0");
        Ok(Self { folder, common })
    }

    /// A hash of both texts of a module, of all that it has inside, and of all that the
    /// proof is made with. `parts` are the modules that the netlist keeps.
    pub fn key(&self, rtl: &Rtl, name: &str, gate: &str, parts: &[String]) -> String {
        let mut texts = vec![self.common.clone(), name.to_owned(), gate.to_owned()];
        for module in inside(rtl, name, parts) {
            texts.push(module.text.clone());
        }
        sha256_hex(texts.join("\n\0").as_bytes())[..24].to_owned()
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        self.folder.map(|folder| folder.join(format!("proof-{key}.json")))
    }

    /// The proof of this key, if there is one. What this process knows goes to the
    /// folder too.
    pub fn find(&self, key: &str) -> Result<Option<Proof>, NetlistError> {
        let file = self.file(key);
        let text = file.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let found = text.and_then(|text| serde_json::from_str(&text).ok());
        let known = PROVEN.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied();
        if let (Some(proof), None, Some(_)) = (known, &found, file) {
            self.keep(key, proof)?;
        }
        Ok(known.or(found))
    }

    /// Keeps a proof.
    pub fn keep(&self, key: &str, proof: Proof) -> Result<(), NetlistError> {
        PROVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), proof);
        let Some(path) = self.file(key) else { return Ok(()) };
        let fail = |source| NetlistError::File { path: path.clone(), source };
        let text = serde_json::to_string(&proof).map_err(|error| fail(error.into()))?;
        atomic::write(&path, &text).map_err(fail)
    }
}

/// A module with all that is inside it; parts with their heads alone would do, but
/// their texts are as good.
fn inside<'a>(rtl: &'a Rtl, name: &str, parts: &[String]) -> Vec<&'a Module> {
    let mut open = vec![name.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(module) = rtl.modules.iter().find(|module| module.name == name) else { continue };
        if seen.insert(name.clone()) && (seen.len() == 1 || !parts.contains(&name)) {
            open.extend(module.children.iter().cloned());
        }
    }
    rtl.modules.iter().filter(|module| seen.contains(&module.name)).collect()
}
