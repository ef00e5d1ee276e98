//! Generated hardware as data: modules, ports, and the text they are checked against.

use axp_spec::{FpuConfig, PeConfig};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(untagged)]
pub enum Configuration {
    /// A processing element.
    Pe(PeConfig),
    /// An arithmetic unit.
    Fpu(FpuConfig),
}

impl Configuration {
    /// Clock cycles from input to result; 0 for combinational units.
    pub fn latency(&self) -> u32 {
        match self {
            Self::Pe(config) => config.latency(),
            Self::Fpu(config) => config.latency(),
        }
    }
}

/// The Verilog of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtl {
    /// The configuration that was generated.
    pub config: Configuration,
    /// Name of the top module: the configuration's name.
    pub top: String,
    /// All modules in compile order: a module stands after those it
    /// instantiates, the top is the last.
    pub modules: Vec<Module>,
    /// Ports of the top module, in the order of its port list.
    pub ports: Vec<Port>,
    /// rust-hdl's own text for the same description. It cannot be used as a
    /// product, but it is what our text is proven equivalent to.
    pub stock: String,
}

/// One Verilog module, one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Name of the module; its file is `name` + `.v`.
    pub name: String,
    /// What the module is, in one line.
    pub doc: String,
    /// The whole file: header comment, module, nothing else.
    pub text: String,
    /// The modules it instantiates, sorted.
    pub children: Vec<String>,
    /// Names that the instances of this module have in [`Rtl::stock`], where
    /// each instance is a module of its own. At least one.
    pub stock_names: Vec<String>,
    /// Whether the body is hand-written (`hdl/src/prim`) rather than emitted.
    pub primitive: bool,
}

/// A port of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the Verilog.
    pub name: String,
    /// Which way it goes, seen from inside the module.
    pub direction: Direction,
    /// Width in bits, at least 1.
    pub width: usize,
    /// What it carries.
    pub doc: String,
}

/// Direction of a port, seen from inside the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Driven from outside.
    Input,
    /// Driven by the module.
    Output,
}

impl Rtl {
    /// The configuration, if this is a processing element.
    pub fn pe(&self) -> Option<&PeConfig> {
        match &self.config {
            Configuration::Pe(config) => Some(config),
            Configuration::Fpu(_) => None,
        }
    }
}

impl Module {
    /// Name of the file that holds the module.
    pub fn file(&self) -> String {
        format!("{}.v", self.name)
    }
}
