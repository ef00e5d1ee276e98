//! What is stated of a processing element: energy by part, kind, class and layer.

use super::gates::Gates;
use super::mix::{self, Observed};
use super::opinion::SecondOpinion;
use super::run::{RELOAD, STRIDE};
use super::window::LayerWindow;
use crate::equivalence::netlist::NetlistCheck;
use crate::gates::account::{ByKind, ClassEnergy};
use crate::gates::{Kind, Measurement};
use serde::{Deserialize, Serialize};

/// fJ a pJ.
const FJ: f64 = 1000.0;

/// Energy a MAC in pJ by what it is used for. The sum of all is the total.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Split {
    /// The memory: comparing, choosing, reading; and the codebook of a processing
    /// element that has one.
    pub search_and_read: f64,
    /// The multiplier.
    pub multiplier: f64,
    /// Adder or fixed-point addition, conversions, and the logic between the parts.
    pub accumulator: f64,
    /// Data of registers outside the memory, the output buffer included.
    pub registers: f64,
    /// Clock pins of all registers, and clock gates.
    pub clock: f64,
    /// What flows without transitions.
    pub leakage: f64,
    /// Rows written at the beginning of each layer, over the MACs of an inference.
    pub reload: f64,
}

impl Split {
    /// Energy a MAC in pJ.
    pub fn total(&self) -> f64 {
        let Self { search_and_read, multiplier, accumulator, registers, clock, leakage, reload } = self;
        search_and_read + multiplier + accumulator + registers + clock + leakage + reload
    }

    /// Of parts of these names, with these energies a MAC in pJ by kind.
    fn of(components: &[String], parts: &[ByKind]) -> Self {
        let mut split = Self::default();
        for (part, energies) in components.iter().zip(parts) {
            Kind::ALL.iter().zip(energies).for_each(|(kind, energy)| split.add(part, *kind, *energy));
        }
        split
    }

    fn add(&mut self, part: &str, kind: Kind, energy: f64) {
        *(match (kind, part) {
            (Kind::Leakage, _) => &mut self.leakage,
            (Kind::ClockPin | Kind::ClockGate, _) => &mut self.clock,
            (_, "memory" | "codebook" | "far_memory" | "far_codebook") => &mut self.search_and_read,
            (_, "multiplier") => &mut self.multiplier,
            (_, "adder" | "round" | "align" | "near_path" | "order" | "pack" | "to_fixed" | "from_fixed")
            | (Kind::Combinational, "top") => &mut self.accumulator,
            _ => &mut self.registers,
        }) += energy;
    }
}

/// One part of the netlist.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct PartFigures {
    /// Name of the instance; `top` for what is outside all others.
    pub name: String,
    /// pJ a MAC of logic.
    pub combinational: f64,
    /// pJ a MAC of what registers store.
    pub register: f64,
    /// pJ a MAC of registers' clock pins.
    pub clock_pin: f64,
    /// pJ a MAC of clock gates.
    pub clock_gate: f64,
    /// pJ a MAC of leakage.
    pub leakage: f64,
}

/// One layer.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct LayerFigures {
    /// Name of the layer.
    pub name: String,
    /// Its MACs in one inference.
    pub macs: u64,
    /// MACs measured.
    pub window_macs: u64,
    /// Share of the measured pairs that hit, with a nonzero activation.
    pub hits: f64,
    /// Share that was multiplied, with a nonzero activation.
    pub misses: f64,
    /// Share with an activation of ±0.
    pub zeros: f64,
    /// pJ a MAC, without writing rows.
    pub pj_per_mac: f64,
    /// The same by what it is used for.
    pub split: Split,
    /// pJ of writing all rows once.
    pub reload_pj: f64,
}

/// pJ a MAC if all pairs were of one kind, without writing rows; absent where
/// the layers do not tell.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct ByClass {
    /// A hit.
    pub hit: Option<f64>,
    /// A miss.
    pub miss: Option<f64>,
    /// An activation of ±0.
    pub zero: Option<f64>,
}

/// A processing element on a library.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Figures {
    /// What it is called.
    pub name: String,
    /// State of its zero-skip bit.
    pub zero_skip: bool,
    /// pJ a MAC of one inference: all MACs of all layers, and writing the rows.
    pub pj_per_mac: f64,
    /// The part of it that is leakage.
    pub leakage_pj: f64,
    /// The same by what it is used for.
    pub split: Split,
    /// The same by what becomes of a pair.
    pub by_class: ByClass,
    /// Share of the netlist's pins that saw activity data, in percent.
    pub annotated_percent: f64,
    /// Share that changed at least once, in percent.
    pub toggled_percent: f64,
    /// Cycles whose outputs were compared with the golden model, all equal.
    pub compared_cycles: u64,
    /// Area in NAND2 equivalents.
    pub ge: f64,
    /// Cells.
    pub cells: usize,
    /// Flip-flops.
    pub flops: usize,
    /// Longest path in ns.
    pub longest_path_ns: f64,
    /// The recipe that made the netlist.
    pub recipe: String,
    /// SHA-256 of the netlist's text.
    pub netlist_sha256: String,
    /// How each module of the netlist is known to be its Verilog.
    pub netlist_checks: Vec<NetlistCheck>,
    /// The parts of the netlist, without writing rows.
    pub parts: Vec<PartFigures>,
    /// The layers.
    pub layers: Vec<LayerFigures>,
    /// What OpenSTA says of the same activity, where it reads any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<SecondOpinion>,
}

impl Figures {
    /// Sums up a run over `windows`, each layer by its share of an inference's MACs.
    pub fn of(name: &str, zero_skip: bool, gates: &Gates, measured: &Measurement, windows: &[LayerWindow]) -> Self {
        let all_macs: u64 = windows.iter().map(|window| window.macs).sum();
        let share = |macs: u64| macs as f64 / (all_macs as f64).max(1.0);
        let mut parts = vec![ByKind::default(); measured.components.len()];
        let (mut observed, mut layers, mut reload) = (Vec::new(), Vec::new(), 0.0);
        for (window, classes) in windows.iter().zip(measured.classes.chunks_exact(STRIDE)) {
            let cycles: u64 = classes[..mix::CLASSES].iter().map(|class| class.cycles).sum();
            let weight = share(window.macs) / (cycles as f64).max(1.0);
            let mut own = vec![ByKind::default(); parts.len()];
            for (class, energy) in classes[..mix::CLASSES].iter().enumerate().filter(|(_, energy)| energy.cycles > 0) {
                let mean = energy.total() / energy.cycles as f64 / FJ;
                observed.push(Observed { class, weight: weight * energy.cycles as f64, mean });
                for (sum, part) in own.iter_mut().zip(&energy.parts) {
                    sum.iter_mut().zip(part).for_each(|(sum, energy)| *sum += energy / FJ / cycles as f64);
                }
            }
            for (sum, part) in parts.iter_mut().zip(&own) {
                sum.iter_mut().zip(part).for_each(|(sum, energy)| *sum += share(window.macs) * energy);
            }
            let split = Split::of(&measured.components, &own);
            let layer = LayerFigures::of(window, classes, cycles, split);
            reload += layer.reload_pj / (all_macs as f64).max(1.0);
            layers.push(layer);
        }
        let split = Split { reload, ..Split::of(&measured.components, &parts) };
        let counted: u64 = layers.iter().map(|layer| layer.window_macs).sum();
        let [hit, miss, zero] = mix::by_kind(&observed, counted as f64);
        Self {
            name: name.to_owned(),
            zero_skip,
            pj_per_mac: split.total(),
            leakage_pj: split.leakage,
            split,
            by_class: ByClass { hit, miss, zero },
            annotated_percent: measured.annotated_percent(),
            toggled_percent: measured.toggled_percent(),
            compared_cycles: measured.cycles(),
            ge: gates.netlist.ge,
            cells: gates.netlist.cells,
            flops: gates.netlist.flops,
            longest_path_ns: gates.longest_ns,
            recipe: gates.netlist.recipe.clone(),
            netlist_sha256: gates.sha256.clone(),
            netlist_checks: gates.checks.clone(),
            parts: measured.components.iter().zip(parts).map(|(name, energies)| part(name, energies)).collect(),
            layers,
            second_opinion: None,
        }
    }
}

impl LayerFigures {
    fn of(window: &LayerWindow, classes: &[ClassEnergy], cycles: u64, split: Split) -> Self {
        let cycles = (cycles as f64).max(1.0);
        let energy: f64 = classes[..mix::CLASSES].iter().map(ClassEnergy::total).sum();
        let mut shares = [0.0; 3];
        for (class, energy) in classes[..mix::CLASSES].iter().enumerate() {
            shares[mix::kind_at(class, 0)] += energy.cycles as f64 / cycles;
        }
        let [hits, misses, zeros] = shares;
        Self {
            name: window.name.clone(),
            macs: window.macs,
            window_macs: window.window_macs(),
            hits,
            misses,
            zeros,
            pj_per_mac: energy / cycles / FJ,
            split,
            reload_pj: classes[RELOAD].total() / FJ,
        }
    }
}

fn part(name: &str, [combinational, register, clock_pin, clock_gate, leakage]: ByKind) -> PartFigures {
    PartFigures { name: name.to_owned(), combinational, register, clock_pin, clock_gate, leakage }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_kind_is_in_the_split_once() {
        let mut split = Split::default();
        let parts = ["memory", "multiplier", "adder", "to_fixed", "from_fixed", "top", "operands", "buffer"];
        for part in parts {
            for kind in Kind::ALL {
                split.add(part, kind, 1.0);
            }
        }
        assert_eq!(split.total(), (parts.len() * Kind::COUNT) as f64);
        assert_eq!((split.search_and_read, split.multiplier, split.accumulator), (2.0, 2.0, 7.0));
        assert_eq!((split.registers, split.clock, split.leakage, split.reload), (5.0, 16.0, 8.0, 0.0));
    }
}
