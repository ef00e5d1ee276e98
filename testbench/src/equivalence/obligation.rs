//! What a proof is about: the texts that have to mean the same.

use super::EquivalenceError;
use super::folder::Folder;
use super::stock::{Stock, black_boxes};
use axp_hdl::{Module, Rtl};

/// One module in both texts, and nothing else that the proof depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Obligation {
    /// The module's name in all texts: letters, digits and `_`.
    pub module: String,
    /// rust-hdl's text of it.
    pub gold: String,
    /// Our text of it.
    pub gate: String,
    /// The modules it instantiates.
    pub children: Vec<String>,
    /// Their heads, as black boxes.
    pub boxes: String,
}

impl Obligation {
    pub fn of(rtl: &Rtl, stock: &Stock, module: &Module) -> Result<Self, EquivalenceError> {
        Ok(Self {
            module: module.name.clone(),
            gold: stock.definition(module)?,
            gate: module.text.clone(),
            children: module.children.clone(),
            boxes: black_boxes(rtl, module),
        })
    }

    /// A folder with the texts, for one run of Yosys.
    pub fn folder(&self) -> Result<Folder, EquivalenceError> {
        let folder = Folder::new()?;
        folder.write("boxes.v", &self.boxes)?;
        folder.write("gold.v", &self.gold)?;
        folder.write("gate.v", &self.gate)?;
        Ok(folder)
    }
}
