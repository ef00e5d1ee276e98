//! `report.html`: one self-contained page that shows `report.json` to a person.
//! Every text passes through maud's escaping, since layer names are data.

use super::{Accuracy, Equivalence, Layer, Measure, NarrowAccuracy, Report};
use crate::plot;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
:root { --ink: #1c2430; --muted: #5d6876; --line: #d9dee5; --good: #1d7a46; --bad: #b3261e; --bar: #2f6fb0; --bar2: #9cc3e6; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto; padding: 2rem 1.25rem; max-width: 68rem; background: #fff; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 48rem; } .muted { color: var(--muted); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; }
.card b { display: block; font-size: 1.45rem; line-height: 1.25; } .card span { color: var(--muted); font-size: .87rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; font-size: .85rem; color: var(--muted); } th:first-child, td:first-child { text-align: left; }
td:first-child { max-width: 22rem; overflow: hidden; text-overflow: ellipsis; } td.text { text-align: left; white-space: normal; }
tr.total td { font-weight: 600; border-top: 2px solid var(--line); }
.bar { display: inline-block; width: 7rem; height: .7rem; background: #eef1f5; vertical-align: middle; margin-left: .5rem; }
.bar i { display: block; height: 100%; background: var(--bar); }
svg { max-width: 100%; height: auto; } code { font-size: .9em; }
";

/// The page.
pub fn page(report: &Report) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "axp: " (report.model.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (report.model.name) }
                p.muted {
                    "on " code { (report.pe.name) } ": " (super::describe(&report.pe)) ", "
                    "zero skip " (if report.zero_skip { "on" } else { "off" }) ". Built by axp " (report.axp_version) "."
                }
                (cards(report))
                (layers(report))
                (equivalence(&report.equivalence))
                (search(report))
                (provenance(report))
            }
        }
    }
    .into_string()
}

fn cards(report: &Report) -> Markup {
    let accuracy = &report.accuracy;
    let verified = report.equivalence.mismatches == 0;
    let clean = report.lint.iter().all(|l| l.warnings == 0);
    html! {
        div.cards {
            div.card {
                b class=(verdict(accuracy.within_bound)) { (format!("{:+.2} pp", accuracy.loss_pp)) }
                span { (accuracy_text(accuracy)) }
            }
            div.card {
                b { (percent(report.hit_rate.nonzero)) }
                span { "of the multiplications with a nonzero activation come from the memory (" (percent(report.hit_rate.all)) " of all)" }
            }
            div.card {
                b class=(verdict(verified)) { (group(report.equivalence.mismatches)) " mismatches" }
                span { "in " (group(report.equivalence.cycles)) " cycles and " (group(report.equivalence.outputs)) " outputs replayed in " (report.equivalence.simulator) }
            }
            div.card {
                b class=(verdict(clean)) { @if clean { "lint clean" } @else { "lint warnings" } }
                span { (report.lint.iter().map(|l| format!("{}: {}", l.tool, l.warnings)).collect::<Vec<_>>().join(", ")) }
            }
        }
        @if !report.narrow.is_empty() {
            p.muted { "For comparison, on the same samples and without a memory, " (NarrowAccuracy::text(&report.narrow)) "." }
        }
        @if let Some(mismatch) = &report.equivalence.first_mismatch {
            p.bad { "First mismatch: " (mismatch) }
        }
    }
}

fn accuracy_text(accuracy: &Accuracy) -> String {
    let what = match accuracy.measure {
        Measure::Top1 => "lost: top-1",
        Measure::Agreement => "lost: agreement with the float net",
    };
    format!(
        "{what} {} → {} on {} samples (± {:.2} paired standard error; bound {:.2} pp)",
        percent(accuracy.baseline),
        percent(accuracy.axp),
        group(accuracy.samples as u64),
        accuracy.loss_standard_error_pp,
        accuracy.max_loss_pp
    )
}

fn layers(report: &Report) -> Markup {
    html! {
        h2 { "Layers" }
        p.muted {
            "Hit: the product comes from the memory and the multiplier does not switch. Zero: the activation is ±0, padding included. "
            "Values: distinct weights after clustering. Key: top fraction bits of the activation that select a row (23 is all of them)."
        }
        div.scroll { table {
            tr { th { "layer" } th { "operator" } th { "MACs" } th { "zero" } th { "hit, all" } th { "hit, nonzero" } th { "values" } th { "rows" } th { "key" } }
            @for layer in &report.layers { (layer_row(layer)) }
            tr.total {
                td { "all" } td {} td { (group(report.macs)) } td { (percent(report.zero_rate)) } td { (percent(report.hit_rate.all)) }
                td { (percent(report.hit_rate.nonzero)) (bar(report.hit_rate.nonzero)) } td {} td {} td {}
            }
        } }
        @if let axp_spec::Accumulator::Fixed { width, .. } = report.pe.accumulator {
            p.muted { (group(report.overflows)) " sums of the evaluation left the range of the " (width) "-bit accumulator." }
        }
    }
}

fn layer_row(layer: &Layer) -> Markup {
    html! {
        tr {
            td title=(layer.name) { (layer.name) }
            td { (layer.op) }
            td { @if let Some(macs) = layer.macs { (group(macs)) } }
            @if layer.mapped {
                td { (percent(layer.zero_rate)) }
                td { (percent(layer.hit_rate.all)) }
                td { (percent(layer.hit_rate.nonzero)) (bar(layer.hit_rate.nonzero)) }
                td { (layer.clusters) } td { (layer.rows) } td { (layer.key_fraction_bits) }
            } @else {
                td.text colspan="6" { "runs exactly, not on the PE: " (layer.reason.as_deref().unwrap_or("not supported")) }
            }
        }
    }
}

fn equivalence(equivalence: &Equivalence) -> Markup {
    html! {
        h2 { "Replay: the Verilog against the golden model" }
        p.muted {
            "Every output signal in every cycle is compared with the cycle-accurate golden model, and every complete sum, bias added, "
            "with the tensor element that the inference behind the accuracy above computed."
        }
        div.scroll { table {
            tr { th { "layer" } th { "cycles" } th { "MACs" } th { "outputs" } th { "mismatches" } }
            @for layer in &equivalence.layers {
                tr {
                    td title=(layer.name) { (layer.name) } td { (group(layer.cycles)) } td { (group(layer.macs)) } td { (group(layer.outputs)) }
                    td class=(verdict(layer.mismatches == 0)) { (group(layer.mismatches)) }
                }
            }
            tr.total {
                td { "all" } td { (group(equivalence.cycles)) } td { (group(equivalence.macs)) } td { (group(equivalence.outputs)) }
                td class=(verdict(equivalence.mismatches == 0)) { (group(equivalence.mismatches)) }
            }
        } }
    }
}

fn search(report: &Report) -> Markup {
    html! {
        h2 { "Search" }
        p {
            "Chosen: up to " (report.choice.clusters) " weight values a layer, keys of up to " (report.choice.key_fraction_bits)
            " fraction bits, up to " (report.choice.rows) " rows with " (report.choice.products) " different products; " (percent(report.choice.calibration_agreement))
            " of the " (report.model.calibration_samples) " calibration samples keep the class that the float net gives them."
            @if let Some(pj) = report.choice.estimated_pj_per_mac {
                " It should use about " (format!("{pj:.1}")) " pJ a MAC on " (report.choice.library) "; " code { "axp energy" } " measures it."
            }
        }
        @if let Ok(plot) = plot::search(&report.search, report.accuracy.max_loss_pp) { (PreEscaped(plot)) }
        div.scroll { table {
            tr { th { "built" } th { "exact" } th { "values" } th { "key" } th { "fill" } th { "rows" } th { "energy, about" } th { "agreement" } th { "expected loss" } th { "hit, nonzero" } th { "bound" } th {} }
            @for candidate in &report.search {
                tr {
                    td { (candidate.name) } td { (candidate.exact_layers) }
                    td { @if let Some(k) = candidate.clusters { (k) } @else { "as trained" } }
                    td { (candidate.key_fraction_bits) } td { (candidate.fill) } td { (candidate.rows) }
                    td { @if let Some(pj) = candidate.estimated_pj_per_mac { (format!("{pj:.1} pJ")) } @else { "?" } }
                    td { (percent(candidate.agreement)) }
                    td { (format!("{:.2} pp", candidate.expected_loss_pp)) } td { (percent(candidate.nonzero_hit_rate)) }
                    td class=(verdict(candidate.within_bound)) { @if candidate.within_bound { "kept" } @else { "missed" } }
                    td { @if candidate.chosen { b { "chosen" } } }
                }
            }
        } }
    }
}

fn provenance(report: &Report) -> Markup {
    html! {
        h2 { "How this was made" }
        p { "Model SHA-256 " code { (report.model.sha256) } }
        div.scroll { table {
            @for (tool, version) in &report.tools { tr { td { (tool) } td.text { (version) } } }
            @for (stage, seconds) in &report.seconds { tr { td { (stage) } td.text { (format!("{seconds:.1} s")) } } }
        } }
    }
}

fn bar(share: f64) -> Markup {
    html! { span.bar { i style=(format!("width:{:.1}%", 100.0 * share.clamp(0.0, 1.0))) {} } }
}

fn verdict(good: bool) -> &'static str {
    if good { "good" } else { "bad" }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `1234567` as `1 234 567` (with narrow no-break spaces).
fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202F}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(group(7), "7");
        assert_eq!(group(1_234_567), "1\u{202F}234\u{202F}567");
    }

    #[test]
    fn names_are_escaped() {
        let layer = Layer {
            name: "</td><script>alert(1)</script>".into(),
            op: "Conv".into(),
            mapped: true,
            reason: None,
            macs: Some(1),
            hit_rate: Default::default(),
            zero_rate: 0.0,
            clusters: 1,
            rows: 1,
            key_fraction_bits: 2,
            overflows: 0,
        };
        assert!(!layer_row(&layer).into_string().contains("<script>"));
    }
}
