//! Are both sides of a cut the same? ABC merges what is equal, SAT decides about the rest.
//!
//! Synthesis keeps most of a module's inner nets, at least in other words: a sum of a full
//! adder, a digit of a shift. ABC finds such pairs by simulation and proves them one
//! behind the other (`ifraig`), which leaves nothing of a multiplier that SAT alone
//! would never be done with. A counterexample is always Yosys' own.

use super::NetlistError;
use super::cut::Cut;
use crate::equivalence::folder::Folder;
use crate::equivalence::miter::{compared_bits, differences, last_error};
use crate::process::tail;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides are the same; so many bits were compared.
    Equal(usize),
    /// They are not. The signals that differ, if any are known, and the end of the log.
    Different(Vec<String>, String),
    /// Time was up.
    Undecided,
}

/// How ABC merges nodes that are equal: with few conflicts a pair, then with more.
pub const SWEEP: &str = "strash; ifraig; ifraig -C 5000; strash; map\n";

/// What decides about the two sides in `cut.json`, with so much time for SAT.
pub fn script(seconds: u64) -> String {
    format!(
        "read_json cut.json
check -assert
miter -equiv -make_assert -make_outcmp gold gate miter
hierarchy -top miter
stat -width miter
flatten
opt_expr -keepdc -fine
opt_merge
opt_clean
simplemap
opt_expr -keepdc
opt_merge
opt_clean
abc -g AND,XOR -script sweep.abc
opt_expr -keepdc
opt_clean
sat -timeout {seconds} -verify -prove-asserts -show-outputs miter
"
    )
}

/// Compares both sides, within so much time.
pub fn decide(cut: &Cut, time: Duration, cancel: &AtomicBool) -> Result<Verdict, NetlistError> {
    let folder = Folder::new()?;
    let text = serde_json::to_string(&cut.design);
    let text = text.map_err(|error| NetlistError::Unreadable { what: error.to_string() })?;
    folder.write("cut.json", &text)?;
    folder.write("sweep.abc", SWEEP)?;
    let Some((passed, log)) = folder.run_within(&script(time.as_secs().max(1)), time, cancel)? else {
        return Ok(Verdict::Undecided);
    };
    if passed {
        // A proof that has compared nothing has proven nothing.
        return match compared_bits(&log).filter(|bits| *bits > 0) {
            Some(bits) => Ok(Verdict::Equal(bits)),
            None => Err(NetlistError::Unreadable { what: format!("Yosys compared nothing:\n{}", tail(&log)) }),
        };
    }
    if last_error(&log).contains("proof did time out") {
        return Ok(Verdict::Undecided);
    }
    let signals = differences(&log).lines().map(|line| line.trim_end_matches(" differs").to_owned()).collect();
    Ok(Verdict::Different(signals, tail(&log)))
}
