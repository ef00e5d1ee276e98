//! What a build found, in a dozen lines of terminal.

use super::{Accuracy, HitRate, Layer, Measure, NarrowAccuracy, Report};
use axp_spec::Accumulator;
use std::fmt::Write;

/// The report as text of at most 80 columns.
pub fn text(report: &Report) -> String {
    let equivalence = &report.equivalence;
    let lint: Vec<String> = report.lint.iter().map(|l| format!("{} {}", l.tool, l.warnings)).collect();
    let saturated = match report.pe.accumulator {
        Accumulator::Float => String::new(),
        Accumulator::Fixed { width, .. } => {
            format!("overflows: {} sums left the range of the {width}-bit accumulator\n", report.overflows)
        }
    };
    let subsets = report.subsets.as_ref().map_or(String::new(), |subsets| {
        let [least, most] = subsets.range_pp;
        let count = subsets.designs.len();
        format!("lost, {count} calibration subsets: {:+.2} pp ({least:+.2} to {most:+.2})\n", subsets.mean_pp)
    });
    let narrow = match &report.narrow[..] {
        [] => String::new(),
        all => NarrowAccuracy::text(all) + "\n",
    };
    format!(
        "{}\n{}{subsets}{narrow}{saturated}replay: {} mismatches in {} outputs, {} MACs, {} cycles\n        ({})\nlint warnings: {}\n",
        layer_table(&report.layers, report.zero_rate, report.hit_rate),
        accuracy(&report.accuracy),
        equivalence.mismatches,
        equivalence.outputs,
        equivalence.macs,
        equivalence.cycles,
        equivalence.simulator,
        lint.join(", ")
    )
}

/// A line a layer, and one for the whole net. Layer names are shortened and
/// their control characters replaced: they are data, not terminal commands.
pub fn layer_table(layers: &[Layer], zero_rate: f64, hit_rate: HitRate) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{:<22} {:>11} {:>6} {:>7} {:>8} {:>6} {:>5} {:>4}",
        "layer", "MACs", "zero", "hit", "nonzero", "values", "rows", "key"
    );
    let rates = |zero: f64, hit: HitRate| {
        format!("{:>5.1}% {:>6.1}% {:>7.1}%", 100.0 * zero, 100.0 * hit.all, 100.0 * hit.nonzero)
    };
    let mut macs = 0;
    for layer in layers {
        let name = printable(&layer.name, 22);
        if layer.mapped {
            macs += layer.macs.unwrap_or(0);
            let _ = writeln!(
                out,
                "{name:<22} {:>11} {} {:>6} {:>5} {:>4}",
                layer.macs.unwrap_or(0),
                rates(layer.zero_rate, layer.hit_rate),
                layer.clusters,
                layer.rows,
                layer.key_fraction_bits
            );
        } else {
            let reason = layer.reason.as_deref().unwrap_or("not supported");
            let _ = writeln!(out, "{name:<22} runs exactly: {}", printable(reason, 43));
        }
    }
    let _ = writeln!(out, "{:<22} {macs:>11} {}", "all", rates(zero_rate, hit_rate));
    out
}

/// Two lines about accuracy.
pub fn accuracy(accuracy: &Accuracy) -> String {
    let what = match accuracy.measure {
        Measure::Top1 => "accuracy",
        Measure::Agreement => "agreement with the float net",
    };
    format!(
        "{what}: {:.2} % before, {:.2} % on the PE, {} samples\nlost: {:+.2} pp ± {:.2}, 95 % within {:+.2} to {:+.2} (bound {:.2} pp)\n",
        100.0 * accuracy.baseline,
        100.0 * accuracy.axp,
        accuracy.samples,
        accuracy.loss_pp,
        accuracy.loss_standard_error_pp,
        accuracy.loss_interval_pp[0],
        accuracy.loss_interval_pp[1],
        accuracy.max_loss_pp
    )
}

/// `text` in at most `width` columns, control characters replaced.
pub fn printable(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if clean.chars().count() <= width {
        return clean;
    }
    let kept: String = clean.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\nb", 20), "a\u{FFFD}[31m\u{FFFD}b");
        assert_eq!(printable("abcdef", 4), "abc…");
        assert_eq!(printable("abcd", 4), "abcd");
    }
}
