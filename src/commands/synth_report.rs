//! What `axp synth` prints: a table, or JSON.

use axp_testbench::synth::fpga::{Family, Placed};
use axp_testbench::synth::{Goal, Netlist, Origin};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The figures of one unit.
#[derive(Debug)]
pub struct Report {
    /// Name of the module.
    pub module: String,
    /// A row for each library.
    pub libraries: Vec<LibraryRow>,
    /// A row for each FPGA.
    pub fpga: Vec<FpgaRow>,
}

/// A unit on a cell library.
#[derive(Serialize, Debug)]
pub struct LibraryRow {
    area: f64,
    ge: f64,
    flops: usize,
    longest_path_ns: f64,
    full_adders: usize,
    half_adders: usize,
    cells: usize,
    cells_by_type: BTreeMap<String, usize>,
    period_ns: f64,
    wire_load_ff: f64,
    recipe: String,
    #[serde(flatten)]
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<Ratios>,
}

/// A unit on an FPGA.
#[derive(Serialize, Debug)]
pub struct FpgaRow {
    /// Its figures.
    #[serde(flatten)]
    pub placed: Placed,
    /// How it compares.
    #[serde(rename = "operator", skip_serializing_if = "Option::is_none")]
    pub ratios: Option<Ratios>,
}

/// A unit as a multiple of the one with Verilog's `*`.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Ratios {
    size_ratio: f64,
    delay_ratio: f64,
}

impl Ratios {
    /// Of size and delay of one unit to those of the other.
    pub fn of(this: (f64, f64), other: (f64, f64)) -> Self {
        Self { size_ratio: this.0 / other.0, delay_ratio: this.1 / other.1 }
    }
}

impl LibraryRow {
    /// A row of the report.
    pub fn new(netlist: Netlist, origin: Origin, goal: Goal, operator: Option<Ratios>) -> Self {
        Self {
            area: netlist.area,
            ge: netlist.ge,
            flops: netlist.flops,
            longest_path_ns: netlist.longest_path_ns,
            full_adders: netlist.full_adders,
            half_adders: netlist.half_adders,
            cells: netlist.cells,
            cells_by_type: netlist.cells_by_type,
            period_ns: goal.period,
            wire_load_ff: goal.wire_load,
            recipe: netlist.recipe,
            origin,
            operator,
        }
    }
}

/// The device of a family as its maker calls it.
pub const fn device(family: Family) -> &'static str {
    match family {
        Family::Ice40 => "iCE40 HX8K",
        Family::Ecp5 => "ECP5 85k",
    }
}

/// The report as JSON: the keys of the first library at the top level; all of
/// them under `libraries` if there are several, FPGAs under `fpga`.
pub fn json(report: &Report) -> String {
    #[derive(Serialize)]
    struct Top<'a> {
        module: &'a str,
        #[serde(flatten)]
        first: Option<&'a LibraryRow>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        libraries: &'a [LibraryRow],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        fpga: &'a [FpgaRow],
    }
    let several = report.libraries.len() > 1;
    let top = Top {
        module: &report.module,
        first: report.libraries.first(),
        libraries: if several { &report.libraries } else { &[] },
        fpga: &report.fpga,
    };
    // Plain structures with string keys: they cannot fail to serialise.
    serde_json::to_string_pretty(&top).unwrap_or_default()
}

/// The report as text.
pub fn table(report: &Report) -> String {
    let mut text = format!("{}\n", report.module);
    let hash = report.libraries.first().map_or("", |row| row.origin.sha256.as_str());
    let _ = writeln!(text, "sha256 {hash}\n");
    let _ = writeln!(
        text,
        "{:<30} {:>10} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6}  recipe",
        "library", "area", "GE", "ns", "flops", "FA", "HA", "cells"
    );
    for row in &report.libraries {
        let _ = writeln!(
            text,
            "{:<30} {:>10.1} {:>8.1} {:>8.2} {:>6} {:>6} {:>6} {:>6}  {}{}",
            row.origin.library,
            row.area,
            row.ge,
            row.longest_path_ns,
            row.flops,
            row.full_adders,
            row.half_adders,
            row.cells,
            row.recipe,
            compared(row.operator)
        );
        if row.longest_path_ns > row.period_ns {
            let _ = writeln!(text, "  the period of {:.2} ns is missed: this is the fastest found", row.period_ns);
        }
    }
    if !report.fpga.is_empty() {
        let _ = writeln!(
            text,
            "\n{:<30} {:>10} {:>8} {:>8} {:>6} {:>8}",
            "device", "LUT4", "carries", "flops", "DSPs", "MHz"
        );
    }
    for FpgaRow { placed, ratios } in &report.fpga {
        let _ = writeln!(
            text,
            "{:<30} {:>10} {:>8} {:>8} {:>6} {:>8.1}{}",
            device(placed.family),
            placed.luts,
            placed.carries,
            placed.flops,
            placed.dsps,
            placed.fmax_mhz,
            compared(*ratios)
        );
    }
    text
}

fn compared(ratios: Option<Ratios>) -> String {
    ratios.map_or(String::new(), |r| format!("  ({:.2} x size, {:.2} x delay of *)", r.size_ratio, r.delay_ratio))
}
