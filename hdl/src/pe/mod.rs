//! The processing element: pipeline, sum, output.

mod align;
mod control;
mod fixed;
mod narrow;
mod output;
mod pipeline;
mod ports;
mod search;
mod seldom;
mod sum;

use crate::circuit::Circuit;
use crate::prim::{ClockBranch, ClockGate, RegisterBank};
use axp_spec::{PeConfig, PeConfigError};
use rust_hdl::prelude::*;

pub use output::output_buffer;

/// Describes the PE of a configuration, connected and ready to be simulated or
/// probed. Its module is named like the configuration.
///
/// # Errors
/// If the configuration is not valid.
pub fn describe(config: &PeConfig) -> Result<Circuit, PeConfigError> {
    config.validate()?;
    let mut pe = match config.operands {
        Some(operands) => narrow::describe(config, operands),
        None => pipeline::describe(config),
    };
    pe.connect_all();
    Ok(pe)
}

/// Every distinct module of a configuration as a block of its own, connected,
/// leaves first, the PE last: what a proof takes one by one.
///
/// # Errors
/// If the configuration is not valid.
pub fn modules(config: &PeConfig) -> Result<Vec<Box<dyn Block>>, PeConfigError> {
    let pe = describe(config)?;
    let mut modules: Vec<Box<dyn Block>> = vec![Box::new(ClockGate::new()), Box::new(ClockBranch::new())];
    modules.extend(pe.banks().into_iter().map(|shape| Box::new(RegisterBank::new(shape)) as Box<dyn Block>));
    modules.extend(pe.submodules().into_iter().map(|module| Box::new(module) as Box<dyn Block>));
    modules.push(Box::new(pe));
    modules.iter_mut().for_each(|module| module.connect_all());
    Ok(modules)
}
