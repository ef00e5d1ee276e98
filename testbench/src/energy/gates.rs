//! From the configuration of a processing element to a netlist that can be timed and simulated.

use super::error::EnergyError;
use crate::equivalence::netlist::{self, Limits, NetlistCheck, Texts};
use crate::gates::circuit::Circuit;
use crate::gates::netlist::FlatNetlist;
use crate::gates::timing::Timing;
use crate::gates::{CLOCK_SLEW_NS, Conditions, Program};
use crate::synth::liberty::CellLibrary;
use crate::synth::recipe::{AREA, FEW, RECIPES, Recipe};
use crate::synth::sta::Surroundings;
use crate::synth::{Design, Goal, Netlist, synthesise_tried};
use axp_hdl::Rtl;
use axp_spec::PeConfig;
use axp_spec::design::sha256_hex;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The clock port of a processing element.
const CLOCK: &str = "clk_i";

/// Its control inputs that end at clock gates.
const CONTROL: &[&str] = &["test_en_i"];

/// Registers that are no part of their own begin so: what they are for is control.
const CONTROL_REGISTERS: [&str; 2] = ["axp_reg", "axp_flags"];

/// One row of an associative memory begins so.
const ROW: &str = "axp_am_row";

/// Rows of a programmable memory above which only a few recipes are tried.
const MANY_ROWS: usize = 16;

/// A netlist on a library, not yet at a clock period.
pub struct Gates {
    /// The Verilog.
    pub rtl: Rtl,
    /// What synthesis made of it.
    pub netlist: Netlist,
    /// SHA-256 of the netlist's text.
    pub sha256: String,
    /// The longest path in ns: the longer of OpenSTA's and of our own.
    pub longest_ns: f64,
    /// What [`check`](Self::check) found out about each module; empty before.
    pub checks: Vec<NetlistCheck>,
    circuit: Circuit,
}

impl Gates {
    /// Synthesises a processing element whose parts stay apart: every instance in
    /// its top module but the registers of control bits.
    ///
    /// Each row of a programmable memory keeps its bounds too, so that ABC maps one row
    /// and not all. Unless there are `recipes`, it is tried with those that suit it; the smallest netlist within 20 ns wins (30 ns on
    /// libraries other than osu018, whose cells are slower at their wire load), or the fastest.
    ///
    /// # Errors
    /// A tool is missing or fails, the library does not suffice, or the user cancels.
    pub fn make(
        name: &str,
        config: &PeConfig,
        library: &CellLibrary,
        recipes: Option<&[Recipe]>,
        cache: Option<&Path>,
        cancel: &AtomicBool,
    ) -> Result<Self, EnergyError> {
        let rtl = axp_hdl::generate(config)?;
        let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
        let design = Design { top: &rtl.top, modules: &modules, clock: Some(CLOCK), control: CONTROL };
        let recipes = recipes.unwrap_or_else(|| suitable(config));
        let goal = Goal { period: goal_ns(library), wire_load: library.wire_load() };
        let netlist = synthesise_tried(&design, &parts(&rtl), recipes, library, goal, cache, cancel)
            .map_err(|source| EnergyError::Synth { contender: name.to_owned(), source })?;
        let fail = EnergyError::gates(name);
        let flat = FlatNetlist::read(&netlist.verilog, &rtl.top, library, cancel).map_err(&fail)?;
        let circuit = Circuit::of(flat, library, around(library)).map_err(&fail)?;
        let own = Timing::of(&circuit, around(library), CLOCK_SLEW_NS).longest_ns;
        let longest_ns = own.max(netlist.longest_path_ns);
        let sha256 = sha256_hex(netlist.verilog.as_bytes());
        Ok(Self { netlist, sha256, longest_ns, checks: Vec::new(), circuit, rtl })
    }

    /// Proves the netlist equivalent to the Verilog, module by module, and keeps what came out.
    ///
    /// # Errors
    /// A module is refuted, Yosys is missing or fails, or the user cancels.
    pub fn check(
        &mut self,
        name: &str,
        library: &CellLibrary,
        cache: Option<&Path>,
        cancel: &AtomicBool,
    ) -> Result<(), EnergyError> {
        let texts = Texts { hierarchy: &self.netlist.hierarchy, flat: &self.circuit.netlist };
        let limits = Limits { cache, time: netlist::TIME, cancel };
        self.checks = netlist::check_netlist(&self.rtl, texts, library, limits)
            .map_err(|source| EnergyError::Netlist { contender: name.to_owned(), source })?;
        Ok(())
    }

    /// The netlist timed for a clock period in ns.
    ///
    /// # Errors
    /// The longest path does not fit, or a cell lacks an arc.
    pub fn program(&self, name: &str, library: &CellLibrary, period_ns: f64) -> Result<Program, EnergyError> {
        let conditions = Conditions { around: around(library), period_ns, clock_slew_ns: CLOCK_SLEW_NS };
        Program::of(self.circuit.clone(), conditions).map_err(EnergyError::gates(name))
    }
}

/// What surrounds a processing element on a library.
pub(super) fn around(library: &CellLibrary) -> Surroundings<'static> {
    Surroundings { wire_load: library.wire_load(), clock: Some(CLOCK), control: CONTROL }
}

/// The recipes to try where nobody says: all, but a few where each of them takes minutes, and those
/// for area where depth costs more than it brings, see [`AREA`].
pub fn suitable(config: &PeConfig) -> &'static [Recipe] {
    match (config.is_frozen(), config.grid_memory()) {
        (true, Some(_)) => AREA,
        (false, _) if config.rows() > MANY_ROWS => FEW,
        _ => RECIPES,
    }
}

fn goal_ns(library: &CellLibrary) -> f64 {
    if library.name.starts_with("osu018") { 20.0 } else { 30.0 }
}

fn is_control(module: &str) -> bool {
    CONTROL_REGISTERS.iter().any(|stem| module.starts_with(stem))
}

/// Modules whose instances are told apart in the netlist.
pub fn parts(rtl: &Rtl) -> Vec<&str> {
    let top = rtl.modules.iter().filter(|module| module.name == rtl.top);
    let own = top.flat_map(|module| &module.children).filter(|child| !is_control(child));
    let rows = rtl.modules.iter().map(|module| &module.name).filter(|name| name.starts_with(ROW));
    own.chain(rows).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::Baseline;
    use axp_spec::Content;

    #[test]
    fn memory_rows_units_and_banks_are_parts() {
        let rtl = axp_hdl::generate(&PeConfig::pair("axp_pe_parts", 2)).unwrap();
        let found = parts(&rtl);
        for stem in
            ["axp_pair_am", "axp_am_row", "axp_fp_mul", "axp_accumulate_sum", "axp_output_buffer", "axp_gated_reg"]
        {
            assert!(found.iter().any(|part| part.starts_with(stem)), "{stem} in {found:?}");
        }
        assert!(found.iter().all(|part| !is_control(part)), "{found:?}");
        let rtl = axp_hdl::generate(&Baseline::Fixed.contender().config).unwrap();
        assert!(parts(&rtl).iter().all(|part| !part.contains("_am_")), "{:?}", parts(&rtl));
    }

    #[test]
    fn recipes_suit_what_is_in_a_netlist() {
        let programmable = |rows| suitable(&PeConfig::pair("axp_pe_rows", rows));
        assert_eq!((programmable(16), programmable(17)), (RECIPES, FEW));
        let frozen = |mut config: PeConfig| {
            config.am.iter_mut().for_each(|am| am.content = Content::Frozen { layers: Vec::new() });
            suitable(&config)
        };
        assert_eq!(frozen(PeConfig::grid("axp_pe_grid", 2, 2)), AREA);
        assert_eq!(frozen(PeConfig::factored("axp_pe_factored", 64, 3)), RECIPES);
        assert_eq!(suitable(&Baseline::Plain.contender().config), RECIPES);
    }
}
