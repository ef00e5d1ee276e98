//! From Verilog and cells to modules of single-bit gates, or of operators on words, by Yosys, all in one run.

use super::NetlistError;
use super::json::{Design, Module};
use crate::equivalence::folder::Folder;
use crate::synth::liberty::CellLibrary;
use axp_hdl::Rtl;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::AtomicBool;

/// Modules of the Verilog and of the netlist as cells, with instances of each other.
pub struct Exported {
    /// Both sides of each module that was asked for, by its name.
    pub sides: BTreeMap<String, Sides>,
    /// The whole netlist of library cells: its modules, and the cells' heads.
    pub hierarchy: Design,
}

/// One module in both texts.
pub struct Sides {
    /// Of the Verilog.
    pub gold: Module,
    /// Of the netlist.
    pub gate: Module,
    /// The modules that both can have instances of, as heads.
    pub boxes: BTreeMap<String, Module>,
}

/// What reads a library whose cells do not all have a function. Those come out without
/// one: a module that uses one is not proven.
const LIBERTY: &str = "read_liberty -ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch";

/// How much of a module's Verilog Yosys turns into gates of single bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gold {
    /// All of it.
    Gates,
    /// Nothing: operators stay on whole words, and what is undefined stays so.
    Words,
}

/// Both sides of the modules `wanted`; `kept` are all modules of the netlist.
pub fn export(
    rtl: &Rtl,
    hierarchy: &str,
    (kept, wanted): (&[String], &[String]),
    gold: Gold,
    library: &CellLibrary,
    cancel: &AtomicBool,
) -> Result<Exported, NetlistError> {
    let folder = Folder::new()?;
    folder.write("cells.lib", &library.text)?;
    folder.write("netlist.v", hierarchy)?;
    for (index, module) in rtl.modules.iter().enumerate() {
        folder.write(&format!("module{index}.v"), &module.text)?;
    }
    folder.must(&script(rtl, (kept, wanted), gold), &rtl.top, cancel)?;
    let read = |file: &str| {
        let text = folder.read(file)?;
        let unreadable = |error: serde_json::Error| NetlistError::Unreadable { what: format!("{file}: {error}") };
        serde_json::from_str::<Design>(&text).map_err(unreadable)
    };
    let mut sides = BTreeMap::new();
    for (index, name) in wanted.iter().enumerate() {
        let (mut gold, mut gate) = (read(&format!("gold{index}.json"))?, read(&format!("gate{index}.json"))?);
        let side = |design: &mut Design| {
            let none = || NetlistError::Unreadable { what: format!("Yosys wrote no module {name}") };
            design.modules.remove(name).ok_or_else(none)
        };
        let (own, other) = (side(&mut gold)?, side(&mut gate)?);
        let boxes = gold.modules.into_iter().filter(|(name, _)| kept.contains(name)).collect();
        sides.insert(name.clone(), Sides { gold: own, gate: other, boxes });
    }
    Ok(Exported { sides, hierarchy: read("netlist.json")? })
}

/// Without `-norom`, Yosys 0.23 takes a register behind a `case` into a ROM.
fn script(rtl: &Rtl, (kept, wanted): (&[String], &[String]), gold: Gold) -> String {
    let mut script = String::new();
    for index in 0..rtl.modules.len() {
        let _ = writeln!(script, "read_verilog module{index}.v");
    }
    script += "design -save rtl\ndesign -reset\n";
    let _ = writeln!(script, "{LIBERTY} cells.lib\nread_verilog netlist.v\ndesign -save netlist");
    let _ = writeln!(script, "hierarchy -check -top {}\nwrite_json netlist.json", rtl.top);
    for (index, name) in wanted.iter().enumerate() {
        let others: Vec<&str> = kept.iter().filter(|other| *other != name).map(String::as_str).collect();
        let boxes = if others.is_empty() { String::new() } else { format!("blackbox {}\n", others.join(" ")) };
        let gates = "techmap\nopt_clean\nsetundef -anyseq\n";
        let of_gold = if gold == Gold::Gates { gates } else { "" };
        for (side, file, gates) in [("rtl", "gold", of_gold), ("netlist", "gate", gates)] {
            let _ = writeln!(
                script,
                "design -load {side}
{boxes}hierarchy -check -top {name}
proc -norom
flatten
opt_clean
{gates}write_json {file}{index}.json"
            );
        }
    }
    script
}
