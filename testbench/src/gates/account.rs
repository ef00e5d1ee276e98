//! Sums of energy by part of the netlist, by kind, and by class of cycle.

use super::error::GatesError;
use serde::Serialize;

/// What energy is used for.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Transitions of logic, of the nets it drives and of its pins.
    Combinational,
    /// Transitions of what registers store and of their data pins.
    Register,
    /// Clock pins of registers, and the clock's wires to them.
    ClockPin,
    /// Clock gates: latch, gate, and the clock's wires to these.
    ClockGate,
    /// What flows without transitions.
    Leakage,
}

impl Kind {
    /// All kinds, each at its own place.
    pub const ALL: [Self; 5] = [Self::Combinational, Self::Register, Self::ClockPin, Self::ClockGate, Self::Leakage];

    /// How many kinds there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// Energy of one part, by kind, in fJ.
pub type ByKind = [f64; Kind::COUNT];

/// Energy of all cycles of one class.
#[derive(Serialize, Clone, Debug, Default, PartialEq)]
pub struct ClassEnergy {
    /// How many cycles were of this class.
    pub cycles: u64,
    /// Energy in fJ of all of them together, by part and kind.
    pub parts: Vec<ByKind>,
}

/// What a netlist used over all simulated cycles.
#[derive(Serialize, Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Names of the parts.
    pub components: Vec<String>,
    /// Energy by class of cycle.
    pub classes: Vec<ClassEnergy>,
    /// Clock period in ns.
    pub period_ns: f64,
    /// Pins of all cells.
    pub pins: u64,
    /// Pins whose net was known, so that its transitions are activity data.
    pub annotated_pins: u64,
    /// Pins whose net changed at least once.
    pub toggled_pins: u64,
    /// Transitions of all nets.
    pub transitions: u64,
}

impl ClassEnergy {
    /// Energy in fJ, all parts and kinds together.
    pub fn total(&self) -> f64 {
        self.parts.iter().flatten().sum()
    }

    /// Energy in fJ of one kind, all parts together.
    pub fn kind(&self, kind: Kind) -> f64 {
        self.parts.iter().map(|part| part[kind as usize]).sum()
    }
}

impl Measurement {
    /// All simulated cycles.
    pub fn cycles(&self) -> u64 {
        self.classes.iter().map(|class| class.cycles).sum()
    }

    /// Energy in fJ of everything.
    pub fn total(&self) -> f64 {
        self.classes.iter().map(ClassEnergy::total).sum()
    }

    /// Energy in fJ of one kind over all cycles.
    pub fn kind(&self, kind: Kind) -> f64 {
        self.classes.iter().map(|class| class.kind(kind)).sum()
    }

    /// Energy in fJ of one part, by kind, over all cycles.
    pub fn part(&self, component: &str) -> Option<ByKind> {
        let place = self.components.iter().position(|name| name == component)?;
        let mut sums = ByKind::default();
        for class in &self.classes {
            sums.iter_mut().zip(class.parts[place]).for_each(|(sum, value)| *sum += value);
        }
        Some(sums)
    }

    /// Share of the netlist's pins that saw activity data, in percent.
    pub fn annotated_percent(&self) -> f64 {
        percent(self.annotated_pins, self.pins)
    }

    /// Share of the netlist's pins that changed at least once, in percent.
    pub fn toggled_percent(&self) -> f64 {
        percent(self.toggled_pins, self.pins)
    }

    /// Refuses a measurement in which too few pins saw activity data.
    ///
    /// # Errors
    /// The share is under `least` percent.
    pub fn require_annotation(&self, least: f64) -> Result<(), GatesError> {
        let percent = self.annotated_percent();
        if percent < least { Err(GatesError::Annotation { percent, least }) } else { Ok(()) }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_by_part_kind_and_class() {
        let class = |cycles, parts: &[ByKind]| ClassEnergy { cycles, parts: parts.to_vec() };
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 0.0, 0.0, 0.0, 0.5]);
        let measured = Measurement {
            components: vec!["adder".into(), "top".into()],
            classes: vec![class(3, &[a, b]), class(1, &[b, b])],
            period_ns: 1.0,
            pins: 200,
            annotated_pins: 189,
            toggled_pins: 50,
            transitions: 7,
        };
        assert_eq!((measured.cycles(), measured.total()), (4, 15.0 + 3.0 * 10.5));
        assert_eq!(measured.classes[0].kind(Kind::ClockPin), 3.0);
        assert_eq!(measured.kind(Kind::Leakage), 6.5);
        assert_eq!(measured.part("adder"), Some([11.0, 2.0, 3.0, 4.0, 5.5]));
        assert_eq!(measured.part("memory"), None);
        assert_eq!(measured.toggled_percent(), 25.0);
        assert!(matches!(measured.require_annotation(95.0), Err(GatesError::Annotation { .. })));
        assert!(measured.require_annotation(94.5).is_ok());
    }

    #[test]
    fn every_kind_stands_at_its_own_place() {
        assert!(Kind::ALL.iter().enumerate().all(|(place, kind)| *kind as usize == place));
    }
}
