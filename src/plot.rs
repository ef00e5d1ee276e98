//! Plots as SVG text: the search, hit rate against key width, and energy.

mod energy;
mod front;

pub use energy::energy;
pub use front::front;

use crate::report::Candidate;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Drawing<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

const KEPT: RGBColor = RGBColor(0x2F, 0x6F, 0xB0);
const MISSED: RGBColor = RGBColor(0xB8, 0xBF, 0xC8);
const CHOSEN: RGBColor = RGBColor(0x1D, 0x7A, 0x46);
const LOSS: RGBColor = RGBColor(0xB3, 0x26, 0x1E);

/// Agreement on the calibration samples over nonzero hit rate, a point a candidate.
///
/// # Errors
/// The drawing library refuses.
pub fn search(candidates: &[Candidate], max_loss_pp: f64) -> Result<String, Drawing<'static>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (720, 360)).into_drawing_area();
        area.fill(&WHITE).map_err(detach)?;
        let lowest = candidates
            .iter()
            .map(|c| 100.0 * c.agreement)
            .fold(98.0, f64::min)
            .max(100.0 - 12.0 * max_loss_pp.max(1.0));
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            // Half of the last label stands beyond the axis.
            .margin_right(28)
            .x_label_area_size(42)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..100.0, lowest - 0.5..100.5)
            .map_err(detach)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("nonzero MACs served by the memory, %")
            .y_desc("agreement with the float net, %")
            .label_style(("sans-serif", 13))
            .draw()
            .map_err(detach)?;
        for candidate in candidates {
            let color = if candidate.chosen {
                CHOSEN
            } else if candidate.within_bound {
                KEPT
            } else {
                MISSED
            };
            let at = (100.0 * candidate.nonzero_hit_rate, (100.0 * candidate.agreement).max(lowest));
            chart
                .draw_series([Circle::new(at, if candidate.chosen { 7 } else { 4 }, color.filled())])
                .map_err(detach)?;
        }
        let key = TextStyle::from(("sans-serif", 13).into_font()).pos(Pos::new(HPos::Left, VPos::Center));
        for (row, (color, text)) in
            [(CHOSEN, "chosen"), (KEPT, "inside the bound"), (MISSED, "outside the bound")].into_iter().enumerate()
        {
            let y = 268 - 18 * row as i32;
            area.draw(&Circle::new((84, y), 4, color.filled())).map_err(detach)?;
            area.draw(&Text::new(text, (94, y), key.clone())).map_err(detach)?;
        }
        area.present().map_err(detach)?;
    }
    Ok(svg)
}

/// One key width of the sweep, in percent and percentage points.
pub struct KeyPoint {
    /// Top fraction bits compared.
    pub fraction_bits: u32,
    /// Share of nonzero MACs served, %.
    pub nonzero_hit: f64,
    /// Share of all MACs served, %.
    pub hit: f64,
    /// Accuracy or agreement lost, pp.
    pub loss_pp: f64,
}

/// Hit rates (left axis) and loss (right axis) over the key width.
///
/// # Errors
/// The drawing library refuses.
pub fn keys(points: &[KeyPoint], loss_label: &str) -> Result<String, Drawing<'static>> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (760, 420)).into_drawing_area();
        area.fill(&WHITE).map_err(detach)?;
        let most = points.iter().map(|p| p.loss_pp).fold(1.0, f64::max);
        let least = points.iter().map(|p| p.loss_pp).fold(0.0, f64::min);
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .right_y_label_area_size(56)
            .build_cartesian_2d(-0.5..23.5, 0.0..100.0)
            .map_err(detach)?
            .set_secondary_coord(-0.5..23.5, least * 1.1..most * 1.1);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(12)
            .x_label_formatter(&|x| if *x >= 22.6 { "exact".into() } else { format!("{x:.0}") })
            .x_desc("fraction bits of the activation in the key (23: exact)")
            .y_desc("MACs served by the memory, %")
            .label_style(("sans-serif", 13))
            .draw()
            .map_err(detach)?;
        chart
            .configure_secondary_axes()
            .y_desc(loss_label)
            .label_style(("sans-serif", 13).into_font().color(&LOSS))
            .draw()
            .map_err(detach)?;
        let x = |p: &KeyPoint| f64::from(p.fraction_bits);
        type Pick = fn(&KeyPoint) -> f64;
        let series: [(RGBColor, &str, Pick); 2] =
            [(KEPT, "hit rate, nonzero activations", |p| p.nonzero_hit), (MISSED, "hit rate, all", |p| p.hit)];
        for (color, label, value) in series {
            chart
                .draw_series(
                    LineSeries::new(points.iter().map(|p| (x(p), value(p))), color.stroke_width(2)).point_size(3),
                )
                .map_err(detach)?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(3)));
        }
        chart
            .draw_secondary_series(
                LineSeries::new(points.iter().map(|p| (x(p), p.loss_pp)), LOSS.stroke_width(2)).point_size(3),
            )
            .map_err(detach)?
            .label("loss (right axis)")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], LOSS.stroke_width(3)));
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

/// Drawing into a string borrows it; the error does not need to.
fn detach(error: Drawing<'_>) -> Drawing<'static> {
    match error {
        DrawingAreaErrorKind::BackendError(e) => DrawingAreaErrorKind::BackendError(e),
        DrawingAreaErrorKind::SharingError => DrawingAreaErrorKind::SharingError,
        DrawingAreaErrorKind::LayoutError => DrawingAreaErrorKind::LayoutError,
    }
}
