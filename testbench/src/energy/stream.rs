//! A processing element on gates, fed cycle by cycle with the golden model beside it.

use super::error::EnergyError;
use crate::dut::Dut;
use crate::gates::{Engine, Measurement, NetActivity, Program};
use crate::pe_ports::PeVectors;
use crate::vectors::{Field, Layout};
use axp_golden::pe::CyclePe;
use axp_hdl::Rtl;
use axp_spec::{PeConfig, PeInputs, PeOutputs};
use std::sync::atomic::{AtomicBool, Ordering};

/// Cycles that are collected before the gates follow.
const BATCH: usize = 256;

/// The stream of one measurement. Every output of every cycle is compared.
pub struct Stream<'a> {
    name: &'a str,
    golden: CyclePe,
    vectors: PeVectors,
    engine: Engine<'a>,
    records: Vec<u8>,
    classes: Vec<usize>,
    cancel: &'a AtomicBool,
    /// The fixed-point accumulator of the golden model has overflowed.
    pub overflowed: bool,
}

impl<'a> Stream<'a> {
    /// A netlist after reset, with this many classes of cycles; the reset is in
    /// class `reset`.
    ///
    /// # Errors
    /// The netlist's ports are not those of a processing element, or it is timed
    /// for another period.
    pub fn begin(
        name: &'a str,
        (rtl, config): (&Rtl, &PeConfig),
        program: &'a Program,
        period_ns: f64,
        (classes, reset): (usize, usize),
        cancel: &'a AtomicBool,
    ) -> Result<Self, EnergyError> {
        let mut vectors = PeVectors::of(&Dut::of(rtl))?;
        let layout: &Layout = vectors.layout();
        let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        let (inputs, outputs) = (names(&layout.inputs), names(&layout.outputs));
        let [inputs, outputs] = [&inputs, &outputs].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        let engine = Engine::new(program, &inputs, &outputs, classes, period_ns).map_err(EnergyError::gates(name))?;
        let mut records = Vec::new();
        vectors.push_reset(&mut records, &PeInputs::default());
        let golden = CyclePe::new(config);
        // A reset is two records.
        Ok(Self { name, golden, vectors, engine, records, classes: vec![reset; 2], cancel, overflowed: false })
    }

    /// One cycle.
    ///
    /// # Errors
    /// What the gates answer to the cycles up to here; the golden model does not
    /// accept a pair; the user cancels.
    pub fn step(&mut self, inputs: &PeInputs, class: usize) -> Result<PeOutputs, EnergyError> {
        let outputs = self.golden.step(inputs);
        if inputs.valid && !outputs.ready {
            return Err(EnergyError::Stalled { contender: self.name.to_owned() });
        }
        self.overflowed |= outputs.valid && outputs.overflow;
        self.vectors.push(&mut self.records, inputs, &outputs);
        self.classes.push(class);
        if self.classes.len() >= BATCH {
            self.flush()?;
        }
        Ok(outputs)
    }

    /// The golden model, as the next cycle finds it.
    pub const fn golden(&self) -> &CyclePe {
        &self.golden
    }

    /// What was used, and what all nets did.
    ///
    /// # Errors
    /// As [`Stream::step`].
    pub fn finish(mut self) -> Result<(Measurement, NetActivity), EnergyError> {
        self.flush()?;
        let activity = self.engine.activity();
        Ok((self.engine.finish(), activity))
    }

    fn flush(&mut self) -> Result<(), EnergyError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(EnergyError::Cancelled);
        }
        let classes = &self.classes;
        self.engine
            .records(self.vectors.layout(), &self.records, |record| classes[record])
            .map_err(EnergyError::gates(self.name))?;
        self.records.clear();
        self.classes.clear();
        Ok(())
    }
}
