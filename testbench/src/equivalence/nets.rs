//! The proof net by net: for modules with registers, by induction, and where
//! [`super::miter`] does not decide.
//!
//! The clock is an ordinary signal here (`clk2fflogic`): else Yosys takes all
//! registers to have the same clock, whatever net and edge the text says.
//!
//! Yosys 0.23 pairs nets by name. Where an output is another name of an inner net
//! or of a child's output, it pairs that net twice, and the pairs can end up
//! depending on each other or on nothing: they stay unproven, whatever the texts say.

use super::obligation::Obligation;
use super::{EquivalenceError, counted};
use std::sync::atomic::AtomicBool;

/// What tidies both sides before they are matched. Which nets become one depends
/// on it, so what the one leaves unproven is tried with the next. Each is sound
/// by itself.
const TIDY: [&str; 2] = ["opt -full", "opt"];

/// Signal bits (`$equiv` cells) that were proven.
pub(super) fn prove(obligation: &Obligation, cancel: &AtomicBool) -> Result<usize, EquivalenceError> {
    let folder = obligation.folder()?;
    let run = |tidy: &str| folder.must(&script(&obligation.module, tidy), &obligation.module, cancel);
    let log = match run(TIDY[0]) {
        Err(EquivalenceError::NotProven { .. }) => run(TIDY[1])?,
        decided => decided?,
    };
    // `equiv_status -assert` has passed; what it counted is in its last lines.
    counted(proven_cells(&log), &obligation.module, &log)
}

fn script(module: &str, tidy: &str) -> String {
    let side = |name: &str| {
        format!(
            "read_verilog -DAXP_CE=1 boxes.v {name}.v
hierarchy -check -top {module}
proc
flatten
memory -nomap
memory_map
{tidy}
rename -top {name}
design -stash {name}
"
        )
    };
    format!(
        "{}{}design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
read_verilog boxes.v
clk2fflogic
equiv_make gold gate equiv
hierarchy -top equiv
equiv_struct
equiv_simple -short
equiv_simple
equiv_induct
equiv_status -assert
",
        side("gold"),
        side("gate")
    )
}

/// The count in `Of those cells 12 are proven and 0 are unproven.`
fn proven_cells(log: &str) -> Option<usize> {
    let line = log.lines().rev().find(|line| line.contains("Of those cells"))?;
    line.split_whitespace().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_last_status() {
        let log = "  Of those cells 3 are proven and 9 are unproven.\nx\n  Of those cells 12 are proven and 0 are unproven.\n";
        assert_eq!(proven_cells(log), Some(12));
        assert_eq!(proven_cells("nothing"), None);
    }
}
