//! What each processing element uses, and where a saving comes from.

use super::{CHOSEN, Drawing, MISSED, detach};
use axp_testbench::energy::Comparison;
use axp_testbench::energy::figures::{Figures, Split};
use axp_testbench::energy::waterfall::Step;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Parts of a bar, from the left.
type Part = (&'static str, RGBColor, fn(&Split) -> f64);
const PARTS: [Part; 7] = [
    ("memory", RGBColor(0x1D, 0x7A, 0x46), |split| split.search_and_read),
    ("multiplier", RGBColor(0xB3, 0x26, 0x1E), |split| split.multiplier),
    ("sum", RGBColor(0x2F, 0x6F, 0xB0), |split| split.accumulator),
    ("registers", RGBColor(0xE0, 0x9F, 0x3E), |split| split.registers),
    ("clock", RGBColor(0x7A, 0x5A, 0xA6), |split| split.clock),
    ("leakage", RGBColor(0x4A, 0x4A, 0x4A), |split| split.leakage),
    ("writing rows", RGBColor(0x9C, 0x6B, 0x4E), |split| split.reload),
];

/// What is left, beside what a step takes away.
const REST: RGBColor = RGBColor(0xE4, 0xE7, 0xEB);
const WIDTH: i32 = 880;
/// Where bars begin.
const LEFT: i32 = 190;
/// Where the longest one ends.
const RIGHT: i32 = WIDTH - 200;
const ROW: i32 = 24;
const BAR: i32 = 16;
/// Above the first bar: title and key.
const HEAD: i32 = 74;
/// Above the bars of the waterfall.
const GAP: i32 = 52;

/// A bar for the design and each baseline, by what the energy is used for; below it the
/// steps from the plain MAC to the design, if there are any.
///
/// # Errors
/// The drawing library refuses.
pub fn energy(found: &Comparison, steps: &[Step]) -> Result<String, Drawing<'static>> {
    let mut bars: Vec<&Figures> = vec![&found.design];
    bars.extend(found.baselines.iter().map(|baseline| &baseline.figures));
    let longest = bars.iter().map(|figures| figures.pj_per_mac).fold(f64::MIN_POSITIVE, f64::max);
    let at = |pj: f64| LEFT + (f64::from(RIGHT - LEFT) * pj / longest).round() as i32;
    let below = if steps.is_empty() { 0 } else { GAP + ROW * steps.len() as i32 };
    let height = HEAD + ROW * bars.len() as i32 + below + 12;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE).map_err(detach)?;
        let style =
            |size: i32, to: HPos| TextStyle::from(("sans-serif", size).into_font()).pos(Pos::new(to, VPos::Center));
        let text = |text: String, x: i32, y: i32, size: i32, to: HPos| {
            area.draw(&Text::new(text, (x, y), style(size, to))).map_err(detach)
        };
        let bar = |from: i32, to: i32, y: i32, color: RGBColor| {
            let corners = [(from, y - BAR / 2), (to, y + BAR / 2)];
            area.draw(&Rectangle::new(corners, color.filled())).map_err(detach)
        };
        let title = format!("pJ a MAC, {}, {} ns", found.library, found.period_ns);
        text(title, 12, 18, 15, HPos::Left)?;
        for (place, (name, color, _)) in (0_i32..).zip(PARTS) {
            let x = 12 + 114 * place;
            area.draw(&Rectangle::new([(x, 38), (x + 12, 50)], color.filled())).map_err(detach)?;
            text(name.to_owned(), x + 18, 44, 13, HPos::Left)?;
        }
        for (place, figures) in (0_i32..).zip(&bars) {
            let y = HEAD + ROW * place + ROW / 2;
            text(figures.name.clone(), LEFT - 8, y, 13, HPos::Right)?;
            let mut used = 0.0;
            for (_, color, of) in PARTS {
                let from = at(used);
                used += of(&figures.split);
                bar(from, at(used), y, color)?;
            }
            let saving = place.checked_sub(1).and_then(|place| found.baselines.get(place as usize));
            let saving = saving.map_or(String::new(), |b| format!("  (design saves {:.1} %)", b.saving_percent));
            text(format!("{:.1}{saving}", figures.pj_per_mac), at(used) + 6, y, 13, HPos::Left)?;
        }
        let top = HEAD + ROW * bars.len() as i32 + GAP;
        if let Some(plain) = steps.first() {
            text("Where it comes from, in percent of the plain MAC".to_owned(), 12, top - 20, 15, HPos::Left)?;
            let mut before = plain.pj_per_mac;
            for (place, step) in (0_i32..).zip(steps) {
                let y = top + ROW * place + ROW / 2;
                text(step.step.to_owned(), LEFT - 8, y, 13, HPos::Right)?;
                let color = if step.pj_per_mac <= before { CHOSEN } else { PARTS[1].1 };
                let (low, high) = (step.pj_per_mac.min(before), step.pj_per_mac.max(before));
                let label = if place == 0 {
                    bar(LEFT, at(high), y, MISSED)?;
                    "100 %".to_owned()
                } else {
                    bar(LEFT, at(step.pj_per_mac.min(before)), y, REST)?;
                    bar(at(low), at(high), y, color)?;
                    format!("{:+.1} %, {:.1} % left", -step.step_percent, 100.0 - step.saving_percent)
                };
                text(label, at(high) + 6, y, 13, HPos::Left)?;
                before = step.pj_per_mac;
            }
        }
        area.present().map_err(detach)?;
    }
    Ok(svg)
}
