//! One netlist on all layers: which cycles there are, and which class each is of.

use super::contender::Contender;
use super::error::EnergyError;
use super::gates::Gates;
use super::mix::{self, History, Kind};
use super::stream::Stream;
use super::window::LayerWindow;
use crate::gates::{Measurement, Program};
use axp_golden::am::Am;
use axp_spec::{PeInputs, RowWrite};
use std::sync::atomic::AtomicBool;

/// Class, within a layer, of the cycles that write rows.
pub const RELOAD: usize = mix::CLASSES;

/// Class, within a layer, of what is not counted: reset, lead-in, the pipe's last pairs.
pub const REST: usize = RELOAD + 1;

/// Classes of cycles a layer.
pub const STRIDE: usize = REST + 1;

/// Pairs in front of those that are counted, so that the pipe is full of the
/// layer's own pairs when counting begins, and cycles to empty it at the end.
const LEAD: usize = 8;

/// MACs between two calls of `progress`.
const PROGRESS: u64 = 256;

/// Streams the windows of all layers through a netlist, one pair a cycle without
/// stalls. `progress` hears of the MACs done since it was called last.
///
/// In a processing element with a memory each layer begins by writing every row
/// of it, one a cycle, those that the layer does not use as invalid.
///
/// # Errors
/// An output differs from the golden model, too little of the netlist saw
/// activity, a sum overflows, or the user cancels.
pub fn run(
    contender: &Contender,
    gates: &Gates,
    program: &Program,
    period_ns: f64,
    windows: &[LayerWindow],
    progress: &(dyn Fn(u64) + Sync),
    cancel: &AtomicBool,
) -> Result<Measurement, EnergyError> {
    let (name, config) = (contender.name.as_str(), &contender.config);
    let classes = (windows.len() * STRIDE, REST);
    let mut stream = Stream::begin(name, (&gates.rtl, config), program, period_ns, classes, cancel)?;
    for (number, window) in windows.iter().enumerate() {
        window.check(config)?;
        let mut layer = Layer { contender, window, first: number * STRIDE, range: window.range(config) };
        layer.stream(&mut stream, progress)?;
    }
    let measured = stream.finish()?;
    measured.require_annotation(super::LEAST_ANNOTATED_PERCENT).map_err(EnergyError::gates(name))?;
    Ok(measured)
}

/// One layer of a run.
struct Layer<'a> {
    contender: &'a Contender,
    window: &'a LayerWindow,
    /// The layer's first class.
    first: usize,
    /// What the range port carries.
    range: u32,
}

impl Layer<'_> {
    fn stream(&mut self, stream: &mut Stream<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<(), EnergyError> {
        self.reload(stream)?;
        let mut history = History::of(Kind::Zero);
        let Some(sum) = self.window.sums.first() else { return Ok(()) };
        for (number, pair) in sum.iter().cycle().take(LEAD).enumerate() {
            history = history.then(kind(stream.golden().am(), *pair));
            // Without a `last`: the next `first` starts anew.
            stream.step(&self.pair(*pair, number == 0, false), self.first + REST)?;
        }
        let mut done = 0;
        for sum in &self.window.sums {
            for (number, pair) in sum.iter().enumerate() {
                history = history.then(kind(stream.golden().am(), *pair));
                let inputs = self.pair(*pair, number == 0, number + 1 == sum.len());
                stream.step(&inputs, self.first + history.class())?;
                done += 1;
                if done == PROGRESS {
                    progress(std::mem::take(&mut done));
                }
            }
        }
        progress(done);
        for _ in 0..LEAD {
            stream.step(&self.idle(), self.first + REST)?;
        }
        if stream.overflowed {
            let (contender, layer) = (self.contender.name.clone(), self.window.name.clone());
            return Err(EnergyError::Overflow { contender, layer });
        }
        Ok(())
    }

    /// Writes all rows, and waits one cycle for the last to be taken.
    fn reload(&self, stream: &mut Stream<'_>) -> Result<(), EnergyError> {
        let rows = self.contender.config.rows();
        for address in 0..rows {
            let row = self.window.am.rows.get(address);
            let write = RowWrite {
                // A memory has at most MAX_ROWS rows.
                address: address as u32,
                key: row.map_or(0, |row| row.key),
                care: row.map_or(0, |row| row.care),
                product: row.map_or(0, |row| row.product.0),
                valid: row.is_some(),
            };
            stream.step(&PeInputs { row: Some(write), ..self.idle() }, self.first + RELOAD)?;
        }
        if rows > 0 {
            stream.step(&self.idle(), self.first + RELOAD)?;
        }
        Ok(())
    }

    fn idle(&self) -> PeInputs {
        let zero_skip = self.contender.zero_skip;
        PeInputs { zero_skip, range: self.range, out_ready: true, ..PeInputs::default() }
    }

    fn pair(&self, (weight, activation): (u32, u32), first: bool, last: bool) -> PeInputs {
        PeInputs { valid: true, first, last, weight, activation, ..self.idle() }
    }
}

/// What becomes of a pair.
fn kind(am: &Am, (weight, activation): (u32, u32)) -> Kind {
    if f32::from_bits(activation) == 0.0 {
        Kind::Zero
    } else if am.search(weight, activation).is_some() {
        Kind::Hit
    } else {
        Kind::Miss
    }
}
