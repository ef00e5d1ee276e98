//! The configuration of a processing element: what is built into its netlist.

use crate::format::FloatFormat;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most rows that a generated memory can have.
pub const MAX_ROWS: usize = 1024;

/// What a row of the associative memory is keyed by.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Organisation {
    /// Ternary rows keyed by {weight, activation}, as in the AxP paper.
    Pair,
}

/// Where the rows come from.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Rows are written at run time through the row port.
    Programmable,
}

/// What the products are summed in.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Accumulator {
    /// A floating-point adder of the PE's own format.
    Float,
}

/// How the registers of the generated Verilog are reset.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum ResetStyle {
    /// `always @(posedge clk_i or negedge rst_ni)`.
    #[default]
    Async,
    /// `always @(posedge clk_i)`, the reset sampled by the clock.
    Sync,
}

/// The associative memory of a PE.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct AmConfig {
    /// What a row is keyed by.
    pub organisation: Organisation,
    /// Where the rows come from.
    pub content: Content,
    /// How many rows there are, 1 to [`MAX_ROWS`].
    pub rows: usize,
}

/// A processing element. One configuration is one netlist.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct PeConfig {
    /// Name of the configuration: the top module and the folder it is written
    /// to. Lower-case letters, digits and `_`, a letter first, at most 40.
    pub name: String,
    /// Format of weights, activations, products and results.
    pub format: FloatFormat,
    /// The associative memory.
    pub am: AmConfig,
    /// What the products are summed in.
    pub accumulator: Accumulator,
    /// How registers are reset.
    #[serde(default)]
    pub reset: ResetStyle,
}

/// Why a configuration cannot be built.
#[derive(Error, Debug, Clone, PartialEq, Eq)]
pub enum PeConfigError {
    /// The name would not be a safe module and folder name.
    #[error(
        "{0:?} cannot name a configuration: use 1 to 40 lower-case letters, digits and '_', \
         a letter first, no '__', no '_' at the end, and no Verilog keyword"
    )]
    Name(String),
    /// The number of rows is outside the supported range.
    #[error("an associative memory of {0} rows cannot be built: use 1 to {MAX_ROWS}")]
    Rows(usize),
}

impl PeConfig {
    /// A paper-like PE: `pair` rows, programmable, binary32 throughout.
    pub fn pair(name: &str, rows: usize) -> Self {
        Self {
            name: name.to_owned(),
            format: FloatFormat::Binary32,
            am: AmConfig { organisation: Organisation::Pair, content: Content::Programmable, rows },
            accumulator: Accumulator::Float,
            reset: ResetStyle::Async,
        }
    }

    /// Checks what the types cannot: the name and the sizes.
    pub fn validate(&self) -> Result<(), PeConfigError> {
        if !is_safe_name(&self.name) {
            return Err(PeConfigError::Name(self.name.clone()));
        }
        if !(1..=MAX_ROWS).contains(&self.am.rows) {
            return Err(PeConfigError::Rows(self.am.rows));
        }
        Ok(())
    }

    /// Clock cycles from the one that accepts `last` to the first in which the
    /// result is offered, when nothing downstream holds it back. The same for
    /// a hit, a miss and a skipped zero.
    pub const fn latency(&self) -> u32 {
        3
    }

    /// Width in bits of the row address, at least 1.
    pub const fn row_address_bits(&self) -> u32 {
        let bits = usize::BITS - (self.am.rows - 1).leading_zeros();
        if bits == 0 { 1 } else { bits }
    }

    /// Width in bits of the key {weight, activation}.
    pub const fn key_bits(&self) -> u32 {
        2 * self.format.width()
    }
}

fn is_safe_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.contains("__")
        && !name.ends_with('_')
        && !VERILOG_KEYWORDS.contains(&name)
}

/// Reserved words of Verilog-2005 and SystemVerilog that the character rule
/// alone would let through.
pub const VERILOG_KEYWORDS: &[&str] = &[
    "alias",
    "always",
    "and",
    "assert",
    "assign",
    "assume",
    "automatic",
    "before",
    "begin",
    "bind",
    "bins",
    "bit",
    "break",
    "buf",
    "bufif0",
    "bufif1",
    "byte",
    "case",
    "casex",
    "casez",
    "cell",
    "chandle",
    "checker",
    "class",
    "clocking",
    "cmos",
    "config",
    "const",
    "constraint",
    "context",
    "continue",
    "cover",
    "covergroup",
    "coverpoint",
    "cross",
    "deassign",
    "default",
    "defparam",
    "design",
    "disable",
    "dist",
    "do",
    "edge",
    "else",
    "end",
    "endcase",
    "endclass",
    "endconfig",
    "endfunction",
    "endgenerate",
    "endmodule",
    "endpackage",
    "endprimitive",
    "endproperty",
    "endspecify",
    "endtable",
    "endtask",
    "enum",
    "event",
    "eventually",
    "expect",
    "export",
    "extends",
    "extern",
    "final",
    "for",
    "force",
    "foreach",
    "forever",
    "fork",
    "function",
    "generate",
    "genvar",
    "global",
    "highz0",
    "highz1",
    "if",
    "iff",
    "ifnone",
    "ignore_bins",
    "implements",
    "implies",
    "import",
    "incdir",
    "include",
    "initial",
    "inout",
    "input",
    "inside",
    "instance",
    "int",
    "integer",
    "interconnect",
    "interface",
    "intersect",
    "join",
    "large",
    "let",
    "liblist",
    "library",
    "local",
    "localparam",
    "logic",
    "longint",
    "macromodule",
    "matches",
    "medium",
    "modport",
    "module",
    "nand",
    "negedge",
    "nettype",
    "new",
    "nexttime",
    "nmos",
    "nor",
    "noshowcancelled",
    "not",
    "notif0",
    "notif1",
    "null",
    "or",
    "output",
    "package",
    "packed",
    "parameter",
    "pmos",
    "posedge",
    "primitive",
    "priority",
    "program",
    "property",
    "protected",
    "pull0",
    "pull1",
    "pulldown",
    "pullup",
    "pure",
    "rand",
    "randc",
    "randcase",
    "rcmos",
    "real",
    "realtime",
    "ref",
    "reg",
    "reject_on",
    "release",
    "repeat",
    "restrict",
    "return",
    "rnmos",
    "rpmos",
    "rtran",
    "rtranif0",
    "rtranif1",
    "scalared",
    "sequence",
    "shortint",
    "shortreal",
    "signed",
    "small",
    "soft",
    "solve",
    "specify",
    "specparam",
    "static",
    "string",
    "strong",
    "strong0",
    "strong1",
    "struct",
    "super",
    "supply0",
    "supply1",
    "table",
    "tagged",
    "task",
    "this",
    "throughout",
    "time",
    "timeprecision",
    "timeunit",
    "tran",
    "tranif0",
    "tranif1",
    "tri",
    "tri0",
    "tri1",
    "triand",
    "trior",
    "trireg",
    "type",
    "typedef",
    "union",
    "unique",
    "unique0",
    "unsigned",
    "until",
    "untyped",
    "use",
    "uwire",
    "var",
    "vectored",
    "virtual",
    "void",
    "wait",
    "wand",
    "weak",
    "weak0",
    "weak1",
    "while",
    "wildcard",
    "wire",
    "with",
    "within",
    "wor",
    "xnor",
    "xor",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_become_code_or_a_path_are_refused() {
        for bad in ["", "A", "9a", "a b", "a/b", "..", "a$b", "module", "a\n", "a'", "a__b", "a_", &"a".repeat(41)] {
            let config = PeConfig::pair(bad, 4);
            assert_eq!(config.validate(), Err(PeConfigError::Name(bad.to_owned())), "{bad:?}");
        }
        assert_eq!(PeConfig::pair("axp_pe_pair_r32", 32).validate(), Ok(()));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(PeConfig::pair("a", 0).validate(), Err(PeConfigError::Rows(0)));
        assert_eq!(PeConfig::pair("a", 1025).validate(), Err(PeConfigError::Rows(1025)));
        let widths: Vec<u32> =
            [1, 2, 3, 4, 5, 128, 129].iter().map(|r| PeConfig::pair("a", *r).row_address_bits()).collect();
        assert_eq!(widths, [1, 1, 2, 2, 3, 7, 8]);
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        let mut json = serde_json::to_value(PeConfig::pair("a", 4)).unwrap();
        json["zeroskip"] = true.into();
        assert!(serde_json::from_value::<PeConfig>(json).is_err());
    }
}
