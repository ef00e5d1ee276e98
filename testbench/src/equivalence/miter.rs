//! The proof of a module without registers: both texts side by side, one SAT problem.
//!
//! Each child is cut out: its outputs become inputs of both sides, its inputs
//! outputs that are compared. The names of these ports contain the instance and
//! the child's module, so instances that differ in either do not match. What is
//! the same gate on the same nets on both sides is merged before SAT, which for
//! most modules leaves next to nothing to decide.
//!
//! It is stricter than it need be in one point: a bit that a text leaves undefined
//! (`x`) may have any value, another one on each side, and nothing may depend on it.

use super::obligation::Obligation;
use super::{EquivalenceError, counted};
use crate::process::tail;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Both texts mean the same; so many bits were compared.
    Equal(usize),
    /// They differ, or their ports do. Says where.
    Different(String),
    /// There are registers, or time was up.
    Undecided,
}

/// Compares both texts, with so much time for SAT.
pub(super) fn compare(
    obligation: &Obligation,
    time: Duration,
    cancel: &AtomicBool,
) -> Result<Verdict, EquivalenceError> {
    let (passed, log) = obligation.folder()?.run(&script(obligation, time), cancel)?;
    if passed {
        return Ok(Verdict::Equal(counted(compared_bits(&log), &obligation.module, &log)?));
    }
    let undecided = [NO_REGISTERS, "proof did time out"].iter().any(|reason| last_error(&log).contains(reason));
    Ok(if undecided { Verdict::Undecided } else { Verdict::Different(differences(&log) + &tail(&log)) })
}

/// All that keeps a state. It appears in the log if there is such a cell.
const NO_REGISTERS: &str = "t:$*ff* t:$*latch* t:$sr t:$mem*";

fn script(obligation: &Obligation, time: Duration) -> String {
    let Obligation { module, children, .. } = obligation;
    let cut: String = children.iter().map(|child| format!("expose -evert -sep .{child}. t:{child}\n")).collect();
    let side = |name: &str| {
        format!(
            "read_verilog -DAXP_CE=1 boxes.v {name}.v
hierarchy -check -top {module}
proc
flatten
memory -nomap
memory_map
opt_clean
select -assert-none {NO_REGISTERS}
{cut}check -assert
setundef -anyseq
rename -top {name}
design -stash {name}
"
        )
    };
    format!(
        "{}{}design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
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
sat -timeout {} -verify -prove-asserts -show-outputs miter
",
        side("gold"),
        side("gate"),
        time.as_secs().max(1)
    )
}

/// Bits of the comparisons: `$eqx_48  2` counts as 96.
pub(super) fn compared_bits(log: &str) -> Option<usize> {
    let (_, statistics) = log.split_once("=== miter ===")?;
    let comparisons = statistics.lines().map_while(|line| match line.contains("Executing") {
        true => None,
        false => Some(line.trim().strip_prefix("$eqx_")),
    });
    let bits = comparisons.flatten().map(|comparison| {
        let (width, count) = comparison.split_once(' ')?;
        Some(width.parse::<usize>().ok()? * count.trim().parse::<usize>().ok()?)
    });
    bits.sum()
}

pub(super) fn last_error(log: &str) -> &str {
    log.lines().rev().find(|line| line.starts_with("ERROR")).unwrap_or_default()
}

/// The outputs, and inputs of children, that differ in the counterexample.
pub(super) fn differences(log: &str) -> String {
    let Some((_, example)) = log.split_once("Signal Name") else { return String::new() };
    let rows = example.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let differing = rows.filter_map(|row| match row[..] {
        [name, "0", ..] => name.strip_prefix("\\cmp_").map(|port| format!("{port} differs\n")),
        _ => None,
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_widths_times_counts() {
        let log = "=== miter ===\n   $assert    1\n   $eqx_11    3\n   $eqx_2    1\n3. Executing SAT\n   $eqx_9    1\n";
        assert_eq!(compared_bits(log), Some(35));
        assert_eq!(compared_bits("=== gold ===\n $eqx_2  1\n"), None);
    }

    #[test]
    fn differing_ports_are_named() {
        let log =
            "  Signal Name   Dec Hex Bin\n  \\cmp_match_o   0 0 0\n  \\cmp_a.axp_b.d_i   1 1 1\n  \\trigger  1 1 1\n";
        assert_eq!(differences(log), "match_o differs\n");
    }
}
