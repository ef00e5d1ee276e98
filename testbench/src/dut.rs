//! What is simulated: Verilog sources, the top module and its port list.

use axp_hdl::am::ROW_STORAGE;
use axp_hdl::{Direction, Port, Rtl};
use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One Verilog file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File name without folders.
    pub file: String,
    /// The whole text.
    pub text: String,
}

/// A design under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dut {
    /// Name of the top module.
    pub top: String,
    /// The sources in compile order.
    pub sources: Vec<Source>,
    /// Ports of the top module, in order.
    pub ports: Vec<Port>,
    /// Name of the clock port. Outputs are compared before its rising edge.
    pub clock: String,
    /// Name of the active-low reset port.
    pub reset: String,
}

/// Which body of the gated register bank is simulated.
#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Clock gates (latch and AND): what an ASIC gets.
    #[default]
    Gated,
    /// Clock enables (`AXP_CE` defined): FPGAs, and rust-hdl's own behaviour.
    ClockEnable,
}

impl Body {
    /// The macro that selects this body, if one has to be defined.
    pub const fn define(self) -> Option<&'static str> {
        match self {
            Self::Gated => None,
            Self::ClockEnable => Some("AXP_CE"),
        }
    }
}

impl Dut {
    /// The generated hardware of one configuration.
    pub fn of(rtl: &Rtl) -> Self {
        Self {
            top: rtl.top.clone(),
            sources: rtl.modules.iter().map(|m| Source { file: m.file(), text: m.text.clone() }).collect(),
            ports: rtl.ports.clone(),
            clock: "clk_i".into(),
            reset: "rst_ni".into(),
        }
    }

    /// The same design with the row storage of the memory on clock enables,
    /// whatever the body of everything else.
    ///
    /// Verilator keeps a trigger for each gated clock, so that a gate for each
    /// of 128 rows costs more time than all else, although rows are written
    /// between layers only. Both bodies of the bank are proven equal
    /// (`equivalence::prove_gating`), and the random suites run every gate.
    pub fn with_enabled_rows(mut self) -> Self {
        for source in self.sources.iter_mut().filter(|source| source.file.starts_with(ROW_STORAGE)) {
            source.text = format!("`define AXP_CE\n{}\n`undef AXP_CE\n", source.text);
        }
        self
    }

    /// Ports that the testbench drives, the clock apart.
    pub fn inputs(&self) -> impl Iterator<Item = &Port> {
        self.ports.iter().filter(|p| p.direction == Direction::Input && p.name != self.clock)
    }

    /// Ports that the design drives.
    pub fn outputs(&self) -> impl Iterator<Item = &Port> {
        self.ports.iter().filter(|p| p.direction == Direction::Output)
    }

    /// Writes the sources into a folder; returns their paths in compile order.
    ///
    /// # Errors
    /// The path that could not be written, and why.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
        self.sources
            .iter()
            .map(|source| {
                let path = folder.join(&source.file);
                fs::write(&path, &source.text).map_err(|error| (path.clone(), error)).map(|()| path)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::PeConfig;

    #[test]
    fn the_row_storage_alone_can_be_put_on_enables() {
        let dut = Dut::of(&axp_hdl::generate(&PeConfig::pair("axp_pe", 2)).unwrap());
        let fast = dut.clone().with_enabled_rows();
        let changed: Vec<&str> =
            dut.sources.iter().zip(&fast.sources).filter(|(a, b)| a != b).map(|(a, _)| a.file.as_str()).collect();
        assert_eq!(changed, ["axp_row_storage_w64_w32.v"]);
    }
}
