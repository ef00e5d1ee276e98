//! The designs of a sweep: energy and loss, the front marked.

use super::{CHOSEN, Drawing, MISSED, detach};
use crate::commands::SweepRow;
use plotters::prelude::*;

/// Greatest expected loss that is drawn, in percentage points.
const MOST: f64 = 10.0;

/// Expected loss over energy a MAC, a point a design.
///
/// # Errors
/// The drawing library refuses.
pub fn front(rows: &[SweepRow]) -> Result<String, Drawing<'static>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (760, 440)).into_drawing_area();
        area.fill(&WHITE).map_err(detach)?;
        let points: Vec<(f64, f64, bool)> = rows
            .iter()
            .filter_map(|row| Some((row.pj_per_mac?, row.expected_loss_pp.clamp(0.01, MOST), row.front)))
            .collect();
        let least = points.iter().map(|point| point.0).fold(f64::INFINITY, f64::min).min(1e6);
        let most = points.iter().map(|point| point.0).fold(least + 1.0, f64::max);
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d((least / 1.2..most * 1.2).log_scale(), (0.01..MOST).log_scale())
            .map_err(detach)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(5)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| if *y < 0.011 { "≤ 0.01".into() } else { format!("{y}") })
            .x_desc("energy, about, pJ a MAC")
            .y_desc("expected loss, pp")
            .label_style(("sans-serif", 13))
            .draw()
            .map_err(detach)?;
        for (of_front, color, size) in [(false, MISSED, 3), (true, CHOSEN, 5)] {
            let drawn = points.iter().filter(|point| point.2 == of_front);
            let drawn = drawn.map(|(x, y, _)| Circle::new((*x, *y), size, color.filled()));
            chart
                .draw_series(drawn)
                .map_err(detach)?
                .label(if of_front { "front" } else { "other designs" })
                .legend(move |(x, y)| Circle::new((x + 9, y), size, color.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(MISSED)
            .label_font(("sans-serif", 13))
            .draw()
            .map_err(detach)?;
        area.present().map_err(detach)?;
    }
    Ok(svg)
}
