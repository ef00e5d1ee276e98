//! A waveform window around a mismatch: the same vectors again, with tracing.

use crate::compare::{FrameWriter, Stop, compare};
use crate::dut::{Body, Dut};
use crate::simulator::{Simulator, SimulatorError, SimulatorKind, Window};
use crate::vectors::Layout;
use crate::verilator;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Cycles shown before the one that differs.
pub const CYCLES_BEFORE: u64 = 50;

/// Cycles shown after it.
pub const CYCLES_AFTER: u64 = 10;

/// Runs `produce` again, which must write the same vectors as before, and
/// keeps the cycles around `cycle` as a VCD file in `folder`. Time in the file
/// is 2 units a cycle with Verilator and 10 ns with Icarus.
///
/// # Errors
/// The simulator could not be built with tracing or run, or the file could not
/// be written.
#[allow(clippy::too_many_arguments, reason = "each is a plain fact about one run")]
pub fn capture(
    dut: &Dut,
    simulator: &Simulator,
    body: Body,
    cache: &Path,
    folder: &Path,
    cycle: u64,
    cancel: &AtomicBool,
    produce: impl FnOnce(&mut FrameWriter<'_>, &Layout) -> Result<(), Stop>,
) -> Result<PathBuf, SimulatorError> {
    fs::create_dir_all(folder).map_err(|source| SimulatorError::file(folder, source))?;
    let traced = match simulator.kind {
        SimulatorKind::Verilator => verilator::build(dut, body, true, cache, cancel)?,
        SimulatorKind::Icarus => simulator.clone(),
    };
    // Written under another name until complete. Names from a model reach
    // neither name.
    let name = format!("mismatch_{}_cycle_{cycle}.vcd", simulator.kind);
    let window = Window {
        folder: folder.to_owned(),
        file: format!("{name}.part"),
        from: cycle.saturating_sub(CYCLES_BEFORE),
        to: cycle + CYCLES_AFTER,
    };
    compare(&traced, Some(&window), Some(cancel), produce)?;
    let path = folder.join(name);
    fs::rename(window.path(), &path).map_err(|source| SimulatorError::file(&path, source))?;
    Ok(path)
}
