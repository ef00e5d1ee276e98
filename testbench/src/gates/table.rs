//! Look-up tables of a Liberty library: delay, slew, energy and setup over slews and load.

use super::error::GatesError;
use liberty_db::table::Variable;
use liberty_db::table::{TableTemple, TimeVariable};
use liberty_db::units::CapacitiveLoadUnit;
use liberty_db::{DefaultCtx, Library};

/// What a table is read at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Slew of the related (switching, or clock) pin in ns.
    pub slew: f64,
    /// Load of the output in fF.
    pub load: f64,
    /// Slew of the pin that is constrained, in ns: setup tables only.
    pub constrained: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Quantity {
    Slew,
    Load,
    Constrained,
}

#[derive(Clone, Debug, PartialEq)]
struct Axis {
    quantity: Quantity,
    at: Vec<f64>,
}

/// A table of one value, or over one or two quantities.
#[derive(Clone, Debug, PartialEq)]
pub struct Lut {
    axes: Vec<Axis>,
    values: Vec<f64>,
}

/// Factors from a library's units to those used here, and its tables' templates.
#[derive(Clone, Debug)]
pub struct Units<'a> {
    /// A time in ns.
    pub ns: f64,
    /// A capacitance in fF.
    pub ff: f64,
    /// An energy of a power table in fJ: capacitance times voltage squared
    /// (Liberty user guide, units of internal power).
    pub fj: f64,
    /// A leakage power in nW.
    pub nw: f64,
    /// Supply in V.
    pub volts: f64,
    library: &'a Library<DefaultCtx>,
}

impl<'a> Units<'a> {
    /// The units of a library.
    ///
    /// # Errors
    /// It does not state its supply.
    pub fn of(library: &'a Library<DefaultCtx>) -> Result<Self, GatesError> {
        let ff = match &library.capacitive_load_unit {
            Some(CapacitiveLoadUnit::FF(femto)) => *femto,
            Some(CapacitiveLoadUnit::PF(pico)) => pico * 1e3,
            None => 1e3,
        };
        let volt = library.voltage_unit.value();
        let refuse = |what: &str| GatesError::Library { library: library.name.join(" "), what: what.into() };
        let volts = library.nom_voltage.ok_or_else(|| refuse("it does not state nom_voltage"))?;
        // Most libraries leave the unit out only where they state no leakage.
        let watt = library.leakage_power_unit.as_ref().map_or(1e-9, |unit| unit.value());
        Ok(Self {
            ns: library.time_unit.value() * 1e9,
            ff,
            fj: ff * volt * volt,
            nw: watt * 1e9,
            volts: volts * volt,
            library,
        })
    }

    /// A timing or setup table, its values being times.
    pub fn timing(&self, name: &str, indices: [&[f64]; 2], values: &[f64]) -> Result<Lut, GatesError> {
        self.lut(self.library.lu_table_template.get(name), name, indices, values, self.ns)
    }

    /// A power table, its values being energies.
    pub fn power(&self, name: &str, indices: [&[f64]; 2], values: &[f64]) -> Result<Lut, GatesError> {
        self.lut(self.library.power_lut_template.get(name), name, indices, values, self.fj)
    }

    fn lut(
        &self,
        template: Option<&TableTemple<DefaultCtx>>,
        name: &str,
        indices: [&[f64]; 2],
        values: &[f64],
        unit: f64,
    ) -> Result<Lut, GatesError> {
        let refuse = |what: &str| GatesError::Library {
            library: self.library.name.join(" "),
            what: format!("table of template {name}: {what}"),
        };
        let values: Vec<f64> = values.iter().map(|value| value * unit).collect();
        let mut axes = Vec::new();
        // The template `scalar` is built in; it has one value and no axis.
        if let Some(template) = template {
            let variables = [&template.variable_1, &template.variable_2];
            let defaults = [&template.index_1, &template.index_2];
            for ((variable, own), default) in variables.into_iter().zip(indices).zip(defaults) {
                let Some(variable) = variable else { break };
                let (quantity, unit) = match variable {
                    Variable::Time(TimeVariable::ConstrainedPinTransition) => (Quantity::Constrained, self.ns),
                    Variable::Time(_) => (Quantity::Slew, self.ns),
                    Variable::Capacitance(_) => (Quantity::Load, self.ff),
                    _ => return Err(refuse("it is not over slews and load")),
                };
                let at = if own.is_empty() { default.as_deref().unwrap_or_default() } else { own };
                axes.push(Axis { quantity, at: at.iter().map(|at| at * unit).collect() });
            }
        }
        let rising = |axis: &Axis| !axis.at.is_empty() && axis.at.windows(2).all(|pair| pair[0] < pair[1]);
        if !axes.iter().all(rising) || axes.iter().map(|axis| axis.at.len()).product::<usize>() != values.len() {
            return Err(refuse("its indices do not fit its values"));
        }
        Ok(Lut { axes, values })
    }
}

impl Lut {
    /// A table of one value.
    pub fn constant(value: f64) -> Self {
        Self { axes: Vec::new(), values: vec![value] }
    }

    /// The value at a point: linear between the table's entries, and beyond the
    /// last ones along the last step, as OpenSTA does.
    pub fn at(&self, point: Point) -> f64 {
        let place = |axis: &Axis| {
            let wanted = match axis.quantity {
                Quantity::Slew => point.slew,
                Quantity::Load => point.load,
                Quantity::Constrained => point.constrained,
            };
            step(&axis.at, wanted)
        };
        match self.axes.as_slice() {
            [] => self.values.first().copied().unwrap_or(0.0),
            [axis] => {
                let (low, part) = place(axis);
                self.between(low, low + 1, part)
            }
            [rows, columns, ..] => {
                let ((row, down), (column, right)) = (place(rows), place(columns));
                let width = columns.at.len();
                let line = |row: usize| {
                    let first = row.min(rows.at.len() - 1) * width + column;
                    self.between(first, if width > 1 { first + 1 } else { first }, right)
                };
                line(row) + (line(row + 1) - line(row)) * down
            }
        }
    }

    fn between(&self, low: usize, high: usize, part: f64) -> f64 {
        let value = |index: usize| self.values[index.min(self.values.len() - 1)];
        value(low) + (value(high) - value(low)) * part
    }
}

/// The step of an axis that a value is in, and how far; below 0 or above 1
/// outside the axis.
fn step(axis: &[f64], value: f64) -> (usize, f64) {
    if axis.len() < 2 {
        return (0, 0.0);
    }
    let low = axis[1..axis.len() - 1].iter().take_while(|at| **at <= value).count();
    (low, (value - axis[low]) / (axis[low + 1] - axis[low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(quantity: Quantity, at: &[f64]) -> Axis {
        Axis { quantity, at: at.to_vec() }
    }

    #[test]
    fn a_plane_is_read_exactly_inside_and_outside() {
        // 2 + 3 slew + 0.5 load
        let (slews, loads) = ([0.1, 0.2, 0.4], [1.0, 5.0]);
        let values = slews.iter().flat_map(|s| loads.map(|l| 2.0 + 3.0 * s + 0.5 * l)).collect();
        let lut = Lut { axes: vec![axis(Quantity::Slew, &slews), axis(Quantity::Load, &loads)], values };
        for (slew, load) in [(0.1, 1.0), (0.15, 2.0), (0.4, 5.0), (0.0, 0.0), (1.0, 20.0), (0.3, 5.0)] {
            let value = lut.at(Point { slew, load, constrained: 9.0 });
            assert!((value - (2.0 + 3.0 * slew + 0.5 * load)).abs() < 1e-12, "{slew} {load}: {value}");
        }
    }

    #[test]
    fn axes_may_stand_in_either_order_and_be_one_or_none() {
        let values = vec![1.0, 2.0, 3.0, 4.0];
        let lut = Lut { axes: vec![axis(Quantity::Load, &[0.0, 1.0]), axis(Quantity::Slew, &[0.0, 1.0])], values };
        assert_eq!(lut.at(Point { slew: 0.0, load: 1.0, constrained: 0.0 }), 3.0);
        let line = Lut { axes: vec![axis(Quantity::Constrained, &[0.0, 2.0])], values: vec![1.0, 5.0] };
        assert_eq!(line.at(Point { slew: 7.0, load: 7.0, constrained: 0.5 }), 2.0);
        assert_eq!(Lut::constant(4.5).at(Point::default()), 4.5);
        let single = Lut { axes: vec![axis(Quantity::Slew, &[0.3])], values: vec![8.0] };
        assert_eq!(single.at(Point::default()), 8.0);
    }
}
