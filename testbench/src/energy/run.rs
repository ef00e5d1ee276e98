//! One netlist on all layers: which cycles there are, and which class each is of.

use super::contender::{Contender, Range};
use super::encoding::Encoding;
use super::error::EnergyError;
use super::gates::Gates;
use super::mix::{self, History, Kind};
use super::stream::Stream;
use super::window::LayerWindow;
use crate::gates::{Measurement, NetActivity, Program};
use axp_golden::am::Operands;
use axp_golden::pe::CyclePe;
use axp_spec::{CodebookWrite, PeConfig, PeInputs};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Class, within a layer, of the cycles that bring the layer into the memory.
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
/// stalls, and gives what was used and what all nets did. `progress` hears of the MACs done since it was called
/// last.
///
/// A layer begins with what its memory needs: a programmable one gets every row, one
/// a cycle, those that the layer does not use as invalid, and every magnitude if it
/// has a codebook; a frozen one the number of the layer, so that the windows must be
/// all layers of the network in order. A layer without rows runs on the same netlist.
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
) -> Result<(Measurement, NetActivity), EnergyError> {
    let (name, config) = (contender.name.as_str(), &contender.config);
    let classes = (windows.len() * STRIDE, REST);
    let mut stream = Stream::begin(name, (&gates.rtl, config), program, period_ns, classes, cancel)?;
    for (number, window) in windows.iter().enumerate() {
        window.check(number, config)?;
        let (range, columns) = (window.range(contender), window.columns(config));
        let encoding = Encoding::of(config, window);
        let layer = Layer { contender, window, number, range, columns, encoding };
        layer.stream(&mut stream, progress)?;
    }
    let (measured, activity) = stream.finish()?;
    measured.require_annotation(super::LEAST_ANNOTATED_PERCENT).map_err(EnergyError::gates(name))?;
    Ok((measured, activity))
}

/// One layer of a run.
struct Layer<'a> {
    contender: &'a Contender,
    window: &'a LayerWindow,
    /// Its place in the network.
    number: usize,
    /// What the range port carries.
    range: u32,
    /// Columns of its weights, in a memory that has columns.
    columns: BTreeMap<u32, u32>,
    /// What becomes of its operands.
    encoding: Encoding,
}

impl Layer<'_> {
    fn stream(&self, stream: &mut Stream<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<(), EnergyError> {
        let (config, first) = (&self.contender.config, self.number * STRIDE);
        self.reload(stream, first + RELOAD)?;
        let mut history = History::of(Kind::Zero);
        let Some(sum) = self.window.sums.first() else { return Ok(()) };
        if config.am.is_some() {
            // A layer can be all hits: one miss gives the multiplier a known state, in
            // which it then rests. Infinities never match.
            let activation = config.format.exponent_mask() as u32;
            stream.step(&PeInputs { activation, ..self.pair(sum[0], true, false) }, first + REST)?;
        }
        for (number, pair) in sum.iter().cycle().take(LEAD).enumerate() {
            // Without a `last`: the next `first` starts anew.
            let inputs = self.pair(*pair, number == 0, false);
            history = history.then(kind(config, stream.golden(), &inputs));
            stream.step(&inputs, first + REST)?;
        }
        let mut done = 0;
        for sum in &self.window.sums {
            for (number, pair) in sum.iter().enumerate() {
                let inputs = self.pair(*pair, number == 0, number + 1 == sum.len());
                history = history.then(kind(config, stream.golden(), &inputs));
                stream.step(&inputs, first + history.class())?;
                done += 1;
                if done == PROGRESS {
                    progress(std::mem::take(&mut done));
                }
            }
        }
        progress(done);
        for _ in 0..LEAD {
            stream.step(&self.idle(), first + REST)?;
        }
        let known = match self.contender.range {
            Range::Design => self.window.saturates,
            Range::Same => true,
            Range::Window => false,
        };
        if std::mem::take(&mut stream.overflowed) && !known {
            let (contender, layer) = (self.contender.name.clone(), self.window.name.clone());
            return Err(EnergyError::Overflow { contender, layer });
        }
        Ok(())
    }

    /// Brings the layer into the memory, and waits one cycle for the last word to be taken.
    fn reload(&self, stream: &mut Stream<'_>, class: usize) -> Result<(), EnergyError> {
        let (config, memory) = (&self.contender.config, &self.window.memory);
        if config.am.is_none() {
            return Ok(());
        }
        if config.is_frozen() {
            // A frozen memory has at most MAX_LAYERS layers.
            stream.step(&PeInputs { layer: Some(self.number as u32), ..self.idle() }, class)?;
        } else {
            let columns = if config.has_codebook() { config.columns().unwrap_or(0) } else { 0 };
            for column in 0..columns {
                let word = CodebookWrite { column, magnitude: memory.magnitude(column) };
                stream.step(&PeInputs { codebook: Some(word), ..self.idle() }, class)?;
            }
            for row in memory.am.writes(config) {
                stream.step(&PeInputs { row: Some(row), ..self.idle() }, class)?;
            }
        }
        stream.step(&self.idle(), class)?;
        Ok(())
    }

    fn idle(&self) -> PeInputs {
        let zero_skip = self.contender.zero_skip;
        PeInputs { zero_skip, range: self.range, out_ready: true, ..PeInputs::default() }
    }

    fn pair(&self, pair: (u32, u32), first: bool, last: bool) -> PeInputs {
        let column = self.columns.get(&pair.0).copied().unwrap_or(0);
        let (weight, activation) = self.encoding.pair(pair);
        PeInputs { valid: true, first, last, weight, activation, column, ..self.idle() }
    }
}

/// What becomes of a pair on the bus.
fn kind(config: &PeConfig, golden: &CyclePe, inputs: &PeInputs) -> Kind {
    if config.is_zero(inputs.activation) {
        Kind::Zero
    } else if golden.am().product(Operands::from(inputs)).is_some() {
        Kind::Hit
    } else {
        Kind::Miss
    }
}
