//! What `axp energy` prints: a table of 80 columns, or JSON.

use axp_testbench::energy::Comparison;
use axp_testbench::energy::estimate::Estimate;
use axp_testbench::energy::figures::Figures;
use axp_testbench::energy::waterfall::{Step, waterfall};
use axp_testbench::equivalence::netlist::{How, NetlistCheck};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is stated about a library.
#[derive(Serialize)]
pub struct Library {
    #[serde(flatten)]
    pub comparison: Comparison,
    /// From the plain MAC to the design.
    pub waterfall: Vec<Step>,
    /// The design's energy out of a table; absent where that does not cover it.
    pub estimate: Option<Estimated>,
}

/// An estimate beside what was measured.
#[derive(Serialize)]
pub struct Estimated {
    #[serde(flatten)]
    estimate: Estimate,
    /// What it is off by, in percent of the measured energy.
    error_percent: f64,
}

impl Library {
    /// A comparison with an estimate of its design.
    pub fn new(comparison: Comparison, estimate: Option<Estimate>) -> Self {
        let measured = comparison.design.pj_per_mac;
        let estimate = estimate.map(|estimate| Estimated { error_percent: estimate.error_percent(measured), estimate });
        Self { waterfall: waterfall(&comparison), estimate, comparison }
    }
}

/// The report as JSON: the keys of the first library at the top level; all of
/// them under `libraries`.
pub fn json(pe: &str, libraries: &[Library]) -> String {
    #[derive(Serialize)]
    struct Top<'a> {
        pe: &'a str,
        boundary: &'static str,
        checked: &'static str,
        #[serde(flatten)]
        first: Option<&'a Library>,
        libraries: &'a [Library],
    }
    let top = Top { pe, boundary: BOUNDARY, checked: CHECKED, first: libraries.first(), libraries };
    // Plain structures with string keys: they cannot fail to serialise.
    serde_json::to_string_pretty(&top).unwrap_or_default()
}

/// What is counted.
const BOUNDARY: &str = "one processing element, input registers included, 32-bit weights in fp32 baselines; wires by fan-out; \
                        clock pins and gates without a clock tree; no layout";

/// How the netlists were checked.
const CHECKED: &str = "every output of every simulated cycle of the netlists equals the golden model; netlist_checks \
                       tells which modules of a netlist are proven equivalent to their Verilog";

/// The report as text.
pub fn table(pe: &str, libraries: &[Library]) -> String {
    let mut text = String::new();
    for library in libraries {
        one(&mut text, pe, library);
    }
    text
}

fn one(text: &mut String, pe: &str, library: &Library) {
    let found = &library.comparison;
    let design = &found.design;
    let _ = writeln!(
        text,
        "{pe}\n{}, {} ns, {} fF a fan-out\n\n{:<20} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>6} {:>6}",
        found.library,
        found.period_ns,
        found.wire_load_ff,
        "pJ a MAC",
        "total",
        "search",
        "mult",
        "acc",
        "regs",
        "clock",
        "leak",
        "reload"
    );
    let all = || std::iter::once(design).chain(found.baselines.iter().map(|baseline| &baseline.figures));
    for Figures { name, pj_per_mac, split, .. } in all() {
        let _ = writeln!(
            text,
            "{name:<20} {pj_per_mac:>7.1} {:>7.1} {:>7.1} {:>7.1} {:>6.1} {:>6.1} {:>6.3} {:>6.1}",
            split.search_and_read,
            split.multiplier,
            split.accumulator,
            split.registers,
            split.clock,
            split.leakage,
            split.reload
        );
    }
    let _ = writeln!(
        text,
        "\n{:<20} {:>8} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8}",
        "", "GE", "ns", "hit", "miss", "zero", "annot. %", "saving %"
    );
    for (index, figures) in all().enumerate() {
        let pj = |energy: Option<f64>| energy.map_or("-".to_owned(), |energy| format!("{energy:.1}"));
        let baseline = index.checked_sub(1).and_then(|index| found.baselines.get(index));
        let saving = baseline.map_or(String::new(), |baseline| format!("{:.1}", baseline.saving_percent));
        let by = &figures.by_class;
        let _ = writeln!(
            text,
            "{:<20} {:>8.0} {:>7.2} {:>7} {:>7} {:>7} {:>8.1} {:>8}",
            figures.name,
            figures.ge,
            figures.longest_path_ns,
            pj(by.hit),
            pj(by.miss),
            pj(by.zero),
            figures.annotated_percent,
            saving
        );
    }
    steps(text, &library.waterfall);
    if let Some(Estimated { estimate, error_percent }) = &library.estimate {
        let pj = estimate.pj_per_mac;
        let _ = writeln!(text, "\nestimated without gates: {pj:.1} pJ a MAC ({error_percent:+.1} %)");
    }
    second_opinion(text, &all().collect::<Vec<_>>());
    let cycles: u64 = all().map(|figures| figures.compared_cycles).sum();
    let _ = writeln!(text, "\nEvery output of the netlists equals the golden model in all {cycles} cycles.");
    let _ = writeln!(text, "{}\n", proofs(&all().collect::<Vec<_>>()));
}

/// What OpenSTA says of the same activity, where it reads any.
fn second_opinion(text: &mut String, all: &[&Figures]) {
    let opinions = || all.iter().filter_map(|figures| Some((&figures.name, figures.second_opinion.as_ref()?)));
    let Some((_, first)) = opinions().next() else { return };
    let _ = writeln!(
        text,
        "\n{}, report_power with the same activity; pJ a cycle, all cycles\n{:<20} {:>9} {:>9} {:>9} {:>9} {:>9}",
        first.tool, "", "internal", "switching", "leakage", "total", "axp"
    );
    for (name, opinion) in opinions() {
        let _ = match (&opinion.report_power, &opinion.failure) {
            (Some(power), _) => writeln!(
                text,
                "{name:<20} {:>9.2} {:>9.2} {:>9.4} {:>9.2} {:>9.2}",
                power.internal,
                power.switching,
                power.leakage,
                power.total(),
                opinion.axp.total()
            ),
            (None, failure) => writeln!(text, "{name:<20} failed: {}", failure.as_deref().unwrap_or("no reason given")),
        };
    }
}

/// Which modules are proven to be their Verilog. Contenders can share a netlist.
fn proofs(all: &[&Figures]) -> String {
    let netlists: BTreeMap<&str, &&Figures> = all.iter().rev().map(|f| (f.netlist_sha256.as_str(), f)).collect();
    let checks =
        || netlists.values().flat_map(|figures| figures.netlist_checks.iter().map(|check| (&figures.name, check)));
    let (count, proven) = (checks().count(), checks().filter(|(_, check)| check.how == How::Proven).count());
    let mut text =
        format!("Netlist = Verilog: {proven} of {count} modules of {} netlists proven (Yosys)", netlists.len());
    for (name, NetlistCheck { module, reason, .. }) in checks().filter(|(_, check)| check.how == How::Simulated) {
        let _ = write!(text, "\n  only simulated: {name}, {module}: {}", reason.as_deref().unwrap_or("no proof"));
    }
    text + "."
}

/// Where the saving comes from.
fn steps(text: &mut String, steps: &[Step]) {
    if steps.is_empty() {
        return;
    }
    let (from, step, saving) = ("where it comes from", "step %", "saving %");
    let _ = writeln!(text, "\n{from:<26} {:<22} {:>9} {step:>8} {saving:>8}", "", "pJ a MAC");
    for Step { step, name, pj_per_mac, step_percent, saving_percent } in steps {
        let _ = writeln!(text, "{step:<26} {name:<22} {pj_per_mac:>9.1} {step_percent:>8.1} {saving_percent:>8.1}");
    }
}
