//! All calibration samples through the network together, a layer at a time.

use crate::infer::EngineError;
use crate::net::{Network, Samples, Stepper};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// All samples, stopped before the same mapped layer: sequential calibration
/// decides on a layer when it has seen the layer's inputs for every sample.
pub(super) struct Lockstep<'a> {
    steppers: Vec<Stepper>,
    cancel: &'a AtomicBool,
}

impl<'a> Lockstep<'a> {
    /// All samples before the first mapped layer.
    pub(super) fn new(network: &Network, samples: &Samples, cancel: &'a AtomicBool) -> Result<Self, EngineError> {
        let start = |index: usize| {
            check(cancel)?;
            Ok(network.start(samples.get(index))?)
        };
        let steppers = (0..samples.len()).into_par_iter().map(start).collect::<Result<_, EngineError>>()?;
        Ok(Self { steppers, cancel })
    }

    /// The pending layer's input tensor for each sample.
    pub(super) fn inputs(&self) -> Vec<&[f32]> {
        self.steppers.iter().map(|stepper| stepper.pending().map_or(&[][..], |(_, input)| input)).collect()
    }

    /// Takes the pending layer's output for each sample and moves behind it.
    pub(super) fn advance(&mut self, outputs: &[Vec<f32>]) -> Result<(), EngineError> {
        self.steppers.par_iter_mut().zip(outputs).try_for_each(|(stepper, output)| {
            check(self.cancel)?;
            Ok(stepper.resume(output)?)
        })
    }

    /// The network's output for each sample, once all layers are behind.
    pub(super) fn outputs(&self) -> Vec<Vec<f32>> {
        self.steppers.iter().map(|stepper| stepper.output().unwrap_or_default().to_vec()).collect()
    }
}

fn check(cancel: &AtomicBool) -> Result<(), EngineError> {
    if cancel.load(Ordering::Relaxed) { Err(EngineError::Cancelled) } else { Ok(()) }
}
