//! What is simulated: Verilog sources, the top module and its port list.

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
