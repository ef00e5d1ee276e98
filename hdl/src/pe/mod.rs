//! The processing element: ports, pipeline, and the menu of its monomorphs.
//!
//! rust-hdl fixes widths at compile time, so [`build`] picks one of ten row
//! address widths from the run-time configuration; the number of rows itself is
//! a run-time value. `generate` and `sim` use the same description.

mod output;
mod pair;

use crate::HdlError;
use crate::am::{AmRow, PairAm};
use crate::fpu::Binary32;
use crate::prim::{ClockGate, GatedOperands, GatedRegister, PrioritySelect, Register, RowStorage};
use axp_spec::{MultiplierStyle, PeConfig, PeConfigError, PeInputs, PeOutputs};
use rust_hdl::prelude::*;

pub use output::OutputBuffer;
pub use pair::PairPe;

/// A whole PE, whatever its widths.
pub trait PeBlock: Block {
    /// Drives clock and reset (`rst_ni`, active low) pins.
    fn drive_clock(&mut self, clock: bool, reset_n: bool);

    /// Drives all other inputs; the clock gates' test enable stays low.
    fn drive(&mut self, inputs: &PeInputs);

    /// What the output pins show.
    fn outputs(&self) -> PeOutputs;

    /// The PE as a plain block, for probes.
    fn as_block(&self) -> &dyn Block;
}

/// Builds the PE of a configuration, connected and ready to be simulated or
/// probed. Its module is named like the configuration.
///
/// # Errors
/// [`HdlError::Config`] if the configuration is not valid.
pub fn build(config: &PeConfig) -> Result<Box<dyn PeBlock>, HdlError> {
    config.validate()?;
    macro_rules! widths {
        ($($a:literal: $n:literal),+) => {
            match config.row_address_bits() {
                $($a => Ok(connected(PairPe::<$a, $n>::new(config))),)+
                _ => Err(HdlError::Config(PeConfigError::Rows(config.am.rows))),
            }
        };
    }
    widths!(1: 2, 2: 4, 3: 8, 4: 16, 5: 32, 6: 64, 7: 128, 8: 256, 9: 512, 10: 1024)
}

/// Every distinct module of a configuration as a block of its own, connected,
/// leaves first, the PE last: what a proof takes one by one.
///
/// # Errors
/// [`HdlError::Config`] if the configuration is not valid.
pub fn modules(config: &PeConfig) -> Result<Vec<Box<dyn Block>>, HdlError> {
    config.validate()?;
    let mut modules: Vec<Box<dyn Block>> = vec![
        connected(ClockGate::new()),
        connected(Register::<Bit>::new(config.reset)),
        connected(Register::<Bits<32>>::new(config.reset)),
        connected(GatedRegister::<32>::new()),
        connected(GatedOperands::<32>::new()),
        connected(RowStorage::<32>::new()),
        connected(AmRow::<32>::new(config.reset)),
        connected(OutputBuffer::<32>::new(config.reset)),
    ];
    for unit in [Binary32::mul(MultiplierStyle::Dadda), Binary32::add()] {
        modules.extend(unit.submodules().into_iter().map(|module| connected(module) as Box<dyn Block>));
        modules.push(connected(unit));
    }
    macro_rules! widths {
        ($($a:literal: $n:literal),+) => {
            match config.row_address_bits() {
                $($a => {
                    modules.push(connected(PrioritySelect::<$n>::new()));
                    modules.push(connected(PairAm::<$a, $n>::new(config.am.rows, config.reset)));
                    modules.push(connected(PairPe::<$a, $n>::new(config)));
                })+
                _ => return Err(HdlError::Config(PeConfigError::Rows(config.am.rows))),
            }
        };
    }
    widths!(1: 2, 2: 4, 3: 8, 4: 16, 5: 32, 6: 64, 7: 128, 8: 256, 9: 512, 10: 1024);
    Ok(modules)
}

fn connected<B: Block + 'static>(mut block: B) -> Box<B> {
    block.connect_all();
    Box::new(block)
}
