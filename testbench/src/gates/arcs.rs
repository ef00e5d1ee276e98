//! What a library says of a cell's timing, energy and leakage, by pins, edges and state.

use super::error::GatesError;
use super::logic::{Logic, Truth, bit};
use super::table::{Lut, Point, Units};
use liberty_db::DefaultCtx;
use liberty_db::cell::Cell;
use liberty_db::expression::LogicBooleanExpression;
use liberty_db::internal_power::InternalPower;
use liberty_db::pin::Pin;
use liberty_db::timing::{TimingSenseType, TimingType};

/// A value for a rising and one for a falling output or pin.
pub type ByEdge<T> = [T; 2];

/// Place of an edge in [`ByEdge`].
pub const fn edge(rises: bool) -> usize {
    if rises { 0 } else { 1 }
}

/// How long an output takes after one input.
#[derive(Clone, Debug)]
pub struct Delay {
    /// The input that causes the change.
    pub input: usize,
    /// The output that changes.
    pub output: usize,
    /// `allowed[edge of the input][edge of the output]`.
    pub allowed: ByEdge<ByEdge<bool>>,
    /// The states it is for; `None` where the library states no condition.
    pub when: Option<Truth>,
    /// Delay in ns and slew of the output in ns, by the edge of the output.
    pub luts: ByEdge<Option<(Lut, Lut)>>,
}

/// Energy of a transition beyond what charges the output's load.
#[derive(Clone, Debug)]
pub struct Energy {
    /// The states it is for; `None` where the library states no condition.
    pub when: Option<Truth>,
    /// The inputs that cause it, bit k being input k.
    pub inputs: u32,
    /// Energy in fJ, by the edge of the pin that it is stated at.
    pub luts: ByEdge<Option<Lut>>,
}

/// A cell of a library, as far as simulation and energy need it.
#[derive(Clone, Debug)]
pub struct CellData {
    /// Name of the cell.
    pub name: String,
    /// What it computes.
    pub logic: Logic,
    /// Capacitance of each input in fF.
    pub capacitance: Vec<f64>,
    /// Timing arcs to the outputs.
    pub delays: Vec<Delay>,
    /// Energy of transitions of each output.
    pub output_energy: Vec<Vec<Energy>>,
    /// Energy of transitions of each input.
    pub input_energy: Vec<Vec<Energy>>,
    /// Setup time of each input in ns, by its edge.
    pub setup: Vec<ByEdge<Option<Lut>>>,
    /// Leakage in nW for every state.
    pub leakage: Vec<f64>,
}

impl CellData {
    /// The data of a cell.
    ///
    /// # Errors
    /// A function that is not simulated, or a table that cannot be read.
    pub fn of(cell: &Cell<DefaultCtx>, units: &Units<'_>) -> Result<Self, GatesError> {
        let logic = Logic::of(cell)?;
        let pin_of = |name: &str| cell.pin.iter().find(|pin| pin.name == name);
        let pins = |names: &mut dyn Iterator<Item = &String>| -> Vec<&Pin<DefaultCtx>> {
            names.filter_map(|name| pin_of(name)).collect()
        };
        let inputs = pins(&mut logic.inputs.iter());
        let outputs = pins(&mut logic.outputs.iter().map(|(name, _)| name));
        let capacitance = inputs.iter().map(|pin| capacitance(pin) * units.ff).collect();
        let mut delays = Vec::new();
        for (output, pin) in outputs.iter().enumerate() {
            collect_delays(pin, output, &logic, units, &mut delays)?;
        }
        let energies = |pins: &[&Pin<DefaultCtx>]| -> Result<Vec<Vec<Energy>>, GatesError> {
            pins.iter().map(|pin| pin.internal_power.iter().map(|p| energy_of(p, &logic, units)).collect()).collect()
        };
        Ok(Self {
            name: cell.name.clone(),
            capacitance,
            delays,
            output_energy: energies(&outputs)?,
            input_energy: energies(&inputs)?,
            setup: inputs.iter().map(|pin| setup(pin, units)).collect::<Result<_, _>>()?,
            leakage: leakage(cell, &logic, units),
            logic,
        })
    }

    /// The slowest delay and the slew in ns of an output after an input, among
    /// the arcs whose condition holds, or else among those without, or else
    /// among all that fit the edges, as where the state is not known. `None` if
    /// there is no arc.
    pub fn delay(&self, cause: Cause, output: usize, rises: bool, point: Point) -> Option<(f64, f64)> {
        let fits = |delay: &&Delay| {
            delay.input == cause.input && delay.output == output && delay.allowed[edge(cause.rises)][edge(rises)]
        };
        let slowest = |chosen: &dyn Fn(&Delay) -> bool| {
            let read = |delay: &Delay| {
                let (time, slew) = delay.luts[edge(rises)].as_ref()?;
                Some((time.at(point), slew.at(point)))
            };
            let fitting = self.delays.iter().filter(fits).filter(|delay| chosen(delay)).filter_map(read);
            fitting.max_by(|a, b| a.0.total_cmp(&b.0))
        };
        let Some(state) = cause.state else { return slowest(&|_| true) };
        slowest(&|delay| delay.when.is_some_and(|when| bit(when, state)))
            .or_else(|| slowest(&|delay| delay.when.is_none()))
            .or_else(|| slowest(&|_| true))
    }

    /// The energy in fJ, beyond its load's, of a transition of an output.
    pub fn output_energy(&self, cause: Cause, output: usize, rises: bool, point: Point) -> f64 {
        let caused = |energy: &&Energy| energy.inputs >> cause.input & 1 == 1;
        choose(self.output_energy[output].iter().filter(caused), cause, rises, point)
    }

    /// The energy in fJ of a transition of an input by itself.
    pub fn input_energy(&self, cause: Cause, point: Point) -> f64 {
        choose(self.input_energy[cause.input].iter(), cause, cause.rises, point)
    }
}

/// What caused a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The input that changed.
    pub input: usize,
    /// Its edge.
    pub rises: bool,
    /// The cell's state behind the change, where it is known.
    pub state: Option<u32>,
}

/// The first entry whose condition holds, or else the one without a condition,
/// or else the mean of all.
fn choose<'a>(energies: impl Iterator<Item = &'a Energy> + Clone, cause: Cause, rises: bool, point: Point) -> f64 {
    let read = |energy: &Energy| energy.luts[edge(rises)].as_ref().map(|lut| lut.at(point));
    let holds = |energy: &&Energy| energy.when.is_some_and(|when| cause.state.is_some_and(|state| bit(when, state)));
    if let Some(value) = energies.clone().filter(holds).find_map(read) {
        return value;
    }
    if let Some(value) = energies.clone().filter(|energy| energy.when.is_none()).find_map(read) {
        return value;
    }
    let (sum, count) = energies.filter_map(read).fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// The pin's capacitance in the library's unit: the mean of both edges where it
/// is given, since each transition is charged half of C·V².
fn capacitance(pin: &Pin<DefaultCtx>) -> f64 {
    match (pin.rise_capacitance, pin.fall_capacitance) {
        (Some(rise), Some(fall)) => (rise + fall) / 2.0,
        _ => pin.capacitance.unwrap_or(0.0),
    }
}

fn condition(when: Option<&LogicBooleanExpression>, logic: &Logic) -> Option<Truth> {
    // A condition of anything but pins holds nowhere.
    when.map(|when| logic.holds(&when.expr).unwrap_or(0))
}

fn collect_delays(
    pin: &Pin<DefaultCtx>,
    output: usize,
    logic: &Logic,
    units: &Units<'_>,
    delays: &mut Vec<Delay>,
) -> Result<(), GatesError> {
    const ANY: ByEdge<ByEdge<bool>> = [[true; 2]; 2];
    for timing in &pin.timing {
        let allowed = match timing.timing_type {
            None | Some(TimingType::COMBINATIONAL) => match timing.timing_sense {
                Some(TimingSenseType::PositiveUnate) => [[true, false], [false, true]],
                Some(TimingSenseType::NegativeUnate) => [[false, true], [true, false]],
                _ => ANY,
            },
            Some(TimingType::COMBINATIONAL_RISE | TimingType::PRESET) => [[true, false]; 2],
            Some(TimingType::COMBINATIONAL_FALL | TimingType::CLEAR) => [[false, true]; 2],
            Some(TimingType::RISING_EDGE) => [[true; 2], [false; 2]],
            Some(TimingType::FALLING_EDGE) => [[false; 2], [true; 2]],
            _ => continue,
        };
        let both = |time: &Option<_>, slew: &Option<_>| match (time, slew) {
            (Some(time), Some(slew)) => Ok(Some((timing_lut(time, units)?, timing_lut(slew, units)?))),
            _ => Ok::<_, GatesError>(None),
        };
        let luts =
            [both(&timing.cell_rise, &timing.rise_transition)?, both(&timing.cell_fall, &timing.fall_transition)?];
        let when = condition(timing.when.as_ref(), logic);
        for related in &timing.related_pin.inner {
            if let Some(input) = logic.inputs.iter().position(|input| input == related) {
                delays.push(Delay { input, output, allowed, when, luts: luts.clone() });
            }
        }
    }
    Ok(())
}

fn timing_lut(table: &liberty_db::timing::TimingTableLookUp<DefaultCtx>, units: &Units<'_>) -> Result<Lut, GatesError> {
    units.timing(&table.name, [&table.index_1, &table.index_2], &table.values)
}

fn energy_of(power: &InternalPower<DefaultCtx>, logic: &Logic, units: &Units<'_>) -> Result<Energy, GatesError> {
    let lut = |own: &Option<liberty_db::table::TableLookUp<DefaultCtx>>| {
        let table = own.as_ref().or(power.power.as_ref());
        table.map(|t| units.power(&t.name, [&t.index_1, &t.index_2], &t.values.inner)).transpose()
    };
    // Without a related pin it is any input's.
    let mut inputs = if power.related_pin.inner.is_empty() { u32::MAX } else { 0 };
    for related in &power.related_pin.inner {
        if let Some(input) = logic.inputs.iter().position(|input| input == related) {
            inputs |= 1 << input;
        }
    }
    let luts = [lut(&power.rise_power)?, lut(&power.fall_power)?];
    Ok(Energy { when: condition(power.when.as_ref(), logic), inputs, luts })
}

fn setup(pin: &Pin<DefaultCtx>, units: &Units<'_>) -> Result<ByEdge<Option<Lut>>, GatesError> {
    let mut found = [None, None];
    for timing in &pin.timing {
        if matches!(timing.timing_type, Some(TimingType::SETUP_RISING | TimingType::SETUP_FALLING)) {
            let lut = |table: &Option<_>| table.as_ref().map(|table| timing_lut(table, units)).transpose();
            found = [lut(&timing.rise_constraint)?, lut(&timing.fall_constraint)?];
        }
    }
    Ok(found)
}

/// Leakage by state: where a condition holds, its value; elsewhere the value
/// without a condition, or the cell's average.
fn leakage(cell: &Cell<DefaultCtx>, logic: &Logic, units: &Units<'_>) -> Vec<f64> {
    let plain = cell.leakage_power.iter().find(|power| power.when.is_none()).map(|power| power.value);
    let average = cell.cell_leakage_power.or(plain).unwrap_or(0.0);
    let conditions: Vec<(Truth, f64)> = cell
        .leakage_power
        .iter()
        .filter_map(|power| Some((condition(power.when.as_ref(), logic)?, power.value)))
        .collect();
    (0..1_u32 << logic.index_bits())
        .map(|state| {
            let stated = conditions.iter().find(|(when, _)| bit(*when, state)).map(|(_, value)| *value);
            stated.or(plain).unwrap_or(average) * units.nw
        })
        .collect()
}
