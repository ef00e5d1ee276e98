//! A second opinion on a simulated netlist: OpenSTA's `report_power` with the same activity.
//!
//! Only an OpenSTA that reads SAIF gives one; Debian's does not. What it says changes no figure.

use super::error::EnergyError;
use crate::gates::activity::{self, NetActivity};
use crate::gates::circuit::Circuit;
use crate::gates::{CLOCK_SLEW_NS, Kind, Measurement};
use crate::synth::liberty::CellLibrary;
use crate::synth::power::{self, CycleEnergy, Simulated};
use crate::synth::sta::Surroundings;
use crate::tools::Tool;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// fJ a pJ.
const FJ: f64 = 1000.0;

/// What OpenSTA says of all simulated cycles, reset and lead-in among them, and what axp says of the same.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct SecondOpinion {
    /// OpenSTA and its version.
    pub tool: String,
    /// Its figures; absent where it failed.
    pub report_power: Option<CycleEnergy>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Our own.
    pub axp: CycleEnergy,
}

impl SecondOpinion {
    /// Asks OpenSTA about the netlist of `name`. If it fails there is its message.
    ///
    /// # Errors
    /// The user cancels.
    pub fn ask(
        name: &str,
        (circuit, around): (&Circuit, Surroundings<'_>),
        activity: &NetActivity,
        measured: &Measurement,
        library: &CellLibrary,
        cancel: &AtomicBool,
    ) -> Result<Self, EnergyError> {
        let cycles = (measured.cycles() as f64).max(1.0);
        let (switching, leakage) = (activity.switching(circuit), measured.kind(Kind::Leakage));
        let a_cycle = |energy: f64| energy / FJ / cycles;
        let axp = CycleEnergy {
            internal: a_cycle(measured.total() - switching - leakage),
            switching: a_cycle(switching),
            leakage: a_cycle(leakage),
        };
        let simulated = Simulated {
            verilog: &activity::verilog(circuit),
            top: activity::TOP,
            saif: &activity.saif(circuit),
            period_ns: measured.period_ns,
            clock_slew_ns: CLOCK_SLEW_NS,
        };
        let clock = circuit.clock.map(activity::net_name);
        let around = Surroundings { clock: clock.as_deref(), control: &[], wire_load: around.wire_load };
        let (report_power, failure) = match power::report(&simulated, library, around, cancel) {
            Ok(energy) => (Some(energy), None),
            Err(source) => {
                let error = EnergyError::Synth { contender: name.to_owned(), source };
                if error.is_cancelled() {
                    return Err(error);
                }
                (None, Some(error.to_string()))
            }
        };
        let tool = Tool::Sta.version().map_or_else(|_| "OpenSTA".to_owned(), |version| format!("OpenSTA {version}"));
        Ok(Self { tool, report_power, failure, axp })
    }
}
